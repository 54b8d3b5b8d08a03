"""A storm of adverts that nobody should believe, as fast as one sender can: nothing moves, all is counted."""

from __future__ import annotations

import dataclasses
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from random import Random

import pytest

from support.daemons import ADDED, REMOVED, Daemon, Site, site
from support.namespaces import packet_socket
from vipkeeper.config.cluster import DEFAULT_PORT
from vipkeeper.config.load import read_keys
from vipkeeper.wire import ethernet
from vipkeeper.wire.advert import MAX_LENGTH, decode, encode
from vipkeeper.wire.checksum import checksum
from vipkeeper.wire.types import Advert, Rejection

pytestmark = pytest.mark.lab

STORM_LASTS = 3.5
"""Seconds: longer than a lease, so that renewals must come through it."""
FIRST, SECOND, STRANGER = "10.9.0.11", "10.9.0.12", "10.9.0.13"
ETHERTYPE_IPV4 = 0x0800
REASONS = {reason.name.lower() for reason in Rejection} - {"bad_field"}
"""All but the one that takes the key to bring about."""


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, "cp1", "cp2", "stranger") as here:
        yield here


def datagram(source: str, target: str, data: bytes) -> bytes:
    """IPv4 and UDP without its checksum (RFC 768), from any source one likes."""
    length = 8 + len(data)
    udp = struct.pack("!HHHH", DEFAULT_PORT, DEFAULT_PORT, length, 0) + data
    ends = ip_address(source).packed + ip_address(target).packed
    before, after = struct.pack("!BBHIBB", 0x45, 0, 20 + length, 0, 64, 17), ends
    return before + struct.pack("!H", checksum(before + b"\0\0" + after)) + after + udp


def overheard(here: Site, hearer: str, sender: str) -> bytes:
    """The next advert of a server, as another one's interface gets it."""
    source = ip_address(sender).packed
    with packet_socket(here.nets[hearer]) as wire:
        while True:
            frame = wire.recv(2048)
            packet = frame[14:]
            if packet[12:16] == source and packet[9] == 17 and frame[12:14] == b"\x08\x00":
                return packet[28:]


def hostile(advert: bytes, keys: tuple[bytes, ...], sender: str) -> list[tuple[str, bytes]]:
    """(source, bytes) for each reason to refuse it, made of an advert that this server accepted."""
    original = decode(advert, keys)
    assert isinstance(original, Advert)
    ahead = dataclasses.replace(original, counter=original.counter + 10**6)
    stranger = dataclasses.replace(ahead, sender=ip_address(STRANGER))
    noise = Random(3)
    found = [
        (sender, advert),
        (sender, encode(ahead, b"another key of another cluster..")),
        (STRANGER, encode(ahead, keys[0])),
        (STRANGER, encode(stranger, keys[0])),
        (sender, advert[:4] + b"\xff" + advert[5:]),
        (sender, advert + b"\0"),
        (sender, b""),
        (sender, noise.randbytes(MAX_LENGTH + 1)),
    ]
    found += [(STRANGER, noise.randbytes(noise.randrange(MAX_LENGTH))) for _ in range(24)]
    return found


def send_for(wire: socket.socket, frames: list[bytes], seconds: float) -> int:
    """All of them again and again; how many left."""
    sent, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for frame in frames:
            wire.send(frame)
        sent += len(frames)
    return sent


def test_a_storm_of_adverts_moves_nothing_and_each_refusal_has_its_reason(three: Site) -> None:
    servers = {"cp1": FIRST, "cp2": SECOND}
    config = three.config(servers=servers)
    holder = three.start("cp1", config)
    holder.becomes("holder")
    backup = three.start("cp2", config)
    backup.until(lambda s: s["state"] == "backup" and s["holder"] == "cp1")
    holder.until(lambda s: s["successor"] == "cp2")
    keys = read_keys(three.directory / "key")
    stranger = three.nets["stranger"]
    frames: list[bytes] = []
    for hearer, own, other in (("cp1", FIRST, SECOND), ("cp2", SECOND, FIRST)):
        macs = three.nets[hearer].mac(), stranger.mac()
        for source, data in hostile(overheard(three, hearer, other), keys, other):
            packet = datagram(source, own, data)
            frames.append(ethernet.frame(*macs, ETHERTYPE_IPV4, packet))
    watches = three.watch("cp1"), three.watch("cp2")
    with packet_socket(stranger) as wire:
        assert send_for(wire, frames, STORM_LASTS) > len(frames)

    def counted(daemon: Daemon) -> set[str]:
        return {reason for reason, count in daemon.status()["rejected"].items() if count}

    assert counted(holder) >= REASONS
    assert counted(backup) >= REASONS
    holder.until(lambda s: s["state"] == "holder" and s["successor"] == "cp2")
    backup.until(lambda s: s["state"] == "backup" and s["holder"] == "cp1")
    assert REMOVED not in watches[0].events
    assert ADDED not in watches[1].events
    for daemon in (holder, backup):
        assert "Traceback" not in daemon.log
        assert daemon.log.count(" rejected") <= 2
