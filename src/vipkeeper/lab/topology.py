"""The cluster's network as a description, and the `ip` commands that build it.

One bridge in a namespace of its own is the LAN. Every machine is a namespace with one interface in it:
the servers, a router, a client, an observer. The bridge's port towards a machine carries its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from vipkeeper.report.run import Network, Station, StationRole

LAN = "lan"
"""Namespace of the bridge, and the bridge's name."""
INTERFACE = "eth0"
"""Every machine's interface."""
SERVER_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine on the LAN; its name is its namespace and its port of the bridge."""

    name: str
    mac: str
    address: IPv4Interface
    address6: IPv6Interface


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole LAN."""

    servers: tuple[Machine, ...]
    router: Machine
    client: Machine
    observer: Machine
    vip: IPv4Address
    vip6: IPv6Address

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Everything that has a port of the bridge."""
        return (*self.servers, self.router, self.client, self.observer)


def _machine(name: str, host: int) -> Machine:
    return Machine(
        name,
        f"02:00:0a:4d:00:{host:02x}",
        IPv4Interface(f"10.77.0.{host}/24"),
        IPv6Interface(f"fd77::{host:x}/64"),
    )


def lan(servers: int = 3) -> Topology:
    """The lab's LAN: 10.77.0.0/24 and fd77::/64, VIP 10.77.0.100, servers cp1 to cpN from .11 on.

    Raises:
        ValueError: no servers, or more than `SERVER_LIMIT`.
    """
    if not 1 <= servers <= SERVER_LIMIT:
        raise ValueError(f"{servers} servers: expected 1 to {SERVER_LIMIT}")
    return Topology(
        servers=tuple(_machine(f"cp{n}", 10 + n) for n in range(1, servers + 1)),
        router=_machine("router", 1),
        client=_machine("client", 200),
        observer=_machine("observer", 201),
        vip=IPv4Address("10.77.0.100"),
        vip6=IPv6Address("fd77::64"),
    )


def namespaces(topology: Topology) -> list[str]:
    """Names of the namespaces, the bridge's first."""
    return [LAN, *(machine.name for machine in topology.machines)]


def create_commands(topology: Topology) -> list[str]:
    """For `ip -batch` in the box: the namespaces and the cables between them."""
    commands = [f"netns add {name}" for name in namespaces(topology)]
    commands.append(
        f"link add {LAN} netns {LAN} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
    )
    commands += [
        f"link add {INTERFACE} netns {machine.name} address {machine.mac} type veth "
        f"peer name {machine.name} netns {LAN}"
        for machine in topology.machines
    ]
    return commands


def lan_commands(topology: Topology) -> list[str]:
    """For `ip -batch` in the bridge's namespace."""
    ports = [f"link set {machine.name} master {LAN} up" for machine in topology.machines]
    return [f"link set {LAN} up", *ports]


def machine_commands(topology: Topology, machine: Machine) -> list[str]:
    """For `ip -batch` in a machine's namespace."""
    commands = [
        "link set lo up",
        f"link set {INTERFACE} up",
        f"address add {machine.address} dev {INTERFACE}",
        f"address add {machine.address6} dev {INTERFACE} nodad",
    ]
    if machine != topology.router:
        commands.append(f"route add default via {topology.router.address.ip}")
    return commands


SYSCTLS: tuple[tuple[str, str], ...] = (
    ("net/ipv6/conf/all/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    # Unprivileged ICMP sockets, so that ping and the checks work without capabilities.
    ("net/ipv4/ping_group_range", "0 0"),
)
"""Set in every machine's namespace before its interface comes up."""


def recorded(network: Topology) -> Network:
    """The LAN as a report of an act has it."""
    roles = {network.router: StationRole.ROUTER, network.client: StationRole.CLIENT}
    roles[network.observer] = StationRole.OBSERVER
    return Network(
        bridge=LAN,
        vip=str(network.vip),
        stations=tuple(
            Station(machine.name, roles.get(machine, StationRole.SERVER), str(machine.address.ip))
            for machine in network.machines
        ),
    )
