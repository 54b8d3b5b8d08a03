"""ARP, neighbour discovery, echo and SYN frames: golden bytes, and what is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest

from vipkeeper.wire import arp, echo, ndp
from vipkeeper.wire.checksum import checksum, pseudo_header
from vipkeeper.wire.types import IPAddress

MAC, PEER = bytes.fromhex("02000a0a0a0b"), bytes.fromhex("02000a0a0a0c")
VIP4, OWN4 = IPv4Address("10.10.10.100"), IPv4Address("10.10.10.11")
VIP6, OWN6 = IPv6Address("2001:db8::100"), IPv6Address("2001:db8::11")
FAMILIES = pytest.mark.parametrize(("vip", "own"), [(VIP4, OWN4), (VIP6, OWN6)], ids=["4", "6"])

ARP_HEAD = "ffffffffffff02000a0a0a0b0806" + "0001080006040001" + "02000a0a0a0b"


# Checksum


def test_checksum_of_the_example_in_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", 0xFFFF),
        ("0000", 0xFFFF),
        ("ffff", 0),
        ("ffffffff", 0),
        ("8000800080", 0x7FFE),
        ("01", 0xFEFF),
    ],
)
def test_checksum_at_the_edges(data: str, expected: int) -> None:
    assert checksum(bytes.fromhex(data)) == expected


def test_pseudo_headers() -> None:
    assert pseudo_header(OWN4, VIP4, 6, 20).hex() == "0a0a0a0b0a0a0a6400060014"
    six = pseudo_header(OWN6, VIP6, 58, 0x12345)
    assert six == OWN6.packed + VIP6.packed + bytes.fromhex("000123450000003a")
    with pytest.raises(ValueError, match="two families"):
        pseudo_header(OWN4, VIP6, 6, 20)


# ARP


def test_arp_probe_names_no_sender() -> None:
    assert arp.probe(VIP4, MAC).hex() == ARP_HEAD + "00000000" + "000000000000" + "0a0a0a64"


def test_arp_request_in_our_own_name() -> None:
    assert arp.request(VIP4, OWN4, MAC).hex() == ARP_HEAD + "0a0a0a0b" + "000000000000" + "0a0a0a64"


def test_gratuitous_arp_in_both_forms() -> None:
    request, reply = arp.gratuitous(VIP4, MAC)
    assert request.hex() == ARP_HEAD + "0a0a0a64" + "000000000000" + "0a0a0a64"
    assert (
        reply.hex()
        == ARP_HEAD[:40] + "0002" + "02000a0a0a0b" + "0a0a0a64" + "02000a0a0a0b" + "0a0a0a64"
    )


def test_arp_reply_to_one_host_with_padding() -> None:
    answer = arp.Arp(arp.Operation.REPLY, MAC, VIP4, PEER, IPv4Address("10.10.10.12"))
    frame = arp.encode_frame(answer, destination=PEER)
    assert frame[:12] == PEER + MAC
    assert arp.decode_frame(frame + bytes(18)) == answer


@pytest.mark.parametrize(
    ("at", "value"),
    [(12, 0x0800), (14, 6), (16, 0x86DD), (18, 0x0804), (18, 0x0610), (20, 0), (20, 3), (20, 8)],
    ids=["ethertype", "hardware", "protocol", "hlen", "plen", "op 0", "reverse ARP", "inverse ARP"],
)
def test_other_arp_is_refused(at: int, value: int) -> None:
    frame = bytearray(arp.probe(VIP4, MAC))
    frame[at : at + 2] = struct.pack("!H", value)
    assert arp.decode_frame(bytes(frame)) is None


def test_truncated_arp_is_refused() -> None:
    frame = arp.probe(VIP4, MAC)
    assert [arp.decode_frame(frame[:size]) for size in range(len(frame))] == [None] * len(frame)


def test_a_hardware_address_of_another_length_is_our_mistake() -> None:
    makers: list[Callable[[], object]] = [
        lambda: arp.probe(VIP4, MAC[:5]),
        lambda: arp.encode_frame(
            arp.Arp(arp.Operation.REPLY, MAC, VIP4, b"", VIP4), destination=MAC
        ),
        lambda: ndp.advertisement(VIP6, MAC + b"\0"),
        lambda: ndp.solicitation(VIP6, ndp.UNSPECIFIED, MAC[:5]),
        lambda: echo.echo_request((MAC, b""), OWN4, VIP4, 1),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="6 bytes"):
            make()


# Neighbour discovery

NA = (
    "333300000001" + "02000a0a0a0b" + "86dd"
    "60000000" + "0020" + "3a" + "ff"
    "20010db8000000000000000000000100" + "ff020000000000000000000000000001"
    "8800" + "e318" + "20000000" + "20010db8000000000000000000000100" + "0201" + "02000a0a0a0b"
)
DAD = (
    "3333ff000100" + "02000a0a0a0b" + "86dd"
    "60000000" + "0018" + "3a" + "ff"
    "00000000000000000000000000000000" + "ff0200000000000000000001ff000100"
    "8700" + "4aef" + "00000000" + "20010db8000000000000000000000100"
)


def test_unsolicited_advertisement() -> None:
    assert ndp.advertisement(VIP6, MAC).hex() == NA
    assert ndp.decode_frame(bytes.fromhex(NA)) == ndp.NeighbourMessage(
        kind=ndp.ADVERTISEMENT,
        source=VIP6,
        destination=ndp.ALL_NODES,
        target=VIP6,
        link_address=MAC,
        solicited=False,
        override=True,
        router=False,
        frame_source=MAC,
    )


def test_advertisement_of_a_host_that_forwards() -> None:
    message = ndp.decode_frame(ndp.advertisement(VIP6, MAC, router=True))
    assert message is not None
    assert message.router


def test_solicitation_of_duplicate_address_detection_has_no_option() -> None:
    assert ndp.solicitation(VIP6, ndp.UNSPECIFIED, MAC).hex() == DAD
    message = ndp.decode_frame(bytes.fromhex(DAD))
    assert message is not None
    assert (message.kind, message.target, message.link_address) == (ndp.SOLICITATION, VIP6, None)


def test_solicitation_in_our_own_name_carries_our_mac() -> None:
    message = ndp.decode_frame(ndp.solicitation(VIP6, OWN6, MAC))
    assert message is not None
    assert (message.source, message.link_address) == (OWN6, MAC)
    assert message.destination == ndp.solicited_node(VIP6) == IPv6Address("ff02::1:ff00:100")


def neighbour(
    kind: int = ndp.ADVERTISEMENT,
    code: int = 0,
    flags: int = 0x60000000,
    target: IPv6Address = VIP6,
    options: bytes = b"\x02\x01" + PEER,
    source: IPv6Address = VIP6,
    destination: IPv6Address = OWN6,
    hops: int = 255,
    protocol: int = 58,
    flip: int = 0,
) -> bytes:
    """A neighbour message with a right checksum, everything else as asked."""
    body = struct.pack("!BBHI16s", kind, code, 0, flags, target.packed) + options
    total = checksum(pseudo_header(source, destination, 58, len(body)) + body) ^ flip
    body = body[:2] + struct.pack("!H", total) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), protocol, hops)
    return MAC + PEER + b"\x86\xdd" + header + source.packed + destination.packed + body


def test_solicited_advertisement_is_read() -> None:
    message = ndp.decode_frame(neighbour() + b"padding")
    assert message is not None
    assert message.solicited
    assert message.override
    assert (message.link_address, message.frame_source) == (PEER, PEER)


def test_advertisement_without_option_or_with_unknown_ones_is_read() -> None:
    bare = ndp.decode_frame(neighbour(options=b""))
    assert bare is not None
    assert bare.link_address is None
    other = ndp.decode_frame(neighbour(options=b"\x0e\x02" + bytes(14) + b"\x02\x01" + PEER))
    assert other is not None
    assert other.link_address == PEER


SOLICITED_NODE = ndp.solicited_node(VIP6)
REFUSED = {
    "hop limit below 255": neighbour(hops=254),
    "checksum": neighbour(flip=1),
    "code": neighbour(code=1),
    "not ICMPv6": neighbour(protocol=17),
    "another ICMPv6 type": neighbour(kind=134),
    "multicast target": neighbour(target=IPv6Address("ff02::1")),
    "option of length 0": neighbour(options=b"\x02\x00" + PEER),
    "option longer than the message": neighbour(options=b"\x02\x02" + PEER),
    "half an option": neighbour(options=b"\x02"),
    "solicited, to a multicast group": neighbour(destination=ndp.ALL_NODES),
    "from ::, with a link-layer option": neighbour(
        ndp.SOLICITATION,
        flags=0,
        source=ndp.UNSPECIFIED,
        destination=SOLICITED_NODE,
        options=b"\x01\x01" + PEER,
    ),
    "from ::, to a unicast address": neighbour(
        ndp.SOLICITATION, flags=0, source=ndp.UNSPECIFIED, options=b""
    ),
    "other ethertype": neighbour()[:12] + b"\x08\x00" + neighbour()[14:],
    "IP version 4 inside": neighbour()[:14] + b"\x40" + neighbour()[15:],
}


@pytest.mark.parametrize("frame", REFUSED.values(), ids=REFUSED.keys())
def test_invalid_neighbour_messages_are_refused(frame: bytes) -> None:
    """RFC 4861 sections 7.1.1 and 7.1.2, one rule each."""
    assert ndp.decode_frame(frame) is None


def test_truncated_neighbour_message_is_refused() -> None:
    frame = neighbour()
    assert [ndp.decode_frame(frame[:size]) for size in range(len(frame))] == [None] * len(frame)


# Echo and SYN


def test_echo_request_golden() -> None:
    assert echo.echo_request((MAC, PEER), OWN4, VIP4, 0x1234).hex() == (
        "02000a0a0a0c02000a0a0a0b0800"
        "450000250000400040011256"
        "0a0a0a0b0a0a0a64"
        "0800b72a12340001" + b"vipkeeper".hex()
    )


def test_syn_golden() -> None:
    assert echo.syn((MAC, PEER), OWN4, VIP4, (40000, 6443)).hex() == (
        "02000a0a0a0c02000a0a0a0b0800"
        "45000028000040004006124e"
        "0a0a0a0b0a0a0a64"
        "9c40192b000000010000000050020400cdf30000"
    )


def ip_frame(source: IPAddress, destination: IPAddress, protocol: int, body: bytes) -> bytes:
    return echo._frame((PEER, MAC), source, destination, protocol, body)


def echo_reply(vip: IPAddress, own: IPAddress, identifier: int = 7, **change: int) -> bytes:
    kind, protocol = (0, 1) if vip.version == 4 else (129, 58)
    body = (
        struct.pack("!BBHHH", change.get("kind", kind), change.get("code", 0), 0, identifier, 1)
        + bytes(change.get("cut", 0))
        + b"vipkeeper"
    )
    head = b"" if vip.version == 4 else pseudo_header(vip, own, 58, len(body))
    total = checksum(head + body) ^ change.get("flip", 0)
    return ip_frame(vip, own, protocol, body[:2] + struct.pack("!H", total) + body[4:])


def segment(vip: IPAddress, own: IPAddress, flags: int, acknowledged: int = 2) -> bytes:
    body = struct.pack("!HHIIBBHHH", 6443, 40000, 99, acknowledged, 0x50, flags, 0, 0, 0)
    return ip_frame(vip, own, 6, body)


@FAMILIES
def test_echo_reply_answers_its_identifier_only(vip: IPAddress, own: IPAddress) -> None:
    reply = echo_reply(vip, own)
    assert echo.answer(reply + b"padding", 7, 40000) == vip
    assert echo.answer(reply, 8, 40000) is None


@FAMILIES
@pytest.mark.parametrize(
    "change",
    [{"kind": 8}, {"kind": 128}, {"code": 1}, {"flip": 1}, {"cut": 1}],
    ids=["request", "request 6", "code", "checksum", "payload"],
)
def test_other_icmp_is_no_answer(vip: IPAddress, own: IPAddress, change: dict[str, int]) -> None:
    assert echo.answer(echo_reply(vip, own, **change), 7, 40000) is None


@FAMILIES
def test_our_own_request_is_no_answer(vip: IPAddress, own: IPAddress) -> None:
    assert echo.answer(echo.echo_request((MAC, PEER), own, vip, 7), 7, 40000) is None
    assert echo.answer(echo.syn((MAC, PEER), own, vip, (40000, 40000)), 7, 40000) is None


@FAMILIES
@pytest.mark.parametrize(
    ("flags", "acknowledged", "answers"),
    [
        (0x12, 2, True),
        (0x14, 2, True),
        (0x04, 0, True),
        (0x12, 3, False),
        (0x14, 0, False),
        (0x10, 2, False),
        (0x02, 0, False),
        (0x11, 2, False),
    ],
    ids=[
        "SYN ACK",
        "RST ACK",
        "RST",
        "SYN ACK of another SYN",
        "RST ACK of another SYN",
        "ACK",
        "SYN",
        "FIN",
    ],
)
def test_tcp_answers(
    vip: IPAddress, own: IPAddress, flags: int, acknowledged: int, answers: bool
) -> None:
    frame = segment(vip, own, flags, acknowledged)
    assert echo.answer(frame, 7, 40000) == (vip if answers else None)


@FAMILIES
def test_tcp_answers_match_both_ports(vip: IPAddress, own: IPAddress) -> None:
    frame = segment(vip, own, 0x14)
    assert echo.answer(frame, 7, 40001) is None
    assert echo.answer(frame, 7, 40000, their_port=6443) == vip
    assert echo.answer(frame, 7, 40000, their_port=6444) is None


def test_ipv4_options_are_stepped_over_and_fragments_refused() -> None:
    reply = bytearray(echo_reply(VIP4, OWN4))
    options = reply[:14] + b"\x46" + reply[15:34] + b"\x01\x01\x01\x00" + reply[34:]
    options[16:18] = struct.pack("!H", len(options) - 14)
    assert echo.answer(resummed(options, 24), 7, 1) == VIP4
    for fragment in (b"\x20\x00", b"\x00\x01", b"\x1f\xff"):
        reply[20:22] = fragment
        assert echo.answer(resummed(reply, 20), 7, 1) is None


def resummed(frame: bytearray, header: int) -> bytes:
    frame[24:26] = bytes(2)
    frame[24:26] = struct.pack("!H", checksum(bytes(frame[14 : 14 + header])))
    return bytes(frame)


@pytest.mark.parametrize(
    ("at", "value"),
    [(14, 0x44), (14, 0x4F), (14, 0x65), (17, 200), (17, 19), (24, 0)],
    ids=["header too short", "header too long", "version", "length", "no room", "checksum"],
)
def test_broken_ipv4_headers_are_refused(at: int, value: int) -> None:
    frame = bytearray(echo_reply(VIP4, OWN4))
    frame[at] = value
    data = bytes(frame) if at == 24 else resummed(frame, 20)
    assert echo.decode_frame(data) is None


@FAMILIES
def test_truncated_answers_are_refused(vip: IPAddress, own: IPAddress) -> None:
    for frame in (echo_reply(vip, own), segment(vip, own, 0x12)):
        assert [echo.decode_frame(frame[:n]) for n in range(len(frame))] == [None] * len(frame)


def test_two_families_in_one_packet_are_our_mistake() -> None:
    makers: list[Callable[[], bytes]] = [
        lambda: echo.echo_request((MAC, PEER), OWN6, VIP4, 1),
        lambda: echo.echo_request((MAC, PEER), OWN4, VIP6, 1),
        lambda: echo.syn((MAC, PEER), OWN4, VIP6, (1, 2)),
    ]
    for make in makers:
        with pytest.raises(ValueError, match="two families"):
            make()
