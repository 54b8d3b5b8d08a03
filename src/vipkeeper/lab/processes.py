"""Programs in the lab's namespaces: start, stop, freeze, kill, with everything they started themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from vipkeeper.errors import HostError
from vipkeeper.lab.kernel import now

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where ip, nft and keepalived are, also for users whose PATH lacks the sbin directories."""
_GIVE_UP = 5.0
_COMMAND_WITHIN = 30.0
"""Seconds for a command that takes some hundredths of one: a host that stood still for ten has not hung."""


class LabError(HostError):
    """A program the lab needs is missing or failed."""


class NothingShownError(LabError):
    """An act cannot show here what it is for: nobody failed."""


class HostTooSlowError(NothingShownError):
    """This host withheld the time that an act needs to show something."""


def environment() -> dict[str, str]:
    """The environment of every program in the lab."""
    variables = dict(os.environ)
    variables["PATH"] = f"{variables.get('PATH', '')}:{SYSTEM_PATH}".lstrip(":")
    variables["PYTHONUNBUFFERED"] = "1"
    return variables


def command(*words: str, text: str | None = None) -> str:
    """Run a short system command to its end; what it wrote to stdout.

    Raises:
        LabError: it is not installed, failed, or hung and was killed.
    """
    try:
        done = subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
            timeout=_COMMAND_WITHIN,
        )
    except subprocess.TimeoutExpired:
        line = " ".join(" ".join(words).split())
        raise LabError(f"'{line}' takes longer than {_COMMAND_WITHIN:g} s") from None
    except FileNotFoundError:
        raise LabError(
            f"'{words[0]}' is not installed; the lab needs iproute2 and nftables"
        ) from None
    except OSError as error:
        raise LabError(f"cannot start '{words[0]}': {error.strerror}") from None
    if done.returncode != 0:
        complaint = " ".join((done.stderr or done.stdout).split())
        raise LabError(f"'{' '.join(words)}' failed with {done.returncode}: {complaint}")
    return done.stdout


def in_namespace(namespace: str, *words: str) -> list[str]:
    """The command line that runs `words` in a named network namespace."""
    return ["ip", "netns", "exec", namespace, *words]


class Process:
    """A program in a network namespace, its output in a file."""

    def __init__(self, namespace: str, words: Sequence[str], log: Path) -> None:
        """Start it.

        Raises:
            LabError: iproute2 is missing.
        """
        self.namespace = namespace
        self.words = tuple(words)
        self.log = log
        self.told: Callable[[signal.Signals], None] = lambda _: None
        """Who hears of each signal it was sent by name."""
        self.started = now()
        """Nanoseconds on the lab's clock."""
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log.open("ab") as output:
                self._popen = subprocess.Popen(
                    in_namespace(namespace, *words),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment(),
                    start_new_session=True,
                )
        except FileNotFoundError:
            raise LabError("'ip' is not installed; the lab needs iproute2") from None
        except OSError as error:
            raise LabError(f"cannot start '{words[0]}': {error.strerror}") from None

    @property
    def pid(self) -> int:
        """Its process id within the box."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    @property
    def real_time(self) -> bool:
        """Whether the kernel gives it, or something it started, real-time scheduling now."""
        return any(_policy(pid) in (os.SCHED_FIFO, os.SCHED_RR) for pid in self.tree())

    @property
    def ran(self) -> float:
        """Seconds of processor time it has had (proc(5), utime and stime); 0 where it has ended."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def waited(self) -> float:
        """Seconds for which it could run and had no processor (sched-stats.rst, /proc/PID/schedstat); 0 where not told."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        if self.running:
            send([self.pid], number)
            self.told(number)

    def tree(self) -> list[int]:
        """Its pid and those of all it started, parents first."""
        return [self.pid, *descendants(self.pid)] if self.running else []

    def signal_tree(self, number: signal.Signals) -> None:
        """Send a signal to it and all it started, children first for SIGSTOP and SIGKILL alike.

        A parent that saw its child die would react within the same instant.

        Raises:
            HostTooSlowError: it got SIGKILL, which nothing defies, and has not ended in time.
        """
        parents_first = self.tree()
        if number is signal.SIGKILL:
            send(parents_first[:1], signal.SIGSTOP)
        order = parents_first if number is signal.SIGCONT else parents_first[::-1]
        send(order, number)
        if order:
            self.told(number)
        if number is signal.SIGKILL and not self._ends_within(_GIVE_UP):
            raise HostTooSlowError(f"'{self.words[0]}' has not ended {_GIVE_UP:g} s after SIGKILL")

    def terminate(self, patience: float = _GIVE_UP) -> bool:
        """SIGTERM, and wait for its end; False when it has not ended in time."""
        self.send_signal(signal.SIGTERM)
        return self._ends_within(patience)

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self, lines: int = 5) -> str:
        """The end of its output, on one line."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return " | ".join(text.splitlines()[-lines:])


def kill_all(processes: Iterable[Process]) -> None:
    """SIGKILL each of them and all it started.

    Raises:
        HostTooSlowError: one has not ended in time; the others got theirs as well.
    """
    with ExitStack() as killing:
        for process in processes:
            killing.callback(process.signal_tree, signal.SIGKILL)


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _policy(pid: int) -> int:
    """The scheduling policy of a process (sched(7)); that of normal ones where it has just ended."""
    try:
        return os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
    except ProcessLookupError:
        return os.SCHED_OTHER


def descendants(root: int) -> list[int]:
    """The pids of everything a process started, parents before children."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue  # it has just ended
        parent = int(stat.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def residents(namespace: str) -> list[int]:
    """The pids of all processes in a named network namespace, orphans included."""
    home = os.stat(f"/run/netns/{namespace}").st_ino
    found = []
    for pid in _pids():
        try:
            if os.stat(f"/proc/{pid}/ns/net").st_ino == home:
                found.append(pid)
        except OSError:
            continue  # ended, or a zombie
    return found


def kill_residents(namespace: str) -> None:
    """SIGKILL every process in a namespace and wait until none is left.

    Raises:
        HostTooSlowError: one has not ended in time.
    """
    deadline = time.monotonic() + _GIVE_UP
    while pids := residents(namespace):
        send(pids, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise HostTooSlowError(
                f"processes {pids} in {namespace} have not ended {_GIVE_UP:g} s after SIGKILL"
            )
        time.sleep(0.001)


def wait_for(condition: Callable[[], bool], seconds: float, step: float = 0.01) -> bool:
    """Wait for something that sends no event; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
