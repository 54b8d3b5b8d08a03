"""How the lab tells a running stand-in what to be: one line over a unix socket, one line back.

Commands: `ready`, `unready`, `unauthorized`, `expired`, `frozen`, `slow SECONDS` for the API server;
`supervisor ready|unready`; `etcd true|false|hanging`.
"""

from __future__ import annotations

import enum
import socket
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.lab.processes import LabError


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


def tell(control: Path, command: str, *, timeout: float = 20.0) -> None:
    """Send one command to the stand-in behind the socket; it is in force when this returns.

    Raises:
        OSError: nobody listens there.
        LabError: no answer within `timeout` seconds.
        ValueError: the stand-in did not understand.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(str(control))
        connection.sendall(command.encode() + b"\n")
        try:
            with connection.makefile() as answers:
                answer = answers.readline().strip()
        except TimeoutError:
            raise LabError(f"the stand-in does not answer '{command}'") from None
    if answer != "ok":
        raise ValueError(answer or "the stand-in closed the connection")
