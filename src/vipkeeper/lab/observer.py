"""Who answers for the VIP on the wire: `python -m vipkeeper.lab.observer --vip 10.77.0.100 --every 0.005`.

Asks everybody by a broadcast ARP probe (sender address 0.0.0.0, RFC 5227 section 2.1.1) and writes down
every answer. A client asks the one machine in its ARP cache; only this way two holders are seen.
"""

from __future__ import annotations

import argparse
import select
import socket
import struct
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
from vipkeeper.lab.topology import INTERFACE

ETHERTYPE_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_HEADER = 14
_REQUEST, _REPLY = 1, 2
_LONGEST = 256


def probe_frame(mac: bytes, vip: IPv4Address) -> bytes:
    """An ARP probe for the VIP (RFC 826, RFC 5227)."""
    body = _ARP.pack(1, 0x0800, 6, 4, _REQUEST, mac, bytes(4), bytes(6), vip.packed)
    return _BROADCAST + mac + struct.pack("!H", ETHERTYPE_ARP) + body


def answering_mac(frame: bytes, mac: bytes, vip: IPv4Address) -> bytes | None:
    """The MAC address that says it has the VIP, in an answer to us; None for every other frame."""
    if len(frame) < _HEADER + _ARP.size or frame[12:14] != struct.pack("!H", ETHERTYPE_ARP):
        return None
    fields = _ARP.unpack_from(frame, _HEADER)
    hardware, protocol, hlen, plen, operation, sender_mac, sender, target_mac, _ = fields
    wanted = (1, 0x0800, 6, 4, _REPLY, vip.packed, mac)
    found = (hardware, protocol, hlen, plen, operation, sender, target_mac)
    return bytes(sender_mac) if found == wanted else None


def main() -> None:
    """Entry of `python -m vipkeeper.lab.observer`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.observer", description=__doc__)
    parser.add_argument("--vip", type=IPv4Address, required=True)
    parser.add_argument("--every", type=float, default=0.005, metavar="SECONDS")
    options = parser.parse_args()
    end_quietly()
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP))
    stamp_arrivals(wire)
    wire.bind((INTERFACE, ETHERTYPE_ARP))
    wire.setblocking(False)
    mac = wire.getsockname()[4]
    frame = probe_frame(mac, options.vip)
    poll = select.epoll()
    poll.register(wire, select.EPOLLIN)
    journal = Journal()
    prefer()
    schedule = Schedule(int(options.every * 1e9))
    journal.note(Kind.READY, schedule.due, text="observer")
    while True:
        if wait(poll, schedule):
            _receive(wire, mac, options.vip, journal)
        if (due := schedule.passed()) is not None:
            journal.woke(due)
            journal.note(Kind.ARP_ASKED, now())
            wire.send(frame)
        journal.write()


def _receive(wire: socket.socket, mac: bytes, vip: IPv4Address, journal: Journal) -> None:
    while True:
        try:
            frame, controls, _, _ = wire.recvmsg(_LONGEST, STAMP_ROOM)
        except BlockingIOError:
            return
        if (answerer := answering_mac(frame, mac, vip)) is not None:
            journal.note(Kind.ARP_ANSWERED, arrival(controls), text=answerer.hex())


if __name__ == "__main__":
    main()
