"""The advert socket and the monitor on a real kernel."""

from __future__ import annotations

import asyncio
import itertools
import select
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from support.namespaces import PATIENCE, Net, lan, plug, switch_of
from vipkeeper.core.types import SECOND
from vipkeeper.errors import HostError
from vipkeeper.host import clock, udp
from vipkeeper.host.monitor import Monitor
from vipkeeper.host.udp import AdvertSocket
from vipkeeper.wire.advert import MAX_LENGTH
from vipkeeper.wire.types import IPAddress

pytestmark = pytest.mark.lab

V4, V6 = ip_address("10.9.0.100"), ip_address("fd09::100")
FAMILIES = pytest.mark.parametrize(
    ("one", "two"),
    [
        (ip_address("10.9.0.11"), ip_address("10.9.0.12")),
        (ip_address("fd09::11"), ip_address("fd09::12")),
    ],
)
PORT = 6477
IP_RECVERR = 11


@pytest.fixture
def nets() -> Iterator[list[Net]]:
    with lan("one", "two") as made:
        yield made


def read(sock: AdvertSocket) -> list[tuple[IPAddress, bytes, int]]:
    assert select.select([sock], [], [], PATIENCE)[0], "nothing came"
    return sock.drain()


def read_late(receiver: AdvertSocket) -> list[tuple[IPAddress, bytes, int]]:
    """What waits, read 50 ms from now: its time is the arrival's, not the reading's."""
    until = clock.now() + SECOND // 20
    while clock.now() < until:
        select.select([], [], [], 0.05)
    return receiver.drain()


def await_stamps(sender: AdvertSocket, receiver: AdvertSocket, to: IPAddress) -> None:
    """The kernel begins to stamp arrivals a while after the first socket asked for it (a work item does it)."""
    for _ in range(100):
        sender.send(b"x", [to])
        select.select([receiver], [], [], PATIENCE)
        arrived = clock.now()
        if all(received < arrived + SECOND // 50 for *_, received in read_late(receiver)):
            return
    pytest.fail("the kernel does not stamp what arrives")


@FAMILIES
def test_an_advert_arrives_with_its_source_and_the_time_the_kernel_got_it(
    nets: list[Net], one: IPAddress, two: IPAddress
) -> None:
    a = nets[0].call(lambda: AdvertSocket(one, PORT))
    b = nets[1].call(lambda: AdvertSocket(two, PORT))
    await_stamps(a, b, two)
    before = clock.now()
    a.send(b"x" * MAX_LENGTH, [two])
    select.select([b], [], [], PATIENCE)
    arrived = clock.now()
    ((source, data, received),) = read_late(b)
    assert (source, data) == (one, b"x" * MAX_LENGTH)
    # Two clocks are read one after the other: they agree to a few microseconds.
    assert before - SECOND // 1000 <= received <= arrived + SECOND // 1000
    assert (a.send_errors, b.drain()) == (0, [])
    a.close()
    b.close()


def test_one_byte_too_many_shows(nets: list[Net]) -> None:
    a, b = ip_address("10.9.0.11"), ip_address("10.9.0.12")
    sender = nets[0].call(lambda: AdvertSocket(a, PORT))
    receiver = nets[1].call(lambda: AdvertSocket(b, PORT))
    sender.send(b"x" * (MAX_LENGTH + 500), [b])
    assert len(read(receiver)[0][1]) == MAX_LENGTH + 1
    sender.close()
    receiver.close()


def test_what_is_sent_to_the_vip_does_not_arrive(nets: list[Net]) -> None:
    b = ip_address("10.9.0.12")
    nets[1].ip("addr add 10.9.0.100/32 dev eth0")
    sender = nets[0].call(lambda: AdvertSocket(ip_address("10.9.0.11"), PORT))
    receiver = nets[1].call(lambda: AdvertSocket(b, PORT))
    sender.send(b"to the VIP", [V4])
    sender.send(b"to the server", [b])
    assert [data for _, data, _ in read(receiver)] == [b"to the server"]
    sender.close()
    receiver.close()


@FAMILIES
def test_a_port_in_use_is_said_with_what_to_do(
    nets: list[Net], one: IPAddress, two: IPAddress
) -> None:
    del two
    first = nets[0].call(lambda: AdvertSocket(one, PORT))
    with pytest.raises(HostError) as caught:
        nets[0].call(lambda: AdvertSocket(one, PORT))
    first.close()
    text = str(caught.value)
    assert f"UDP {one} port {PORT}: Address already in use" in text
    assert f"'ss -lunp sport = :{PORT}'" in text
    nets[0].call(lambda: AdvertSocket(one, PORT)).close()


def test_an_address_of_another_host_is_said(nets: list[Net]) -> None:
    with pytest.raises(HostError, match=r"10\.9\.0\.99 port 6477: Cannot assign requested address"):
        nets[0].call(lambda: AdvertSocket(ip_address("10.9.0.99"), PORT))


@FAMILIES
def test_refused_and_unreachable_servers_cost_nothing(
    nets: list[Net], one: IPAddress, two: IPAddress
) -> None:
    sender = nets[0].call(lambda: AdvertSocket(one, PORT))
    for _ in range(20):
        sender.send(b"nobody listens", [two])  # answered by ICMP port unreachable
    unreachable = ip_address("192.0.2.1" if one.version == 4 else "2001:db8::1")
    sender.send(b"no route", [unreachable])
    assert sender.send_errors == 1
    peer = nets[1].call(lambda: AdvertSocket(two, PORT))
    peer.send(b"now", [one])
    assert [data for _, data, _ in read(sender)] == [b"now"]
    sender.close()
    peer.close()


def test_an_error_a_socket_reports_does_not_lose_what_waits_behind_it(nets: list[Net]) -> None:
    a, b = ip_address("10.9.0.11"), ip_address("10.9.0.12")
    sender = nets[0].call(lambda: AdvertSocket(a, PORT))
    sender._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # makes ICMP errors visible to recv
    sender.send(b"nobody listens", [b])
    waiting = select.poll()
    waiting.register(sender.fileno(), select.POLLERR)
    assert waiting.poll(PATIENCE * 1000)
    peer = nets[1].call(lambda: AdvertSocket(b, PORT))
    peer.send(b"now", [a])
    while not (found := sender.drain()):
        assert select.select([sender], [], [], PATIENCE)[0]
    assert [data for _, data, _ in found] == [b"now"]
    sender.close()
    peer.close()


def test_a_drain_is_bounded_and_leaves_the_rest_for_the_next(
    nets: list[Net], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "_READS_PER_WAKE", 16)
    own = ip_address("10.9.0.12")
    sock = nets[1].call(lambda: AdvertSocket(own, PORT))
    for number in range(20):
        sock.send(bytes([number]), [own])
    assert [data[0] for _, data, _ in read(sock)] == list(range(16))
    assert [data[0] for _, data, _ in read(sock)] == list(range(16, 20))
    sock.close()


def test_the_socket_outlives_its_address(nets: list[Net]) -> None:
    a, b = ip_address("10.9.0.11"), ip_address("10.9.0.12")
    sender = nets[0].call(lambda: AdvertSocket(a, PORT))
    receiver = nets[1].call(lambda: AdvertSocket(b, PORT))
    nets[1].ip("addr del 10.9.0.12/24 dev eth0")
    receiver.send(b"no address", [a])
    assert receiver.drain() == []
    nets[1].ip("addr add 10.9.0.12/24 dev eth0")
    sender.send(b"back", [b])
    assert [data for _, data, _ in read(receiver)] == [b"back"]
    sender.close()
    receiver.close()


def watch(net: Net, steps: Callable[[Callable[[], int]], list[Callable[[], object]]]) -> list[int]:
    """How many times the monitor has called after each step; a step's messages are in the socket when
    it returns, since the kernel queues them before it answers the one who asked."""

    async def main() -> list[int]:
        calls: list[int] = []
        watching = Monitor([V4, V6], lambda: calls.append(1))
        watching.open()
        counts = []
        try:
            for step in steps(lambda: len(calls)):
                step()
                for _ in range(5):
                    await asyncio.sleep(0)
                counts.append(len(calls))
        finally:
            watching.close()
        return counts

    return net.run(main)


def test_the_monitor_calls_on_changes_and_not_on_renewals(nets: list[Net]) -> None:
    one = nets[0]
    lease = "valid_lft 60 preferred_lft 0"
    quiet: list[str] = [
        f"addr replace 10.9.0.100/32 dev eth0 {lease}",
        f"addr replace 10.9.0.100/32 dev eth0 {lease}",
        f"addr replace fd09::100/128 dev eth0 nodad {lease}",
        f"addr replace fd09::100/128 dev eth0 nodad {lease}",
    ]
    loud = [
        "addr del 10.9.0.100/32 dev eth0",
        "addr del fd09::100/128 dev eth0",
        "addr add 10.9.0.77/24 dev eth0",
        "addr add 10.9.0.100/32 dev eth0",
        "addr add fd09::100/128 dev eth0 nodad",
        "link set eth0 mtu 1400",
        "link set eth0 down",
        "link del eth0",
    ]

    def steps(_: Callable[[], int]) -> list[Callable[[], object]]:
        return [lambda command=command: one.ip(command) for command in quiet + loud]  # type: ignore[misc]

    counts = watch(one, steps)
    assert counts[: len(quiet)] == [0] * len(quiet)
    rises = [after > before for before, after in itertools.pairwise(counts[3:])]
    assert dict(zip(loud, rises, strict=True)) == dict.fromkeys(loud, True)


def test_the_monitor_calls_when_the_carrier_is_lost_and_back(nets: list[Net]) -> None:
    one = nets[0]

    async def main() -> None:
        changed = asyncio.Event()
        watching = Monitor([V4], changed.set)
        watching.open()
        try:
            for state in ("down", "up"):
                switch_of(one).ip(f"link set p1 {state}")
                await asyncio.wait_for(changed.wait(), PATIENCE)
                changed.clear()
            plug(switch_of(one), one, "p9", "eth9")
            await asyncio.wait_for(changed.wait(), PATIENCE)
        finally:
            watching.close()

    one.run(main)


def test_the_monitor_calls_on_default_routes_only(nets: list[Net]) -> None:
    """Routes to pods come and go all day; they are filtered out in the kernel."""
    one = nets[0]
    quiet = ["route add 10.1.0.0/16 via 10.9.0.2", "route del 10.1.0.0/16"]
    quiet += ["-6 route add 2001:db8::/32 via fd09::2", "-6 route del 2001:db8::/32"]
    loud = [
        f"{family} route {verb} default via {via}"
        for family, via in (("-4", "10.9.0.1"), ("-6", "fd09::1"))
        for verb in ("add", "del")
    ]

    def steps(_: Callable[[], int]) -> list[Callable[[], object]]:
        return [lambda command=command: one.ip(command) for command in (*quiet, *loud, *quiet)]  # type: ignore[misc]

    counts = watch(one, steps)
    assert counts == [0] * 4 + [1, 2, 3, 4] + [4] * 4


def test_the_monitor_calls_once_it_has_lost_messages_and_goes_on(
    nets: list[Net], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = nets[0]
    made: list[socket.socket] = []

    class Tiny(socket.socket):
        def bind(self, address: object) -> None:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            made.append(self)
            super().bind(address)  # type: ignore[arg-type]

    monkeypatch.setattr("vipkeeper.host.monitor.socket.socket", Tiny)
    overrun: list[OSError] = []
    genuine = Tiny.recv

    def recv(self: socket.socket, size: int) -> bytes:
        try:
            return genuine(self, size)
        except BlockingIOError:
            raise
        except OSError as error:
            overrun.append(error)
            raise

    monkeypatch.setattr(Tiny, "recv", recv)

    def flood() -> None:
        # Renewals only, so that nothing but the overrun can be the reason to call.
        for _ in range(20):
            one.ip("addr replace 10.9.0.100/32 dev eth0 valid_lft 60 preferred_lft 0")

    def steps(_: Callable[[], int]) -> list[Callable[[], object]]:
        return [flood, lambda: None, lambda: one.ip("addr del 10.9.0.100/32 dev eth0")]

    after_flood, settled, after_change = watch(one, steps)
    assert [error.strerror for error in overrun[:1]] == ["No buffer space available"]
    assert 0 < after_flood <= settled < after_change
    assert made[0].fileno() == -1
