"""A stranger on the LAN: `python -m vipkeeper.lab.rogue garp --vip 10.77.0.100 --servers 10.77.0.11`.

What it sends comes from the machine it runs on, every few milliseconds until it is ended. `capture` only
listens, and ends by itself; `replay` sends what was captured, from another MAC and the old IP address.
"""

from __future__ import annotations

import argparse
import contextlib
import enum
import itertools
import random
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from vipkeeper.lab.kernel import now
from vipkeeper.lab.observer import ETHERTYPE_ARP
from vipkeeper.lab.probe import end_quietly
from vipkeeper.lab.topology import INTERFACE
from vipkeeper.wire.advert import DIGEST_LENGTH, encode
from vipkeeper.wire.checksum import checksum
from vipkeeper.wire.types import Advert, Health, Role

ADVERT_PORT = 9346
READY = "ready"
_ETH_P_ALL, _IPV4, _UDP, _VRRP = 3, b"\x08\x00", 17, 112
_VRRP_GROUP = "224.0.0.18"
_VRID = 51
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET, _LONGEST = 14, 2048
_CHECKSUM = 6
"""Where a UDP header has it."""
_SIZES = (0, 1, 3, 16, 64, 200, 1400)
_PORT = ADVERT_PORT.to_bytes(2, "big")
_FAR_EPOCH = 1 << 40


class Manner(enum.Enum):
    """What the stranger does."""

    RANDOM = "random"
    """Datagrams of random bytes to the port of adverts."""
    VRRP = "vrrp"
    """VRRP adverts, versions 2 and 3, priorities 255 and 0 in turn (RFC 3768, RFC 9568)."""
    FORGED = "forged"
    """Well-formed adverts of a holder of a far epoch, in each server's name to each other one, by another key."""
    GARP = "garp"
    """Gratuitous ARP: the VIP is at the stranger's MAC (RFC 5227 section 3)."""
    CAPTURE = "capture"
    REPLAY = "replay"


def vrrp_advert(version: int, priority: int, vip: IPv4Address, source: IPv4Address) -> bytes:
    """A VRRP advert for the VIP without authentication, at an interval of 1 s."""
    if version == 2:
        head, tail = struct.pack("!BBBBBB", 0x21, _VRID, priority, 1, 0, 1), vip.packed + bytes(8)
        pseudo = b""
    else:
        head, tail = struct.pack("!BBBBH", 0x31, _VRID, priority, 1, 100), vip.packed
        pseudo = source.packed + IPv4Address(_VRRP_GROUP).packed
        pseudo += struct.pack("!BBH", 0, _VRRP, len(head) + 2 + len(tail))
    total = checksum(pseudo + head + bytes(2) + tail)
    return head + struct.pack("!H", total) + tail


def garp(mac: bytes, vip: IPv4Address) -> bytes:
    """An ARP announcement of the VIP for everybody."""
    body = _ARP.pack(1, 0x0800, 6, 4, 1, mac, vip.packed, bytes(6), vip.packed)
    return b"\xff" * 6 + mac + ETHERTYPE_ARP.to_bytes(2, "big") + body


def forged_advert(sender: IPv4Address, counter: int, rng: random.Random) -> bytes:
    """What a holder of a far epoch would send, by a key that nobody has."""
    advert = Advert(
        sender=sender,
        boot_id=rng.getrandbits(63) + 1,
        counter=counter,
        epoch=_FAR_EPOCH,
        role=Role.HOLDER,
        health=Health.READY,
        standby=False,
        interval_ms=100,
        cluster=rng.randbytes(DIGEST_LENGTH),
    )
    return encode(advert, rng.randbytes(32))


def packet(source: IPv4Address, target: IPv4Address, data: bytes) -> bytes:
    """An IPv4 packet of a datagram to the port of adverts; the kernel fills in its checksum (raw(7))."""
    udp = struct.pack("!HHHH", ADVERT_PORT, ADVERT_PORT, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, _UDP, 0)
    return head + source.packed + target.packed + udp


def is_advert(frame: bytes) -> bool:
    """Whether an Ethernet frame is a UDP datagram over IPv4 to the port of adverts."""
    return payload(frame) is not None


def payload(frame: bytes) -> bytes | None:
    """What such a frame carries; None: it is none."""
    head = frame[_ETHERNET : _ETHERNET + 1]
    if frame[12:14] != _IPV4 or not head:
        return None
    start = _ETHERNET + (head[0] & 15) * 4
    port = frame[start + 2 : start + 4]
    if frame[_ETHERNET + 9 : _ETHERNET + 10] != bytes([_UDP]) or port != _PORT:
        return None
    return frame[start + 8 :]


def again(frame: bytes, mac: bytes) -> bytes:
    """A captured frame as it is sent again from another MAC.

    Without its UDP checksum (RFC 768: 0 is none): virtual cables leave that unfinished, and a receiver drops it.
    """
    start = _ETHERNET + (frame[_ETHERNET] & 15) * 4 + _CHECKSUM
    return frame[:6] + mac + frame[12:start] + bytes(2) + frame[start + 2 :]


def packed(frames: list[bytes]) -> bytes:
    """A capture as a file: each frame behind its length."""
    return b"".join(struct.pack("!H", len(frame)) + frame for frame in frames)


def unpacked(data: bytes) -> list[bytes]:
    """The frames of such a file; what is cut short at its end is left out."""
    frames, at = [], 0
    while at + 2 <= len(data):
        (length,) = struct.unpack_from("!H", data, at)
        if at + 2 + length > len(data):
            break
        frames.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return frames


def _raw(interface: str = INTERFACE) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    raw.bind((interface, _ETH_P_ALL))
    return raw


def _capture(options: argparse.Namespace) -> None:
    raw = _raw(options.interface)
    _begin()
    end, frames = now() + int(options.seconds * 1e9), []
    while (left := end - now()) > 0:
        raw.settimeout(left / 1e9)
        with contextlib.suppress(TimeoutError):
            frame = raw.recv(_LONGEST)
            if is_advert(frame):
                frames.append(frame)
    # Whoever waits for the file is to find all of it.
    part = options.file.with_suffix(".part")
    part.write_bytes(packed(frames))
    part.rename(options.file)


def _random(options: argparse.Namespace) -> Iterator[None]:
    rng = random.Random(options.seed)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        for server in options.servers:
            sender.sendto(rng.randbytes(rng.choice(_SIZES)), (server, ADVERT_PORT))
        yield


def _forged(options: argparse.Namespace) -> Iterator[None]:
    rng = random.Random(options.seed)
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    servers = [IPv4Address(server) for server in options.servers]
    counter = 0
    while True:
        counter += 1
        for one, other in itertools.permutations(servers, 2):
            data = forged_advert(one, counter, rng)
            sender.sendto(packet(one, other, data), (str(other), 0))
        yield


def _vrrp(options: argparse.Namespace) -> Iterator[None]:
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, _VRRP)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
    sender.bind((options.source, 0))
    while True:
        for version in (2, 3):
            for priority in (255, 0):
                source = IPv4Address(options.source)
                advert = vrrp_advert(version, priority, options.vip, source)
                for target in (_VRRP_GROUP, *options.servers):
                    sender.sendto(advert, (target, 0))
        yield


def _garp(options: argparse.Namespace) -> Iterator[None]:
    raw = _raw()
    frame = garp(raw.getsockname()[4], options.vip)
    while True:
        raw.send(frame)
        yield


def _replay(options: argparse.Namespace) -> Iterator[None]:
    raw = _raw()
    mac, frames = raw.getsockname()[4], unpacked(options.file.read_bytes())
    while True:
        for frame in frames:
            raw.send(again(frame, mac))
        yield


def _begin() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


def main() -> None:
    """Entry of `python -m vipkeeper.lab.rogue`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.rogue", description=__doc__)
    parser.add_argument("manner", type=Manner)
    parser.add_argument("--vip", type=IPv4Address)
    parser.add_argument("--source", help="address of the machine it runs on")
    parser.add_argument("--servers", nargs="*", default=[])
    parser.add_argument("--every", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--interface", default=INTERFACE)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    end_quietly()
    if options.manner is Manner.CAPTURE:
        _capture(options)
        return
    turns = {
        Manner.RANDOM: _random,
        Manner.VRRP: _vrrp,
        Manner.FORGED: _forged,
        Manner.GARP: _garp,
        Manner.REPLAY: _replay,
    }[options.manner](options)
    sent = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _begin()
    try:
        for _ in turns:
            sent += 1
            time.sleep(options.every)
    finally:
        sys.stdout.write(f"sent {sent} times\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
