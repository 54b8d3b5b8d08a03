"""Who answers ARP and neighbour solicitations: for the VIP, and for the gateway."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from vipkeeper.collect.collector import Collector, Phase
from vipkeeper.collect.live.network import neighbours
from vipkeeper.collect.target import Target, now
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.host.inspect import Address, read_network
from vipkeeper.host.neighbours import Neighbour, answering
from vipkeeper.wire.ethernet import MAC_LENGTH
from vipkeeper.wire.types import IPAddress

LOOPBACK = "lo"
"""Nobody hears a question there."""
ARP_ROUNDS = 3
ARP_WAIT = 0.2
"""Seconds between two requests; an answer counts whichever request it came after."""
ARP_LAST_WAIT = 0.4
"""Seconds after the last request in which answers are still collected."""
STRANGER = "none"
"""The owner of an address that is no server's."""
_GATEWAY = 0x2
"""RTF_GATEWAY of linux/route.h."""


def ask_who_has(target: Target) -> Iterator[Fact]:
    """ARP requests on the interface in the VIP's subnet: every host that answers, and whose it is."""
    links, addresses = read_network()
    if links is None or addresses is None:
        yield target.blind(Key.VIP_MACS, "netlink does not answer", "ARP")
        return
    own = {a.address.ip for a in addresses}
    on = next(
        (
            a
            for a in addresses
            if a.interface != LOOPBACK
            and a.address.ip != target.vip
            and target.vip in a.address.network
        ),
        None,
    )
    yield target.of_path(Key.VIP_ON_LINK, on is not None, "addresses of this host")
    if on is None or target.vip in own:
        why = (
            "this host has the VIP itself" if target.vip in own else "the VIP is in no subnet here"
        )
        yield target.blind(Key.VIP_MACS, why, "ARP")
        return
    macs = sorted(answers(target, target.vip, on))
    source = f"{ARP_ROUNDS} ARP requests on {on.interface}"
    yield target.of_path(Key.VIP_MACS, tuple(macs), source)
    yield from _owners(target, on, macs, source)


def _owners(target: Target, on: Address, macs: list[str], source: str) -> Iterator[Fact]:
    """Whose each answering address is; a stranger's only where every server's own address on this link is known.

    A server's address elsewhere is on another card, and says nothing of the one that answers here.
    """
    table = neighbours(target)
    near = [s for s in target.others if s.address in on.address.network]
    owner = {table[str(s.address)]: s.name for s in near if str(s.address) in table}
    if target.own:
        owner[_mac(target, on.interface)] = target.own
    all_known = target.complete and len(owner) == len(target.servers)
    at = now()
    for mac in macs:
        whose = owner.get(mac) or (STRANGER if all_known else "")
        if whose:
            # One moment for all: each answer is a fact of its own, and none is older.
            yield replace(target.of_path(Key.VIP_MAC_OWNER, whose, source, raw=mac), at=at)
        else:
            why = "not every server's link-layer address on this link is known"
            yield target.blind(Key.VIP_MAC_OWNER, why, source)


def _mac(target: Target, interface: str) -> str:
    return target.path(f"/sys/class/net/{interface}/address").read_text().strip()


def answers(target: Target, address: IPAddress, on: Address) -> set[str]:
    """The link-layer addresses that answer for an address, asked from one of this host's."""
    mac = bytes.fromhex(_mac(target, on.interface).replace(":", ""))
    question = Neighbour(address, on.interface, mac, on.address.ip).question()
    interface = on.interface
    protocol = 0x0806 if isinstance(address, IPv4Address) else 0x86DD
    found: set[str] = set()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol)) as sock:
        sock.bind((interface, protocol))
        sock.setblocking(False)
        for more in reversed(range(ARP_ROUNDS)):
            sock.send(question)
            until = time.monotonic() + (ARP_WAIT if more else ARP_LAST_WAIT)
            while (left := until - time.monotonic()) > 0:
                if not select.select([sock], [], [], left)[0]:
                    break
                told = answering(sock.recv(2048))
                if told is not None and told[0] == address and len(told[1]) == MAC_LENGTH:
                    found.add(told[1].hex(":"))
    return found


def ask_gateway(target: Target) -> Iterator[Fact]:
    """ARP requests for the gateway of the IPv4 default route, where there is one."""
    found = default_gateway(target.path("/proc/net/route").read_text())
    if found is None:
        return
    interface, gateway = found
    _, addresses = read_network()
    own = next(
        (a for a in addresses or () if a.interface == interface and gateway in a.address.network),
        None,
    )
    source = f"{ARP_ROUNDS} ARP requests for {gateway} on {interface}"
    if own is None:
        yield target.blind(Key.GATEWAY, f"{gateway} is in no subnet of {interface}", source)
        return
    macs = answers(target, gateway, own)
    yield target.of_path(Key.GATEWAY, bool(macs), source, raw=", ".join(sorted(macs)))


def default_gateway(table: str) -> tuple[str, IPv4Address] | None:
    """Interface and gateway of the default route in /proc/net/route (proc(5)) with the least metric. Total."""
    routes = []
    for row in table.splitlines()[1:]:
        cells = row.split()
        if len(cells) >= 8 and cells[1] == cells[7] == "00000000":
            try:
                gateway = IPv4Address(bytes.fromhex(cells[2])[::-1])
                if int(cells[3], 16) & _GATEWAY:
                    routes.append((int(cells[6]), cells[0], gateway))
            except ValueError:
                continue
    return min(routes)[1:] if routes else None


COLLECTORS = (
    Collector(
        "ARP for the VIP",
        frozenset({Key.VIP_MACS, Key.VIP_MAC_OWNER, Key.VIP_ON_LINK}),
        ask_who_has,
        limit=2.0,
        privilege=Privilege.ROOT,
        phase=Phase.ARP,
    ),
    Collector(
        "ARP for the gateway",
        frozenset({Key.GATEWAY}),
        ask_gateway,
        limit=2.0,
        privilege=Privilege.ROOT,
        phase=Phase.ARP,
    ),
)
