"""The table of hits and misses, for the terminal and for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vipkeeper.lab.troubles.faults import FAULTS, HEALTHY, Fault
from vipkeeper.lab.troubles.play import Outcome, Result


def listed() -> str:
    """All faults, one a line."""
    width = max(len(fault.name) for fault in FAULTS)
    return "\n".join(f"{fault.name:<{width}}  {fault.what}" for fault in FAULTS)


def expectation(fault: Fault) -> str:
    """What is right, in words."""
    return " or ".join(fault.expected) or HEALTHY


def said(result: Result) -> str:
    """What was answered, in words; and what is to be known of it."""
    answer = ", ".join(result.roots) or result.verdict
    return "; ".join(part for part in (answer, result.note) if part)


def summary(results: Sequence[Result]) -> str:
    """How many were right and how many wrong."""
    count = Counter(result.outcome for result in results)
    parts = [f"{count[o.value]} {o.value}" for o in Outcome if count[o.value]]
    return f"{len(results)} faults: {', '.join(parts)}"


def text(results: Sequence[Result]) -> str:
    """For the terminal."""
    by_name = {fault.name: fault for fault in FAULTS}
    wanted = [expectation(by_name[result.name]) for result in results]
    name = max(len(one) for one in ("fault", *(result.name for result in results)))
    expected = max(len(one) for one in ("expected", *wanted))
    lines = [f"{'fault':<{name}}  {'expected':<{expected}}  {'outcome':<10} answer"]
    for result, right in zip(results, wanted, strict=True):
        lines.append(
            f"{result.name:<{name}}  {right:<{expected}}  {result.outcome:<10} {said(result)}"
        )
    return "\n".join([*lines, "", summary(results)])
