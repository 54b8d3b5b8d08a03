"""What changed between two collections, one line each."""

from __future__ import annotations

from collections.abc import Iterable

from vipkeeper.diagnose.changes import Change
from vipkeeper.diagnose.facts import shown
from vipkeeper.report.style import one_line
from vipkeeper.report.why.text import subject


def render(found: Iterable[Change]) -> str:
    """The lines; empty when nothing changed."""
    return "".join(one_line(_line(change)) + "\n" for change in found)


def _line(change: Change) -> str:
    fact = change.fact
    about = f" of {fact.about}" if fact.about else ""
    seen = f", seen from {fact.vantage}" if fact.vantage and fact.vantage != fact.about else ""
    before = shown(change.before.value) if change.before else "not known"
    after = shown(change.after.value) if change.after else "not known"
    return f"{subject(fact)}{about}{seen}: {before} -> {after}"
