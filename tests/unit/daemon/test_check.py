"""`run --check` says at once what is wrong in the configuration, in the key file and on this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.cli.main import main
from vipkeeper.host.netlink import Addresses

ELSEWHERE = "vip: 192.0.2.100\nservers:\n  cp1: 192.0.2.11\n"
"""Addresses for documentation (RFC 5737), which no host has."""
KEY = "k" * 32 + "\n"


@pytest.fixture(autouse=True)
def _no_such_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hosts do have these networks."""
    monkeypatch.setattr(Addresses, "interface", lambda *_: None)


def said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    key: str | None,
    *,
    mode: int = 0o600,
    words: tuple[str, ...] = ("--check",),
) -> str:
    """What it says, after it ended with 2."""
    config, file = tmp_path / "cluster.yaml", tmp_path / "key"
    config.write_text(f"{text}key_file: {file}\n")
    if key is not None:
        file.write_text(key)
        file.chmod(mode)
    assert main(["run", *words, "--config", str(config)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "mode", "complaint"),
    [
        (None, 0o600, "the key file does not exist"),
        ("short\n", 0o600, "the key is shorter than 32 characters"),
        (KEY, 0o644, "the key file is open to others"),
    ],
)
def test_mistakes_of_file_key_and_host_are_told_together(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    key: str | None,
    mode: int,
    complaint: str,
) -> None:
    text = said(tmp_path, capsys, ELSEWHERE + "advert_intervall: 1s\n", key, mode=mode)
    assert "unknown key 'advert_intervall'" in text
    assert complaint in text
    assert "this host has none of the addresses in servers (cp1 192.0.2.11)" in text
    assert "no interface of this host has a subnet that holds 192.0.2.100" in text


def test_the_daemon_tells_file_and_key_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vipkeeper.host.scheduling.prepare", lambda *_: None)
    text = said(tmp_path, capsys, ELSEWHERE + "advert_intervall: 1s\n", None, words=())
    assert "unknown key 'advert_intervall'" in text
    assert "the key file does not exist" in text


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        (ELSEWHERE.replace("192.0.2.11", "192.0.2.999"), "none of the addresses"),
        (ELSEWHERE.replace("192.0.2.100", "[192.0.2.100, x]"), "no interface"),
        (ELSEWHERE + "interface: [eth0]\n", "no interface"),
        (ELSEWHERE + "  cp2: 192.0.2.999\n", "none of the addresses"),
        ("vip: 192.0.2.100\n", "none of the addresses"),
    ],
)
def test_nothing_is_concluded_from_a_value_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, silent: str
) -> None:
    lines = said(tmp_path, capsys, text, KEY)
    assert silent not in lines


def test_no_other_key_file_is_looked_for_where_its_path_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "cluster.yaml"
    config.write_text(ELSEWHERE + "key_file: [x]\n")
    assert main(["run", "--check", "--config", str(config)]) == 2
    text = capsys.readouterr().err
    assert "'key_file' needs one" in text
    assert "the key file" not in text


def test_without_yaml_nothing_is_said_of_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = said(tmp_path, capsys, "vip: [\n", None).splitlines()
    assert "cluster.yaml:" in line
