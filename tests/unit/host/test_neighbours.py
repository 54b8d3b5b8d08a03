"""Whom the sockets for servers and gateway listen to, and what counts as an answer."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.bpf import run
from vipkeeper.host.bpf import NOTHING
from vipkeeper.host.neighbours import Neighbour, answering, answers_of
from vipkeeper.wire import arp, ndp
from vipkeeper.wire.checksum import checksum, pseudo_header
from vipkeeper.wire.types import IPAddress

US, THEM = bytes.fromhex("02005e000011"), bytes.fromhex("02005e000012")
OWN: dict[int, IPAddress] = {4: IPv4Address("10.9.0.11"), 6: IPv6Address("fd09::11")}
V4: list[IPAddress] = [IPv4Address(f"10.9.0.{12 + n}") for n in range(31)]
V6: list[IPAddress] = [IPv6Address(f"fd09::{0x12 + n:x}") for n in range(31)]
SETS = pytest.mark.parametrize(
    "asked", [V4[:1], V4, V6[:1], V6], ids=lambda asked: f"{asked[0]} and {len(asked) - 1} more"
)


def answer(address: IPAddress) -> bytes:
    """A living kernel's, to us."""
    if isinstance(address, IPv4Address):
        own = IPv4Address("10.9.0.11")
        reply = arp.Arp(arp.Operation.REPLY, THEM, address, US, own)
        return arp.encode_frame(reply, destination=US)
    assert isinstance(address, IPv6Address)
    frame = bytearray(ndp.advertisement(address, THEM))
    frame[38:54] = IPv6Address("fd09::11").packed
    frame[58] = 0x60  # solicited, override
    return with_checksum(frame)


def with_checksum(frame: bytearray) -> bytes:
    source, destination = IPv6Address(bytes(frame[22:38])), IPv6Address(bytes(frame[38:54]))
    frame[56:58] = b"\0\0"
    body = bytes(frame[54:])
    total = checksum(pseudo_header(source, destination, ndp.ICMPV6, len(body)) + body)
    frame[56:58] = total.to_bytes(2, "big")
    return bytes(frame)


@SETS
def test_answers_of_those_asked_wake_us_and_no_others(asked: list[IPAddress]) -> None:
    program = answers_of(asked)
    for address in asked:
        assert run(program, answer(address)) == 0xFFFF
        assert run(program, answer(address), vlan_tag=20) == 0
    other = asked[0] + 100
    assert run(program, answer(other)) == 0


@SETS
def test_questions_and_noise_never_wake_us(asked: list[IPAddress]) -> None:
    program = answers_of(asked)
    for address in asked:
        question = Neighbour(OWN[address.version], "eth0", THEM, address).question()
        assert run(program, question) == 0
        if isinstance(address, IPv6Address):  # its address is at the place an answer has it
            assert run(program, ndp.solicitation(address, ndp.UNSPECIFIED, THEM)) == 0
    assert run(program, bytes(90)) == 0


@SETS
def test_nothing_wakes_us_while_asleep(asked: list[IPAddress]) -> None:
    assert {run(list(NOTHING), answer(address)) for address in asked} == {0}


@SETS
def test_jumps_stay_inside_for_the_largest_cluster(asked: list[IPAddress]) -> None:
    program = answers_of([*asked, asked[0] + 100])
    for at, (code, yes, no, _) in enumerate(program):
        if code == 0x15:
            assert 0 <= max(yes, no) < 256
            assert at + 1 + max(yes, no) < len(program)


@pytest.mark.parametrize("address", [V4[0], V6[0]])
def test_an_answer_is_understood(address: IPAddress) -> None:
    assert answering(answer(address)) == (address, THEM)


def test_what_nobody_asked_for_is_no_answer() -> None:
    own, server = IPv4Address("10.9.0.11"), IPv4Address("10.9.0.12")
    for frame in (
        *arp.gratuitous(server, THEM),
        arp.request(own, server, THEM),
        ndp.advertisement(IPv6Address("fd09::12"), THEM),
        ndp.solicitation(IPv6Address("fd09::11"), IPv6Address("fd09::12"), THEM),
    ):
        assert answering(frame) is None


@given(st.binary(max_size=120))
def test_any_frame_is_judged(data: bytes) -> None:
    answering(data)


def test_a_question_names_who_asks() -> None:
    """Sender 0.0.0.0 or :: would be an address conflict probe to the one that is asked."""
    message = arp.decode_frame(Neighbour(V4[0], "eth0", US, OWN[4]).question())
    assert message is not None
    assert (message.sender_ip, message.target_ip) == (OWN[4], V4[0])
    asked = ndp.decode_frame(Neighbour(V6[0], "eth0", US, OWN[6]).question())
    assert asked is not None
    assert (asked.source, asked.target, asked.link_address) == (OWN[6], V6[0], US)
