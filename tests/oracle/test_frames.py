"""Scapy reads our frames, we read scapy's, and a second library makes the tag of an advert."""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from vipkeeper.host.neighbours import Neighbour
from vipkeeper.wire import arp, echo, ndp
from vipkeeper.wire.advert import encode
from vipkeeper.wire.tls import CLIENT_HELLO
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Role

logging.getLogger("scapy").setLevel(logging.ERROR)
inet = pytest.importorskip("scapy.layers.inet", reason="scapy is not installed")
inet6 = pytest.importorskip("scapy.layers.inet6", reason="scapy is not installed")
l2 = pytest.importorskip("scapy.layers.l2", reason="scapy is not installed")

pytestmark = pytest.mark.oracle

MAC, PEER = bytes.fromhex("02000a0a0a0b"), bytes.fromhex("02000a0a0a0c")
MAC_TEXT, PEER_TEXT = "02:00:0a:0a:0a:0b", "02:00:0a:0a:0a:0c"
VIP4, OWN4 = IPv4Address("10.10.10.100"), IPv4Address("10.10.10.11")
VIP6, OWN6 = IPv6Address("2001:db8::100"), IPv6Address("2001:db8::11")
FAMILIES = pytest.mark.parametrize(("vip", "own"), [(VIP4, OWN4), (VIP6, OWN6)], ids=["4", "6"])


def scapy_reads(frame: bytes) -> Any:
    """The frame as scapy understands it, which must also find every checksum and length right."""
    packet = l2.Ether(frame)
    rebuilt = packet.copy()
    layer = rebuilt
    while layer:
        for name in ("chksum", "cksum", "len", "plen", "ihl", "dataofs"):
            if name in layer.fields:
                del layer.fields[name]
        layer = layer.payload
    assert bytes(rebuilt) == frame
    return packet


def ip(source: IPAddress, destination: IPAddress) -> Any:
    layer = inet.IP if source.version == 4 else inet6.IPv6
    return layer(src=str(source), dst=str(destination))


def ethernet() -> Any:
    return l2.Ether(src=PEER_TEXT, dst=MAC_TEXT)


# Ours, read by scapy


def test_arp_probe() -> None:
    packet = scapy_reads(arp.probe(VIP4, MAC))
    assert (packet.src, packet.dst) == (MAC_TEXT, "ff:ff:ff:ff:ff:ff")
    message = packet[l2.ARP]
    assert (message.op, message.psrc, message.pdst) == (1, "0.0.0.0", str(VIP4))
    assert (message.hwsrc, message.hwdst) == (MAC_TEXT, "00:00:00:00:00:00")


def test_arp_request() -> None:
    message = scapy_reads(arp.request(VIP4, OWN4, MAC))[l2.ARP]
    assert (message.op, message.psrc, message.pdst) == (1, str(OWN4), str(VIP4))


def test_gratuitous_arp() -> None:
    request, reply = (scapy_reads(frame)[l2.ARP] for frame in arp.gratuitous(VIP4, MAC))
    for message, operation in ((request, 1), (reply, 2)):
        assert (message.op, message.psrc, message.pdst) == (operation, str(VIP4), str(VIP4))
        assert message.hwsrc == MAC_TEXT
    assert reply.hwdst == MAC_TEXT


def test_unsolicited_advertisement() -> None:
    packet = scapy_reads(ndp.advertisement(VIP6, MAC))
    assert packet.dst == "33:33:00:00:00:01"
    assert (packet[inet6.IPv6].src, packet[inet6.IPv6].dst) == (str(VIP6), "ff02::1")
    assert packet[inet6.IPv6].hlim == 255
    message = packet[inet6.ICMPv6ND_NA]
    assert (message.R, message.S, message.O, message.tgt) == (0, 0, 1, str(VIP6))
    assert packet[inet6.ICMPv6NDOptDstLLAddr].lladdr == MAC_TEXT


def test_solicitation() -> None:
    packet = scapy_reads(ndp.solicitation(VIP6, OWN6, MAC))
    assert packet.dst == "33:33:ff:00:01:00"
    assert (packet[inet6.IPv6].src, packet[inet6.IPv6].dst) == (str(OWN6), "ff02::1:ff00:100")
    assert packet[inet6.ICMPv6ND_NS].tgt == str(VIP6)
    assert packet[inet6.ICMPv6NDOptSrcLLAddr].lladdr == MAC_TEXT


def test_solicitation_of_duplicate_address_detection() -> None:
    packet = scapy_reads(ndp.solicitation(VIP6, ndp.UNSPECIFIED, MAC))
    assert packet[inet6.IPv6].src == "::"
    assert packet[inet6.IPv6].hlim == 255
    assert not packet.haslayer(inet6.ICMPv6NDOptSrcLLAddr)


@FAMILIES
def test_echo_request(vip: IPAddress, own: IPAddress) -> None:
    packet = scapy_reads(echo.echo_request((MAC, PEER), own, vip, 0x1234))
    assert (packet.src, packet.dst) == (MAC_TEXT, PEER_TEXT)
    message = packet[inet.ICMP if vip.version == 4 else inet6.ICMPv6EchoRequest]
    assert (message.type, message.id, message.seq) == (8 if vip.version == 4 else 128, 0x1234, 1)
    assert packet[1].dst == str(vip)


@FAMILIES
def test_syn(vip: IPAddress, own: IPAddress) -> None:
    packet = scapy_reads(echo.syn((MAC, PEER), own, vip, (40000, 6443)))
    segment = packet[inet.TCP]
    assert (segment.sport, segment.dport, str(segment.flags)) == (40000, 6443, "S")


@FAMILIES
def test_question_to_a_neighbour(vip: IPAddress, own: IPAddress) -> None:
    packet = scapy_reads(Neighbour(vip, "eth0", MAC, own).question())
    assert packet.src == MAC_TEXT
    if vip.version == 4:
        asked = packet[l2.ARP]
        assert (packet.dst, asked.op) == ("ff:ff:ff:ff:ff:ff", 1)
        assert (asked.psrc, asked.hwsrc, asked.pdst) == (str(own), MAC_TEXT, str(vip))
    else:
        assert packet.dst == "33:33:ff:00:01:00"
        assert packet[inet6.IPv6].src == str(own)
        assert packet[inet6.ICMPv6ND_NS].tgt == str(vip)
        assert packet[inet6.ICMPv6NDOptSrcLLAddr].lladdr == MAC_TEXT


def test_client_hello() -> None:
    pytest.importorskip("cryptography")
    tls = pytest.importorskip("scapy.layers.tls.all")
    record = tls.TLS(CLIENT_HELLO)
    assert bytes(record) == CLIENT_HELLO
    (hello,) = record.msg
    assert (record.type, hello.msgtype, hello.version) == (22, 1, 0x0303)
    assert hello.msglen == len(CLIENT_HELLO) - 9
    assert {0x1301, 0xC02F, 0xC02B} <= set(hello.ciphers)
    extensions = {extension.type: extension for extension in hello.ext}
    assert extensions[43].versions == [0x0304, 0x0303]
    (share,) = extensions[51].client_shares
    assert (share.group, len(share.key_exchange)) == (29, 32)


# Scapy's, read by us


@pytest.mark.parametrize("operation", arp.Operation)
def test_arp_of_scapy(operation: arp.Operation) -> None:
    frame = ethernet() / l2.ARP(
        op=int(operation), hwsrc=PEER_TEXT, psrc=str(VIP4), hwdst=MAC_TEXT, pdst=str(OWN4)
    )
    assert arp.decode_frame(bytes(frame)) == arp.Arp(operation, PEER, VIP4, MAC, OWN4)


def test_advertisement_of_scapy() -> None:
    frame = (
        ethernet()
        / inet6.IPv6(src=str(VIP6), dst=str(OWN6), hlim=255)
        / inet6.ICMPv6ND_NA(tgt=str(VIP6), R=1, S=1, O=0)
        / inet6.ICMPv6NDOptDstLLAddr(lladdr=PEER_TEXT)
    )
    message = ndp.decode_frame(bytes(frame))
    assert message == ndp.NeighbourMessage(
        kind=ndp.ADVERTISEMENT,
        source=VIP6,
        destination=OWN6,
        target=VIP6,
        link_address=PEER,
        solicited=True,
        override=False,
        router=True,
        frame_source=PEER,
    )


def test_solicitation_of_scapy() -> None:
    frame = (
        ethernet()
        / inet6.IPv6(src=str(OWN6), dst="ff02::1:ff00:100", hlim=255)
        / inet6.ICMPv6ND_NS(tgt=str(VIP6))
        / inet6.ICMPv6NDOptSrcLLAddr(lladdr=PEER_TEXT)
        / inet6.ICMPv6NDOptMTU()
    )
    message = ndp.decode_frame(bytes(frame))
    assert message is not None
    assert (message.kind, message.target, message.link_address) == (ndp.SOLICITATION, VIP6, PEER)


@FAMILIES
def test_echo_reply_of_scapy(vip: IPAddress, own: IPAddress) -> None:
    kind = {"type": 0} if vip.version == 4 else {}
    layer = inet.ICMP if vip.version == 4 else inet6.ICMPv6EchoReply
    frame = ethernet() / ip(vip, own) / layer(id=7, seq=1, **kind) / b"vipkeeper"
    assert echo.decode_frame(bytes(frame)) == echo.EchoReply(vip, own, 7, 1, b"vipkeeper")
    assert echo.answer(bytes(frame), 7, 1) == vip


@FAMILIES
@pytest.mark.parametrize(("flags", "reset"), [("SA", False), ("RA", True)])
def test_tcp_answer_of_scapy(vip: IPAddress, own: IPAddress, flags: str, reset: bool) -> None:
    options = [("MSS", 1460), ("SAckOK", b"")] if not reset else []
    segment = inet.TCP(sport=6443, dport=40000, flags=flags, ack=2, options=options)
    frame = bytes(ethernet() / ip(vip, own) / segment)
    assert echo.decode_frame(frame) == echo.TcpAnswer(vip, own, 6443, 40000, reset, 2)
    assert echo.answer(frame, 7, 40000, their_port=6443) == vip


# The tag


def test_the_tag_is_hkdf_and_hmac_of_another_library() -> None:
    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    hkdf = pytest.importorskip("cryptography.hazmat.primitives.kdf.hkdf")
    hmac = pytest.importorskip("cryptography.hazmat.primitives.hmac")
    key = bytes(range(48))
    data = encode(
        Advert(OWN6, 1, 2, 3, Role.BACKUP, Health.UNKNOWN, True, 100, bytes(8), 2, (Heard(9, 9),)),
        key,
    )
    derived = hkdf.HKDFExpand(hashes.SHA256(), 32, b"vipkeeper advert 1").derive(key)
    mac = hmac.HMAC(derived, hashes.SHA256())
    mac.update(data[:-16])
    assert data[-16:] == mac.finalize()[:16]
