"""From the configuration to the wire: whom a daemon can ask, and that this follows the host."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from support.daemons import Daemon, Site, site
from support.namespaces import PATIENCE, Net, eventually, lan, plug, switch_of
from vipkeeper.core.events import Event, GatewayAnswered, ServerAnswered, Sign
from vipkeeper.daemon.placement import Placement
from vipkeeper.host import clock
from vipkeeper.host.channels import Channels
from vipkeeper.host.frames import Wire
from vipkeeper.host.gateway import GatewayRule
from vipkeeper.host.netlink import Addresses
from vipkeeper.wire.types import IPAddress

pytestmark = pytest.mark.lab

VIPS = (ip_address("10.9.0.100"), ip_address("fd09::100"))
LINK_LOCAL = ip_address("fe80::9")
SERVERS = {
    version: tuple(
        ip_address(f"10.9.0.{10 + n}" if version == 4 else f"fd09::{10 + n}") for n in (1, 2)
    )
    for version in (4, 6)
}
PEER, GATEWAY = ServerAnswered(1, Sign.KERNEL), GatewayAnswered()
Step = Callable[[Placement, Channels, Callable[[], Awaitable[Event]]], Awaitable[None]]


@pytest.fixture
def nets() -> Iterator[list[Net]]:
    with lan("one", "two", "gate") as made:
        yield made


def placed(net: Net, step: Step, *, version: int = 4, gateway: IPAddress | None = None) -> None:
    """Run a step with everything assembled as the keeper does it."""
    servers = SERVERS[version]

    async def main() -> None:
        rule = GatewayRule(gateway, (*VIPS, *servers))
        addresses = Addresses(VIPS, servers[0], None, clock.now, rule)
        addresses.open()
        wire, channels, readable = Wire(), Channels(clock.now), asyncio.Event()
        placement = Placement(addresses, wire, channels, VIPS, servers[0], lambda: None)
        placement.ask(servers, None)
        loop = asyncio.get_running_loop()
        loop.add_reader(channels.fileno(), readable.set)

        async def answer() -> Event:
            """The next one."""
            while True:
                await asyncio.wait_for(readable.wait(), PATIENCE)
                readable.clear()
                for event in channels.drain():
                    return event

        try:
            await step(placement, channels, answer)
        finally:
            loop.remove_reader(channels.fileno())
            placement.close()
            channels.close()
            addresses.close()

    net.run(main)


@pytest.mark.parametrize("version", [4, 6])
def test_server_and_gateway_are_asked(nets: list[Net], version: int) -> None:
    via = SERVERS[version][0] + 2
    nets[0].ip(f"-{version} route add default via {via}")

    async def step(
        placement: Placement, channels: Channels, answer: Callable[[], Awaitable[Event]]
    ) -> None:
        assert (await placement.view()).gateway == via
        channels.probe_server(1, service=True)
        assert await answer() == PEER
        channels.probe_gateway()
        assert await answer() == GATEWAY
        channels.probe_server(0, service=True)  # itself: nobody is on the wire
        assert channels.errors == 0

    placed(nets[0], step, version=version)


def test_a_router_is_asked_by_its_link_local_address(nets: list[Net]) -> None:
    one, _, gate = nets
    gate.ip(f"addr add {LINK_LOCAL}/64 dev eth0 nodad")
    one.ip("link add other type veth peer name far")  # has a link-local subnet of its own
    one.ip("link set far up")
    one.ip("link set other up")
    one.ip(f"-6 route add default via {LINK_LOCAL} dev eth0")

    async def step(
        placement: Placement, channels: Channels, answer: Callable[[], Awaitable[Event]]
    ) -> None:
        assert (await placement.view()).gateway == LINK_LOCAL
        channels.probe_gateway()
        assert await answer() == GATEWAY

    placed(one, step, version=6)


def test_the_sockets_follow_an_interface_that_is_made_again(nets: list[Net]) -> None:
    one = nets[0]

    async def step(
        placement: Placement, channels: Channels, answer: Callable[[], Awaitable[Event]]
    ) -> None:
        await placement.view()
        one.ip("link del eth0")
        assert (await placement.view()).gateway is None
        channels.probe_server(1, service=False)
        plug(switch_of(one), one, "p9")
        one.ip("addr add 10.9.0.11/24 dev eth0")
        await placement.view()
        channels.probe_server(1, service=False)
        assert await answer() == PEER

    placed(one, step)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, "cp1", "cp2") as here:
        yield here


def gateways(trace: Path) -> list[str | None]:
    """Of every view of the host the daemon has had, as far as it is written."""
    records = [json.loads(line) for line in trace.read_text().splitlines() if line.endswith("}")]
    return [record["host"]["gateway"] for record in records if "host" in record]


def has_gateway(trace: Path, gateway: str | None) -> bool:
    return trace.exists() and gateways(trace)[-1:] == [gateway]


def traced(two: Site, config: Path) -> tuple[Daemon, Path]:
    trace = two.directory / "trace.ndjson"
    daemon = two.start("cp1", config, "--trace", str(trace))
    eventually(lambda: trace.exists() and gateways(trace))
    return daemon, trace


def test_a_daemon_hears_of_a_default_route_that_comes_later(two: Site) -> None:
    _, trace = traced(two, two.config())
    assert set(gateways(trace)) == {None}
    two.nets["cp1"].ip("route add default via 10.9.0.1")
    eventually(lambda: has_gateway(trace, "10.9.0.1"))
    two.nets["cp1"].ip("route replace default via 10.9.0.2")
    eventually(lambda: has_gateway(trace, "10.9.0.2"))


def test_a_reload_changes_the_gateway(two: Site) -> None:
    daemon, trace = traced(two, two.config(gateway="10.9.0.7"))
    assert has_gateway(trace, "10.9.0.7")
    for word, gateway in (("none", None), ("10.9.0.8", "10.9.0.8")):
        two.config(gateway=word)
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda gateway=gateway: has_gateway(trace, gateway))  # type: ignore[misc]


def records(trace: Path, kind: str) -> list[dict[str, object]]:
    """What a daemon has written so far of one kind of record."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("}")]
    return [record for record in found if record["type"] == kind]


def test_a_killed_daemons_kernel_is_heard_by_the_one_that_suspects_it(two: Site) -> None:
    config = two.config(kernel_lease="60s")
    first = two.start("cp1", config)
    first.becomes("holder")
    trace = two.directory / "second.ndjson"
    second = two.start("cp2", config, "--trace", str(trace))
    second.until(lambda status: status["holder"] == "cp1")
    first.process.kill()
    eventually(lambda: records(trace, "ServerAnswered"))
    (answer, *_) = records(trace, "ServerAnswered")
    assert (answer["server"], answer["sign"]) == (0, "KERNEL")
    second.becomes("holdoff")
    assert not two.has_vip("cp2")


def test_a_server_that_is_cut_off_is_deaf_and_one_whose_gateway_answers_is_not(two: Site) -> None:
    """cp2 has the gateway's address and no daemon; its port of the switch is cut."""
    two.nets["cp2"].ip("addr add 10.9.0.1/24 dev eth0")
    first = two.start("cp1", two.config(gateway="10.9.0.1"))
    first.becomes("holder")
    first.end()
    switch_of(two.nets["cp1"]).ip("link set p2 down")
    first = two.start("cp1", two.config(gateway="10.9.0.1"))
    first.becomes("deaf")
    assert not two.has_vip("cp1")
    switch_of(two.nets["cp1"]).ip("link set p2 up")
    first.becomes("holder")
