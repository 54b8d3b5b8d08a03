"""Frames on the interfaces of the VIPs: probes, their answers, announcements, foreign claims."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.core.events import Channel, Event, ForeignClaimSeen, VipAnswered
from vipkeeper.host.bpf import (
    AND,
    JEQ,
    LD_B,
    LD_H,
    LD_H_IND,
    LD_W,
    LDX_MSH,
    RET,
    VLAN_TAG,
    Instruction,
    Step,
    attach,
    resolve,
)
from vipkeeper.wire import arp, echo, ethernet, ndp
from vipkeeper.wire.types import IPAddress

ETH_P_ALL = 0x0003
ETH_P_ARP = 0x0806
ETH_P_IPV6 = 0x86DD
PACKET_OUTGOING = 4
API_PORT = 6443
_READS_PER_WAKE = 128
_FRAME = 2048


@dataclass(frozen=True, slots=True)
class Place:
    """Where a VIP lives: its interface and what frames need to know of it."""

    vip: IPAddress
    interface: str
    mac: bytes
    source: IPAddress | None
    """Own address of the VIP's family on that interface; None: unicast probes are not possible."""


class Wire:
    """Packet sockets for a set of places; rebuilt when the places change."""

    def __init__(self) -> None:
        self._places: tuple[Place, ...] = ()
        self._sockets: dict[str, socket.socket] = {}
        self._identifier = os.getpid() & 0xFFFF
        self._port = 33000 + os.getpid() % 28000
        self.errors = 0
        """Frames that could not be sent or sockets that could not be opened."""

    @property
    def filenos(self) -> list[int]:
        """For the event loop."""
        return [s.fileno() for s in self._sockets.values()]

    def place(self, places: Iterable[Place]) -> bool:
        """Take the places that exist now; True when the sockets changed."""
        wanted = tuple(places)
        if wanted == self._places and self._intact():
            return False
        self.close()
        self._places = wanted
        for name in {place.interface for place in wanted}:
            try:
                self._sockets[name] = self._open(name)
            except OSError:
                self.errors += 1
        return True

    def close(self) -> None:
        """Close all sockets."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets = {}
        self._places = ()

    def _intact(self) -> bool:
        """False when a socket is missing, or its interface was removed (and maybe made again, with
        the same name and MAC): the kernel then names none for the socket."""
        names = {place.interface for place in self._places}
        return names == {
            name for name, sock in self._sockets.items() if sock.getsockname()[0] == name
        }

    def _open(self, name: str) -> socket.socket:
        vips = [place.vip for place in self._places if place.interface == name]
        # Protocol 0: nothing is queued before the filter is in place.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            attach(sock, _filter(vips, self._port))
            sock.bind((name, ETH_P_ALL))
        except OSError:
            sock.close()
            raise
        return sock

    def probe(self) -> None:
        """Broadcast one ARP probe or solicitation for every VIP."""
        for place in self._places:
            if isinstance(place.vip, IPv4Address):
                self._send(place, arp.probe(place.vip, place.mac))
            else:
                source = place.source if isinstance(place.source, IPv6Address) else ndp.UNSPECIFIED
                self._send(place, ndp.solicitation(place.vip, source, place.mac))

    def announce(self) -> None:
        """Gratuitous ARP as request and reply, unsolicited NA, for every VIP."""
        for place in self._places:
            if isinstance(place.vip, IPv4Address):
                for frame in arp.gratuitous(place.vip, place.mac):
                    self._send(place, frame)
            else:
                self._send(place, ndp.advertisement(place.vip, place.mac))

    def emit(self, payload: bytes) -> bool:
        """Send one frame of our own on every interface, to its own address: no switch passes it on.

        True when the packet filter took all of them: a frame that is dropped at egress is an ENOBUFS
        (net/packet/af_packet.c, packet_snd), one that leaves the host is not.
        """
        macs = {place.interface: place.mac for place in self._places}
        taken = bool(macs)
        for interface, mac in macs.items():
            sock = self._sockets.get(interface)
            frame = ethernet.frame(mac, mac, ethernet.ETHERTYPE_LOCAL, payload)
            try:
                if sock is not None:
                    sock.send(frame)
                taken = False
            except OSError as error:
                taken = taken and error.errno == errno.ENOBUFS
        return taken

    def drain(self) -> Sequence[Event]:
        """What waits to be read; whoever answers ARP for a VIP is asked by unicast at once."""
        events: list[Event] = []
        for name, sock in self._sockets.items():
            for _ in range(_READS_PER_WAKE):
                try:
                    data, address = sock.recvfrom(_FRAME)
                except BlockingIOError:
                    break
                except OSError:
                    self.errors += 1
                    break
                if address[2] != PACKET_OUTGOING:
                    events.extend(self._understand(name, data))
        return events

    def _understand(self, name: str, data: bytes) -> Iterable[Event]:
        source = echo.answer(data, self._identifier, self._port)
        if source is not None:
            place = self._place(name, source)
            return [VipAnswered(source, data[6:12], Channel.ECHO)] if place is not None else []
        claim = _claim(data)
        if claim is None:
            return []
        vip, mac, asked = claim
        place = self._place(name, vip)
        if place is None or mac == place.mac:
            return []
        if not asked:
            return [ForeignClaimSeen(vip, mac)]
        self._ask(place, mac)
        return [VipAnswered(vip, mac, Channel.ARP)]

    def _ask(self, place: Place, mac: bytes) -> None:
        if place.source is None:
            return
        macs = (place.mac, mac)
        self._send(place, echo.echo_request(macs, place.source, place.vip, self._identifier))
        self._send(place, echo.syn(macs, place.source, place.vip, (self._port, API_PORT)))

    def _place(self, name: str, vip: IPAddress) -> Place | None:
        return next((p for p in self._places if p.interface == name and p.vip == vip), None)

    def _send(self, place: Place, frame: bytes) -> None:
        sock = self._sockets.get(place.interface)
        if sock is None:
            return
        try:
            sock.send(frame)
        except OSError:
            self.errors += 1


def _claim(data: bytes) -> tuple[IPAddress, bytes, bool] | None:
    """(address, MAC, in answer to a question) when the frame says who has an address."""
    message = arp.decode_frame(data)
    if message is not None:
        gratuitous = message.sender_ip == message.target_ip
        asked = message.operation is arp.Operation.REPLY and not gratuitous
        return message.sender_ip, message.sender_mac, asked
    neighbour = ndp.decode_frame(data)
    if neighbour is None or neighbour.kind != ndp.ADVERTISEMENT:
        return None
    return neighbour.target, neighbour.link_address or neighbour.frame_source, neighbour.solicited


def _filter(vips: Sequence[IPAddress], port: int) -> list[Instruction]:
    """Classic BPF: ARP whose sender is a VIP, ICMP and TCP-to-our-port from an IPv4 VIP, NA and
    ICMPv6 echo replies (Documentation/networking/filter.rst). All else never wakes us, nor do frames
    of VLANs on top of this interface: another network, in which the address may be another's."""
    v4 = [vip for vip in vips if isinstance(vip, IPv4Address)]
    program: list[Step] = []
    labels: dict[str, int] = {}

    def mark(label: str) -> None:
        labels[label] = len(program)

    program.append((LD_W, 0, 0, VLAN_TAG))
    program.append((AND, 0, 0, 0xFFF))
    program.append((JEQ, "", "drop", 0))
    program.append((LD_H, 0, 0, 12))
    program.append((JEQ, "arp", "", ETH_P_ARP))
    program.append((JEQ, "v4", "", 0x0800))
    program.append((JEQ, "v6", "drop", ETH_P_IPV6))
    mark("arp")
    program.append((LD_W, 0, 0, 28))
    for vip in v4:
        program.append((JEQ, "keep", "", int(vip)))
    program.append((JEQ, "drop", "drop", 0))
    mark("v4")
    program.append((LD_W, 0, 0, 26))
    for vip in v4:
        program.append((JEQ, "v4vip", "", int(vip)))
    program.append((JEQ, "drop", "drop", 0))
    mark("v4vip")
    program.append((LD_B, 0, 0, 23))
    program.append((JEQ, "keep", "", echo.ICMP))
    program.append((JEQ, "", "drop", echo.TCP))
    program.append((LDX_MSH, 0, 0, 14))
    program.append((LD_H_IND, 0, 0, 16))
    program.append((JEQ, "keep", "drop", port))
    mark("v6")
    program.append((LD_B, 0, 0, 20))
    program.append((JEQ, "icmp6", "", echo.ICMPV6))
    program.append((JEQ, "", "drop", echo.TCP))
    program.append((LD_H, 0, 0, 56))
    program.append((JEQ, "keep", "drop", port))
    mark("icmp6")
    program.append((LD_B, 0, 0, 54))
    program.append((JEQ, "keep", "", ndp.ADVERTISEMENT))
    program.append((JEQ, "keep", "drop", 129))
    mark("keep")
    program.append((RET, 0, 0, 0xFFFF))
    mark("drop")
    program.append((RET, 0, 0, 0))
    return resolve(program, labels)
