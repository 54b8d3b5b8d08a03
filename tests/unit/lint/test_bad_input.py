"""Bad input through the command line: one clear finding or line, an exit code of the contract, never "no findings"."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vipkeeper.cli.main import main

CONFIG = "etc/rancher/rke2/config.yaml"
KEEPALIVED = "etc/keepalived/keepalived.conf"
GOOD = "token: abc\nnode-ip: 10.0.0.1\n"


def put(top: Path, name: str, data: bytes | str) -> Path:
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def bomb() -> str:
    names = [f"a{n}" for n in range(12)]
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(names)]
    return "\n".join(lines)


WRONG: dict[str, tuple[str, bytes | str, str]] = {
    "broken": (CONFIG, "token: [a\nb: c\n", "VK003"),
    "tab": (CONFIG, "token: a\n\tserver: b\n", "VK003"),
    "binary": (CONFIG, b"\x7fELF\0\0", "VK002"),
    "late zero": (CONFIG, GOOD.encode() + b"# " + b"x" * 9000 + b"\0\n", "VK00"),
    "latin-1": (CONFIG, "token: é\n".encode("latin-1"), "VK002"),
    "utf-16": (CONFIG, GOOD.encode("utf-16"), "VK002"),
    "mixed": (CONFIG, GOOD.encode() + "# ü\n".encode() + "# ü\n".encode("cp1252"), "VK002"),
    "latin-1 keepalived": (KEEPALIVED, "# é\n".encode("latin-1"), "VK002"),
    "100 MB": (CONFIG, b"token: a\n" * (100 * 1024 * 1024 // 9), "VK001"),
    "many lines": (KEEPALIVED, "vrrp_instance A {\n}\n" * 20_001, "VK001"),
    "alias of itself": (CONFIG, "token: &a [*a]\n", "VK005"),
    "alias of nothing": (CONFIG, "token: *a\n", "VK005"),
    "alias bomb": (CONFIG, bomb(), "VK005"),
    "merged into itself": (CONFIG, "a: &a\n  <<: *a\n", "VK005"),
    "deep": (CONFIG, "a: " + "[" * 5000, "VK00"),
    "deep keepalived": (KEEPALIVED, "a {\n" * 5000, "VK00"),
    "a list": (CONFIG, "- a\n- b\n", "VK003"),
    "empty": (CONFIG, "", "VK007"),
    "includes itself": (KEEPALIVED, "include keepalived.conf\n", "VK005"),
    "includes nothing": (KEEPALIVED, "include no/such.conf\n", "VK001"),
    "never closed": (KEEPALIVED, "vrrp_instance A {\n", "VK003"),
}


@pytest.mark.parametrize(("name", "data", "code"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_read_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes | str, code: str
) -> None:
    put(tmp_path, name, data)
    result = main(["lint", str(tmp_path), "--output", "concise"])
    printed = capsys.readouterr()
    assert code in printed.out
    assert result == (0 if code == "VK007" else 1)
    assert len(printed.out.splitlines()) <= 60
    main(["lint", str(tmp_path)])
    text = capsys.readouterr().out
    assert "no findings" not in text
    assert code == "VK007" or "could not be read or understood" in text


def loop(top: Path) -> None:
    put(top, CONFIG, GOOD)
    (top / "etc/rancher/again").symlink_to(top / "etc")


def link_to_itself(top: Path) -> None:
    path = put(top, CONFIG, GOOD)
    path.unlink()
    path.symlink_to(path)


def dangling(top: Path) -> None:
    path = put(top, CONFIG, GOOD)
    path.unlink()
    path.symlink_to(top / "nowhere")


def pipe(top: Path) -> None:
    path = put(top, CONFIG, GOOD)
    path.unlink()
    os.mkfifo(path)


def includes_in_a_circle(top: Path) -> None:
    put(top, KEEPALIVED, "include a.conf\n")
    put(top, "etc/keepalived/a.conf", "include b.conf\n")
    put(top, "etc/keepalived/b.conf", "include a.conf\n")


@pytest.mark.parametrize("make", [loop, link_to_itself, dangling, pipe, includes_in_a_circle])
def test_places_that_lead_nowhere_are_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    make(tmp_path)
    result = main(["lint", str(tmp_path)])
    text = capsys.readouterr().out
    assert result == 1
    assert "could not be read or understood" in text
    assert "no findings" not in text


def test_a_file_without_permission_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, real = put(tmp_path, CONFIG, GOOD), os.open

    def refuse(path: Path, *rest: int, **more: int) -> int:
        if Path(path) == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert main(["lint", str(tmp_path)]) == 1
    assert "cannot be read: Permission denied" in capsys.readouterr().out


@pytest.mark.parametrize("options", [["--select", "VK101"], ["--ignore", "VK0"]])
def test_what_was_not_read_is_counted_though_its_rule_is_not_selected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    put(tmp_path, CONFIG, "token: [\n")
    assert main(["lint", str(tmp_path), *options, "--output", "concise"]) == 1
    assert "1 could not be read or understood" in capsys.readouterr().err


def test_an_empty_tree_is_nothing_to_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert main(["lint", str(tmp_path)]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
