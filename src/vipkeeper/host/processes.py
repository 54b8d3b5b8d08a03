"""Processes of this host as /proc shows them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

_INTERPRETER = b"python"


def in_own_network(proc: Path) -> Iterator[Path]:
    """Folders of the processes that share this process's network (network_namespaces(7)).

    One whose namespace may not be read is among them: without root that is every process of somebody else.
    Pods with `hostNetwork` have a PID namespace of their own, so that one says nothing.
    """
    own = _network(proc / "self")
    for entry in proc.iterdir():
        if entry.name.isdigit() and (own is None or _network(entry) in (None, own)):
            yield entry


def runs_daemon(command: bytes) -> bool:
    """Whether a command line (proc_pid_cmdline(5)) is `vipkeeper run`, with or without its interpreter."""
    words = command.split(b"\0")
    if words[0].rpartition(b"/")[2].startswith(_INTERPRETER):
        words = list(dropwhile(lambda word: word.startswith(b"-"), words[1:]))
    program = words[0].rpartition(b"/")[2] if words else b""
    return program == b"vipkeeper" and words[1:2] == [b"run"] and b"--check" not in words


def _network(process: Path) -> str | None:
    try:
        return str((process / "ns" / "net").readlink())
    except OSError:
        return None
