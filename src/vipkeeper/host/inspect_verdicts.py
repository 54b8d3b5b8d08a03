"""Whether this host can run the daemon, judged from `Facts` alone. Pure: no reading, no clock.

One function a question. Each finding says what was found, and unless all is well what that means
and what to do. Sources: arp_ignore, arp_announce, rp_filter: kernel Documentation/networking/
ip-sysctl.rst; KeepConfiguration: systemd.network(5); cgroup v1 and SCHED_FIFO: kernel
Documentation/scheduler/sched-rt-group.rst.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vipkeeper.host.inspect import Facts, Interface
from vipkeeper.host.inspect_files import input_drops, is_address, mentions_port
from vipkeeper.host.inspect_kernel import Outcome
from vipkeeper.wire.types import IPAddress

MEMORY_NEEDED = 64 * 1024 * 1024
"""Bytes the keeper may want to lock."""


class Verdict(enum.Enum):
    """How good or bad a finding is."""

    OK = "ok"
    INFO = "info"
    """Worth knowing, nothing to mend."""
    UNKNOWN = "unknown"
    """Could not be looked at; never counts as bad."""
    WARNING = "warning"
    """The daemon runs, but something will go less well than it could."""
    PROBLEM = "problem"
    """The daemon cannot do its work."""


class Group(enum.Enum):
    """Under which heading a finding stands."""

    CONFIGURATION = "configuration"
    PERMISSIONS = "permissions"
    KERNEL = "kernel"
    NETWORK = "network"
    OTHERS = "other programs on this host"
    CONTROL_PLANE = "control plane"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    group: Group
    name: str
    verdict: Verdict
    text: str
    """What was found."""
    meaning: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration says of this host."""

    vips: tuple[IPAddress, ...]
    own: IPAddress | None
    """This server's address; None when no address of this host is in `servers`."""
    port: int
    """UDP port of the adverts."""
    distribution: str
    bare_metal: bool
    """True when the profile is for real machines."""
    interface: str | None
    """The interface the VIP belongs on, by name or by subnet; None when there is none."""


def judge(facts: Facts, expected: Expected | None) -> list[Finding]:
    """All findings; without a usable configuration only those that need none."""
    findings = [f for question in _OF_THE_HOST for f in question(facts)]
    if expected is not None:
        findings += [f for question in _OF_THE_CLUSTER for f in question(facts, expected)]
    order = list(Group)
    return sorted(findings, key=lambda finding: order.index(finding.group))


def _capabilities(facts: Facts) -> Iterator[Finding]:
    group, name = Group.PERMISSIONS, "capabilities"
    if facts.capabilities is None:
        yield Finding(group, name, Verdict.UNKNOWN, "/proc/self/status could not be read")
        return
    needed = ("CAP_NET_ADMIN", "CAP_NET_RAW")
    missing = [c for c in needed if c not in facts.capabilities]
    if not missing:
        yield Finding(group, name, Verdict.OK, "CAP_NET_ADMIN and CAP_NET_RAW are here")
        return
    yield Finding(
        group,
        name,
        Verdict.PROBLEM,
        f"{' and '.join(missing)} missing",
        "the daemon can neither put the VIP on an interface nor announce it",
        "run as root, or start the daemon by the unit that 'vipkeeper init --systemd' writes",
    )


def _realtime(facts: Facts) -> Iterator[Finding]:
    group, name, trial = Group.PERMISSIONS, "real-time scheduling", facts.trials.realtime
    meaning = "under load the daemon may run late, and a late holder costs a needless move"
    if trial.outcome is Outcome.YES:
        yield Finding(group, name, Verdict.OK, "SCHED_FIFO is granted")
    elif trial.outcome is Outcome.UNKNOWN:
        yield Finding(group, name, Verdict.UNKNOWN, trial.detail)
    elif facts.capabilities is not None and "CAP_SYS_NICE" in facts.capabilities:
        yield Finding(
            group,
            name,
            Verdict.WARNING,
            f"SCHED_FIFO is refused ({trial.detail}) although CAP_SYS_NICE is here",
            f"this control group has no real-time budget (cgroup v1: cpu.rt_runtime_us is 0); {meaning}",
            "run outside that control group, or write a budget such as 100000 to its "
            "cpu.rt_runtime_us",
        )
    else:
        yield Finding(
            group,
            name,
            Verdict.WARNING,
            f"SCHED_FIFO is refused ({trial.detail})",
            meaning,
            "give the daemon CAP_SYS_NICE; the unit of 'vipkeeper init --systemd' does",
        )


def _memory(facts: Facts) -> Iterator[Finding]:
    group, name, limit = Group.PERMISSIONS, "memory locking", facts.memlock_limit
    free = facts.capabilities is not None and "CAP_IPC_LOCK" in facts.capabilities
    if limit is None or limit >= MEMORY_NEEDED or free:
        yield Finding(group, name, Verdict.OK, "the daemon may lock its memory")
        return
    yield Finding(
        group,
        name,
        Verdict.WARNING,
        f"only {limit // 1024} KiB may be locked",
        "on a host that swaps, the daemon may wait for a disk and lose the VIP",
        "LimitMEMLOCK=infinity in the unit, as 'vipkeeper init --systemd' writes it",
    )


def _lifetimes(facts: Facts) -> Iterator[Finding]:
    group, name, trial = Group.KERNEL, "address lifetimes", facts.trials.lifetimes
    if trial.outcome is Outcome.YES:
        text = f"an address with a lifetime vanishes by itself ({trial.detail})"
        yield Finding(group, name, Verdict.OK, text)
    elif trial.outcome is Outcome.UNKNOWN:
        yield Finding(
            group, name, Verdict.UNKNOWN, trial.detail, fix="run 'vipkeeper doctor' as root"
        )
    else:
        yield Finding(
            group,
            name,
            Verdict.PROBLEM,
            trial.detail,
            "a killed or frozen daemon would leave the VIP behind",
            "use a kernel that honours valid_lft of addresses (Linux 3.9 or newer)",
        )


def _egress(facts: Facts) -> Iterator[Finding]:
    trial = facts.trials.egress
    told = {
        Outcome.YES: "there: strict mode would be possible",
        Outcome.NO: f"not there ({trial.detail}): strict mode would not be possible",
        Outcome.UNKNOWN: f"not tried: {trial.detail}",
    }
    yield Finding(Group.KERNEL, "nftables egress hook", Verdict.INFO, told[trial.outcome])


def _clock(facts: Facts) -> Iterator[Finding]:
    clock = facts.clock
    if clock.later < clock.boottime or clock.boottime == 0 or clock.later < clock.monotonic:
        yield Finding(
            Group.CLOCK,
            "CLOCK_BOOTTIME",
            Verdict.PROBLEM,
            "the clock runs backwards",
            "leases and silence cannot be measured on this host",
            "look for clock errors in 'dmesg', and update the kernel or the hypervisor",
        )
        return
    text = "runs forward" + (f" (source {clock.source})" if clock.source else "")
    yield Finding(Group.CLOCK, "CLOCK_BOOTTIME", Verdict.OK, text)


def _managers(facts: Facts) -> Iterator[Finding]:
    group = Group.OTHERS
    rivals = [p for p in facts.processes if p.name not in ("vipkeeper", "firewalld")]
    for rival in rivals:
        yield Finding(
            group,
            "second VIP manager",
            Verdict.PROBLEM,
            f"{rival.name} runs here (pid {rival.pid})",
            "if it manages the same VIP, two servers will hold it at the same time",
            f"stop and disable {rival.name}, or make sure that it manages other addresses only",
        )
    if not rivals:
        yield Finding(group, "second VIP manager", Verdict.OK, "no other VIP manager runs here")


def _own_server(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name = Group.CONFIGURATION, "this host in servers"
    if expected.own is not None:
        yield Finding(group, name, Verdict.OK, f"{expected.own} is an address of this host")
        return
    found = ", ".join(
        str(a.address.ip) for a in facts.addresses or () if not a.address.ip.is_loopback
    )
    yield Finding(
        group,
        name,
        Verdict.PROBLEM,
        f"no address of this host is in servers (it has {found or 'none'})",
        "the daemon does not know which server it is; 'run' waits for such an address",
        "correct servers in the configuration, or give this host the address it names",
    )


def _interface(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name = Group.NETWORK, "interface and subnet"
    if facts.links is None or facts.addresses is None:
        yield Finding(group, name, Verdict.UNKNOWN, "netlink did not answer")
        return
    if expected.interface is None:
        vips = ", ".join(str(vip) for vip in expected.vips)
        yield Finding(
            group,
            name,
            Verdict.PROBLEM,
            f"no interface of this host has a subnet that holds {vips}",
            "nobody on the network would ask this host for the VIP",
            "choose a VIP out of the servers' subnet, or name the interface in the configuration",
        )
        return
    link = next((link for link in facts.links if link.name == expected.interface), None)
    if link is None or not link.up or not link.carrier:
        state = "does not exist" if link is None else "is down" if not link.up else "has no carrier"
        yield Finding(
            group,
            name,
            Verdict.PROBLEM,
            f"{expected.interface} {state}",
            "the daemon waits until it works",
            f"'ip link show {expected.interface}' shows the state; connect it or set it up",
        )
        return
    yield Finding(group, name, Verdict.OK, f"{expected.interface} is up, its subnet holds the VIP")


def _vip_absent(facts: Facts, expected: Expected) -> Iterator[Finding]:
    for vip in expected.vips:
        there = [a for a in facts.addresses or () if a.address.ip == vip]
        permanent = next((a for a in there if a.permanent), None)
        if permanent is not None:
            yield Finding(
                Group.NETWORK,
                "VIP is free",
                Verdict.PROBLEM,
                f"{vip} is a permanent address of {permanent.interface}",
                "it belongs to someone else (a network file, another manager): vipkeeper never "
                "touches it, and this server will not take part",
                f"remove it where it is configured, then 'ip address del {permanent.address} dev "
                f"{permanent.interface}'",
            )
        else:
            text = (
                f"{vip} is here with a lifetime: a daemon holds it" if there else f"{vip} is free"
            )
            yield Finding(Group.NETWORK, "VIP is free", Verdict.OK, text)


def _port(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name = Group.NETWORK, "advert port"
    others = [u for u in facts.port_users if "vipkeeper" not in (u.process or "")]
    if others:
        yield Finding(
            group,
            name,
            Verdict.PROBLEM,
            f"UDP port {expected.port} is used by {others[0].process or 'another program'}",
            "the daemon cannot hear the other servers",
            "stop that program, or choose another port in the configuration of all servers",
        )
        return
    ours = "open by the running daemon" if facts.port_users else "free"
    yield Finding(group, name, Verdict.OK, f"UDP port {expected.port} is {ours}")


def _firewall(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name = Group.NETWORK, "firewall"
    drops = input_drops(facts.nft, facts.iptables)
    if drops is None:
        yield Finding(
            group,
            name,
            Verdict.UNKNOWN,
            "no rules could be listed (neither nft nor iptables-save answered)",
            fix="run 'vipkeeper doctor' as root",
        )
    elif drops and not mentions_port(expected.port, facts.nft, facts.iptables):
        yield Finding(
            group,
            name,
            Verdict.WARNING,
            f"input is dropped by default and no rule names UDP port {expected.port}",
            "the servers may not hear each other, and each would then believe it is alone",
            f"accept UDP port {expected.port} from the other servers",
        )
    else:
        text = (
            f"a rule names UDP port {expected.port}" if drops else "input is not dropped by default"
        )
        yield Finding(group, name, Verdict.OK, text)


def _arp(facts: Facts, expected: Expected) -> Iterator[Finding]:
    if facts.interface is None or all(vip.version == 6 for vip in expected.vips):
        return
    values, where = dict(facts.interface.sysctls), facts.interface.name
    ignore, strict = values.get("arp_ignore"), values.get("rp_filter") == 1
    if ignore is None:
        yield Finding(Group.NETWORK, "arp_ignore", Verdict.UNKNOWN, "could not be read")
    elif ignore == 8:
        yield Finding(
            Group.NETWORK,
            "arp_ignore",
            Verdict.PROBLEM,
            f"8 on {where}",
            "the kernel answers no ARP request at all, so nobody finds the VIP",
            f"sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.{where}.arp_ignore=0",
        )
    else:
        text = f"{ignore} on {where}: requests for the VIP are answered"
        yield Finding(Group.NETWORK, "arp_ignore", Verdict.OK, text)
    announce = values.get("arp_announce")
    if announce is not None:
        meaning = "the VIP may appear as the sender of ARP requests" if announce == 0 else ""
        text = f"{announce} on {where}" + (
            f": {meaning}; harmless while it holds" if meaning else ""
        )
        yield Finding(Group.NETWORK, "arp_announce", Verdict.OK, text)
    used = {a.interface for a in facts.addresses or () if a.address.ip.is_private} - {"lo"}
    if strict and len(used) > 1:
        yield Finding(
            Group.NETWORK,
            "rp_filter",
            Verdict.WARNING,
            f"1 (strict) on {where}, and this host has several networks",
            "packets to the VIP from clients that are reached through another interface are dropped",
            f"sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.{where}.rp_filter=2",
        )
    elif "rp_filter" in values:
        text = f"{values['rp_filter']} on {where}: clients of the VIP are not filtered"
        yield Finding(Group.NETWORK, "rp_filter", Verdict.OK, text)


def _interface_manager(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name, interface = Group.OTHERS, "who manages the interface", facts.interface
    if interface is None:
        return
    if interface.networkd_file:
        yield _networkd(interface)
    elif interface.network_manager:
        yield Finding(
            group,
            name,
            Verdict.INFO,
            f"NetworkManager manages {interface.name}",
            "activating its connection again takes foreign addresses off; the daemon notices and "
            "puts the VIP back, or another server takes it",
        )
    else:
        text = f"neither systemd-networkd nor NetworkManager manages {interface.name}"
        yield Finding(group, name, Verdict.OK, text)


def _networkd(interface: Interface) -> Finding:
    group, name = Group.OTHERS, "who manages the interface"
    keep = (interface.networkd_keep or "no").lower()
    if keep in ("yes", "true", "on", "1", "dynamic", "dhcp"):
        text = f"systemd-networkd manages {interface.name} and keeps foreign addresses"
        return Finding(group, name, Verdict.OK, text)
    return Finding(
        group,
        name,
        Verdict.WARNING,
        f"systemd-networkd manages {interface.name} with KeepConfiguration={keep}",
        "a restart of systemd-networkd takes the VIP off (also with 'static', since the VIP has a "
        "lifetime); the daemon puts it back, or another server takes it",
        f"KeepConfiguration=yes under [Network] in a drop-in of {interface.networkd_file}",
    )


def _control_plane(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, config = Group.CONTROL_PLANE, facts.server_config
    if config is None:
        return
    for path in config.unreadable:
        yield Finding(group, "configuration file", Verdict.WARNING, f"{path} is no YAML mapping")
    if not config.files:
        text = f"no configuration file of {expected.distribution} here; its defaults hold"
        yield Finding(group, "configuration file", Verdict.INFO, text)
    yield _bind_address(facts, expected)
    yield _node_ip(facts, expected)
    yield from _names(facts, expected)


def _bind_address(facts: Facts, expected: Expected) -> Finding:
    group, name = Group.CONTROL_PLANE, "bind-address"
    bind = facts.server_config.bind_address if facts.server_config else None
    if bind is None or bind in ("0.0.0.0", "::"):
        return Finding(group, name, Verdict.OK, "listens on every address, the VIP included")
    rke2 = expected.distribution == "rke2"
    refused = "the supervisor (port 9345)" if rke2 else "the API server (port 6443)"
    return Finding(
        group,
        name,
        Verdict.PROBLEM,
        f"bind-address is {bind}",
        f"{refused} listens on that address and on loopback only: the VIP is refused",
        f"remove bind-address from {', '.join(facts.server_config.files or ())} and restart the "
        "server"
        if facts.server_config
        else "",
    )


def _node_ip(facts: Facts, expected: Expected) -> Finding:
    group, name = Group.CONTROL_PLANE, "node-ip"
    node_ip = facts.server_config.node_ip if facts.server_config else ()
    own = expected.own or "ADDRESS"
    if any(is_address(text, vip) for text in node_ip for vip in expected.vips):
        return Finding(
            group,
            name,
            Verdict.PROBLEM,
            "node-ip is the VIP",
            "etcd and the kubelet bind to an address that moves away",
            f"node-ip: {own} (this server's own address)",
        )
    if node_ip:
        return Finding(group, name, Verdict.OK, f"node-ip is {', '.join(node_ip)}")
    six = any(vip.version == 6 for vip in expected.vips)
    meaning = (
        f"{expected.distribution} takes the first address of the interface as its node address"
    )
    if six:
        meaning += (
            "; Linux lists the newest IPv6 address first, so the VIP is taken whenever it is here"
        )
    else:
        meaning += "; vipkeeper keeps the VIP behind it, but another tool may change the order"
    return Finding(
        group,
        name,
        Verdict.PROBLEM if six else Verdict.WARNING,
        "node-ip is not set",
        meaning,
        f"node-ip: {own} in the configuration of {expected.distribution}, before its first start",
    )


def _names(facts: Facts, expected: Expected) -> Iterator[Finding]:
    config = facts.server_config
    if config is None or not config.files:
        return
    for vip in expected.vips:
        if any(is_address(text, vip) for text in config.tls_san):
            yield Finding(Group.CONTROL_PLANE, "tls-san", Verdict.OK, f"{vip} is in tls-san")
            continue
        yield Finding(
            Group.CONTROL_PLANE,
            "tls-san",
            Verdict.WARNING,
            f"{vip} is not in tls-san",
            "clients that use the VIP may be told a certificate for other names",
            f"add {vip} to tls-san on every server and restart them one after the other",
        )


def _machine(facts: Facts, expected: Expected) -> Iterator[Finding]:
    if facts.virtual and expected.bare_metal:
        yield Finding(
            Group.CONFIGURATION,
            "profile",
            Verdict.INFO,
            f"this is a virtual machine ({facts.virtual}) and the profile is bare-metal",
            "a machine that its hypervisor stops for a moment may cost a needless move",
            "'profile: vm' waits one advert interval longer before it suspects a server",
        )


_OF_THE_HOST: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _capabilities,
    _realtime,
    _memory,
    _lifetimes,
    _egress,
    _managers,
    _clock,
)
_OF_THE_CLUSTER: tuple[Callable[[Facts, Expected], Iterator[Finding]], ...] = (
    _own_server,
    _machine,
    _interface,
    _vip_absent,
    _port,
    _firewall,
    _arp,
    _interface_manager,
    _control_plane,
)

__all__ = ["Expected", "Finding", "Group", "Verdict", "judge"]
