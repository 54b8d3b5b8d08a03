"""The messages in the logs of Rancher's bundle: whose they are, and which are recent enough to count."""

from __future__ import annotations

import re
from collections.abc import Collection

from vipkeeper.collect import texts
from vipkeeper.collect.says import Log, Parts, Says
from vipkeeper.diagnose.logtime import when
from vipkeeper.diagnose.messages import Seen
from vipkeeper.diagnose.vocabulary import Key

RECENT_MS = 3600 * 1000
"""Messages older than this before the bundle was made tell of another day."""
LATER_MS = 3600 * 1000
"""How far messages may be ahead of the date that a bundle begins with: it takes minutes to write one."""
_VOTERS = re.compile(r"switched to configuration voters=\((\d{1,20}(?: \d{1,20})*)\)(?!&)")
_JOURNALS = ("journald/rke2-server", "journald/k3s")


def facts(
    parts: Parts, says: Says, nodes: Collection[str], is_server: bool, needed: tuple[str, ...]
) -> None:
    """Messages as facts, and whether all logs of the server were read.

    Args:
        parts: the files.
        says: takes the facts.
        nodes: all control-plane servers, as far as they are known.
        is_server: whether the bundle is of one.
        needed: whose logs must be there besides the supervisor's journal.
    """
    pods = _pods(parts)
    own: list[str] = []
    for path in sorted(parts.logs):
        owner = _owner(path, says.server, nodes, pods)
        if owner is None:
            parts.troubles.add(f"{path}: of which server it is, is not known; not used")
        elif owner == says.server and not is_server:
            continue
        else:
            own += [path] if owner == says.server else []
            _log(parts, says, path, owner)
    if not is_server:
        return
    _voters(parts, says, own)
    journal = next((path for path in _JOURNALS if path in parts.logs), None)
    last = parts.logs[journal].last if journal else ""
    missing = [name for name in needed if not any(name in path for path in own)]
    if not (journal and parts.reference.at and when(last, parts.reference)):
        says.unknown(Key.LOGS_READ, journal or _JOURNALS[0], last)
    elif missing:
        text = f"the logs of {', '.join(missing)} are not in the bundle"
        says.unknown(Key.LOGS_READ, journal, text)
    else:
        says.known(Key.LOGS_READ, True, journal)


def _voters(parts: Parts, says: Says, own: list[str]) -> None:
    """The last list of voters in etcd's log: it holds until the next one, however old it is.

    A list of one in a journal may be that of the etcd which RKE2 and k3s run on a copy of their data while they boot.
    """
    for path in own:
        for seen in parts.logs[path].seen:
            voters = voters_of(_text(seen.last)) if seen.message.name == "etcd-voters" else None
            temporary = voters == 1 and path.startswith("journald/")
            if voters is not None and not temporary:
                says.known(Key.VOTERS, voters, path, _text(seen.last))


def voters_of(line: str) -> int | None:
    """How many voters a line of etcd's log names (raft's `switched to configuration`); None: it names none."""
    listed = _VOTERS.search(line)
    return len(listed[1].split()) if listed else None


def _pods(parts: Parts) -> dict[str, str]:
    """The node of each pod, by the name its log has."""
    _, text = parts.text("rke2/kubectl/pods", "k3s/kubectl/pods")
    rows = texts.table(text, "NAMESPACE", "NAME", "NODE") or ()
    return {f"{row['NAMESPACE']}-{row['NAME']}": row["NODE"] for row in rows}


def _owner(path: str, server: str, nodes: Collection[str], pods: dict[str, str]) -> str | None:
    """The server a log is of. Pods' logs come from the whole cluster when the API answered."""
    rest = path.partition("/podlogs/")[2]
    if not rest or "/" in rest:
        return server
    pod = rest.removesuffix("-previous")
    if pods.get(pod):
        return pods[pod]
    ending = [name for name in (*nodes, server) if pod.endswith(f"-{name}")]
    return max(ending, key=len) if ending else None


def _log(parts: Parts, says: Says, path: str, owner: str) -> None:
    log: Log = parts.logs[path]
    timeless = ahead = 0
    for seen in log.seen:
        at = when(_text(seen.last), parts.reference)
        if not at or not parts.reference.at:
            timeless += 1
        elif at > parts.reference.at + LATER_MS:
            ahead += 1
        elif at >= parts.reference.at - RECENT_MS:
            source = f"{path}: {_times(seen)}"
            name = seen.message.name
            says.known(Key.LOG, True, source, _text(seen.last), aspect=name, about=owner, at=at)
    if timeless:
        parts.troubles.add(f"{path}: {timeless} messages whose time is not known; not used")
    if ahead:
        parts.troubles.add(f"{path}: {ahead} messages are of a time to come; not used")


def _times(seen: Seen) -> str:
    return "once" if seen.count == 1 else f"{seen.count} times"


def _text(line: bytes) -> str:
    return line.decode(errors="replace")
