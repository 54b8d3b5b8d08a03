"""A diagnosis as one HTML page with its causal tree: no network, no script, light and dark."""

from __future__ import annotations

from functools import partial

from vipkeeper.diagnose.engine import Diagnosis, Verdict
from vipkeeper.diagnose.facts import shown
from vipkeeper.diagnose.judgement import Judgement
from vipkeeper.report.html import file, stylesheet, templates
from vipkeeper.report.why.commands import typed
from vipkeeper.report.why.text import TitleOf, subject

_HEADS = {
    Verdict.ROOT_CAUSE: "Root cause found",
    Verdict.HEALTHY: "Healthy: the VIP answers",
    Verdict.NOTHING: "Nothing to look at",
    Verdict.UNDETERMINED: "Undetermined: the evidence does not settle the cause",
}


def render(diagnosis: Diagnosis, title_of: TitleOf) -> str:
    """The page; the same text for the same evidence."""
    environment = templates()
    environment.globals |= {
        "title_of": title_of,
        "subject": subject,
        "ids": _ids,
    }
    environment.filters["value"] = shown
    environment.filters["typed"] = partial(typed, diagnosis=diagnosis)
    template = environment.from_string(file("why/page.html.j2"))
    return template.render(d=diagnosis, head=_HEADS[diagnosis.verdict], css=stylesheet()) + "\n"


def _ids(judgement: Judgement) -> list[str]:
    return [fact.id for fact in judgement.facts]
