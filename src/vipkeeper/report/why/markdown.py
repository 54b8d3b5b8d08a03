"""A diagnosis as Markdown, to paste into an issue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from textwrap import indent

from vipkeeper.diagnose.engine import Assessment, Diagnosis, Verdict
from vipkeeper.diagnose.facts import Fact, shown
from vipkeeper.diagnose.hypothesis import Step
from vipkeeper.diagnose.judgement import Judgement
from vipkeeper.report.style import one_line
from vipkeeper.report.why.commands import typed
from vipkeeper.report.why.text import TitleOf, subject

TypeIt = Callable[[str], str]
"""A command as it is to be typed."""
_HEADS = {
    Verdict.HEALTHY: "Healthy: the VIP answers, and nothing is found wrong",
    Verdict.NOTHING: "Nothing to look at",
    Verdict.UNDETERMINED: "Undetermined: the evidence does not settle the cause",
}


def render(diagnosis: Diagnosis, title_of: TitleOf) -> str:
    """The whole answer."""
    return "\n".join(_lines(diagnosis, title_of)) + "\n"


def _lines(diagnosis: Diagnosis, title_of: TitleOf) -> Iterator[str]:
    type_it = partial(typed, diagnosis=diagnosis)
    yield from _list("Incomplete", map(_plain, diagnosis.incomplete))
    if not diagnosis.roots:
        yield f"## {_HEADS[diagnosis.verdict]}\n"
    yield from _list("Not seen", diagnosis.unseen)
    for head, group in (("Root cause", diagnosis.roots), ("Also wrong", diagnosis.hidden)):
        for assessment in group:
            yield from _cause(head, assessment, title_of, type_it)
    yield from _list("Follows from it", (_title(a, title_of) for a in diagnosis.consequences))
    yield from _list("Not explained", (symptom.value for symptom in diagnosis.unexplained))
    yield from _list(
        "Ruled out",
        (f"{a.hypothesis.code}: {_said(a.against[0])}" for a in diagnosis.ruled_out),
    )
    yield from _list("Still possible", (_title(a, title_of) for a in diagnosis.possible))
    if diagnosis.next_probe:
        probe = diagnosis.next_probe
        yield f"**Next probe** on {probe.where}:\n\n{_block(type_it(probe.command))}\n"
    yield from _list(
        "Could not collect",
        (f"{subject(f)} {f.about}".rstrip() + f": {_plain(f.unknown)}" for f in diagnosis.blind),
    )
    yield "| | fact | value | source |"
    yield "|---|---|---|---|"
    yield from (_row(fact) for fact in diagnosis.evidence if fact.known)


def _cause(head: str, assessment: Assessment, title_of: TitleOf, type_it: TypeIt) -> Iterator[str]:
    yield f"## {head}: {_title(assessment, title_of)}\n"
    yield from _list("Because", map(_said, (*assessment.because, *assessment.support)))
    yield from _list("Not known", map(_said, assessment.missing))
    yield from _list("How it leads to the symptom", assessment.hypothesis.chain)
    yield from _list("Fix", (_step(step, type_it) for step in assessment.fixes))
    verify = assessment.hypothesis.verify
    yield from _list("Then check", (_code(type_it(command)) for command in verify))


def _list(head: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"* {item}" for item in items]
    if lines:
        yield f"**{head}**\n"
        yield from lines
        yield ""


def _title(assessment: Assessment, title_of: TitleOf) -> str:
    code = assessment.hypothesis.code
    return f"{code} {title_of(code)} ({assessment.standing.word})"


def _said(judgement: Judgement) -> str:
    ids = ", ".join(fact.id for fact in judgement.facts)
    return _plain(judgement.text) + (f" ({ids})" if ids else "")


def _row(fact: Fact) -> str:
    about = " ".join(filter(None, (fact.about, f"from {fact.vantage}" if fact.vantage else "")))
    value = shown(fact.value) + (f" {_code(fact.raw)}" if fact.raw else "")
    cells = (fact.id, f"{subject(fact)} {about}".rstrip(), value, fact.source)
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"


def _step(step: Step, type_it: TypeIt) -> str:
    if not step.command:
        return _plain(step.head)
    return f"{_plain(step.head)}:\n\n{indent(_block(type_it(step.command)), '  ')}\n"


def _block(command: str) -> str:
    """A command on a line of its own, to be copied."""
    return f"```sh\n{one_line(command)}\n```"


def _code(text: str) -> str:
    """Code in Markdown: no text of a log may end it."""
    return f"`{one_line(text).replace('`', chr(39))}`"


def _plain(text: str) -> str:
    """Foreign text that cannot be taken for HTML or a mention."""
    return one_line(text).replace("<", "&lt;").replace("@", "&#64;")
