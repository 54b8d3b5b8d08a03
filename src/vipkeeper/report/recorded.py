"""Whatever was recorded, told apart by its text: a run, a trace, results of a bench, a soak."""

from __future__ import annotations

import json

from vipkeeper.report.bench import Outages, load_bench
from vipkeeper.report.json import load_run
from vipkeeper.report.run import RunReport
from vipkeeper.report.soak import Soak, load_soak
from vipkeeper.report.trace import load_trace

Recorded = RunReport | Soak | tuple[Outages, ...]


def load_recorded(text: str) -> Recorded:
    """What the text is.

    Raises:
        ReportError: it is none of these, or damaged.
    """
    first = text.lstrip().split("\n", 1)[0]
    if keys(first) >= {"t", "type"}:
        return load_trace(text)
    found = keys(text)
    if "cells" in found:
        return load_bench(text)
    if {"seed", "hours"} <= found:
        return load_soak(text)
    return load_run(text)


def keys(text: str) -> set[str]:
    """Of the JSON object that a text is; none where it is no such thing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    return set(found) if isinstance(found, dict) else set()
