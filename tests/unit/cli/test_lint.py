"""The command line of lint and explain: exit codes, formats, fixes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from vipkeeper.cli.lint import FORMATS
from vipkeeper.cli.main import main

MODE = "token: s3cret # vip\ntls-san: [10.0.0.100]\nwrite-kubeconfig-mode: 0644\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(MODE)
    return path


def test_exit_codes(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(config)]) == 1
    assert main(["lint", str(config), "--fail-on", "never"]) == 0
    assert main(["lint", str(config), "--ignore", "VK1"]) == 0
    assert main(["lint", str(config), "--severity", "unquoted-mode=warning"]) == 0
    assert main(["lint", str(config), "--severity", "VK106=info", "--fail-on", "info"]) == 1
    assert main(["lint", str(config), "--select", "VK999"]) == 2
    assert main(["lint", str(config), "--vip", "abc"]) == 2
    for address in ("10.0.0.11/33", "10.0.0.11+", "10.0.0.11+cp2=10.0.0.12", "+10.0.0.11"):
        assert main(["lint", str(config), "--servers", f"cp1={address}"]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["lint", str(tmp_path / "empty")]) == 3
    assert main(["lint", str(tmp_path / "missing")]) == 1
    assert "no findings" not in capsys.readouterr().out.splitlines()[-1]


def test_what_could_not_be_read_is_told_even_when_not_selected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint", str(tmp_path / "missing"), "--ignore", "VK0"]) == 1
    assert "1 could not be read" in capsys.readouterr().out


def test_text_shows_the_line_and_a_caret(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["lint", str(config)])
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("3 | write-kubeconfig-mode: 0644")
    assert lines[at + 1] == "  |                        ^^^^"
    assert any(line.strip().startswith("= fix: write-kubeconfig-mode") for line in lines)


def test_every_format_gives_the_same_code(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [f"--output={name}={tmp_path / name}" for name in FORMATS]
    assert main(["lint", str(config), *outputs]) == 1
    assert capsys.readouterr().out == ""
    found = json.loads((tmp_path / "json").read_text())
    assert found["schema_version"] == 1
    assert [f["code"] for f in found["findings"]] == ["VK106"]
    (sarif,) = json.loads((tmp_path / "sarif").read_text())["runs"]
    (result,) = sarif["results"]
    assert sarif["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "VK106"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 24, "endLine": 3, "endColumn": 28}
    suite = ET.parse(tmp_path / "junit").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert (tmp_path / "github").read_text().startswith("::error file=")
    assert "| error | VK106 unquoted-mode |" in (tmp_path / "markdown").read_text()
    assert (tmp_path / "concise").read_text().startswith(f"{config}:3:24: error VK106 ")


def test_secrets_are_not_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("token: s3cret\ntoken: s3cret\n")
    main(["lint", str(config)])
    out = capsys.readouterr().out
    assert "VK004" in out
    assert "s3cret" not in out


def test_fix_writes_the_file_and_keeps_the_old_one(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.chmod(0o640)
    assert main(["lint", str(config), "--diff"]) == 1
    assert '+write-kubeconfig-mode: "0644"' in capsys.readouterr().out
    assert config.read_text() == MODE
    assert main(["lint", str(config), "--fix"]) == 0
    assert config.read_text() == MODE.replace("0644", '"0644"')
    assert config.with_name("config.yaml.bak").read_text() == MODE
    assert config.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in config.parent.iterdir()) == ["config.yaml", "config.yaml.bak"]


def test_unsafe_fixes_are_apart(config: Path) -> None:
    config.write_text("token: abc\nserver: 10.0.0.1\n")
    assert main(["lint", str(config), "--fix"]) == 1
    assert config.read_text() == "token: abc\nserver: 10.0.0.1\n"
    assert main(["lint", str(config), "--fix", "--unsafe-fixes"]) == 0
    assert config.read_text() == "token: abc\nserver: https://10.0.0.1:9345\n"


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "vk101"]) == 0
    page = capsys.readouterr().out
    assert main(["explain", "server-not-url"]) == 0
    assert capsys.readouterr().out == page
    assert page.startswith("# VK101 server-not-url\n")
    assert main(["explain", "--list"]) == 0
    assert "VK101  server-not-url" in capsys.readouterr().out
    assert main(["explain", "VK106", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["codes"][0]["severity"] == "error"
    assert main(["explain", "server-no-url"]) == 2
    assert "did you mean server-not-url?" in capsys.readouterr().err
    assert main(["explain"]) == 2


def test_an_empty_path_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", ""]) == 2
    assert "an empty path" in capsys.readouterr().err


def test_fixes_that_are_not_made_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text("server: 10.10.10.11\ntoken: abc\ncni: canal\n")
    main(["lint", str(tmp_path / "config.yaml"), "--diff"])
    assert "--unsafe-fixes shows" in capsys.readouterr().err
    main(["lint", str(tmp_path / "config.yaml"), "--diff", "--unsafe-fixes"])
    assert "--unsafe-fixes shows" not in capsys.readouterr().err
