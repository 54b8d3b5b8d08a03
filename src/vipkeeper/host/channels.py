"""What a suspicion asks beside the VIP: a server's kernel and API server, and the gateway.

Everything waits in one epoll, whose descriptor is all the event loop has to watch: nothing is readable
there while nobody is asked. Connections never block, are few, and are given up after `GIVE_UP`.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vipkeeper.core.events import Event, GatewayAnswered, ServerAnswered, Sign
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.host.neighbours import Neighbour, Neighbours
from vipkeeper.wire import tls
from vipkeeper.wire.types import IPAddress

GIVE_UP: Duration = 500 * MILLISECOND
"""How long a connection may take to show a sign. Below TCP's first retransmission, one second."""
MAX_OPEN = 4
"""Connections at a time; a question beyond them is left out, since the earlier ones ask the same."""
_READY_PER_WAKE = 16
_LONGEST = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""Nothing of an abandoned connection stays behind, on either side."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom this server can ask, as of the last look at the host."""

    own: IPAddress
    """Questions over TCP come from this address."""
    servers: tuple[IPAddress, ...]
    """In configured order."""
    api_port: int | None
    """TCP port of the servers' API servers; None: they are not asked."""
    gateway: IPAddress | None
    neighbours: tuple[Neighbour, ...]
    """Those of servers and gateway that can be asked on the wire."""


@dataclass(slots=True)
class _Connection:
    server: int
    socket: socket.socket
    opened: Instant
    accepted: bool = False
    received: bytes = b""


class Channels:
    """Carries out `ProbeServer` and `ProbeGateway`."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._poll = select.epoll()
        self._neighbours = Neighbours(clock, self._poll)
        self._reach: Reach | None = None
        self._connections: dict[int, _Connection] = {}
        self._found: list[Event] = []
        self._errors = 0

    @property
    def errors(self) -> int:
        """Questions that could not be asked."""
        return self._errors + self._neighbours.errors

    @property
    def idle(self) -> bool:
        """True when no answer is waited for."""
        return not self._connections and not self._neighbours.awake

    def fileno(self) -> int:
        """For the event loop; stays the same."""
        return self._poll.fileno()

    def place(self, reach: Reach) -> None:
        """Take who can be asked from now on."""
        if self._reach is None or reach.servers != self._reach.servers:
            self._hang_up()
        self._reach = reach
        self._neighbours.place(reach.neighbours)

    def close(self) -> None:
        """Close everything."""
        self._hang_up()
        self._neighbours.close()
        self._poll.close()

    def probe_server(self, server: int, *, service: bool) -> None:
        """Ask a server's kernel on the wire and, with `service`, its API server over TCP."""
        if self._reach is None or not 0 <= server < len(self._reach.servers):
            return
        self._neighbours.ask(self._reach.servers[server])
        self._expire()
        if service and self._reach.api_port is not None and len(self._connections) < MAX_OPEN:
            self._connect(self._reach, server, self._reach.api_port)

    def probe_gateway(self) -> None:
        """Ask the gateway on the wire."""
        if self._reach is not None and self._reach.gateway is not None:
            self._neighbours.ask(self._reach.gateway)

    def drain(self) -> Sequence[Event]:
        """The answers that wait, each at most once."""
        for fileno, _ in self._poll.poll(0, _READY_PER_WAKE):
            connection = self._connections.get(fileno)
            if connection is not None:
                self._advance(fileno, connection)
                continue
            for address in self._neighbours.drain(fileno):
                self._answered(address)
        self._expire()
        self._neighbours.sleep_if_idle()
        found, self._found = self._found, []
        return list(dict.fromkeys(found))

    def _answered(self, address: IPAddress) -> None:
        if self._reach is None:
            return
        if address == self._reach.gateway:
            self._found.append(GatewayAnswered())
        if address in self._reach.servers:
            self._tell(self._reach.servers.index(address), Sign.KERNEL)

    def _tell(self, server: int, sign: Sign) -> None:
        self._found.append(ServerAnswered(server, sign))

    def _connect(self, reach: Reach, server: int, port: int) -> None:
        address = reach.servers[server]
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            self._errors += 1
            return
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            sock.bind((str(reach.own), 0))
            problem = sock.connect_ex((str(address), port))
            if problem not in (0, errno.EINPROGRESS):
                raise OSError(problem, "connect")
            self._poll.register(sock, select.EPOLLOUT)
        except OSError as error:
            sock.close()
            self._errors += 1
            self._failed(server, error.errno)
            return
        self._connections[sock.fileno()] = _Connection(server, sock, self._clock())

    def _failed(self, server: int, problem: int | None) -> None:
        """A refusal is sent by a living kernel; a host that is unreachable says nothing."""
        if problem == errno.ECONNREFUSED:
            self._tell(server, Sign.KERNEL)

    def _advance(self, fileno: int, connection: _Connection) -> None:
        """One step of a connection: greet once it stands, then read until it is clear who answers."""
        sock = connection.socket
        try:
            problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, "connect")
            if not connection.accepted:
                self._greet(fileno, connection)
            data = sock.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(connection.server, error.errno)
            self._end(fileno)
            return
        connection.received += data
        verdict = tls.judge(connection.received)
        if verdict is tls.Answer.TLS:
            self._tell(connection.server, Sign.SERVICE)
        if verdict is not tls.Answer.PENDING or not data:
            self._end(fileno)

    def _greet(self, fileno: int, connection: _Connection) -> None:
        """The server's kernel has accepted, whatever its API server does."""
        connection.accepted = True
        self._tell(connection.server, Sign.KERNEL)
        connection.socket.send(tls.CLIENT_HELLO)
        self._poll.modify(fileno, select.EPOLLIN)

    def _expire(self) -> None:
        if not self._connections:
            return
        limit = self._clock() - GIVE_UP
        for fileno, connection in list(self._connections.items()):
            if connection.opened <= limit:
                self._end(fileno)

    def _end(self, fileno: int) -> None:
        connection = self._connections.pop(fileno)
        self._poll.unregister(fileno)
        connection.socket.close()

    def _hang_up(self) -> None:
        for fileno in list(self._connections):
            self._end(fileno)
