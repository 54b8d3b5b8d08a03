"""Acts of addresses and interfaces: a VIP that somebody deletes or takes, an interface that is not what it was."""

from __future__ import annotations

from vipkeeper.lab.act import AFTERWARDS, PATIENCE, Act, Group, Runs
from vipkeeper.lab.acts_links import on_machine, rewrite, with_vips
from vipkeeper.lab.acts_process import nothing, until_moved
from vipkeeper.lab.cluster import Server, batch
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.kernel import now
from vipkeeper.lab.must import (
    MOVED,
    NEVER_TWO,
    NOTHING_LEFT,
    ONE,
    SETTLED,
    TAKEOVER,
    Must,
    moves,
    said,
    waits,
)
from vipkeeper.lab.processes import command, in_namespace
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.lab.topology import INTERFACE, LAN, machine_commands
from vipkeeper.report.run import Expectation


def _settings_again(stage: Stage, server: Server) -> None:
    """Give a machine the addresses and routes that its network configuration has."""
    wanted = machine_commands(stage.cluster.network, server.machine)
    on_machine(server, *(line.replace(" add ", " replace ") for line in wanted))


def _vip_deleted(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"somebody deletes the VIP on {server.name}", server)
    stage.cluster.drop_vip(server)
    return nothing


def _flushed(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses all its addresses", server)
    on_machine(server, f"address flush dev {INTERFACE}")
    return lambda: _settings_again(stage, server)


def _own_address_gone(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses its own address", server)
    on_machine(server, f"address del {server.machine.address} dev {INTERFACE}")
    return lambda: _settings_again(stage, server)


def _renamed(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: its interface has another name", server)
    on_machine(
        server,
        f"link set {INTERFACE} down",
        f"link set {INTERFACE} name other0",
        "link set other0 up",
    )

    def mend() -> None:
        on_machine(server, "link set other0 down", f"link set other0 name {INTERFACE}")
        _settings_again(stage, server)

    return mend


def _interface_gone(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name}: its interface is removed", server)
    on_machine(server, f"link delete {INTERFACE}")

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
    on_machine(server, f"link set {INTERFACE} address 02:00:0a:4d:01:{server.machine.mac[-2:]}")
    return lambda: on_machine(server, f"link set {INTERFACE} address {server.machine.mac}")


def _taken(stage: Stage) -> Mend:
    stage.fault("another machine has the VIP as well", stage.subject)
    give_up, began = _on_the_router(stage), now()

    def mend() -> None:
        give_up()
        answers_beside(stage, began)

    return mend


def answers_beside(stage: Stage, began: int) -> None:
    """A stranger on the router must have answered for the VIP since an instant."""
    mac = stage.cluster.network.router.mac.replace(":", "")
    answers = sum(at > began and mac in names for at, names in stage.recorder.answerers())
    stage.effect("the stranger answers for the VIP", f"{answers} times", met=answers > 0)


def _on_the_router(stage: Stage) -> Mend:
    """The VIP, also where another stranger there has put it or taken it away."""
    network = stage.cluster.network
    vip = f"{network.vip}/32"
    batch(network.router.name, [f"address replace {vip} dev {INTERFACE}"])
    return lambda: batch(network.router.name, [f"address flush dev {INTERFACE} to {vip}"])


def _taken_first(stage: Stage) -> None:
    """A stranger has the VIP before any server starts; then it goes."""
    stage.on_undo(_on_the_router(stage))
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
    stage.recorder.watch(1.0)
    since = now()
    stage.recorder.watch(stage.seconds)
    reached = " and ".join(sorted(stage.recorder.answers_by(since))) or "nobody"
    stage.effect("the client goes on asking the old holder", reached, met=reached == "nobody")


def _second_family(stage: Stage) -> None:
    """An IPv6 VIP beside the IPv4 one, and kernels that look for duplicates (RFC 4862)."""
    for server in stage.cluster.servers.values():
        for where in ("all", INTERFACE):
            path = f"/proc/sys/net/ipv6/conf/{where}/accept_dad"
            command(*in_namespace(server.name, "sh", "-c", f"echo 1 > {path}"))
    rewrite(stage, with_vips(str(stage.cluster.network.vip6)))


def _duplicate(stage: Stage) -> Mend:
    network, server = stage.cluster.network, stage.subject
    router = network.router.name
    stage.fault(f"another machine has the IPv6 VIP; {server.name} loses power", server)
    batch(router, [f"address add {network.vip6}/128 dev {INTERFACE} nodad"])
    stage.cluster.power_off(server)
    return lambda: batch(router, [f"address del {network.vip6}/128 dev {INTERFACE}"])


def _nobody_claims(stage: Stage) -> None:
    stage.recorder.watch(stage.seconds)
    stage.seen["claimed"] = " and ".join(sorted(stage.recorder.holding)) or "nobody"


def _answers_again(stage: Stage, figures: Figures) -> Expectation:
    holder = next(iter(figures.holders), "nobody")
    met = figures.answerers == figures.holders
    return Expectation("the client reaches the holder in the end", met, f"{holder} has the VIP")


LINK = (Whose.HOLDER, Part.LINK)
ADDRESSES = (Whose.HOLDER, Part.ADDRESS)

ADDRESS_ACTS: tuple[Act, ...] = (
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
        Extras(deceives=True),
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
        Fault(*LINK, _renamed, until_moved, also=(Part.ADDRESS,)),
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
        Fault(*LINK, _interface_gone, until_moved, also=(Part.ADDRESS, Part.WIRE)),
        TAKEOVER,
        0.0,
        Extras(spoils=True),
    ),
    scenario(
        "mac-changed",
        "The holder's interface gets another MAC",
        "And its old one back. Neighbours have the other one each time, so the holder announces the VIP again.",
        Group.ADDRESSES,
        (43,),
        Fault(*ADDRESSES, _other_mac),
        (moves(1), waits(1), ONE, NOTHING_LEFT),
        2.0,
        Extras(after=3.0, alone=True),
    ),
    scenario(
        "vip6-taken",
        "A stranger has one of two VIPs when the holder loses power",
        "The IPv6 one. It answers for it, so the claim waits, of both VIPs, since they move together; when the stranger is "
        "gone another server has them.",
        Group.ADDRESSES,
        (44,),
        Fault(Whose.HOLDER, Part.POWER, _duplicate, _nobody_claims),
        (said("claimed", "nobody claims it meanwhile", "nobody"), MOVED, *SETTLED),
        3.0,
        Extras(managers=Runs.VIPKEEPER, prepare=_second_family, alone=True, after=4.0),
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
