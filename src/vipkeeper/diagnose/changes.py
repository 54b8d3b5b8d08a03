"""What changed between two collections: the facts that say something else about the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vipkeeper.diagnose.facts import Evidence, Fact, Value
from vipkeeper.diagnose.vocabulary import Key

CLOCK_MS = 2000
"""Two readings of the same two clocks may differ by so much: an HTTP Date has whole seconds."""
Subject = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. Without a fact on one side nobody looked there, or it could not be known."""

    before: Fact | None
    after: Fact | None

    @property
    def fact(self) -> Fact:
        """The side that is there."""
        found = self.after or self.before
        assert found is not None
        return found


def changes(before: Evidence, after: Evidence) -> tuple[Change, ...]:
    """Every key whose latest known value differs, in the order of the evidence."""
    old, new = _latest(before), _latest(after)
    found = []
    for subject in sorted(old.keys() | new.keys()):
        one, other = old.get(subject), new.get(subject)
        if _value(one) != _value(other) and not _goes_by_itself(one, other):
            found.append(Change(one, other))
    return tuple(found)


def _goes_by_itself(before: Fact | None, after: Fact | None) -> bool:
    """Whether it is only time that passed, or a clock that is read to the second."""
    if before is None or after is None:
        return False
    one, other = before.value, after.value
    if not isinstance(one, int) or not isinstance(other, int):
        return False
    older = after.key is Key.SUPERVISOR_AGE and other >= one
    return older or (after.key is Key.CLOCK_OFFSET and abs(other - one) <= CLOCK_MS)


def _value(fact: Fact | None) -> Value | None:
    return None if fact is None else fact.value


def _latest(facts: Iterable[Fact]) -> dict[Subject, Fact]:
    latest: dict[Subject, Fact] = {}
    for fact in facts:
        subject = (fact.key.word, fact.aspect, fact.about, fact.vantage)
        if fact.known and (subject not in latest or latest[subject].at <= fact.at):
            latest[subject] = fact
    return latest
