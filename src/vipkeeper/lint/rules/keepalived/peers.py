"""Which instances of several servers are one election, and what each of them says in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vipkeeper.config.tree import Span
from vipkeeper.lint.memo import once
from vipkeeper.lint.parsers.keepalived import Instance, Keepalived, Statement
from vipkeeper.lint.scope import Cluster, IPAddress, Server, as_address

PASSWORD_LENGTH = 8
"""Characters of a password that keepalived uses (RFC 2338 section 5.3.6)."""


@dataclass(frozen=True, slots=True)
class Member:
    """An instance on one server."""

    server: Server
    conf: Keepalived
    instance: Instance


@once
def elections(cluster: Cluster) -> Iterator[tuple[Member, ...]]:
    """Instances on different servers that hold a VIP in common, two or more of them.

    Files that no one server owns, and instances with lines that hang on keepalived's `-i`, are
    left out: what counts in them is not known.
    """
    shared = {id(document) for document in cluster.shared}
    groups: list[dict[int, Member]] = []
    by_address: dict[IPAddress, list[dict[int, Member]]] = {}
    for server in cluster.servers:
        for conf in server.all(Keepalived):
            for instance in conf.instances:
                if id(conf) in shared or instance.block.is_conditional:
                    continue
                held = sorted(addresses_of(instance), key=str)
                near = (group for address in held for group in by_address.get(address, ()))
                group = next((g for g in near if id(server) not in g), None)
                if group is None:
                    group = {}
                    groups.append(group)
                group[id(server)] = Member(server, conf, instance)
                for address in held:
                    known = by_address.setdefault(address, [])
                    if not any(other is group for other in known):
                        known.append(group)
    yield from (tuple(group.values()) for group in groups if len(group) > 1)


def addresses_of(instance: Instance) -> set[IPAddress]:
    """The VIPs of an instance."""
    found = (as_address(word.text) for word in instance.vips)
    return {address for address in found if address is not None}


def version_of(member: Member) -> int:
    """The version of VRRP that it speaks: IPv6 has only 3, IPv4 2 unless 3 is asked for."""
    own = member.instance.block.first("version")
    given = own or member.conf.globals("vrrp_version")
    addresses = addresses_of(member.instance)
    if addresses and all(address.version == 6 for address in addresses):
        return 3
    return int(given.number) if given is not None and given.number in (2, 3) else 2


def value_of(member: Member, keyword: str, default: str) -> str:
    """The value of a line."""
    line = member.instance.block.first(keyword)
    return line.value.text if line is not None and line.value is not None else default


def line_of(member: Member, *keywords: str) -> Span:
    """The line with the first of these keywords that is there, otherwise that of the instance."""
    found = (member.instance.block.first(keyword) for keyword in keywords)
    return next((line.span for line in found if line is not None), member.instance.block.span)


def weight_of(member: Member, line: Statement) -> int | None:
    """The weight with which an instance tracks a script; None where it is not known."""
    name = line.keyword
    words = [word.text for word in line.words]
    script = member.conf.script(name)
    inside = script.first("weight") if script is not None else None
    text = "0"
    if "weight" in words[:-1]:
        text = words[words.index("weight") + 1]
    elif inside is not None and inside.value is not None:
        text = inside.value.text
    return int(text) if text.removeprefix("-").isdigit() and len(text) < 5 else None
