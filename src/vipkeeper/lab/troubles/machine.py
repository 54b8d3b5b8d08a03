"""One machine of the cluster: its files, its programs, and how to run something on it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from vipkeeper.lab.processes import LabError, Process, environment, in_namespace, send, wait_for
from vipkeeper.lab.topology import Machine
from vipkeeper.lab.troubles import programs

BOOTS_WITHIN = 60.0


class Host:
    """A machine with its own processes, mounts and name (`troubles.host`)."""

    def __init__(self, machine: Machine, directory: Path, clock: tuple[str, ...] = ()) -> None:
        self.machine = machine
        self.clock = clock
        """The words that run a program by this machine's own clock; none: it has the kernel's."""
        self.name = machine.name
        self.directory = directory
        self.files = directory / "files"
        """What lies over its /etc, /var/lib and /var/log."""
        self.slow = directory / "slow"
        """A file with how long its disk takes to write for good (`slow_disk`)."""
        self.runners: dict[str, Process] = {}
        self.powered = False
        self._init: Process | None = None
        for folder in ("files", "run", "units", "containers", "journal"):
            (directory / folder).mkdir(parents=True)
        self._programs = programs.write(directory)

    def boot(self) -> None:
        """Start it.

        Raises:
            LabError: it does not come up.
        """
        words = (sys.executable, "-m", "vipkeeper.lab.troubles.host", self.name)
        log = self.directory / "host.log"
        self._init = Process(self.name, (*words, str(self.directory)), log)
        pid = self.directory / "pid"
        init = self._init
        if not wait_for(lambda: pid.exists() or not init.running, BOOTS_WITHIN):
            raise LabError(f"{self.name} does not come up")
        if not pid.exists():
            raise LabError(f"{self.name} does not come up: {self._init.last_words()}")
        self.powered = True

    def enter(self, *words: str) -> list[str]:
        """The command line that runs `words` on it, in its network namespace already."""
        pid = (self.directory / "pid").read_text()
        path = f"PATH={self._programs}:{environment()['PATH']}"
        return [
            "nsenter",
            "-t",
            pid,
            "-m",
            "-u",
            "-p",
            "--",
            *(self.clock or ("env",)),
            path,
            *words,
        ]

    def run(self, *words: str, limit: float = 180.0) -> subprocess.CompletedProcess[str]:
        """Run a command on it to its end.

        Raises:
            LabError: it takes longer than the limit, seconds.
        """
        try:
            return subprocess.run(
                in_namespace(self.name, *self.enter(*words)),
                capture_output=True,
                text=True,
                check=False,
                env=environment(),
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"'{words[0]}' on {self.name} takes longer than {limit:g} s") from None

    def keep(self, kind: str, name: str, *words: str, restart: float = 0) -> None:
        """Run a program as a unit or a container; `restart`: seconds until it is started again."""
        runner = ("-m", "vipkeeper.lab.troubles.runner", kind, name, str(self.directory))
        line = self.enter(sys.executable, *runner, f"{restart:g}", *words)
        self.runners[name] = Process(self.name, line, self.directory / f"{name}.log")

    def unit(self, name: str, *words: str, restart: float = 0) -> None:
        """A service of systemd's."""
        self.keep("unit", name, *words, restart=restart)

    def container(self, name: str, *words: str, restart: float = 0) -> None:
        """A container of the control plane."""
        self.keep("container", name, *words, restart=restart)

    def starts(self, name: str) -> int:
        """How often a container was started."""
        state = json.loads((self.directory / "containers" / name).read_text())
        return int(state["metadata"]["attempt"]) + 1

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program and all it started, and not to its runner: nsenter(1) and Python."""
        program = self.runners[name].tree()[2:]
        if number is signal.SIGKILL:
            send(program[:1], signal.SIGSTOP)
        send(program[::-1], number)

    def forget(self, name: str) -> None:
        """End a program with its runner, so that another one can take its place."""
        self.runners.pop(name).signal_tree(signal.SIGKILL)

    def halt(self) -> None:
        """The end of its init is the end of all its processes."""
        if self._init is not None:
            self._init.signal_tree(signal.SIGKILL)
        self.powered = False
        self.runners.clear()
