"""Questions to a server's or the gateway's own kernel: ARP requests and neighbour solicitations.

Packet sockets of their own, one for each interface and family. While nobody is asked their filter lets
nothing through, so that a busy LAN never wakes the daemon for them; a question puts a filter in its
place that lets the answers of the listed addresses through.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.host.bpf import (
    AND,
    JEQ,
    LD_B,
    LD_H,
    LD_W,
    NOTHING,
    RET,
    VLAN_TAG,
    Instruction,
    Step,
    attach,
    resolve,
)
from vipkeeper.wire import arp, ndp
from vipkeeper.wire.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from vipkeeper.wire.types import IPAddress

AWAKE_FOR: Duration = 500 * MILLISECOND
"""How long after a question its answers are let through."""
_READS_PER_WAKE = 64
_FRAME = 2048
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One address that can be asked on the wire, and from where."""

    address: IPAddress
    interface: str
    mac: bytes
    """Of the interface."""
    source: IPAddress
    """An address of this host, which the question carries: nobody takes it for the probe of an address
    conflict, and the answer comes back by unicast."""

    @property
    def key(self) -> Key:
        """Whose socket: interface and EtherType."""
        version = self.address.version
        return self.interface, ETHERTYPE_ARP if version == 4 else ETHERTYPE_IPV6

    def question(self) -> bytes:
        """The frame (RFC 826; RFC 4861 section 7.2.2)."""
        if isinstance(self.address, IPv4Address) and isinstance(self.source, IPv4Address):
            return arp.request(self.address, self.source, self.mac)
        if isinstance(self.address, IPv6Address) and isinstance(self.source, IPv6Address):
            return ndp.solicitation(self.address, self.source, self.mac)
        raise ValueError(f"{self.source} and {self.address} are of two families")


class Neighbours:
    """The sockets, registered with a poll of the caller's."""

    def __init__(self, clock: Callable[[], Instant], poll: select.epoll) -> None:
        self._clock = clock
        self._poll = poll
        self._neighbours: tuple[Neighbour, ...] = ()
        self._sockets: dict[Key, socket.socket] = {}
        self._awake_until: Instant | None = None
        self.errors = 0
        """Questions that could not be sent, sockets that could not be opened."""

    @property
    def awake(self) -> bool:
        """True while answers are let through."""
        return self._awake_until is not None

    def place(self, neighbours: Iterable[Neighbour]) -> None:
        """Take those that can be asked now; sockets follow where interfaces were changed."""
        wanted = tuple(neighbours)
        if wanted == self._neighbours and self._intact():
            return
        self.close()
        self._neighbours = wanted
        for key in dict.fromkeys(neighbour.key for neighbour in wanted):
            try:
                self._sockets[key] = self._open(key)
            except OSError:
                self.errors += 1

    def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            self._poll.unregister(sock)
            sock.close()
        self._sockets = {}
        self._neighbours = ()
        self._awake_until = None

    def ask(self, address: IPAddress) -> None:
        """Ask the kernel of this address once, if it can be asked on the wire."""
        neighbour = next((n for n in self._neighbours if n.address == address), None)
        sock = self._sockets.get(neighbour.key) if neighbour is not None else None
        if neighbour is None or sock is None:
            return
        try:
            if self._awake_until is None:
                self._let_answers_through()
            self._awake_until = self._clock() + AWAKE_FOR
            sock.send(neighbour.question())
        except OSError:
            self.errors += 1

    def drain(self, fileno: int) -> set[IPAddress]:
        """Who answered, as far as it waits in the socket with this number."""
        found: set[IPAddress] = set()
        for (interface, _), sock in self._sockets.items():
            if sock.fileno() != fileno:
                continue
            for _ in range(_READS_PER_WAKE):
                try:
                    data, address = sock.recvfrom(_FRAME)
                except BlockingIOError:
                    break
                except OSError:  # the interface went down; the next view of the host tells the rest
                    self.errors += 1
                    break
                if address[2] not in (socket.PACKET_OUTGOING, socket.PACKET_OTHERHOST):
                    found |= self._who(interface, data)
        return found

    def sleep_if_idle(self) -> None:
        """Let nothing through any more once the time for answers is over."""
        if self._awake_until is None or self._clock() < self._awake_until:
            return
        self._awake_until = None
        for sock in self._sockets.values():
            try:
                attach(sock, NOTHING)
            except OSError:
                self.errors += 1

    def _who(self, interface: str, data: bytes) -> set[IPAddress]:
        answer = answering(data)
        return {
            n.address
            for n in self._neighbours
            if answer is not None
            and (n.interface, n.address) == (interface, answer[0])
            and n.mac != answer[1]
        }

    def _let_answers_through(self) -> None:
        for key, sock in self._sockets.items():
            asked = [n.address for n in self._neighbours if n.key == key]
            attach(sock, answers_of(asked))

    def _intact(self) -> bool:
        """False when a socket is missing, or its interface was removed and maybe made again."""
        keys = {neighbour.key for neighbour in self._neighbours}
        return keys == {
            key for key, sock in self._sockets.items() if sock.getsockname()[0] == key[0]
        }

    def _open(self, key: Key) -> socket.socket:
        # Protocol 0: nothing is queued before the filter is in place.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            attach(sock, NOTHING)
            sock.bind(key)
            self._poll.register(sock, select.EPOLLIN)
        except OSError:
            sock.close()
            raise
        return sock


def answering(data: bytes) -> tuple[IPAddress, bytes] | None:
    """(address, MAC) when the frame answers a question for this address. Total."""
    message = arp.decode_frame(data)
    if message is not None:
        asked = message.operation is arp.Operation.REPLY and message.sender_ip != message.target_ip
        return (message.sender_ip, message.sender_mac) if asked else None
    neighbour = ndp.decode_frame(data)
    if neighbour is None or neighbour.kind != ndp.ADVERTISEMENT or not neighbour.solicited:
        return None
    return neighbour.target, neighbour.link_address or neighbour.frame_source


def answers_of(addresses: Sequence[IPAddress]) -> list[Instruction]:
    """Lets through ARP replies whose sender, and neighbour advertisements whose target, is one of these.

    For sockets bound to the EtherType of the addresses' family. IPv6 addresses are told apart by their
    last four bytes here, and wholly once the frame is read. Not from VLANs on top of the interface.
    """
    v4 = [int(address) for address in addresses if isinstance(address, IPv4Address)]
    v6 = [int(address) & 0xFFFFFFFF for address in addresses if isinstance(address, IPv6Address)]
    if v4:
        kind: list[Step] = [(LD_H, 0, 0, 20), (JEQ, "", "drop", arp.Operation.REPLY)]
        who: Step = (LD_W, 0, 0, 28)
    else:
        kind = [
            (LD_B, 0, 0, 20),
            (JEQ, "", "drop", ndp.ICMPV6),
            (LD_B, 0, 0, 54),
            (JEQ, "", "drop", ndp.ADVERTISEMENT),
        ]
        who = (LD_W, 0, 0, 74)
    program: list[Step] = [
        (LD_W, 0, 0, VLAN_TAG),
        (AND, 0, 0, 0xFFF),
        (JEQ, "", "drop", 0),
        *kind,
        who,
        *((JEQ, "keep", "", number) for number in dict.fromkeys(v4 or v6)),
        (RET, 0, 0, 0),
        (RET, 0, 0, 0xFFFF),
    ]
    return resolve(program, {"drop": len(program) - 2, "keep": len(program) - 1})
