"""How the lab tells a running stand-in what to be: one line over a unix socket, one line back.

Commands: `ready`, `unready`, `unauthorized`, `expired`, `frozen`, `slow SECONDS` for the API server;
`supervisor ready|unready`; `etcd true|false|hanging`. Questions: `late NANOSECONDS`, how late it woke since then;
`stretches NANOSECONDS`, when it was to wake and did not.
"""

from __future__ import annotations

import enum
import re
import socket
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.lab.processes import LabError

ENDED = "it ended meanwhile"
"""An answer that does not come: the connection was closed."""


class NotListeningError(LabError):
    """A stand-in has ended, or has only just been started."""


class Mode(enum.Enum):
    """How the stand-in's API server behaves."""

    READY = "ready"
    UNREADY = "unready"
    """/readyz and /livez answer 500, as when etcd has no quorum."""
    UNAUTHORIZED = "unauthorized"
    """401 for every path, as RKE2 and k3s answer without a certificate."""
    EXPIRED = "expired"
    """Ready, with a certificate that was valid until 2021."""
    FROZEN = "frozen"
    """Connections are made (by the kernel) and nothing is ever said, on old ones neither."""
    SLOW = "slow"
    """Ready, but each answer takes its time."""


class EtcdMode(enum.Enum):
    """How the stand-in's etcd answers /health."""

    HEALTHY = "true"
    UNHEALTHY = "false"
    """503, no leader."""
    HANGING = "hanging"
    """No answer, as in the first seconds after quorum is lost."""


@dataclass(slots=True)
class Behaviour:
    """What a stand-in is at the moment."""

    api: Mode = Mode.READY
    delay: float = 0.0
    """Seconds before each answer of the API server (`Mode.SLOW`)."""
    supervisor_ready: bool = True
    etcd: EtcdMode = EtcdMode.HEALTHY

    def obey(self, command: str) -> None:
        """Change as the command says.

        Raises:
            ValueError: it is none of the commands.
        """
        match command.split():
            case ["slow", seconds] if 0 <= float(seconds) < 3600:
                self.api, self.delay = Mode.SLOW, float(seconds)
            case ["supervisor", ("ready" | "unready") as state]:
                self.supervisor_ready = state == "ready"
            case ["etcd", state]:
                self.etcd = EtcdMode(state)
            case [mode] if mode != Mode.SLOW.value:
                self.api, self.delay = Mode(mode), 0.0
            case _:
                raise ValueError(f"unknown command {command!r}")


NOTED = 100_000_000
"""Nanoseconds: of a wake that was later than this the stretch is kept, whatever follows."""
KEPT = 300_000_000_000
"""Nanoseconds for which it is."""


class Wakes:
    """How late a program woke: the worst since any instant, and the long stretches of some minutes."""

    def __init__(self) -> None:
        self._worst: list[tuple[int, int]] = []
        """When it woke and how late, each later than all that came after it."""
        self._stretches: deque[tuple[int, int]] = deque()

    def woke(self, at: int, late: int) -> None:
        """It woke so many nanoseconds late."""
        while self._worst and self._worst[-1][1] <= late:
            self._worst.pop()
        self._worst.append((at, late))
        if late > NOTED:
            self._stretches.append((at - late, at))
            while self._stretches[0][1] < at - KEPT:
                self._stretches.popleft()

    def since(self, start: int) -> int:
        """By how much at worst, of the wakes since an instant; nanoseconds."""
        return next((late for at, late in self._worst if at >= start), 0)

    def stretches(self, start: int) -> list[tuple[int, int]]:
        """From when to when it was to wake and did not, longer than `NOTED`, of the wakes since an instant."""
        return [one for one in self._stretches if one[1] >= start]


def tell(control: Path, command: str, *, timeout: float = 20.0) -> None:
    """Send one command to the stand-in behind the socket; it is in force when this returns.

    Raises:
        NotListeningError: nobody listens there.
        LabError: no answer within `timeout` seconds, or it ended meanwhile, or did not understand.
    """
    try:
        answer = _ask(control, command, timeout)
    except (ConnectionRefusedError, FileNotFoundError):
        raise NotListeningError(f"no stand-in is there to be told '{command}'") from None
    except OSError as error:
        raise LabError(f"the stand-in cannot be told '{command}': {error.strerror}") from None
    if answer != "ok":
        raise LabError(f"the stand-in did not do '{command}': {answer or ENDED}")


def how_late(control: Path, since: int, *, timeout: float) -> int:
    """How late the stand-in's own loop woke since an instant of the lab's clock, at worst; nanoseconds.

    Raises:
        OSError: nobody listens there.
        LabError: no answer within `timeout` seconds, or none that is a number.
    """
    answer = _ask(control, f"late {since}", timeout)
    if not answer.isdecimal():
        raise LabError(f"the stand-in does not say how late it was: {answer or ENDED}")
    return int(answer)


def stretches(control: Path, since: int, *, timeout: float = 20.0) -> list[tuple[int, int]]:
    """When the stand-in's own loop was late by more than `NOTED`, of its wakes since an instant of the lab's clock.

    Raises:
        OSError: nobody listens there.
        LabError: no answer within `timeout` seconds, or not of this form.
    """
    answer = _ask(control, f"stretches {since}", timeout)
    if re.fullmatch(r"none|\d+-\d+( \d+-\d+)*", answer, re.ASCII) is None:
        raise LabError(f"the stand-in does not say when it was late: {answer or ENDED}")
    return [(int(start), int(end)) for start, end in re.findall(r"(\d+)-(\d+)", answer)]


def _ask(control: Path, line: str, timeout: float) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(str(control))
            connection.sendall(line.encode() + b"\n")
            with connection.makefile() as answers:
                return answers.readline().strip()
        except TimeoutError:
            raise LabError(f"the stand-in does not answer '{line}'") from None
