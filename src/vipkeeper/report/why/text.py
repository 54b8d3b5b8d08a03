"""A diagnosis for a terminal: the root cause first, then why, what to do, and what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator

from vipkeeper.diagnose.engine import Assessment, Diagnosis, Standing, Verdict
from vipkeeper.diagnose.facts import Fact, shown
from vipkeeper.diagnose.judgement import Judgement
from vipkeeper.report.style import Style, Tone
from vipkeeper.report.why.commands import typed

WIDTH = 100
CITED = 6
"""Facts that are cited for one statement, and codes that a probe decides; more are counted."""
RIVALS = 6
"""Causes that are named as ruled out; the others are counted."""
SKEW_MS = 2000
"""From here on clocks that differ are worth a line."""

TitleOf = Callable[[str], str]
"""The title of a hypothesis by its code."""


def render(diagnosis: Diagnosis, title_of: TitleOf, style: Style) -> str:
    """The whole answer."""
    return "\n".join(_Report(diagnosis, title_of, style).lines()) + "\n"


class _Report:
    def __init__(self, diagnosis: Diagnosis, title_of: TitleOf, style: Style) -> None:
        self._d = diagnosis
        self._title_of = title_of
        self._style = style
        self._cited: dict[str, Fact] = {}

    def lines(self) -> Iterator[str]:
        """Part by part; the facts last, since the parts before say which are cited."""
        d = self._d
        for text in d.incomplete:
            yield from self._note(text)
        if d.verdict is Verdict.ROOT_CAUSE:
            for number, root in enumerate(d.roots):
                yield from self._cause("ROOT CAUSE" if number == 0 else "AND", root)
        else:
            yield from self._no_cause()
        for assessment in d.consequences:
            yield from self._brief("follows from it", assessment)
        for assessment in d.hidden:
            yield from self._cause("ALSO WRONG, hidden behind the root cause", assessment)
        if d.unexplained and d.roots:
            left = "; ".join(symptom.value for symptom in d.unexplained)
            yield from self._wrapped("not explained", f"{left}: a second fault is likely")
        yield from self._ruled_out()
        yield from self._possible()
        yield from self._blind()
        yield from self._evidence()

    def _note(self, text: str) -> Iterator[str]:
        for line in self._wrapped("INCOMPLETE", text):
            yield self._style.paint(line, Tone.WARN)
        yield ""

    def _cause(self, label: str, assessment: Assessment) -> Iterator[str]:
        hypothesis, standing = assessment.hypothesis, assessment.standing.word
        tone = Tone.BAD if assessment.standing is Standing.CONFIRMED else Tone.WARN
        title = self._style.text(self._title_of(hypothesis.code))
        yield self._style.paint(f"{label}  {hypothesis.code}  {title}  [{standing}]", tone)
        yield "  because"
        for judgement in (*assessment.because, *assessment.support):
            yield from self._statement("+", judgement)
        for judgement in assessment.missing:
            yield from self._statement("?", judgement)
        if assessment.cleared:
            yield "  also checked, and not against it"
        for judgement in assessment.cleared:
            yield from self._statement("+", judgement)
        yield "  how it leads to the symptom"
        for link in hypothesis.chain:
            yield from self._item("    ", link)
        explained = assessment.explained(symptom for symptom, _ in self._d.symptoms)
        if self._d.symptoms:
            words = "; ".join(symptom.value for symptom in explained) or "none of them"
            count = f"explains {len(explained)} of {len(self._d.symptoms)} symptoms"
            yield from self._item("  ", f"{count}: {words}")
        yield "  fix"
        for number, step in enumerate(assessment.fixes, 1):
            yield from self._item("    ", f"{number}. {step.head}{':' if step.command else ''}")
            if step.command:
                yield self._command(step.command, "       ")
        if assessment.withheld:
            yield from self._item(
                "    ", "(a step that loses data is shown once the cause is confirmed)"
            )
        yield "  then check"
        for command in hypothesis.verify:
            yield self._command(command, "    ")
        yield ""

    def _no_cause(self) -> Iterator[str]:
        if self._d.verdict is Verdict.HEALTHY:
            yield self._style.paint(
                "HEALTHY  the VIP answers, and nothing is found wrong.", Tone.GOOD
            )
            for text in self._d.unseen:
                yield from self._item("  ", text)
        elif self._d.verdict is Verdict.NOTHING:
            yield self._style.paint("NOTHING TO LOOK AT  no fact could be collected.", Tone.WARN)
        else:
            text = "UNDETERMINED  the evidence does not settle the cause."
            yield self._style.paint(text, Tone.WARN)
            for symptom, judgement in self._d.symptoms:
                yield from self._item("  ", f"seen: {symptom.value}{self._cites(judgement.facts)}")
        yield ""

    def _brief(self, label: str, assessment: Assessment) -> Iterator[str]:
        code = assessment.hypothesis.code
        facts = [fact for judgement in assessment.because for fact in judgement.facts]
        text = f"{code}  {self._title_of(code)}  [{assessment.standing.word}]{self._cites(facts)}"
        yield from self._wrapped(label, text)

    def _ruled_out(self) -> Iterator[str]:
        near = rivals(self._d)
        if near:
            yield "ruled out"
            for assessment in near:
                first = assessment.against[0]
                reason = f"{first.text}{self._cites(first.facts)}"
                yield from self._item("  ", f"{assessment.hypothesis.code}  {reason}", 7)

        rest = len(self._d.ruled_out) - len(near)
        if rest:
            more = "more " if near else ""
            causes = "cause is" if rest == 1 else "causes are"
            yield f"{rest} {more}{causes} ruled out; --output json names them with their facts"

    def _possible(self) -> Iterator[str]:
        if self._d.possible and self._d.verdict is not Verdict.HEALTHY:
            yield "still possible"
            for assessment in self._d.possible:
                code = assessment.hypothesis.code
                yield from self._item("  ", f"{code}  {self._title_of(code)}", 7)
                for judgement in assessment.because:
                    yield from self._item(
                        "      ", f"have: {judgement.text}{self._cites(judgement.facts)}"
                    )
                for judgement in assessment.missing:
                    yield from self._item(
                        "      ", f"need: {judgement.text}{self._cites(judgement.facts)}"
                    )
        probe = self._d.next_probe
        if probe and self._d.verdict is not Verdict.HEALTHY:
            where = (
                f"on {probe.where}, as root"
                if probe.privilege.value == "root"
                else f"on {probe.where}"
            )
            yield from self._wrapped("next probe", f"{where}:")
            yield self._command(probe.command, "    ")
            codes = self._d.decides
            more = f" and {len(codes) - CITED} more" if len(codes) > CITED else ""
            decides = ", ".join(codes[:CITED]) + more
            yield from self._item("  ", f"it changes nothing, and decides {decides}")

    def _blind(self) -> Iterator[str]:
        if self._d.blind:
            yield "could not collect"
            for fact in self._d.blind:
                about = f" of {fact.about}" if fact.about else ""
                yield from self._item("  ", f"{fact.id}  {subject(fact)}{about}: {fact.unknown}", 5)
        if self._d.skew_ms > SKEW_MS:
            yield from self._wrapped("clocks", f"differ by up to {self._d.skew_ms / 1000:.1f} s")

    def _evidence(self) -> Iterator[str]:
        cited = sorted(self._cited.values(), key=lambda fact: int(fact.id[1:]))
        if cited:
            yield "evidence"
        for fact in cited:
            about = f" of {fact.about}" if fact.about else ""
            seen = f", seen from {fact.vantage}" if fact.vantage else ""
            raw = f' "{fact.raw}"' if fact.raw else ""
            source = f"  ({fact.source})" if fact.source else ""
            text = f"{fact.id}  {subject(fact)}{about}{seen}: {shown(fact.value)}{raw}{source}"
            yield from self._item("  ", text, 5)

    def _statement(self, sign: str, judgement: Judgement) -> Iterator[str]:
        yield from self._item("    ", f"{sign} {judgement.text}{self._cites(judgement.facts)}", 2)

    def _cites(self, facts: Iterable[Fact]) -> str:
        distinct = {fact.id: fact for fact in facts}
        self._cited |= {i: fact for i, fact in distinct.items() if fact.known}
        ids = sorted(distinct, key=lambda i: int(i[1:]))
        more = f" and {len(ids) - CITED} more" if len(ids) > CITED else ""
        return f"  ({', '.join(ids[:CITED])}{more})" if ids else ""

    def _command(self, command: str, indent: str) -> str:
        """A command on a line of its own, however long: half of one that is pasted does something else."""
        return f"{indent}{self._style.text(typed(command, self._d))}"

    def _wrapped(self, label: str, text: str) -> Iterator[str]:
        yield from self._item("", f"{label}  {text}", 2)

    def _item(self, indent: str, text: str, hanging: int = 2) -> Iterator[str]:
        yield from textwrap.wrap(
            self._style.text(text) if "  " not in text else self._spaced(text),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent + " " * hanging,
            break_on_hyphens=False,
            break_long_words=False,
            drop_whitespace=True,
        )

    def _spaced(self, text: str) -> str:
        return "  ".join(self._style.text(part) for part in text.split("  "))


def rivals(diagnosis: Diagnosis) -> tuple[Assessment, ...]:
    """The causes that would explain a symptom and were ruled out; those that are half so come first."""
    symptoms = [symptom for symptom, _ in diagnosis.symptoms]
    near = [a for a in diagnosis.ruled_out if a.explained(symptoms)]
    near.sort(key=lambda a: (-len(a.because), -len(a.explained(symptoms)), a.hypothesis.code))
    return tuple(near[:RIVALS])


def subject(fact: Fact) -> str:
    """The key of a fact with its aspect."""
    return f"{fact.key.word} {fact.aspect}".rstrip()
