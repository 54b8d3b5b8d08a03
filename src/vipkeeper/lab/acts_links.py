"""Acts of links, interfaces and addresses: carrier lost, a port that is silent, a VIP that somebody takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Address

from vipkeeper.lab.act import AFTERWARDS, PATIENCE, Act, Group, Runs
from vipkeeper.lab.acts_process import nothing, restart, until_moved
from vipkeeper.lab.cluster import Server, batch
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import (
    AGREED,
    BACK,
    BUDGET,
    LEASE,
    MOVED,
    NEVER_TWO,
    NOTHING_LEFT,
    ONE,
    SETTLED,
    TAKEOVER,
    Must,
    moves,
    said,
    two_answer,
    two_kernels,
    waits,
)
from vipkeeper.lab.processes import command, in_namespace
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.lab.topology import INTERFACE, LAN, machine_commands
from vipkeeper.report.run import Expectation

SMALL_MTU, ETHERNET_MTU = 576, 1500
MANY_VIPS = 60
FLAP = 1.0
"""Seconds a link is down, and then up."""


def _link(server: Server, *commands: str) -> None:
    batch(server.name, list(commands))


def _settings_again(stage: Stage, server: Server) -> None:
    """Give a machine the addresses and routes that its network configuration has."""
    wanted = machine_commands(stage.cluster.network, server.machine)
    _link(server, *(line.replace(" add ", " replace ") for line in wanted))


def _carrier(stage: Stage, server: Server, state: str) -> None:
    batch(LAN, [f"link set {stage.cluster.port(server)} {state}"])


def _link_down(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: link down", server)
    _carrier(stage, server, "down")
    return lambda: _carrier(stage, server, "up")


def _flaps(stage: Stage) -> Mend:
    stage.fault(f"{stage.subject.name}: its link goes down and up", stage.subject)
    return lambda: _carrier(stage, stage.subject, "up")


def _flapping(stage: Stage) -> None:
    left = stage.seconds
    while left > 0:
        for state in ("down", "up"):
            _carrier(stage, stage.subject, state)
            stage.recorder.watch(FLAP / 2)
        left -= FLAP


def _silent_port(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: its port of the switch is silent, the link is up", server)
    stage.cluster.cut(server)
    return lambda: stage.cluster.connect(server)


def _vip_deleted(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"somebody deletes the VIP on {server.name}", server)
    stage.cluster.drop_vip(server)
    return nothing


def _flushed(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses all its addresses", server)
    _link(server, f"address flush dev {INTERFACE}")
    return lambda: _settings_again(stage, server)


def _own_address_gone(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses its own address", server)
    _link(server, f"address del {server.machine.address} dev {INTERFACE}")
    return lambda: _settings_again(stage, server)


def _renamed(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: its interface has another name", server)
    _link(
        server,
        f"link set {INTERFACE} down",
        f"link set {INTERFACE} name other0",
        "link set other0 up",
    )

    def mend() -> None:
        _link(server, "link set other0 down", f"link set other0 name {INTERFACE}")
        _settings_again(stage, server)

    return mend


def _interface_gone(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: its interface is removed", server)
    _link(server, f"link delete {INTERFACE}")

    def mend() -> None:
        machine = server.machine
        batch(
            None,
            [
                f"link add {INTERFACE} netns {machine.name} address {machine.mac} type veth "
                f"peer name {machine.name} netns {LAN}"
            ],
        )
        batch(LAN, [f"link set {machine.name} master {LAN} up"])
        _settings_again(stage, server)

    return mend


def _other_mac(stage: Stage) -> Mend:
    server = stage.subject
    # The observer knows machines by their MAC: it is changed back before the judge looks.
    stage.fault(f"{server.name}: its interface has another MAC", server)
    _link(server, f"link set {INTERFACE} address 02:00:0a:4d:01:{server.machine.mac[-2:]}")
    return lambda: _link(server, f"link set {INTERFACE} address {server.machine.mac}")


def _taken(stage: Stage) -> Mend:
    network = stage.cluster.network
    stage.fault("another machine has the VIP as well", stage.subject)
    batch(network.router.name, [f"address add {network.vip}/32 dev {INTERFACE}"])
    return lambda: batch(network.router.name, [f"address del {network.vip}/32 dev {INTERFACE}"])


def _taken_first(stage: Stage) -> None:
    """A stranger has the VIP before any server starts; then it goes."""
    network = stage.cluster.network
    batch(network.router.name, [f"address add {network.vip}/32 dev {INTERFACE}"])
    stage.on_undo(
        lambda: batch(network.router.name, [f"address flush dev {INTERFACE} to {network.vip}/32"])
    )
    first = next(iter(stage.cluster.servers.values()))
    stage.fault("another machine has the VIP", first)
    stage.start_all()
    stage.recorder.watch(stage.seconds)
    claimed = sorted(stage.recorder.holding)
    stage.seen["claimed"] = " and ".join(claimed) or "nobody"
    stage.mend()
    stage.healed("the other machine gives it up", first)
    stage.wait_answer(PATIENCE * 2)
    stage.recorder.watch(AFTERWARDS)


def _stale_client(stage: Stage) -> Mend:
    """The client keeps the old holder's MAC, whatever is announced."""
    network, server = stage.cluster.network, stage.subject
    entry = f"neigh replace {network.vip} lladdr {server.machine.mac} dev {INTERFACE}"
    batch(network.client.name, [f"{entry} nud permanent"])
    stage.fault(f"the client believes no announcement; the VIP leaves {server.name}", server)
    stage.manager.hand_over(server)
    return lambda: batch(network.client.name, [f"neigh del {network.vip} dev {INTERFACE}"])


def _until_taken_over(stage: Stage) -> None:
    others = {server.name for server in stage.backups()}
    stage.recorder.wait(lambda: bool(stage.recorder.holding & others), PATIENCE)
    stage.recorder.watch(stage.seconds)


def _small_mtu(stage: Stage) -> Mend:
    servers = list(stage.cluster.servers.values())
    stage.fault(f"MTU {SMALL_MTU} everywhere, {MANY_VIPS} VIPs; a handover", stage.subject)
    for server in servers:
        _link(server, f"link set {INTERFACE} mtu {SMALL_MTU}")
    stage.manager.hand_over(stage.subject)

    def mend() -> None:
        for server in servers:
            _link(server, f"link set {INTERFACE} mtu {ETHERNET_MTU}")

    return mend


def rewrite(stage: Stage, change: Callable[[str], str]) -> None:
    """Another cluster.yaml for all servers, and a restart of all daemons."""
    path = stage.cluster.directory / "cluster.yaml"
    path.write_text(change(path.read_text()))
    for server in stage.cluster.servers.values():
        restart(stage, server)


def _vips(*more: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("vip: "))
        lines[at] = f"vip: [{', '.join((lines[at].removeprefix('vip: '), *more))}]"
        return "\n".join(lines) + "\n"

    return change


def _many_vips(stage: Stage) -> None:
    first = IPv4Address(int(stage.cluster.network.vip) + 1)
    rewrite(stage, _vips(*(str(first + n) for n in range(MANY_VIPS - 1))))


def _all_arrived(stage: Stage) -> None:
    until_moved(stage)
    found = command("ip", "-n", stage.holder.name, "-j", "address", "show", "dev", INTERFACE)
    local = [
        IPv4Address(a["local"]) for a in json.loads(found)[0]["addr_info"] if a["family"] == "inet"
    ]
    vip = stage.cluster.network.vip
    stage.seen["vips"] = f"{sum(vip <= one < vip + MANY_VIPS for one in local)} VIPs"


def _second_family(stage: Stage) -> None:
    """An IPv6 VIP beside the IPv4 one, and kernels that look for duplicates (RFC 4862)."""
    for server in stage.cluster.servers.values():
        for where in ("all", INTERFACE):
            path = f"/proc/sys/net/ipv6/conf/{where}/accept_dad"
            command(*in_namespace(server.name, "sh", "-c", f"echo 1 > {path}"))
    rewrite(stage, _vips(str(stage.cluster.network.vip6)))


def _duplicate(stage: Stage) -> Mend:
    network, server = stage.cluster.network, stage.subject
    router = network.router.name
    stage.fault(f"another machine has the IPv6 VIP; {server.name} loses power", server)
    batch(router, [f"address add {network.vip6}/128 dev {INTERFACE} nodad"])
    stage.cluster.power_off(server)
    return lambda: batch(router, [f"address del {network.vip6}/128 dev {INTERFACE}"])


def _until_back(stage: Stage) -> None:
    stage.wait_answer(PATIENCE, other_than=stage.subject)
    stage.wait_service(PATIENCE)
    stage.recorder.watch(3.0)


def _answers_again(stage: Stage, figures: Figures) -> Expectation:
    holder = next(iter(figures.holders), "nobody")
    met = figures.answerers == figures.holders
    return Expectation("the client reaches the holder in the end", met, f"{holder} has the VIP")


LINK = (Whose.HOLDER, Part.LINK)
ADDRESSES = (Whose.HOLDER, Part.ADDRESS)
MOVES_ONCE = (MOVED, BACK, ONE, NEVER_TWO, NOTHING_LEFT, two_kernels(LEASE))

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
        12.0,
        Extras(most_moves=BUDGET),
    ),
    scenario(
        "small-mtu",
        f"MTU {SMALL_MTU} and {MANY_VIPS} VIPs",
        "Whatever servers say to each other fits the smallest frame that IPv4 must carry; all VIPs move together.",
        Group.WIRES,
        (40,),
        Fault(Whose.ALL, Part.LINK, _small_mtu, _all_arrived),
        (MOVED, BACK, *SETTLED, said("vips", "all VIPs arrive together", f"{MANY_VIPS} VIPs")),
        0.0,
        Extras(managers=Runs.VIPKEEPER, prepare=_many_vips),
    ),
    scenario(
        "vip-deleted",
        "Somebody deletes the VIP on the holder",
        "By hand, or by a network manager. It is put back, unless another server has it by then.",
        Group.ADDRESSES,
        (41,),
        Fault(*ADDRESSES, _vip_deleted),
        (moves(1), waits(3), *SETTLED),
        3.0,
        Extras(smoke=True),
    ),
    scenario(
        "vip-taken",
        "A stranger has the VIP as well",
        "A machine that is no server answers for the VIP beside the holder. The holder keeps it and announces it again; "
        "when the stranger is gone, all is well.",
        Group.ADDRESSES,
        (42,),
        Fault(Whose.LAN, Part.STRANGER, _taken),
        (moves(0), ONE, NOTHING_LEFT),
        4.0,
    ),
    Act(
        "vip-taken-first",
        "A stranger has the VIP before any server starts",
        "Nobody claims what another machine answers for. When the stranger gives it up, one server does.",
        _taken_first,
        lambda stage, figures: [
            piece.check(stage, figures)
            for piece in (said("claimed", "nobody claims it meanwhile", "nobody"), ONE)
        ],
        fresh=True,
        measures_outage=False,
        in_story=False,
        seconds=6.0,
        group=Group.ADDRESSES,
        numbers=(42,),
        expects="nobody claims it while the stranger answers; one server has it afterwards",
        managers=Runs.VIPKEEPER,
    ),
    scenario(
        "addresses-flushed",
        "The holder loses all its addresses",
        "A network manager starts anew and takes the VIP along. The addresses come back after a while, by its hand.",
        Group.ADDRESSES,
        (43,),
        Fault(*ADDRESSES, _flushed),
        (moves(1), waits(3), *SETTLED),
        2.0,
    ),
    scenario(
        "own-address-gone",
        "The holder loses its own address",
        "The VIP is still there, but the holder has nothing left to speak from.",
        Group.ADDRESSES,
        (43,),
        Fault(*ADDRESSES, _own_address_gone, until_moved),
        TAKEOVER,
    ),
    scenario(
        "interface-renamed",
        "The holder's interface gets another name",
        "Down, renamed, up: what was configured by the old name is gone. In the end it has its name back.",
        Group.ADDRESSES,
        (43,),
        Fault(*LINK, _renamed, until_moved),
        TAKEOVER,
        0.0,
        Extras(spoils=True),
    ),
    scenario(
        "interface-removed",
        "The holder's interface is removed",
        "As when a card is pulled or a driver reloaded. A new one of the same name comes later.",
        Group.ADDRESSES,
        (43,),
        Fault(*LINK, _interface_gone, until_moved),
        TAKEOVER,
        0.0,
        Extras(spoils=True),
    ),
    scenario(
        "mac-changed",
        "The holder's interface gets another MAC",
        "Neighbours have the old one. The kernel of a client learns the new one when it asks again.",
        Group.ADDRESSES,
        (43,),
        Fault(*ADDRESSES, _other_mac),
        (moves(1), ONE, NOTHING_LEFT),
        2.0,
        Extras(after=3.0, alone=True),
    ),
    scenario(
        "dad-failed",
        "The kernel refuses the IPv6 VIP: it is a duplicate",
        "Two VIPs, one of either family. A stranger has the IPv6 one when the holder loses power. The IPv4 one is taken "
        "over all the same.",
        Group.ADDRESSES,
        (44,),
        Fault(Whose.HOLDER, Part.POWER, _duplicate, _until_back),
        (MOVED, BACK, ONE, NEVER_TWO, NOTHING_LEFT),
        0.0,
        Extras(managers=Runs.VIPKEEPER, prepare=_second_family, alone=True),
    ),
    scenario(
        "stale-client",
        "A client believes no announcement",
        "After a handover it goes on asking the old holder's MAC. Nothing on a server can change that; once the client "
        "asks again it finds the new holder.",
        Group.ADDRESSES,
        (45,),
        Fault(Whose.HOLDER, Part.DAEMON, _stale_client, _until_taken_over, "the client asks again"),
        (MOVED, Must("the client reaches the holder in the end", _answers_again), NEVER_TWO),
        2.0,
        Extras(alone=True),
    ),
)
"""Played by name."""
