"""Judges network and configuration of this host against what the cluster expects of it. Pure.

Sources: arp_ignore, arp_announce, rp_filter: kernel Documentation/networking/ip-sysctl.rst;
KeepConfiguration: systemd.network(5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vipkeeper.host.inspect import Facts, Interface
from vipkeeper.host.inspect_files import input_drops, mentions_port
from vipkeeper.host.inspect_finding import Expected, Finding, Group, Verdict


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
        of_own_configuration=True,
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
            of_own_configuration=True,
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
            of_own_configuration=link is None,
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
        elif expected.interface is None and not there:
            yield Finding(
                Group.NETWORK,
                "VIP is free",
                Verdict.UNKNOWN,
                f"no interface of this host is in the subnet of {vip}: nobody can be asked for it",
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


def _gateway(facts: Facts, expected: Expected) -> Iterator[Finding]:
    group, name = Group.NETWORK, "gateway"
    deaf = "deafness cannot be told: a server that receives nothing takes the VIP like any other"
    if expected.servers < 2 or expected.interface is None:
        return
    if expected.gateway == "none":
        yield Finding(group, name, Verdict.INFO, f"none is asked (gateway: none); {deaf}")
    elif facts.gateway is None:
        yield Finding(group, name, Verdict.UNKNOWN, "netlink did not answer")
    elif facts.gateway.address is not None:
        origin = "a next hop of this host" if expected.gateway == "auto" else "as configured"
        text = f"{facts.gateway.address} is asked when no server is heard ({origin})"
        yield Finding(group, name, Verdict.OK, text)
    else:
        text = (
            "no route of this host has a next hop in the VIP's subnet"
            if expected.gateway == "auto"
            else f"{expected.gateway} is not in the VIP's subnet on {expected.interface}"
        )
        fix = "'gateway: ADDRESS' names a machine in the VIP's subnet that always answers, such as a router"
        yield Finding(group, name, Verdict.WARNING, text, deaf, fix)


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


QUESTIONS: tuple[Callable[[Facts, Expected], Iterator[Finding]], ...] = (
    _own_server,
    _machine,
    _interface,
    _vip_absent,
    _port,
    _firewall,
    _arp,
    _gateway,
    _interface_manager,
)
