"""Acts of links: carrier lost, a port that is silent, a small MTU."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Address

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import Act, Group, Runs
from vipkeeper.lab.acts_process import restart, until_moved
from vipkeeper.lab.cluster import Server, batch
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import (
    AGREED,
    BACK,
    BUDGET,
    LEASED,
    MOVED,
    NEVER_TWO,
    NOTHING_LEFT,
    ONE,
    SETTLED,
    TAKEOVER,
    moves,
    said,
    two_answer,
)
from vipkeeper.lab.processes import command
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import INTERFACE, LAN

SMALL_MTU, ETHERNET_MTU = 576, 1500
MANY_VIPS = 60
FLAP = 1.0
"""Seconds a link is down, and then up."""


def on_machine(server: Server, *commands: str) -> None:
    """Give a machine `ip` commands."""
    batch(server.name, list(commands))


def rewrite(stage: Stage, change: Callable[[str], str]) -> None:
    """Another cluster.yaml for all servers, and a restart of all daemons."""
    path = stage.cluster.directory / "cluster.yaml"
    path.write_text(change(path.read_text()))
    for server in stage.cluster.servers.values():
        restart(stage, server)


def with_vips(*more: str) -> Callable[[str], str]:
    """For `rewrite`: these VIPs beside the one there is."""

    def change(text: str) -> str:
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("vip: "))
        lines[at] = f"vip: [{', '.join((lines[at].removeprefix('vip: '), *more))}]"
        return "\n".join(lines) + "\n"

    return change


def _carrier(server: Server, state: str) -> None:
    """At the other end of the machine's cable, also where a wire in userspace goes on from there."""
    batch(LAN, [f"link set {server.name} {state}"])


def _link_down(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: link down", server)
    _carrier(server, "down")
    return lambda: _carrier(server, "up")


def _flaps(stage: Stage) -> Mend:
    stage.fault(f"{stage.subject.name}: its link goes down and up", stage.subject)
    return lambda: _carrier(stage.subject, "up")


def _flapping(stage: Stage) -> None:
    left = stage.seconds
    while left > 0:
        for state in ("down", "up"):
            _carrier(stage.subject, state)
            stage.recorder.watch(FLAP / 2)
        left -= FLAP


def _silent_port(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(
        f"{server.name}: its port of the switch is silent, the link is up",
        server,
        kind=FaultKind.SILENT_PORT,
    )
    stage.cluster.cut(server)
    return lambda: stage.cluster.connect(server)


def _small_mtu(stage: Stage) -> Mend:
    servers = list(stage.cluster.servers.values())
    stage.fault(f"MTU {SMALL_MTU} everywhere, {MANY_VIPS} VIPs; a handover", stage.subject)
    for server in servers:
        on_machine(server, f"link set {INTERFACE} mtu {SMALL_MTU}")
    stage.manager.hand_over(stage.subject)

    def mend() -> None:
        for server in servers:
            on_machine(server, f"link set {INTERFACE} mtu {ETHERNET_MTU}")

    return mend


def _many_vips(stage: Stage) -> None:
    first = IPv4Address(int(stage.cluster.network.vip) + 1)
    rewrite(stage, with_vips(*(str(first + n) for n in range(MANY_VIPS - 1))))


def _all_arrived(stage: Stage) -> None:
    until_moved(stage)
    found = command("ip", "-n", stage.holder.name, "-j", "address", "show", "dev", INTERFACE)
    local = [
        IPv4Address(a["local"]) for a in json.loads(found)[0]["addr_info"] if a["family"] == "inet"
    ]
    vip = stage.cluster.network.vip
    stage.seen["vips"] = f"{sum(vip <= one < vip + MANY_VIPS for one in local)} VIPs"


LINK = (Whose.HOLDER, Part.LINK)
HANDS_OVER = (Part.DAEMON, Part.API, Part.ADDRESS)
"""What must be whole for a handover."""
MOVES_ONCE = (MOVED, BACK, ONE, NEVER_TWO, NOTHING_LEFT, LEASED)

LINKS: tuple[Act, ...] = (
    scenario(
        "link-down",
        "The holder's link goes down",
        "The holder sees it at once and gives the VIP away in its own kernel; the others hear nothing of it.",
        Group.WIRES,
        (21,),
        Fault(*LINK, _link_down, until_moved),
        TAKEOVER,
        0.0,
        Extras(smoke=True),
    ),
    scenario(
        "port-silent",
        "The switch stops forwarding for the holder, the link stays up",
        "Nothing of it can be seen on the machine. It hears nobody and its gateway neither, and gives way; the others "
        "take over meanwhile, and no client can reach both.",
        Group.WIRES,
        (22,),
        Fault(*LINK, _silent_port, until_moved),
        MOVES_ONCE,
    ),
    scenario(
        "link-flaps",
        "The holder's link goes down and up every second",
        "The VIP leaves a link that cannot be trusted and does not come back to it for as long as another one "
        "works.",
        Group.WIRES,
        (38,),
        Fault(*LINK, _flaps, _flapping),
        (moves(BUDGET), ONE, NOTHING_LEFT, two_answer(AGREED)),
        60.0,
    ),
    scenario(
        "small-mtu",
        f"MTU {SMALL_MTU} and {MANY_VIPS} VIPs",
        "Whatever servers say to each other fits the smallest frame that IPv4 must carry; all VIPs move together.",
        Group.WIRES,
        (40,),
        Fault(Whose.ALL, Part.LINK, _small_mtu, _all_arrived, also=HANDS_OVER),
        (MOVED, BACK, *SETTLED, said("vips", "all VIPs arrive together", f"{MANY_VIPS} VIPs")),
        0.0,
        Extras(managers=Runs.VIPKEEPER, prepare=_many_vips),
    ),
)
"""Played by name."""
