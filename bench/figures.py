"""Figures of one run of an act, from its recorded report, and of many runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from vipkeeper.lab.recorder import ARP_EVERY

TOLD = 0.5
"""Seconds within which an act says that it has mended something."""
WAITED = 1.0
"""Seconds that an act which waits for somebody watches on after the outage has ended by itself: a gap that was over
later than that before the mending was ended by it, and a shorter one is no such outage."""
BETWEEN = 0.02
"""Seconds between two questions of a client, at most: a gap that the mending ended ends so near to it."""
NOTHING_BROKEN = "handover"
"""The act whose outage nothing but itself ends: that the VIP was handed over is no mending."""
MISSED = 3
"""Questions of the observer that a server must leave without an answer to have fallen silent: one answer that comes after
the next question, or is lost, is no end of its holding."""
COPIED = (
    "run",
    "length",
    "verdict",
    "reason",
    "outage_ms",
    "service_outage_ms",
    "two_holders_ms",
    "left_behind",
    "moves",
)


def run_of(act: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one run (an element of `acts` in a drill's report).

    `two_holders_ms` is from the wire, `two_kernels_ms` from the kernels; `none_ms`: in all, nobody
    answered the observer after the fault; `silent_ms`: from the fault until the server it struck last
    answered the observer; `gone_ms`: until the VIP left its kernel; `left`: how often it left any;
    `unended`: the figures of outages that only the end of the fault, or of the act, brought to an end;
    `mended`, `longest`: what that is concluded from, seconds of the act; `api_late_ms`: how late an API server's
    stand-in was, which may be so much of a service outage.
    """
    faults = [mark for mark in act["markers"] if mark["kind"] == "fault"]
    begin = faults[0]["at"] if faults else 0.0
    victim = faults[0]["server"] if faults else None
    lanes = {lane["server"]: lane for lane in act["lanes"]}
    healed = [mark["at"] for mark in act["markers"] if mark["kind"] == "healed"]
    mended = [] if act["name"] == NOTHING_BROKEN else healed
    longest = {client: _longest(act[client]["gaps"]) for client in ("udp", "tls")}
    kept = {key: act[key] for key in COPIED}
    answered = [span for lane in act["lanes"] for span in lane["answered"]]
    held = [span for lane in act["lanes"] for span in lane["held"]]
    lane = lanes.get(victim, {"answered": [], "held": []})
    return kept | {
        "broken_s": round(sum(span["end"] - span["start"] for span in act["faults"]), 3),
        "two_kernels_ms": _ms(_overlap(held)),
        "none_ms": _ms(act["length"] - begin - _covered(answered, begin)) if lanes else None,
        "silent_ms": _until(_joined(lane["answered"]), begin, act["length"]),
        "gone_ms": _until(lane["held"], begin, act["length"]),
        "left": sum(mark["kind"] == "released" for mark in act["markers"]),
        "unended": _all_unended(longest, mended, act["length"]),
        "mended": mended,
        "longest": longest,
        "lost": act["udp"]["lost"],
        "sent": act["udp"]["sent"],
        "api_late_ms": act.get("api_late_ms"),
    }


def _longest(gaps: Sequence[dict[str, float]]) -> dict[str, float] | None:
    return max(gaps, key=lambda gap: gap["end"] - gap["start"], default=None)


def _all_unended(
    longest: dict[str, dict[str, float] | None], mended: Sequence[float], length: float
) -> list[str]:
    return [
        key
        for key, client in (("outage_ms", "udp"), ("service_outage_ms", "tls"))
        if _unended(longest[client], mended, length)
    ]


def _unended(longest: dict[str, float] | None, mended: Sequence[float], length: float) -> bool:
    """Whether the longest gap went on until what was broken worked again, or to the end of the act (`measure.gaps`: exactly)."""
    if longest is None:
        return False
    start, end = longest["start"], longest["end"]
    told = TOLD if end - start >= WAITED else BETWEEN
    return any(start < at < end + told for at in mended) or end >= length


def _ms(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)


def _covered(spans: Sequence[dict[str, float]], begin: float) -> float:
    """Seconds after `begin` within at least one span."""
    total, end = 0.0, begin
    for span in sorted(spans, key=lambda s: s["start"]):
        total += max(0.0, span["end"] - max(span["start"], end))
        end = max(end, span["end"])
    return total


def _overlap(spans: Sequence[dict[str, float]]) -> float:
    """Seconds within more than one span."""
    edges = sorted([(s["end"], -1) for s in spans] + [(s["start"], 1) for s in spans])
    total, depth, since = 0.0, 0, 0.0
    for at, step in edges:
        if depth > 1:
            total += at - since
        depth, since = depth + step, at
    return total


def _joined(spans: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Spans of answers in order; those between which fewer than `MISSED` questions had none are one."""
    near = (MISSED - 0.5) * ARP_EVERY  # half a question, since none is asked to the microsecond
    joined: list[dict[str, float]] = []
    for span in sorted(spans, key=lambda s: s["start"]):
        if joined and span["start"] - joined[-1]["end"] < near:
            joined[-1] = {"start": joined[-1]["start"], "end": span["end"]}
        else:
            joined.append(span)
    return joined


def _until(spans: Sequence[dict[str, float]], begin: float, length: float) -> float | None:
    """Milliseconds from `begin` to the end of the span it lies in; None: it lies in none, or that stays."""
    for span in spans:
        if span["start"] <= begin < span["end"]:
            return _ms(span["end"] - begin) if span["end"] < length else None
    return None


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summary(values: Iterable[float | None]) -> dict[str, float | int]:
    """n, min, p50, p99, max of the known ones; n alone where there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0}
    return {
        "n": len(known),
        "min": min(known),
        "p50": quantile(known, 0.5),
        "p99": quantile(known, 0.99),
        "max": max(known),
    }


def runs(record: dict[str, Any]) -> list[dict[str, Any]]:
    """All runs of the blocks of one cell and manager that could be played.

    What did not end is concluded anew where it is kept from what: results are older than the rule.
    """
    played = [run for block in record["blocks"] for run in block["runs"] if run["length"] > 0]
    return [
        run | {"unended": _all_unended(run["longest"], run["mended"], run["length"])}
        if "longest" in run and "mended" in run
        else run
        for run in played
    ]
