"""The checks of the repository trip on what they are there for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_a_long_module_needs_a_reason_and_a_reason_a_long_module(tmp_path: Path) -> None:
    check = tool("check_sizes").problems
    for folder in ("src", "tests", "bench", "tools", "model"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "long.py").write_text("x = 1\n" * 401)
    (tmp_path / "tests" / "fits.py").write_text("x = 1\n" * 600)
    assert check(tmp_path, {}) == ["src/long.py: 401 lines, at most 400; split it"]
    assert check(tmp_path, {"src/long.py": "one table"}) == []
    assert check(tmp_path, {"src/long.py": "one table", "tests/fits.py": "old"}) == [
        "tests/fits.py: has a reason to be long but is not"
    ]


GOOD = "h11==0.16.0 \\\n    --hash=sha256:00\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD, None),
        ("h11==0.16.0\n", "a.lock: h11 has no hash"),
        ("h11>=0.16.0 --hash=sha256:00\n", "a.lock: expected NAME==VERSION"),
        ("--index-url https://example.org/simple\n" + GOOD, "a.lock: names a place"),
        ("h11 @ https://example.org/h11.whl\n", "a.lock: names a place"),
    ],
)
def test_a_lock_has_exact_versions_hashes_and_no_hosts(text: str, message: str | None) -> None:
    found = tool("check_locks").read_lock("a.lock", text).problems
    assert (found == []) if message is None else found[0].startswith(message)


def test_a_lock_fits_what_is_wanted() -> None:
    check = tool("check_locks")
    lock = check.read_lock("a.lock", GOOD)
    assert check.misfits("a.lock", lock, ["H11>=0.16"]) == []
    assert check.misfits("a.lock", lock, ["h11>=1", "rich"]) == [
        "a.lock: h11 0.16.0, pyproject.toml wants h11>=1",
        "a.lock: rich is missing",
    ]


def test_a_page_of_a_code_that_differs_is_named(tmp_path: Path) -> None:
    tool_of_pages = tool("rule_pages")
    wanted = {"rules/VK101.md": "a", "causes/VK801.md": "b", "causes/README.md": "c"}
    for name in ("rules/VK101.md", "causes/VK801.md", "causes/VK899.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
    found = tool_of_pages.differences(wanted, tmp_path)
    assert [line.partition(" ")[0] for line in found] == [
        "docs/causes/VK801.md",
        "docs/causes/README.md",
        "docs/causes/VK899.md",
    ]


def test_a_schema_that_differs_is_named(tmp_path: Path) -> None:
    schemas = tool("schemas")
    wanted = schemas.documents(ROOT / "docs")
    for name, text in wanted.items():
        (tmp_path / name).write_text(text)
    assert schemas.differences(wanted, tmp_path) == []
    (tmp_path / "lint.schema.json").write_text("{}\n")
    (tmp_path / "cluster.schema.json").unlink()
    (tmp_path / "old.schema.json").write_text("{}\n")
    assert [line.partition(" ")[0] for line in schemas.differences(wanted, tmp_path)] == [
        "docs/cluster.schema.json",
        "docs/lint.schema.json",
        "docs/old.schema.json",
    ]
