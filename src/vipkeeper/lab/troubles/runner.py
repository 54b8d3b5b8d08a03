"""Stands for systemd or the container runtime: runs one program, keeps its output as they do, says how it is.

    python -m vipkeeper.lab.troubles.runner unit NAME DIRECTORY RESTART_SECONDS WORDS...
    python -m vipkeeper.lab.troubles.runner container NAME DIRECTORY RESTART_SECONDS WORDS...

A unit's output goes to DIRECTORY/journal/NAME.log as `journalctl --output short-iso` would print it, its
properties to DIRECTORY/units/NAME as `systemctl show` would. A container's output goes to /var/log/pods in
the format of the container runtime interface, its state to DIRECTORY/containers/NAME as `crictl ps -a`
would list it. RESTART_SECONDS is the pause before it is started again; 0: never.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from vipkeeper.lab.kernel import die_with_parent

PODS = Path("/var/log/pods")


@dataclass(slots=True)
class Life:
    """How often the program was started, and since when it runs."""

    starts: int = 0
    pid: int = 0
    since_us: int = 0
    failed: bool = False
    stopped: bool = False
    """By SIGTERM, as an operator stops it."""


class Unit:
    """Keeps a program as systemd does."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._state = directory / "units" / name
        self._log = directory / "journal" / f"{name}.log"

    def log(self) -> IO[str]:
        """Where its output goes."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        return self._log.open("a", buffering=1, errors="replace")

    def line(self, text: str, pid: int) -> str:
        """One line of the journal."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        return f"{at} {socket.gethostname()} {self._name}[{pid}]: {text}\n"

    def state(self, life: Life, *, running: bool, again: bool) -> None:
        """Properties as `systemctl show` prints them."""
        if running:
            active, sub = "active", "running"
        elif again:
            active, sub = "activating", "auto-restart"
        else:
            active, sub = ("failed", "failed") if life.failed else ("inactive", "dead")
        _replace(
            self._state,
            f"LoadState=loaded\nActiveState={active}\nSubState={sub}\n"
            f"NRestarts={max(0, life.starts - 1)}\nMainPID={life.pid if running else 0}\n"
            f"ExecMainStartTimestampMonotonic={life.since_us}\n",
        )


class Container:
    """Keeps a program as containerd and the kubelet do."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._state = directory / "containers" / name
        host = socket.gethostname()
        folder = PODS / f"kube-system_{name}-{host}_{'0' * 8}" / name
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "0.log"

    def log(self) -> IO[str]:
        """Where its output goes."""
        return self._path.open("a", buffering=1, errors="replace")

    def line(self, text: str, _pid: int) -> str:
        """One line of the container runtime interface's log format."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        return f"{at} stderr F {text}\n"

    def state(self, life: Life, *, running: bool, again: bool) -> None:
        """One entry of `crictl ps -a -o json`."""
        del again
        entry = {
            "metadata": {"name": self._name, "attempt": max(0, life.starts - 1)},
            "state": "CONTAINER_RUNNING" if running else "CONTAINER_EXITED",
            "createdAt": str(time.time_ns()),
        }
        _replace(self._state, json.dumps(entry))


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.parent.parent / f".new-{path.name}"
    new.write_text(text)
    os.replace(new, path)


def main() -> None:
    """Run the program until it is not to be started again."""
    kind, name, directory, pause, *words = sys.argv[1:]
    die_with_parent()
    keeper = (Unit if kind == "unit" else Container)(name, Path(directory))
    life = Life()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        _run(keeper, life, words)
        again = float(pause) > 0 and not life.stopped
        keeper.state(life, running=False, again=again)
        if not again:
            return
        time.sleep(float(pause))


def _run(keeper: Unit | Container, life: Life, words: list[str]) -> None:
    """One life of the program."""
    with keeper.log() as log:
        program = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        life.starts += 1
        life.pid = program.pid
        life.since_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        keeper.state(life, running=True, again=False)
        assert program.stdout is not None
        for line in program.stdout:
            log.write(keeper.line(line.rstrip("\n"), program.pid))
        code = program.wait()
        life.stopped = code == -signal.SIGTERM
        life.failed = code != 0 and not life.stopped


if __name__ == "__main__":
    main()
