"""Channels between real kernels: what a living, refusing, frozen or cut server shows, and the gateway."""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest

from support.namespaces import PATIENCE, Net, eventually, lan, packet_socket, plug, switch_of
from vipkeeper.core.events import Event, GatewayAnswered, ServerAnswered, Sign
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.host import clock
from vipkeeper.host.channels import MAX_OPEN, Channels, Reach
from vipkeeper.host.neighbours import Neighbour
from vipkeeper.wire import arp, ndp
from vipkeeper.wire.ethernet import BROADCAST
from vipkeeper.wire.types import IPAddress

pytestmark = pytest.mark.lab

PORT = 6443
FAMILIES = pytest.mark.parametrize("version", [4, 6])
KERNEL, SERVICE = ServerAnswered(1, Sign.KERNEL), ServerAnswered(1, Sign.SERVICE)
OTHER = ServerAnswered(2, Sign.KERNEL)
GATEWAY = GatewayAnswered()


class Time:
    """The real clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return clock.now() + self.ahead


def host(version: int, number: int) -> IPAddress:
    """Host number N of the LAN."""
    return ip_address(f"10.9.0.{10 + number}" if version == 4 else f"fd09::{10 + number}")


def reach(net: Net, version: int, port: int | None = PORT, interface: str = "eth0") -> Reach:
    """Hosts 1 (own), 2 and 3 are servers, host 4 is the gateway."""
    own, *others = (host(version, number) for number in (1, 2, 3, 4))
    mac = net.mac(interface)
    neighbours = tuple(Neighbour(address, interface, mac, own) for address in others)
    return Reach(own, (own, *others[:2]), port, others[2], neighbours)


@pytest.fixture
def nets() -> Iterator[list[Net]]:
    with lan("one", "two", "three", "gate") as made:
        yield made


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def channels(now: Time) -> Iterator[Channels]:
    made = Channels(now)
    yield made
    made.close()


@contextlib.contextmanager
def standin(net: Net, version: int) -> Iterator[subprocess.Popen[str]]:
    """A TLS server on the API port of a host, listening."""
    anywhere = "0.0.0.0" if version == 4 else "[::]"
    command = [
        *("ip", "netns", "exec", net.name, sys.executable, "-m", "vipkeeper.lab.standin"),
        *("--name", "two", "--listen-api", f"{anywhere}:{PORT}"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["api"] == PORT
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()


def until(channels: Channels, wanted: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """What the channels bring until there is what is wanted."""
    found: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not wanted(found):
        left = end - time.monotonic()
        assert left > 0, f"never came; there was only {found}"
        select.select([channels], [], [], left)
        found.extend(channels.drain())
    return found


def ask(net: Net, channels: Channels, server: int, *, service: bool = False) -> None:
    """A connection belongs to the namespace of the thread that opens it."""
    net.call(lambda: channels.probe_server(server, service=service))


@FAMILIES
def test_a_servers_kernel_answers_without_a_service(
    nets: list[Net], channels: Channels, version: int
) -> None:
    nets[0].call(lambda: channels.place(reach(nets[0], version)))
    ask(nets[0], channels, 1)
    assert set(until(channels, lambda found: KERNEL in found)) == {KERNEL}
    assert channels.errors == 0


@FAMILIES
def test_a_living_api_server_is_a_service_and_a_killed_one_a_kernel(
    nets: list[Net], channels: Channels, version: int
) -> None:
    # Over TCP only: what ARP says is another test.
    place = replace(reach(nets[0], version), neighbours=())
    nets[0].call(lambda: channels.place(place))
    with standin(nets[1], version):
        ask(nets[0], channels, 1, service=True)
        assert set(until(channels, lambda found: SERVICE in found)) == {KERNEL, SERVICE}
        assert channels.idle
    ask(nets[0], channels, 1, service=True)
    assert until(channels, lambda found: KERNEL in found) == [KERNEL]
    assert channels.idle


def test_a_frozen_api_server_shows_a_kernel_and_is_given_up(
    nets: list[Net], channels: Channels, now: Time
) -> None:
    place = replace(reach(nets[0], 4), neighbours=())
    nets[0].call(lambda: channels.place(place))
    with standin(nets[1], 4) as process:
        process.send_signal(signal.SIGSTOP)
        ask(nets[0], channels, 1, service=True)
        assert until(channels, lambda found: KERNEL in found) == [KERNEL]
        assert not channels.idle
        now.ahead = SECOND
        assert channels.drain() == []
        assert channels.idle


@FAMILIES
def test_a_cut_server_shows_nothing(nets: list[Net], channels: Channels, version: int) -> None:
    nets[0].call(lambda: channels.place(reach(nets[0], version)))
    with standin(nets[1], version):
        switch_of(nets[1]).ip("link set p2 down")
        ask(nets[0], channels, 1, service=True)
        # Asked afterwards: once it has answered, an answer of the first would be here.
        ask(nets[0], channels, 2)
        assert set(until(channels, lambda found: OTHER in found)) == {OTHER}


def test_what_is_no_tls_server_is_no_service(nets: list[Net], channels: Channels) -> None:
    place = replace(reach(nets[0], 4), neighbours=())
    nets[0].call(lambda: channels.place(place))
    with nets[1].call(lambda: socket.create_server(("0.0.0.0", PORT))) as listener:
        ask(nets[0], channels, 1, service=True)
        connection, _ = listener.accept()
        with connection:
            assert until(channels, lambda found: KERNEL in found) == [KERNEL]
            connection.send(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            select.select([channels], [], [], PATIENCE)
            assert channels.drain() == []
            assert channels.idle


def test_an_alert_is_a_service(nets: list[Net], channels: Channels) -> None:
    nets[0].call(lambda: channels.place(replace(reach(nets[0], 4), neighbours=())))
    with nets[1].call(lambda: socket.create_server(("0.0.0.0", PORT))) as listener:
        ask(nets[0], channels, 1, service=True)
        connection, _ = listener.accept()
        with connection:
            until(channels, lambda found: KERNEL in found)
            for part in (b"\x15\x03", b"\x03\x00\x02\x02\x28"):
                connection.send(part)
            assert until(channels, lambda found: SERVICE in found) == [SERVICE]


@FAMILIES
def test_the_gateway_answers(nets: list[Net], channels: Channels, version: int) -> None:
    nets[0].call(lambda: channels.place(reach(nets[0], version)))
    channels.probe_gateway()
    assert set(until(channels, lambda found: GATEWAY in found)) == {GATEWAY}
    switch_of(nets[3]).ip("link set p4 down")
    channels.probe_gateway()
    ask(nets[0], channels, 2)
    assert set(until(channels, lambda found: OTHER in found)) == {OTHER}


def test_connections_are_few(nets: list[Net], channels: Channels) -> None:
    switch_of(nets[1]).ip("link set p2 down")
    place = replace(reach(nets[0], 4), neighbours=())
    nets[0].call(lambda: channels.place(place))

    def many() -> int:
        for _ in range(10):
            channels.probe_server(1, service=True)
        return len(channels._connections)

    assert nets[0].call(many) == MAX_OPEN


def test_several_answers_of_one_kernel_are_one_event(nets: list[Net], channels: Channels) -> None:
    nets[0].call(lambda: channels.place(replace(reach(nets[0], 4), neighbours=())))
    for _ in range(MAX_OPEN):
        ask(nets[0], channels, 1, service=True)
    eventually(lambda: len(channels._poll.poll(0)) == MAX_OPEN)
    assert channels.drain() == [KERNEL]


def test_without_an_api_port_nobody_connects(nets: list[Net], channels: Channels) -> None:
    nets[0].call(lambda: channels.place(reach(nets[0], 4, port=None)))
    with nets[1].call(lambda: socket.create_server(("0.0.0.0", PORT))) as listener:
        ask(nets[0], channels, 1, service=True)
        until(channels, lambda found: KERNEL in found)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@FAMILIES
def test_nothing_wakes_the_daemon_while_nobody_is_asked(
    nets: list[Net], channels: Channels, now: Time, version: int
) -> None:
    """Answers of every server, as on a busy LAN; only after a question do they come through."""
    one, two, *_ = nets
    nets[0].call(lambda: channels.place(reach(one, version)))
    answer = (
        arp.encode_frame(
            arp.Arp(
                arp.Operation.REPLY,
                two.mac(),
                IPv4Address("10.9.0.12"),
                one.mac(),
                IPv4Address("10.9.0.11"),
            ),
            destination=one.mac(),
        )
        if version == 4
        else ndp.advertisement(host(6, 2), two.mac())  # type: ignore[arg-type]
    )

    def wakes() -> bool:
        """The third host's frame comes after the answer; once it is seen, so was the answer."""
        with packet_socket(one) as seen, packet_socket(two) as sender:
            sender.send(answer)
            sender.send(BROADCAST + two.mac() + b"\x88\xb5" + bytes(46))
            while seen.recv(2048)[12:14] != b"\x88\xb5":
                pass
        return bool(select.select([channels], [], [], 0)[0])

    assert not wakes()
    channels.probe_gateway()
    until(channels, lambda found: GATEWAY in found)
    assert wakes()
    channels.drain()
    now.ahead += SECOND
    channels.drain()
    assert channels.idle
    assert not wakes()


def test_a_flood_of_answers_is_one_event_and_does_not_hold_the_loop(
    nets: list[Net], channels: Channels
) -> None:
    one, two, *_ = nets
    one.call(lambda: channels.place(reach(one, 4)))
    ask(one, channels, 1)
    until(channels, lambda found: KERNEL in found)
    reply = arp.Arp(
        arp.Operation.REPLY,
        two.mac(),
        IPv4Address("10.9.0.12"),
        one.mac(),
        IPv4Address("10.9.0.11"),
    )
    with packet_socket(two) as sender:
        for _ in range(300):
            sender.send(arp.encode_frame(reply, destination=one.mac()))
    select.select([channels], [], [], PATIENCE)
    assert channels.drain() == [KERNEL]
    assert select.select([channels], [], [], 0)[0], "read all of it at once"


def test_a_question_is_no_conflict_probe_and_comes_from_our_own_address(
    nets: list[Net], channels: Channels
) -> None:
    one, two, *_ = nets
    with packet_socket(two) as seen:
        for version in (4, 6):
            one.call(lambda version=version: channels.place(reach(one, version)))  # type: ignore[misc]
            ask(one, channels, 1)
        asked: dict[int, IPAddress] = {}
        while len(asked) < 2:
            frame = seen.recv(2048)
            message, neighbour = arp.decode_frame(frame), ndp.decode_frame(frame)
            if message is not None and message.target_ip == host(4, 2):
                asked[4] = message.sender_ip
            if neighbour is not None and neighbour.target == host(6, 2):
                asked[6] = neighbour.source
    assert asked == {4: host(4, 1), 6: host(6, 1)}


def test_an_interface_made_again_is_asked_over_again(nets: list[Net], channels: Channels) -> None:
    one = nets[0]
    mac = one.mac()
    one.call(lambda: channels.place(reach(one, 4)))
    one.ip("link del eth0")
    ask(one, channels, 1, service=True)
    channels.drain()
    assert channels.errors > 0
    plug(switch_of(one), one, "p9", mac=mac.hex(":"))
    one.ip("addr add 10.9.0.11/24 dev eth0")
    one.call(lambda: channels.place(reach(one, 4)))
    ask(one, channels, 1)
    assert until(channels, lambda found: KERNEL in found) == [KERNEL]


def test_a_server_that_is_no_more_is_not_asked(nets: list[Net], channels: Channels) -> None:
    ask(nets[0], channels, 1, service=True)
    nets[0].call(lambda: channels.place(reach(nets[0], 4)))
    ask(nets[0], channels, 7, service=True)
    ask(nets[0], channels, -1, service=True)
    assert channels.idle
    assert channels.errors == 0


def test_a_connection_is_given_up_in_time(nets: list[Net], channels: Channels, now: Time) -> None:
    switch_of(nets[1]).ip("link set p2 down")
    nets[0].call(lambda: channels.place(replace(reach(nets[0], 4), neighbours=())))
    ask(nets[0], channels, 1, service=True)
    assert not channels.idle
    now.ahead += 499 * MILLISECOND
    ask(nets[0], channels, 1, service=True)
    now.ahead += 2 * MILLISECOND
    channels.drain()
    assert len(channels._connections) == 1
