"""The bundle of Rancher's log collector, rancher2_logs_collector.sh of rancherlabs/support-tools, for RKE2 and k3s.

The script writes what a command prints, errors too, into the data file. So a file that does not
look like the command's output means that the fact is unknown, never that something is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from vipkeeper.collect import rancher_facts
from vipkeeper.collect.archive import Member
from vipkeeper.collect.reading import Kind, Reading, Troubles
from vipkeeper.collect.says import Log, Parts
from vipkeeper.diagnose.logtime import MONTHS, Reference
from vipkeeper.diagnose.messages import Scanner

_TOPS = frozenset(("systeminfo", "networking", "journald", "systemlogs", "etcd", "rke2", "k3s"))
_LARGEST_TEXT = 4 << 20
"""Bytes of a file that is read whole."""
_MOST_TEXT = 64 << 20
"""Bytes of all of them."""
_TAIL = 4096
_TEXTS = re.compile(
    r"systeminfo/(?:hostname|date|systemd-units|systemd-unit-files|dfh|sysctla)"
    r"|networking/(?:ipaddrshow|iproute|ipneighbour|ipv6neighbour|sstunlp[46]|iptablessave)"
    r"|etcd/(?:memberlist|memberlist\.json|endpointstatus|endpointhealth|alarmlist|findserverdbetcd)"
    r"|etcd/etcd-metrics-[\w.:-]+\.txt"
    r"|(?:rke2|k3s)/(?:config\.yaml|crictl/psa|kubectl/(?:nodes|pods|leases))"
    r"|(?:rke2|k3s)/pod-manifests/[\w.-]+"
    r"|collector-output\.log"
)
_LOGS = re.compile(
    r"journald/(?:rke2-server|rke2-agent|k3s|kubelet|containerd)"
    r"|systeminfo/dmesg|systemlogs/(?:syslog|messages|kern|dmesg)[\w.-]*"
    r"|(?:rke2|k3s)/(?:agent-logs|server-logs)/kubelet[\w.-]*"
    r"|(?:rke2|k3s)/podlogs/.*(?:kube-vip|keepalived|haproxy|etcd-|kube-apiserver|calico-node).*"
)
_SQUEEZED = (".gz", ".xz", ".bz2", ".zst", ".zip", ".tar", ".tgz")
_DATE = re.compile(
    r"\w{3} +(" + "|".join(MONTHS) + r") +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\S+) (\d{4})"
)
_QUARTER = timedelta(minutes=15)


@dataclass(slots=True)
class _Content:
    texts: dict[str, str] = field(default_factory=dict)
    logs: dict[str, Log] = field(default_factory=dict)
    modified: dict[str, int] = field(default_factory=dict)
    size: int = 0
    known: bool = False


def read(members: Iterable[Member], vip: str, troubles: Troubles) -> Reading:
    """What is in a bundle of Rancher's.

    Args:
        members: its files.
        vip: the address that is asked about; empty: the one in kube-vip's manifest, if there is one.
        troubles: takes what could not be read.
    """
    content = _Content()
    for member in members:
        _take(member, content, troubles)
    if not content.known:
        troubles.add("the archive: it is no bundle of vipkeeper or of Rancher's log collector")
        return Reading(None, "", 0, (), troubles.lines())
    date = content.texts.get("systeminfo/date", "")
    reference = clock(date, content.modified.get("systeminfo/date", 0))
    if not reference.at:
        troubles.add("systeminfo/date: when the bundle was made is not known")
    parts = Parts(content.texts, content.logs, reference, troubles)
    server, facts = rancher_facts.facts(parts, vip)
    return Reading(Kind.RANCHER, server, reference.at, facts, troubles.lines())


def _take(member: Member, content: _Content, troubles: Troubles) -> None:
    path = _inner(member.path)
    if path is None:
        return
    content.known = content.known or path != "collector-output.log"
    content.modified[path] = member.modified
    if path.endswith(_SQUEEZED):
        if _LOGS.fullmatch(path):
            troubles.add(f"{path}: compressed within the bundle; not read")
    elif _TEXTS.fullmatch(path):
        if member.size > _LARGEST_TEXT or content.size + member.size > _MOST_TEXT:
            troubles.add(f"{path}: larger than any such output; not read")
            return
        data = b"".join(member.content)
        content.size += len(data)
        content.texts[path] = data.decode(errors="replace").replace("\r\n", "\n").lstrip("\n")
    elif _LOGS.fullmatch(path):
        scanner, tail = Scanner(), b""
        for piece in member.content:
            scanner.feed(piece)
            tail = (tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
        last = tail.rstrip().rpartition(b"\n")[2].decode(errors="replace")
        content.logs[path] = Log(scanner.seen(), last)


def _inner(path: str) -> str | None:
    """The path within the bundle: newer versions of the script put a folder around it."""
    parts = path.split("/")
    for start in (0, 1):
        if len(parts) > start + 1 and parts[start] in _TOPS:
            return "/".join(parts[start:])
        if parts[start:] == ["collector-output.log"]:
            return "collector-output.log"
    return None


def clock(date: str, modified: int) -> Reference:
    """When the bundle was made, and how far local time was ahead of UTC.

    `date` prints local time with the abbreviation of a zone, which says little; the archive has the
    same moment in UTC, as the time at which the file was written.
    """
    match = _DATE.search(date)
    if match is None:
        return Reference(0)
    month, day, hour, minute, second, zone, year = match.groups()
    try:
        local = datetime(
            int(year),
            MONTHS.index(month) + 1,
            int(day),
            int(hour),
            int(minute),
            int(second),
            tzinfo=UTC,
        )
        written = datetime.fromtimestamp(modified, UTC)
    except (ValueError, OverflowError, OSError):
        return Reference(0)
    if zone in ("UTC", "GMT"):
        return Reference(_ms(local), timedelta())
    ahead = local - written
    offset = round(ahead / _QUARTER) * _QUARTER
    fits = abs(ahead - offset) < timedelta(seconds=30) and abs(offset) <= timedelta(hours=14)
    return Reference(_ms(written), offset) if fits else Reference(0)


def _ms(date: datetime) -> int:
    return max(0, int(date.timestamp())) * 1000
