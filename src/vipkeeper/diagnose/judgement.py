"""Three-valued judgements, and the view through which a predicate reads the evidence."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vipkeeper.diagnose.facts import Evidence, Fact, Value
from vipkeeper.diagnose.vocabulary import Key

LASTING_MS = 10_000
"""How far two samples must lie apart before a state is no passing one: an etcd election takes 4-7 s."""


class Truth(enum.Enum):
    """Kleene's three values."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __invert__(self) -> Truth:
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(self, Truth.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a predicate holds, in words, with the facts that decided it."""

    truth: Truth
    text: str
    facts: tuple[Fact, ...] = ()
    needs: frozenset[Key] = frozenset()
    """For what is unknown: the keys that a probe would have to make known."""


def true(text: str, *facts: Fact) -> Judgement:
    """It is so."""
    return Judgement(Truth.TRUE, text, facts)


def false(text: str, *facts: Fact) -> Judgement:
    """It is not so."""
    return Judgement(Truth.FALSE, text, facts)


def unknown(text: str, *facts: Fact, needs: Iterable[Key] = ()) -> Judgement:
    """Nobody could see; the facts say who tried. Without `needs`, all that the predicate reads is needed."""
    return Judgement(Truth.UNKNOWN, text, facts, frozenset(needs))


class UndeclaredKeyError(Exception):
    """A predicate read a key that it does not declare; a defect of ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one key about several subjects."""

    subjects: tuple[str, ...]
    """All that were asked about."""
    complete: bool
    """Whether these are all there are."""
    facts: dict[str, Fact]
    """The latest known fact of each subject that has one."""
    blind: tuple[Fact, ...]
    """Facts that say why nothing is known."""

    def where(self, test: Callable[[Value], bool]) -> tuple[Fact, ...]:
        """The facts whose value passes."""
        return tuple(f for f in self.facts.values() if f.value is not None and test(f.value))

    @property
    def seen(self) -> bool:
        """Whether something is known about every subject, and these are all."""
        return self.complete and bool(self.subjects) and len(self.facts) == len(self.subjects)

    @property
    def coverage(self) -> str:
        """'seen on 1 of 3 servers'."""
        total = str(len(self.subjects)) if self.complete else "an unknown number of"
        return f"seen on {len(self.facts)} of {total} servers"

    def some(self, test: Callable[[Value], bool], so: str, not_so: str) -> Judgement:
        """At least one passes. False only when all were seen."""
        passing = self.where(test)
        if passing:
            return true(f"{so}: {names(passing)}", *passing)
        if self.seen:
            return false(not_so, *self.facts.values())
        return unknown(f"not known whether {so} ({self.coverage})", *self.blind)

    def none(self, test: Callable[[Value], bool], so: str, not_so: str) -> Judgement:
        """None passes. True only when all were seen."""
        judged = self.some(test, not_so, so)
        return Judgement(~judged.truth, judged.text, judged.facts)


class View:
    """Reads the evidence for one predicate, and only the keys that it declares."""

    def __init__(self, evidence: Evidence, reads: Iterable[Key]) -> None:
        self._evidence = evidence
        self._reads = frozenset(reads)
        self.touched: set[Key] = set()

    def of(self, key: Key, about: str | None = None, aspect: str = "") -> tuple[Fact, ...]:
        """The facts of a key about a subject (None: any), known or not, the oldest first."""
        if key not in self._reads:
            raise UndeclaredKeyError(key.word)
        self.touched.add(key)
        found = [
            fact
            for fact in self._evidence.of(key)
            if (about is None or fact.about == about) and fact.aspect == aspect
        ]
        return tuple(sorted(found, key=lambda fact: fact.at))

    def one(self, key: Key, about: str = "", aspect: str = "") -> Fact | None:
        """The latest known fact of a key about a subject."""
        known = [fact for fact in self.of(key, about, aspect) if fact.known]
        return known[-1] if known else None

    def value(self, key: Key, about: str = "", aspect: str = "") -> Value | None:
        """The latest known value of a key about a subject."""
        fact = self.one(key, about, aspect)
        return None if fact is None else fact.value

    def servers(self) -> tuple[str, ...]:
        """All control-plane servers that are known of."""
        return self._evidence.servers

    def each(self, key: Key, aspect: str = "", among: Iterable[str] | None = None) -> Found:
        """What is known of a key about every server, or about those named."""
        subjects = self.servers() if among is None else tuple(among)
        facts, blind = {}, []
        for server in subjects:
            latest = self.one(key, server, aspect)
            if latest is not None:
                facts[server] = latest
            else:
                blind += [fact for fact in self.of(key, server, aspect) if not fact.known]
        complete = among is not None or self._evidence.servers_known
        return Found(subjects, complete, facts, tuple(blind))

    def lasting(
        self, key: Key, about: str, test: Callable[[Value], bool], aspect: str = ""
    ) -> Judgement:
        """Every sample passes, and the first and the last lie further apart than an etcd election."""
        known = [fact for fact in self.of(key, about, aspect) if fact.known]
        failing = [fact for fact in known if fact.value is None or not test(fact.value)]
        if failing:
            return false("a sample shows otherwise", *failing)
        apart = far_apart(known)
        if not apart:
            return unknown(
                "one look is no finding: an etcd election looks the same for 4-7 s", *known
            )
        return true("two looks more than 10 s apart show the same", *apart)


def far_apart(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The first and the last fact of one place, further apart than an etcd election; nothing where there are none.

    Only what one clock dated can be held against each other: those of two servers may differ by hours.
    """
    by_clock: dict[str, list[Fact]] = {}
    for fact in facts:
        by_clock.setdefault(fact.vantage or fact.about, []).append(fact)
    for clock in sorted(by_clock):
        dated = sorted(by_clock[clock], key=lambda fact: fact.at)
        if dated[-1].at - dated[0].at >= LASTING_MS:
            return dated[0], dated[-1]
    return ()


def names(facts: Iterable[Fact]) -> str:
    """The servers that facts are about."""
    return ", ".join(sorted({fact.about for fact in facts if fact.about})) or "seen"


def among(*values: Value) -> Callable[[Value], bool]:
    """A test: the value is one of these."""
    return lambda value: value in values


def yes(value: Value) -> bool:
    """A test: the flag is set."""
    return value is True
