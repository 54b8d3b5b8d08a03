"""The socket filter, run by a small interpreter over whole frames."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from support.bpf import run
from vipkeeper.host.frames import _filter
from vipkeeper.wire import arp, echo, ndp
from vipkeeper.wire.checksum import checksum
from vipkeeper.wire.types import IPAddress

PORT = 40123
OWN, OWN6 = IPv4Address("10.9.0.11"), IPv6Address("fd09::11")
US, THEM = bytes.fromhex("02005e000011"), bytes.fromhex("02005e000012")
V4: list[IPAddress] = [IPv4Address(f"10.9.0.{100 + n}") for n in range(8)]
V6: list[IPAddress] = [IPv6Address(f"fd09::{100 + n:x}") for n in range(8)]
VIP, VIP6 = IPv4Address("10.9.0.100"), IPv6Address("fd09::64")
SETS: list[list[IPAddress]] = [
    [],
    V4[:1],
    V4[:2],
    [*V4],
    V6[:1],
    [*V6],
    [V4[0], V6[0]],
    [*V4[:4], *V6[:4]],
]
EVERY_SET = pytest.mark.parametrize("vips", SETS, ids=[f"{len(s)} VIPs" for s in SETS])


def swapped(frame: bytes, sender: IPAddress, kind: int | None = None) -> bytes:
    """An answer made of a request: from `sender`, to us."""
    data = bytearray(frame)
    if isinstance(sender, IPv4Address):
        data[26:30], data[30:34] = sender.packed, OWN.packed
        data[24:26] = b"\0\0"
        data[24:26] = checksum(bytes(data[14:34])).to_bytes(2, "big")
        at = 34
    else:
        data[22:38], data[38:54] = sender.packed, OWN6.packed
        at = 54
    if kind is None:
        data[at : at + 4] = data[at + 2 : at + 4] + data[at : at + 2]
        data[at + 13] = 0x14  # RST, ACK
    else:
        data[at] = kind
    return bytes(data)


def answers(vip: IPAddress) -> list[bytes]:
    """Everything the wire must not miss for this VIP."""
    own: IPAddress = OWN if isinstance(vip, IPv4Address) else OWN6
    syn = swapped(echo.syn((THEM, US), own, vip, (PORT, 6443)), vip)
    pong = echo.echo_request((THEM, US), own, vip, 7)
    if isinstance(vip, IPv4Address):
        reply = arp.encode_frame(arp.Arp(arp.Operation.REPLY, THEM, vip, US, OWN), destination=US)
        return [*arp.gratuitous(vip, THEM), reply, syn, swapped(pong, vip, 0)]
    return [ndp.advertisement(vip, THEM), syn, swapped(pong, vip, 129)]


def with_options(frame: bytes) -> bytes:
    """The same IPv4 packet with 8 bytes of options: the TCP header begins later."""
    return frame[:14] + bytes([0x47]) + frame[15:34] + b"\x01" * 8 + frame[34:]


@EVERY_SET
def test_every_jump_lands_inside(vips: list[IPAddress]) -> None:
    program = _filter(vips, PORT)
    for at, (code, yes, no, _) in enumerate(program):
        assert 0 <= yes < 256
        assert 0 <= no < 256
        if code == 0x15:
            assert at + 1 + max(yes, no) < len(program)
    assert program[-1][0] == program[-2][0] == 0x06


@EVERY_SET
def test_answers_of_each_vip_pass(vips: list[IPAddress]) -> None:
    program = _filter(vips, PORT)
    for vip in vips:
        for frame in answers(vip):
            assert run(program, frame) == 0xFFFF
            assert run(program, frame, vlan_tag=0xE000) == 0xFFFF  # priority only
            assert run(program, frame, vlan_tag=20) == 0


@EVERY_SET
def test_other_traffic_does_not_wake_us(vips: list[IPAddress]) -> None:
    program = _filter(vips, PORT)
    other, other6 = IPv4Address("10.9.0.200"), IPv6Address("fd09::200")
    noise = [
        *arp.gratuitous(other, THEM),
        *arp.gratuitous(IPv4Address("0.100.1.1"), bytes.fromhex("020100000a09")),  # VIP at byte 26
        arp.probe(VIP, THEM),
        arp.request(VIP, other, THEM),
        swapped(echo.syn((THEM, US), OWN, other, (PORT, 6443)), other),
        swapped(echo.syn((THEM, US), OWN, V4[0], (PORT - 1, 6443)), V4[0]),
        swapped(echo.syn((THEM, US), OWN6, V6[0], (PORT - 1, 6443)), V6[0]),
        echo.echo_request((THEM, US), OWN, V4[0], 7),  # from a server, to the VIP
        echo.echo_request((THEM, US), OWN6, V6[0], 7),
        ndp.solicitation(VIP6, other6, THEM),
        THEM + US + b"\x88\xb5" + bytes(46),
    ]
    for frame in noise:
        assert run(program, frame) == 0
    udp = bytearray(swapped(echo.syn((THEM, US), OWN, V4[0], (PORT, 6443)), V4[0]))
    udp[23] = 17
    assert run(program, bytes(udp)) == 0


def test_a_tcp_header_behind_options_is_found() -> None:
    program = _filter([V4[0]], PORT)
    frame = swapped(echo.syn((THEM, US), OWN, V4[0], (PORT, 6443)), V4[0])
    assert run(program, with_options(frame)) == 0xFFFF
    other = swapped(echo.syn((THEM, US), OWN, V4[0], (PORT + 1, 6443)), V4[0])
    assert run(program, with_options(other)) == 0


@EVERY_SET
def test_a_frame_cut_anywhere_ends_in_keep_or_drop(vips: list[IPAddress]) -> None:
    program = _filter(vips, PORT)
    for frame in (*answers(V4[0]), *answers(V6[0])):
        for length in range(len(frame)):
            assert run(program, frame[:length]) in (0, 0xFFFF)
