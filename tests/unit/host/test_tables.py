"""Interfaces, addresses and neighbours: what another library writes is what we read."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg

from vipkeeper.host import tables
from vipkeeper.host.rtmessages import Message, messages, request
from vipkeeper.host.snapshot import Link, LocalAddress, Snapshot
from vipkeeper.host.tables import neighbours, snapshot

MAC = "02:00:5e:00:00:01"
PERMANENT, NO_PREFIX_ROUTE = 0x80, 0x200


def written(kind: int, message: Any, fields: dict[str, int], **attributes: object) -> Message:
    """The message as pyroute2 writes it."""
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = list(attributes.items())
    message.encode()
    return Message(kind, 0, bytes(message.data[16:]))


def link(index: int, name: str, flags: int) -> Message:
    attributes = {"IFLA_ADDRESS": MAC, "IFLA_IFNAME": name}
    return written(16, ifinfmsg(), {"index": index, "flags": flags}, **attributes)


def address(text: str, length: int, index: int, flags: int) -> Message:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    fields = {"family": family, "prefixlen": length, "index": index, "flags": flags & 0xFF}
    attributes = {"IFA_ADDRESS": text, "IFA_FLAGS": flags}
    if family == socket.AF_INET:
        attributes["IFA_LOCAL"] = text
    return written(20, ifaddrmsg(), fields, **attributes)


def neighbour(text: str, mac: str | None) -> Message:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    attributes = {"NDA_DST": text} | ({"NDA_LLADDR": mac} if mac else {})
    return written(28, ndmsg(), {"family": family, "ifindex": 2, "state": 2}, **attributes)


ETH0 = link(2, "eth0", 0x10001)


def test_interfaces_and_addresses() -> None:
    found = snapshot(
        [ETH0, link(3, "eth1", 0x1)],
        [
            address("10.9.0.11", 24, 2, PERMANENT),
            address("10.9.0.100", 32, 2, NO_PREFIX_ROUTE),
            address("fd09::11", 64, 3, PERMANENT | NO_PREFIX_ROUTE),
        ],
    )
    mac = bytes.fromhex(MAC.replace(":", ""))
    assert found == Snapshot(
        (Link("eth0", 2, True, mac), Link("eth1", 3, False, mac)),
        (
            LocalAddress(ip_address("10.9.0.11"), 24, "eth0", 2, True),
            LocalAddress(ip_address("10.9.0.100"), 32, "eth0", 2, False),
            LocalAddress(ip_address("fd09::11"), 64, "eth1", 3, True),
        ),
    )


def test_the_own_end_of_a_point_to_point_link_is_the_address() -> None:
    fields = {"family": socket.AF_INET, "prefixlen": 32, "index": 2, "flags": PERMANENT}
    both = {"IFA_ADDRESS": "10.9.0.1", "IFA_LOCAL": "10.9.0.11"}
    (found,) = snapshot([ETH0], [written(20, ifaddrmsg(), fields, **both)]).addresses
    assert (str(found.address), found.permanent) == ("10.9.0.11", True)


def test_an_address_of_an_interface_made_meanwhile_is_left_to_the_next_look() -> None:
    assert snapshot([ETH0], [address("10.9.0.11", 24, 7, PERMANENT)]).addresses == ()


def test_an_address_with_a_prefix_longer_than_itself_is_none() -> None:
    assert snapshot([ETH0], [address("10.9.0.11", 33, 2, PERMANENT)]).addresses == ()


def test_neighbours_without_a_mac_are_none() -> None:
    found = [neighbour("10.9.0.12", MAC), neighbour("10.9.0.13", None), neighbour("fd09::12", MAC)]
    mac = bytes.fromhex(MAC.replace(":", ""))
    assert list(neighbours(found)) == [
        (ip_address("10.9.0.12"), mac),
        (ip_address("fd09::12"), mac),
    ]


SAMPLES = [ETH0, address("10.9.0.11", 24, 2, PERMANENT), neighbour("fd09::12", MAC)]


@given(st.sampled_from(SAMPLES), st.integers(0, 99), st.integers(0, 255))
def test_a_message_with_any_byte_changed_is_judged(sample: Message, at: int, value: int) -> None:
    data = bytearray(sample.body)
    data[at % len(data)] = value
    for body in (bytes(data), bytes(data[: at % len(data)])):
        message = Message(sample.kind, 0, body)
        for address in snapshot([message, ETH0], [message]).addresses:
            address.holds(address.address)
        list(neighbours([message]))


@given(st.binary(max_size=120), st.sampled_from([16, 20, 28]))
def test_any_bytes_are_judged(data: bytes, kind: int) -> None:
    found = [*messages(data), Message(kind, 0, data)]
    for address in snapshot([*found, ETH0], found).addresses:
        address.holds(address.address)
    list(neighbours(found))


def end(number: int, flags: int = 0) -> bytes:
    return request(3, 2 | flags, struct.pack("=i", number), 1)


def part(message: Message, flags: int = 0) -> bytes:
    return request(message.kind, 2 | flags, message.body, 1)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the kernel answer each request with the next list of datagrams."""

    def answer(*tables_of_parts: list[bytes]) -> None:
        waiting = list(tables_of_parts)

        class Socket:
            def __init__(self, *_: int) -> None:
                self.parts = waiting.pop(0)

            def __enter__(self) -> Socket:
                return self

            def __exit__(self, *_: object) -> None:
                assert not self.parts

            def settimeout(self, seconds: float) -> None:
                assert seconds > 0

            def send(self, data: bytes) -> None:
                (message,) = messages(data)
                assert message.flags == 0x301

            def recvmsg(self, size: int) -> tuple[bytes, list[object], int, None]:
                data = self.parts.pop(0)
                return data[:size], [], socket.MSG_TRUNC if len(data) > size else 0, None

        monkeypatch.setattr("socket.socket", Socket)

    return answer


ADDRESS = part(address("10.9.0.11", 24, 2, PERMANENT))


def test_of_thousands_of_addresses_only_those_that_changed_are_parsed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[Message] = []
    parse = tables._local_address

    def counted(message: Message, names: dict[int, str]) -> LocalAddress | None:
        parsed.append(message)
        return parse(message, names)

    monkeypatch.setattr(tables, "_local_address", counted)
    many = [address(f"10.9.{n // 250}.{n % 250}", 32, 2, PERMANENT) for n in range(1000)]
    known: tables.Known = {}
    first = snapshot([ETH0], many, known)
    assert (len(first.addresses), len(parsed)) == (1000, 1000)
    one_more = address("10.9.100.1", 32, 2, PERMANENT)
    second = snapshot([ETH0], [*many[1:], one_more], known)
    assert second.addresses == (*first.addresses[1:], parse(one_more, {2: "eth0"}))
    assert parsed[1000:] == [one_more]
    assert len(known) == 1000
    renamed = snapshot([link(2, "lan0", 0x10001)], many[:5], known)
    assert {known.interface for known in renamed.addresses} == {"lan0"}
    gone = snapshot([ETH0], [Message(21, 0, many[1].body)], known)
    assert gone.addresses == ()


def test_a_table_ends_where_the_kernel_says(kernel: Callable[..., None]) -> None:
    kernel([part(ETH0), end(0)], [ADDRESS + ADDRESS, ADDRESS + end(0)])
    found, torn = tables.read_snapshot()
    assert (len(found.addresses), torn) == (3, False)


@pytest.mark.parametrize("where", ["message", "end", "links"])
def test_a_change_meanwhile_is_told(kernel: Callable[..., None], where: str) -> None:
    marks = {name: 0x10 if name == where else 0 for name in ("message", "end", "links")}
    address_part = part(address("10.9.0.11", 24, 2, PERMANENT), marks["message"])
    kernel([part(ETH0, marks["links"]), end(0)], [address_part, end(0, marks["end"])])
    assert tables.read_snapshot()[1]


def test_a_refusal_is_an_error(kernel: Callable[..., None]) -> None:
    refused = request(2, 0, struct.pack("=i", -errno.EPERM), 1)
    kernel([refused])
    with pytest.raises(PermissionError):
        tables.read_neighbours()
    kernel([end(-errno.ENOBUFS)])
    with pytest.raises(OSError, match="No buffer space"):
        tables.read_neighbours()


def test_a_message_that_does_not_fit_is_a_change_meanwhile(kernel: Callable[..., None]) -> None:
    many = ADDRESS * (tables._LONGEST // len(ADDRESS) + 1)
    kernel([part(ETH0), end(0)], [many, end(0)])
    assert tables.read_snapshot()[1]
