"""What the kernel of this host says: the neighbour table, addresses, links, routes, settings, filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vipkeeper.collect.collector import Collector, Phase
from vipkeeper.collect.live.network import neighbours
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.host.inspect import Address, program_output, read_network

PORTS = ("6443", "9345")
IPVS = "kube-ipvs0"
"""On every node kube-proxy in IPVS mode puts the addresses of all Services on it: none is held by being there."""
_IPV6 = 6
_DROP = re.compile(r"\b(drop|reject)\b|-j (DROP|REJECT)", re.IGNORECASE)
_PORTS = re.compile(r"(! ?(?:--)?|\b)dports? (!= ?)?(?:\{ ?)?(\d[\d, :-]*)")
_RANGE = re.compile(r"(\d+)(?:[:-](\d+))?")
_SERVED = re.compile(r" \. tcp \. (\d+) ")
"""Address, protocol and port, as kube-proxy's maps have them."""
_ELSEWHERE = re.compile(
    r"\b(dnat|redirect)\b|\bgoto (service|external)-|-j (DNAT|REDIRECT|KUBE-|CILIUM)", re.IGNORECASE
)


def read_neighbours(target: Target) -> Iterator[Fact]:
    """Where this host would send packets to the VIP, before anything is asked."""
    before = neighbours(target).get(str(target.vip))
    if before is not None:
        yield target.of_path(Key.VIP_NEIGHBOUR, before, "/proc/net/arp before any probe")


def read_addresses(target: Target) -> Iterator[Fact]:
    """The VIP on this server's interfaces, its link and its subnet."""
    links, addresses = read_network()
    if links is None or addresses is None:
        yield target.blind(
            Key.VIP_PRESENT, "netlink does not answer", "addresses", about=target.own
        )
        return
    here = [a for a in addresses if a.address.ip == target.vip and a.interface != IPVS]
    yield target.of_own(Key.VIP_PRESENT, bool(here), "addresses of the interfaces")
    if target.vip.version == _IPV6:
        failed = any(a.dad_failed for a in here)
        yield target.of_own(Key.VIP_DAD_FAILED, failed, "flags of the address")
    for address in here[:1]:
        yield target.of_own(Key.VIP_INTERFACE, address.interface, "addresses of the interfaces")
        yield target.of_own(Key.VIP_PERMANENT, address.permanent, "lifetime of the address")
    subnets = _near(addresses, target)
    yield target.of_own(Key.VIP_SUBNET, bool(subnets), "subnets of the interfaces")
    names = {a.interface for a in here or subnets}
    on = [link for link in links if link.name in names]
    if on:
        up = all(link.up and link.carrier for link in on)
        yield target.of_own(Key.LINK_UP, up, ", ".join(sorted(link.name for link in on)))


def read_settings(target: Target) -> Iterator[Fact]:
    """The default route, and whether the kernel keeps silent to ARP for the VIP."""
    rows = target.path("/proc/net/route").read_text().splitlines()[1:]
    default = any(row.split()[1:2] == ["00000000"] for row in rows) or _default_of_ipv6(target)
    yield target.of_own(Key.DEFAULT_ROUTE, default, "/proc/net/route and ipv6_route")
    _, addresses = read_network()
    asked = {a.interface for a in (*_with(addresses, target), *_near(addresses, target))} - {"lo"}
    values = [
        int(file.read_text())
        for file in target.path("/proc/sys/net/ipv4/conf").glob("*/arp_ignore")
        if file.parent.name in {"all", *asked}
    ]
    if values:
        silent = ignores(max(values), addresses or (), target)
        yield target.of_own(Key.ARP_IGNORED, silent, "arp_ignore", raw=str(max(values)))


def _default_of_ipv6(target: Target) -> bool:
    """Whether IPv6 has a default route; the one on the loopback interface rejects (proc(5))."""
    path = target.path("/proc/net/ipv6_route")
    rows = [row.split() for row in path.read_text().splitlines()] if path.exists() else []
    return any(row[:2] == ["0" * 32, "00"] and row[-1] != "lo" for row in rows)


def ignores(value: int, addresses: Iterable[Address], target: Target) -> bool:
    """Whether arp_ignore keeps the kernel from answering for the VIP (Documentation/networking/ip-sysctl.rst).

    1 answers only for addresses of the interface that is asked, 2 besides only where that has the subnet of both, 8
    for none. 3 tells addresses by their scope, which is global unless somebody says otherwise.
    """
    with_vip = {a.interface for a in _with(addresses, target)}
    near = {a.interface for a in _near(addresses, target)}
    nobody_asks = all(name in ("lo", IPVS) or name.startswith("dummy") for name in with_vip)
    apart = nobody_asks or (value == 2 and not with_vip & near)
    return value == 8 or (value in (1, 2) and bool(with_vip) and apart)


def _with(addresses: Iterable[Address] | None, target: Target) -> list[Address]:
    """The VIP where it is."""
    return [a for a in addresses or () if a.address.ip == target.vip]


def _near(addresses: Iterable[Address] | None, target: Target) -> list[Address]:
    """This host's other addresses in a subnet of the VIP."""
    return [
        a
        for a in addresses or ()
        if a.address.ip != target.vip
        and a.address.network.prefixlen < a.address.network.max_prefixlen
        and target.vip in a.address.network
    ]


def read_filters(target: Target) -> Iterator[Fact]:
    """Rules of nftables and iptables that name the VIP: those that drop, and those that send it elsewhere."""
    found = [
        (name, text)
        for name, text in (
            ("nft list ruleset", program_output("nft", "list", "ruleset")),
            ("iptables-save", program_output("iptables-save")),
        )
        if text is not None
    ]
    if not found:
        why = "no program lists the rules"
        for port in PORTS:
            yield target.blind(Key.VIP_FILTERED, why, "filters", about=target.own, aspect=port)
        yield target.blind(Key.VIP_CAPTURED, why, "filters", about=target.own)
        return
    lines = [(source, line.strip()) for source, text in found for line in text.splitlines()]
    vip = str(target.vip)
    for port in PORTS:
        met = next(((s, line) for s, line in lines if filters(line, vip, port)), None)
        source, raw = met or (found[0][0], "")
        yield target.of_own(Key.VIP_FILTERED, met is not None, source, raw=raw, aspect=port)
    taken = next(((s, line) for s, line in lines if captures(line, vip)), None)
    _, addresses = read_network()
    if any(a.interface == IPVS for a in _with(addresses, target)):
        taken = "addresses of the interfaces", f"{vip} on {IPVS}"
    source, raw = taken or (found[0][0], "")
    yield target.of_own(Key.VIP_CAPTURED, taken is not None, source, raw=raw)


def filters(line: str, vip: str, port: str) -> bool:
    """Whether a line of a rule set drops packets to a port of the VIP by name. vipkeeper's own lease is none."""
    if not _names(line, vip) or _DROP.search(line) is None or "vipkeeper" in line:
        return False
    return _meant(line, port)


def _meant(line: str, port: str) -> bool:
    """Whether a rule is about a port, or about none in particular."""
    served = _SERVED.search(line)
    if served:
        return served[1] == port
    named = _PORTS.search(line)
    if named is None:
        return True
    spans = [(int(low), int(high or low)) for low, high in _RANGE.findall(named[3])]
    return any(low <= int(port) <= high for low, high in spans) is not _is_turned(named)


def _is_turned(named: re.Match[str]) -> bool:
    """Whether a rule is about all ports but those it names."""
    return bool(named[1] or named[2])


def captures(line: str, vip: str) -> bool:
    """Whether a line of a rule set sends packets to the VIP to somebody else, as kube-proxy and CNIs do.

    A Service that shares the address and takes other ports of it is none.
    """
    if not _names(line, vip) or _ELSEWHERE.search(line) is None:
        return False
    return any(_meant(line, port) for port in PORTS)


def _names(line: str, vip: str) -> bool:
    return re.search(rf"(?<![\d.:a-f]){re.escape(vip)}(?![\d.:a-f])", line) is not None


COLLECTORS = (
    Collector(
        "neighbour table",
        frozenset({Key.VIP_NEIGHBOUR}),
        read_neighbours,
        limit=1.0,
        phase=Phase.PASSIVE,
    ),
    Collector(
        "addresses",
        frozenset(
            {
                Key.VIP_PRESENT,
                Key.VIP_INTERFACE,
                Key.VIP_PERMANENT,
                Key.VIP_DAD_FAILED,
                Key.VIP_SUBNET,
                Key.LINK_UP,
            }
        ),
        read_addresses,
        limit=2.0,
        on_server=True,
    ),
    Collector(
        "routes and settings",
        frozenset({Key.DEFAULT_ROUTE, Key.ARP_IGNORED}),
        read_settings,
        limit=2.0,
        on_server=True,
    ),
    Collector(
        "packet filters",
        frozenset({Key.VIP_FILTERED, Key.VIP_CAPTURED}),
        read_filters,
        limit=6.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
)
