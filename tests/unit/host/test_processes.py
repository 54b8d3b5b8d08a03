"""Which processes are of this host, and which of them is the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.host.processes import in_own_network, runs_daemon


def process(proc: Path, pid: str, network: str | None) -> None:
    (proc / pid / "ns").mkdir(parents=True)
    if network is not None:
        (proc / pid / "ns" / "net").symlink_to(network)


def test_processes_of_another_network_are_of_another_host(tmp_path: Path) -> None:
    process(tmp_path, "self", "net:[1]")
    process(tmp_path, "10", "net:[1]")
    process(tmp_path, "11", "net:[2]")
    process(tmp_path, "12", None)
    assert {entry.name for entry in in_own_network(tmp_path)} == {"10", "12"}


@pytest.mark.parametrize(
    ("words", "daemon"),
    [
        ("/opt/venv/bin/python3 /opt/venv/bin/vipkeeper run --config x", True),
        ("/usr/bin/vipkeeper run", True),
        ("python3 -I -m vipkeeper run", True),
        ("python3 /opt/venv/bin/vipkeeper why 10.10.10.100", False),
        ("python3 /opt/venv/bin/vipkeeper explain run", False),
        ("python3 /opt/venv/bin/vipkeeper run --check", False),
        ("sudo vipkeeper run", False),
        ("/bin/sh -c vipkeeper run", False),
        ("python3", False),
        ("", False),
    ],
)
def test_only_run_is_the_daemon(words: str, daemon: bool) -> None:
    assert runs_daemon(b"\0".join(words.encode().split(b" ")) + b"\0") is daemon
