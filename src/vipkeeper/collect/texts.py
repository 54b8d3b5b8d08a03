"""Outputs of other programs as values. None: the text is not that program's output but, say, an error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

_LINK = re.compile(r"\d+: ([^:@\s]+)(?:@\S+)?: <([^>]*)>")
_ADDRESS = re.compile(r"\s+inet6? (\S+) ?(.*)")
_ROUTE = re.compile(r"\S+ (?:.* )?(?:dev|via) \S+")
_HEADER = re.compile(r"\S+(?: \S+)*")
_MEMBER = re.compile(r"[0-9a-f]{1,16}, (started|unstarted), ([^,]*), ([^,]*), ([^,]*)(?:, (\w+))?$")
_HEALTH = re.compile(r"(https?://\S+) is (healthy|unhealthy): (.*)")
_METRIC = re.compile(r"(etcd_server_(?:has_leader|is_leader|is_learner)) ([01])\s*$", re.MULTILINE)
_UNIT = re.compile(r"[●*]?\s*(\S+\.service)\s+(\S+)\s+(\S+)\s+(\S+)")
_DISK = re.compile(r"\S+\s+\S+\s+\S+\s+\S+\s+(\d{1,3})%\s+(/\S*)")

Address = IPv4Interface | IPv6Interface
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Assigned:
    """An address on an interface."""

    interface: str
    up: bool
    """The interface is up and has carrier."""
    address: Address
    forever: bool
    dad_failed: bool
    line: str


def addresses(text: str) -> tuple[Assigned, ...] | None:
    """`ip addr show`."""
    found: list[Assigned] = []
    link: re.Match[str] | None = None
    lines = text.split("\n")
    for number, line in enumerate(lines):
        link = _LINK.match(line) or link
        inet = _ADDRESS.match(line)
        if link is None or inet is None:
            continue
        try:
            address = ip_interface(inet[1])
        except ValueError:
            continue
        flags = link[2].split(",")
        rest = lines[number + 1] if number + 1 < len(lines) else ""
        found.append(
            Assigned(
                interface=link[1],
                up="UP" in flags and "LOWER_UP" in flags,
                address=address,
                forever="valid_lft forever" in rest,
                dad_failed="dadfailed" in inet[2].split(),
                line=line.strip(),
            )
        )
    return tuple(found) if link else None


def default_route(text: str) -> bool | None:
    """`ip route show`: whether there is a default route."""
    lines = [line for line in text.split("\n") if _ROUTE.match(line)]
    return any(line.startswith("default ") for line in lines) if lines else None


def listeners(text: str) -> frozenset[tuple[str, int]] | None:
    """`ss -tunlp`: the address and port of every TCP listener; '*' for any address."""
    lines = text.split("\n")
    if not lines[0].startswith("Netid"):
        return None
    found = set()
    for fields in map(str.split, lines[1:]):
        if len(fields) >= 5 and fields[0] == "tcp" and fields[1] == "LISTEN":
            address, _, port = fields[4].rpartition(":")
            if port.isdecimal() and port.isascii() and len(port) <= 5:
                bare = address.strip("[]").split("%")[0]
                found.add(("*" if bare in ("0.0.0.0", "::", "*") else bare, int(port)))
    return frozenset(found)


def table(text: str, *needed: str) -> tuple[Row, ...] | None:
    """A table of kubectl or crictl that has these heads, the first one first: each row by the heads."""
    lines = text.split("\n")
    heads = [(head[0], head.start()) for head in _HEADER.finditer(lines[0])]
    if not set(needed) <= {name for name, _ in heads} or heads[0][0] != needed[0]:
        return None
    ends = [start for _, start in heads[1:]]
    rows = []
    for line in lines[1:]:
        if line.strip():
            cells = zip(heads, [*ends, len(line)], strict=True)
            rows.append({name: line[start:end].strip() for (name, start), end in cells})
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """A member of etcd by its own list."""

    name: str
    client: str
    """The URL it serves at; empty before it has started."""
    learner: bool
    line: str


def etcd_members(text: str) -> tuple[EtcdMember, ...] | None:
    """`etcdctl member list`, or the JSON of /v3/cluster/member/list."""
    if text.lstrip().startswith("{"):
        return _json_members(text)
    found = [m for line in text.split("\n") if (m := _MEMBER.match(line.strip()))]
    return tuple(EtcdMember(m[2], m[4], m[5] == "true", m[0]) for m in found) if found else None


def _json_members(text: str) -> tuple[EtcdMember, ...] | None:
    try:
        listed = json.loads(text)["members"]
        return tuple(
            EtcdMember(
                str(entry.get("name", "")),
                str((entry.get("clientURLs") or [""])[0]),
                bool(entry.get("isLearner")),
                json.dumps(entry)[:200],
            )
            for entry in listed
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def etcd_status(text: str) -> tuple[Row, ...] | None:
    """The table of `etcdctl endpoint status`."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.split("\n")
        if line.lstrip().startswith("|")
    ]
    if not rows or rows[0][0] != "ENDPOINT":
        return None
    return tuple(dict(zip(rows[0], row, strict=False)) for row in rows[1:])


def etcd_health(text: str) -> tuple[tuple[str, bool, str], ...] | None:
    """`etcdctl endpoint health`: each URL, whether it is healthy, and what was said."""
    found = tuple((m[1], m[2] == "healthy", m[0]) for m in _HEALTH.finditer(text))
    return found or None


def etcd_metrics(text: str) -> dict[str, bool] | None:
    """The yes-or-no values of etcd's metrics that tell about leaders."""
    return {m[1]: m[2] == "1" for m in _METRIC.finditer(text)} or None


def units(text: str) -> dict[str, tuple[str, str, str]] | None:
    """`systemctl list-units`: of each service what is loaded, its state and the finer state."""
    found = {
        m[1]: (m[2], m[3], m[4]) for line in text.split("\n") if (m := _UNIT.match(line.strip()))
    }
    return found or None


def disks(text: str) -> dict[str, int] | None:
    """`df`: how many percent of each mounted file system are used."""
    if not text.startswith("Filesystem"):
        return None
    return {m[2]: int(m[1]) for line in text.split("\n") if (m := _DISK.match(line))}


def first_line(text: str) -> str:
    """What an output that is none says: its first line that is not empty."""
    return next((line.strip()[:200] for line in text.split("\n") if line.strip()), "it is empty")
