"""The frames of strangers."""

from __future__ import annotations

import random
import struct
from ipaddress import IPv4Address

import pytest

from vipkeeper.lab.rogue import (
    again,
    forged_advert,
    is_advert,
    packed,
    packet,
    payload,
    unpacked,
    vrrp_advert,
)
from vipkeeper.lab.rogue import garp as announcement
from vipkeeper.wire.advert import decode
from vipkeeper.wire.checksum import checksum
from vipkeeper.wire.types import Rejection

VIP, SOURCE = IPv4Address("10.77.0.100"), IPv4Address("10.77.0.1")


@pytest.mark.parametrize(("version", "length"), [(2, 20), (3, 12)])
def test_vrrp_adverts_have_a_right_checksum(version: int, length: int) -> None:
    advert = vrrp_advert(version, 255, VIP, SOURCE)
    assert len(advert) == length
    assert advert[2] == 255
    pseudo = b""
    if version == 3:
        group = IPv4Address("224.0.0.18").packed
        pseudo = SOURCE.packed + group + struct.pack("!BBH", 0, 112, length)
    assert checksum(pseudo + advert) == 0


def test_announcement_is_broadcast_and_names_the_vip_twice() -> None:
    frame = announcement(b"\x02\0\0\0\0\x01", VIP)
    assert frame[:6] == b"\xff" * 6
    assert frame.count(VIP.packed) == 2


def test_capture_keeps_frames_and_survives_its_end_cut_off() -> None:
    frames = [b"a" * 60, b"", b"b" * 1500]
    assert unpacked(packed(frames)) == frames
    assert unpacked(packed(frames)[:-1]) == frames[:2]


def test_only_datagrams_to_the_port_of_adverts_are_captured() -> None:
    udp = struct.pack("!HH", 9999, 9346)
    head = bytes(12) + b"\x08\x00" + b"\x45" + bytes(8) + bytes([17]) + bytes(10)
    assert is_advert(head + udp)
    assert not is_advert(head + udp[::-1])
    assert not is_advert(b"")


def test_forged_advert_fails_by_its_key_alone() -> None:
    data = forged_advert(SOURCE, 3, random.Random(1))
    assert decode(data, [bytes(32)]) is Rejection.WRONG_KEY
    frame = bytes(12) + b"\x08\x00" + packet(SOURCE, VIP, data)
    assert payload(frame) == data
    assert frame[26:34] == SOURCE.packed + VIP.packed


def test_a_frame_sent_again_has_no_checksum_that_the_cable_left_unfinished() -> None:
    frame = bytes(12) + b"\x08\x00" + packet(SOURCE, VIP, b"an advert")
    frame = frame[:40] + b"\xab\xcd" + frame[42:]
    sent = again(frame, b"\x02\0\0\0\0\x01")
    assert sent[:12] == bytes(6) + b"\x02\0\0\0\0\x01"
    assert sent[12:40] + sent[42:] == frame[12:40] + frame[42:]
    assert sent[40:42] == bytes(2)
    assert payload(sent) == b"an advert"
