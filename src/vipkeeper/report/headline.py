"""An act in three lines, for a reader with five seconds: who held the VIP, what broke, how long clients waited."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from vipkeeper.report.run import ActResult, Client, Marker, MarkerKind, Milestones
from vipkeeper.report.style import interval, milliseconds
from vipkeeper.report.summary import unended, waited

NAMED = 4
"""Holders that are named one by one."""
SAME = 0.05
"""Seconds in which a daemon's word of its claim and the kernel's are one and the same happening."""


def headline(act: ActResult) -> tuple[tuple[str, str, bool], ...]:
    """Lines of a label, what is to be said, and whether it is what must never be."""
    lines = [("VIP", _holders(act), False)]
    if act.observed or act.faults:
        lines.append(("broke", _broke(act), False))
    figures = [
        _waited(name, client, outage, unended(act, client))
        for name, client, outage in (
            ("client", act.udp, act.outage_ms),
            ("TLS", act.tls, act.service_outage_ms),
        )
        if client.sent and outage is not None
    ]
    if figures:
        lines.append(("waited", ", ".join(figures), False))
    if act.two_holders_ms > 0:
        both = f"two servers answered at once for {milliseconds(act.two_holders_ms)}"
        lines.append(("split", both, True))
    if act.left_behind:
        lines.append(("left", "the VIP is on a server without a daemon", True))
    return tuple(lines)


def happenings(act: ActResult) -> tuple[Marker, ...]:
    """Everything that is marked in the picture, in order: what was seen, and what the daemons wrote."""
    seen = list(act.markers)
    found = act.milestones
    if found is not None:
        kernel = next((mark.at for mark in seen if _is_claim(mark, found)), None)
        announced = found.announced
        if kernel is not None and announced is not None:
            # The kernel's event is read a little after the daemon's own note of it.
            announced = max(announced, kernel)
        written = [
            (found.detected, MarkerKind.DETECTED, "begins to act"),
            (found.elected, MarkerKind.ELECTED, "decides to claim"),
            (found.claimed if kernel is None else None, MarkerKind.CLAIMED, "VIP in its kernel"),
            (announced, MarkerKind.ANNOUNCED, "first gratuitous ARP"),
        ]
        seen += [
            Marker(at, kind, text, found.server) for at, kind, text in written if at is not None
        ]
    order = list(MarkerKind)
    return tuple(sorted(_told_once(seen), key=lambda mark: (mark.at, order.index(mark.kind))))


def _told_once(marks: Iterable[Marker]) -> Iterable[Marker]:
    """What happened to several servers at once, in the same words that name them all, is one mark."""
    found: dict[tuple[float, MarkerKind, str, str | None], Marker] = {}
    for mark in marks:
        named = mark.server is not None and mark.server in mark.text
        found.setdefault((mark.at, mark.kind, mark.text, None if named else mark.server), mark)
    return found.values()


def _is_claim(mark: Marker, found: Milestones) -> bool:
    """Whether a mark of the kernel is the claim that the daemons wrote of."""
    claimed = mark.kind is MarkerKind.CLAIMED and mark.server == found.server
    return claimed and found.claimed is not None and abs(mark.at - found.claimed) < SAME


def _holders(act: ActResult) -> str:
    """`on cp2, then cp1`."""
    spans = sorted(
        (span.start, lane.server) for lane in act.lanes for span in lane.held or lane.said
    )
    names = [name for _, name in spans]
    order = names[:1] + [after for before, after in pairwise(names) if before != after]
    if not order:
        return "on no server"
    if len(order) > NAMED:
        return f"on {order[0]} at first, on {order[-1]} at the end, {len(order) - 1} moves"
    return "on " + ", then ".join(order)


def _broke(act: ActResult) -> str:
    faults = sorted(
        (mark.at, mark.text or mark.server or "")
        for mark in act.markers
        if mark.kind is MarkerKind.FAULT
    )
    texts = list(dict.fromkeys(text for _, text in faults))
    if not texts:
        return "nothing"
    more = f", and {len(texts) - 2} more" if len(texts) > 2 else ""
    return f"{'; '.join(texts[:2])}{more}, at {faults[0][0]:.2f} s"


def _waited(name: str, client: Client, outage_ms: float, still: bool) -> str:
    if outage_ms <= 0:
        return f"{name} 0 ms"
    every = f" (±{interval(client.interval_ms)})" if client.interval_ms else ""
    return f"{name} {waited(outage_ms, client.interval_ms, unended=still)}{every}"
