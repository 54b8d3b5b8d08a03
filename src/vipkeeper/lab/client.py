"""A client of the VIP: `python -m vipkeeper.lab.client --vip 10.77.0.100`.

Two probes on absolute schedules: a UDP echo (port 7007, the answer names the server) and a TCP
connection with a TLS ClientHello (port 6443) that counts as answered when the ServerHello begins.
A machine that has lost its API server still answers the first, a black hole shows only in the second.
"""

from __future__ import annotations

import argparse
import contextlib
import select
import socket
import struct
from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Address

from vipkeeper.lab.kernel import now
from vipkeeper.lab.probe import (
    STAMP_ROOM,
    Journal,
    Schedule,
    arrival,
    end_quietly,
    prefer,
    stamp_arrivals,
    wait,
)
from vipkeeper.lab.records import Kind
from vipkeeper.wire.tls import CLIENT_HELLO, HANDSHAKE_RECORD

UDP_PORT = 7007
TLS_PORT = 6443
GIVE_UP = 500_000_000
"""Nanoseconds after which a connection is given up. Below TCP's first retransmission (1 s), and with
the interval it bounds how many are in flight."""
_LONGEST = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class _Attempt:
    number: int
    started: int
    connection: socket.socket
    ended: bool = False


class TlsProbe:
    """Connections in flight, the oldest first."""

    def __init__(self, vip: str, port: int, poll: select.epoll, journal: Journal) -> None:
        self._target = (vip, port)
        self._poll = poll
        self._journal = journal
        self._by_descriptor: dict[int, _Attempt] = {}
        self._in_order: deque[_Attempt] = deque()
        self._count = 0

    def start(self) -> None:
        """Begin one more connection."""
        self._count += 1
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        attempt = _Attempt(self._count, now(), connection)
        self._journal.note(Kind.TLS_STARTED, attempt.started, attempt.number)
        self._by_descriptor[connection.fileno()] = attempt
        self._in_order.append(attempt)
        self._poll.register(connection, select.EPOLLOUT)
        try:
            connection.connect(self._target)
        except BlockingIOError:
            return
        except OSError:
            self._end(attempt, Kind.TLS_FAILED)

    def advance(self, descriptor: int) -> None:
        """Something happened on a connection."""
        attempt = self._by_descriptor.get(descriptor)
        if attempt is None:
            return
        try:
            error = attempt.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._end(attempt, Kind.TLS_FAILED)
                return
            try:
                first = attempt.connection.recv(1)
            except BlockingIOError:
                attempt.connection.send(CLIENT_HELLO)
                self._poll.modify(attempt.connection, select.EPOLLIN)
                return
        except OSError:
            first = b""
        good = bool(first) and first[0] == HANDSHAKE_RECORD
        self._end(attempt, Kind.TLS_ANSWERED if good else Kind.TLS_FAILED)

    def expire(self) -> None:
        """Give up what has waited too long."""
        limit = now() - GIVE_UP
        while self._in_order and (self._in_order[0].ended or self._in_order[0].started < limit):
            attempt = self._in_order.popleft()
            if not attempt.ended:
                self._end(attempt, Kind.TLS_FAILED)

    def _end(self, attempt: _Attempt, kind: Kind) -> None:
        self._journal.note(kind, now(), attempt.number)
        attempt.ended = True
        del self._by_descriptor[attempt.connection.fileno()]
        attempt.connection.close()


class UdpProbe:
    """Numbered datagrams; an answer is `NAME NUMBER`."""

    def __init__(self, vip: str, port: int, journal: Journal) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        stamp_arrivals(self.socket)
        self._target = (vip, port)
        self._journal = journal
        self._count = 0

    def send(self, due: int) -> None:
        """Send one more, due then; what the kernel refuses to send is lost like any other."""
        self._count += 1
        at = now()
        self._journal.note(Kind.UDP_SENT, at, self._count, str((at - due) // 1000))
        with contextlib.suppress(OSError):
            self.socket.sendto(b"%d" % self._count, self._target)

    def receive(self) -> None:
        """Take every answer that has come."""
        while True:
            try:
                data, controls, _, _ = self.socket.recvmsg(_LONGEST, STAMP_ROOM)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier datagram
            name, _, number = data.partition(b" ")
            if number.isdigit():
                text = name.decode(errors="replace")
                self._journal.note(Kind.UDP_ANSWERED, arrival(controls), int(number), text)


def main() -> None:
    """Entry of `python -m vipkeeper.lab.client`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.client", description=__doc__)
    parser.add_argument("--vip", type=IPv4Address, required=True)
    parser.add_argument("--udp-every", type=float, default=0.002, metavar="SECONDS")
    parser.add_argument("--tls-every", type=float, default=0.02, metavar="SECONDS")
    options = parser.parse_args()
    end_quietly()
    poll = select.epoll()
    journal = Journal()
    udp = UdpProbe(str(options.vip), UDP_PORT, journal)
    tls = TlsProbe(str(options.vip), TLS_PORT, poll, journal)
    poll.register(udp.socket, select.EPOLLIN)
    prefer()
    datagrams = Schedule(int(options.udp_every * 1e9))
    connections = Schedule(int(options.tls_every * 1e9))
    journal.note(Kind.READY, datagrams.due, text="client")
    while True:
        for descriptor, _ in wait(poll, datagrams, connections):
            if descriptor == udp.socket.fileno():
                udp.receive()
            else:
                tls.advance(descriptor)
        if (due := datagrams.passed()) is not None:
            journal.woke(due)
            udp.send(due)
        if connections.passed() is not None:
            tls.start()
            tls.expire()
        journal.write()


if __name__ == "__main__":
    main()
