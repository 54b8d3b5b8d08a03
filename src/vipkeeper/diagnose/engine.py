"""From evidence to a diagnosis: the standing of every hypothesis, the root causes, the next probe.

The order of causes is total and depends on the evidence alone: standing, symptoms explained, facts in
support, layer, code. There are no weights and no percentages.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vipkeeper.diagnose.facts import ARCHIVE, Evidence, Fact
from vipkeeper.diagnose.hypothesis import Hypothesis, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.judgement import Judgement, Truth, skew
from vipkeeper.diagnose.symptoms import (
    datastore_answers,
    etcd_ails,
    observed,
    servers_answer,
    vip_answers,
)
from vipkeeper.diagnose.vocabulary import Key


class Standing(enum.IntEnum):
    """How far the evidence goes for a hypothesis; the best first."""

    CONFIRMED = 0
    """Everything it needs is so, and nothing that would speak against it."""
    LIKELY = 1
    """Everything it needs is so; whether something speaks against it is not known."""
    POSSIBLE = 2
    """Some of what it needs is so, the rest is not known."""
    NOT_TESTED = 3
    RULED_OUT = 4

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Assessment:
    """A hypothesis held against the evidence."""

    hypothesis: Hypothesis
    standing: Standing
    because: tuple[Judgement, ...]
    """Requirements that are so."""
    missing: tuple[Judgement, ...]
    """Requirements and objections of which nothing is known."""
    against: tuple[Judgement, ...]
    """What ruled it out."""
    cleared: tuple[Judgement, ...]
    """Objections that are not so."""
    support: tuple[Judgement, ...]
    through: frozenset[Symptom] = frozenset()
    """What its consequences that stand as well would produce."""

    def explained(self, symptoms: Iterable[Symptom]) -> tuple[Symptom, ...]:
        """Those of the symptoms that it would produce, by itself or through its consequences."""
        own = self.through.union(self.hypothesis.explains)
        return tuple(s for s in symptoms if s in own)

    @property
    def fixes(self) -> tuple[Step, ...]:
        """The steps that may be shown: destructive ones only when the cause is confirmed."""
        sure = self.standing is Standing.CONFIRMED
        return tuple(s for s in self.hypothesis.fixes if sure or s.risk is not Risk.DESTRUCTIVE)

    @property
    def withheld(self) -> bool:
        """Whether a destructive step is not shown."""
        return len(self.fixes) < len(self.hypothesis.fixes)


class Verdict(enum.Enum):
    """What came out."""

    ROOT_CAUSE = "root-cause"
    HEALTHY = "healthy"
    UNDETERMINED = "undetermined"
    NOTHING = "nothing-to-look-at"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer, the same object for every form of output."""

    verdict: Verdict
    symptoms: tuple[tuple[Symptom, Judgement], ...]
    roots: tuple[Assessment, ...]
    """Confirmed or likely causes that between them explain the symptoms, the foremost first."""
    hidden: tuple[Assessment, ...]
    """Confirmed, wrong as well, and not needed to explain the symptoms."""
    consequences: tuple[Assessment, ...]
    """Confirmed or likely, and the consequence of a root cause."""
    possible: tuple[Assessment, ...]
    ruled_out: tuple[Assessment, ...]
    not_tested: tuple[Assessment, ...]
    unexplained: tuple[Symptom, ...]
    next_probe: Probe | None
    """None when nothing is left to settle, or no probe would settle it."""
    decides: tuple[str, ...]
    """The codes that the next probe would tell apart."""
    blind: tuple[Fact, ...]
    """What could not be collected."""
    skew_ms: int
    """The largest known difference between two clocks."""
    evidence: Evidence
    unseen: tuple[str, ...] = ()
    """What 'healthy' does not say: it is said of the VIP, and of what was seen."""
    incomplete: tuple[str, ...] = ()
    """Bundles that could not be read to their end: whatever the answer is, it rests on a part of them."""


def diagnose(evidence: Evidence, hypotheses: Sequence[Hypothesis]) -> Diagnosis:
    """Hold every hypothesis against the evidence and choose. The same evidence gives the same answer."""
    assessed = _linked([assess(evidence, hypothesis) for hypothesis in hypotheses])
    seen = observed(evidence)
    symptoms = tuple(symptom for symptom, _ in seen)
    standing = sorted(
        (a for a in assessed if a.standing <= Standing.LIKELY), key=lambda a: _order(a, symptoms)
    )
    codes = {a.hypothesis.code for a in standing}
    consequences = tuple(a for a in standing if codes.intersection(a.hypothesis.caused_by))
    roots, hidden, left = _cover([a for a in standing if a not in consequences], symptoms)
    open_ = sorted(
        (a for a in assessed if a.standing is Standing.POSSIBLE), key=lambda a: _order(a, symptoms)
    )
    rest = [a for a in assessed if a.standing is Standing.NOT_TESTED]
    likely = [a for a in standing if a.standing is Standing.LIKELY]
    verdict = _verdict(evidence, roots, symptoms)
    settled = not _is_open(verdict, roots, left)
    probe, decides = (None, ()) if settled else next_probe([*likely, *open_], rest)
    return Diagnosis(
        verdict=verdict,
        symptoms=seen,
        roots=roots,
        hidden=hidden,
        consequences=consequences,
        possible=tuple(open_),
        ruled_out=tuple(a for a in assessed if a.standing is Standing.RULED_OUT),
        not_tested=tuple(rest),
        unexplained=left,
        next_probe=probe,
        decides=decides,
        blind=tuple(fact for fact in evidence if not fact.known),
        skew_ms=skew(evidence.of(Key.CLOCK_OFFSET)),
        evidence=evidence,
        unseen=_unseen(evidence) if verdict is Verdict.HEALTHY else (),
        incomplete=tuple(dict.fromkeys(_incomplete(evidence))),
    )


def _unseen(evidence: Evidence) -> tuple[str, ...]:
    judged = (servers_answer.ask(evidence), datastore_answers.ask(evidence))
    return tuple(j.text for j in judged if j.truth is not Truth.TRUE)


def _incomplete(evidence: Evidence) -> Iterator[str]:
    for fact in evidence:
        if fact.source == ARCHIVE and not fact.known:
            yield (
                f"the bundle of {fact.about} could not be read whole ({fact.unknown}): the answer rests on the part that "
                "could be read; if it was cut on its way, fetch it again"
            )


def assess(evidence: Evidence, hypothesis: Hypothesis) -> Assessment:
    """Where one hypothesis stands."""
    needs = [p.ask(evidence) for p in hypothesis.requires]
    objections = [p.ask(evidence) for p in hypothesis.forbids]
    against = [j for j in needs if j.truth is Truth.FALSE]
    against += [j for j in objections if j.truth is Truth.TRUE]
    because = [j for j in needs if j.truth is Truth.TRUE]
    missing = [j for j in (*needs, *objections) if j.truth is Truth.UNKNOWN]
    if against:
        standing = Standing.RULED_OUT
    elif len(because) == len(needs):
        standing = Standing.LIKELY if missing else Standing.CONFIRMED
    else:
        standing = Standing.POSSIBLE if because else Standing.NOT_TESTED
    support = [j for p in hypothesis.supports if (j := p.ask(evidence)).truth is Truth.TRUE]
    return Assessment(
        hypothesis=hypothesis,
        standing=standing,
        because=tuple(because),
        missing=tuple(missing),
        against=tuple(against),
        cleared=tuple(j for j in objections if j.truth is Truth.FALSE),
        support=tuple(support),
    )


def _linked(assessed: Sequence[Assessment]) -> list[Assessment]:
    """Each with what follows from it: a cause explains what its consequences do."""
    standing = [a.hypothesis for a in assessed if a.standing <= Standing.LIKELY]

    def through(code: str, met: frozenset[str]) -> frozenset[Symptom]:
        effects = [h for h in standing if code in h.caused_by and h.code not in met]
        met = met.union(h.code for h in effects)
        own = frozenset(s for h in effects for s in h.explains)
        return own.union(*(through(h.code, met) for h in effects))

    codes = {h.code for h in standing}
    return [
        replace(a, through=through(a.hypothesis.code, frozenset({a.hypothesis.code})))
        if a.hypothesis.code in codes
        else a
        for a in assessed
    ]


def next_probe(
    rivals: Sequence[Assessment], untested: Sequence[Assessment]
) -> tuple[Probe | None, tuple[str, ...]]:
    """The probe that decides most rivals for its cost, and their codes.

    One for causes of which nothing is known is named only when none decides a rival.
    """
    candidates = {p for a in (*rivals, *untested) for p in a.hypothesis.probes}

    def decided(probe: Probe, among: Sequence[Assessment]) -> list[str]:
        return [a.hypothesis.code for a in among if probe.makes_known & _unknown_keys(a)]

    def order(probe: Probe) -> tuple[float, float, int, str, str]:
        of_rivals, of_others = (len(decided(probe, group)) for group in (rivals, untested))
        gain = (-of_rivals / probe.cost, -of_others / probe.cost)
        return (*gain, probe.cost, probe.command, probe.where)

    useful = [p for p in candidates if decided(p, rivals) or decided(p, untested)]
    if not useful:
        return None, ()
    best = min(useful, key=order)
    return best, tuple(sorted(decided(best, rivals) or decided(best, untested)))


def _unknown_keys(assessment: Assessment) -> frozenset[Key]:
    """The keys behind what is not known about a hypothesis."""
    return frozenset(key for judgement in assessment.missing for key in judgement.needs)


def _order(assessment: Assessment, symptoms: Sequence[Symptom]) -> tuple[int, int, int, int, str]:
    return (
        assessment.standing,
        -len(assessment.explained(symptoms)),
        -len({fact.id for j in assessment.support for fact in j.facts}),
        assessment.hypothesis.layer.value,
        assessment.hypothesis.code,
    )


def _cover(
    standing: Sequence[Assessment], symptoms: Sequence[Symptom]
) -> tuple[tuple[Assessment, ...], tuple[Assessment, ...], tuple[Symptom, ...]]:
    """Causes that explain the symptoms, confirmed ones that are not needed for it, and what is left over."""
    roots: list[Assessment] = []
    left = list(symptoms)
    pool = list(standing)
    while left and pool:
        best = min(pool, key=lambda a: (a.standing, -len(a.explained(left)), pool.index(a)))
        pool.remove(best)
        if best.explained(left):
            roots.append(best)
            explained = best.explained(left)
            left = [s for s in left if s not in explained]
    hidden = [a for a in standing if a not in roots and a.standing is Standing.CONFIRMED]
    if not symptoms:
        roots, hidden = hidden, []
    return tuple(roots), tuple(hidden), tuple(left)


def _verdict(
    evidence: Evidence, roots: Sequence[Assessment], symptoms: Sequence[Symptom]
) -> Verdict:
    if not any(fact.known for fact in evidence):
        return Verdict.NOTHING
    if roots:
        return Verdict.ROOT_CAUSE
    ails = etcd_ails.ask(evidence).truth is Truth.TRUE
    if not symptoms and not ails and vip_answers.ask(evidence).truth is Truth.TRUE:
        return Verdict.HEALTHY
    return Verdict.UNDETERMINED


def _is_open(verdict: Verdict, roots: Sequence[Assessment], left: Sequence[Symptom]) -> bool:
    """Whether a probe could still change the answer."""
    if verdict is Verdict.ROOT_CAUSE:
        return bool(left) or any(root.standing is Standing.LIKELY for root in roots)
    return verdict is Verdict.UNDETERMINED
