"""A diagnosis as JSON; docs/why.md describes the fields."""

from __future__ import annotations

import json
from typing import Any

from vipkeeper.diagnose.codec import to_json
from vipkeeper.diagnose.engine import Assessment, Diagnosis
from vipkeeper.diagnose.judgement import Judgement
from vipkeeper.report.why.commands import typed
from vipkeeper.report.why.text import TitleOf

SCHEMA_VERSION = 1


def render(diagnosis: Diagnosis, title_of: TitleOf) -> str:
    """The whole answer; the same evidence gives the same bytes."""
    probe = diagnosis.next_probe
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "verdict": diagnosis.verdict.value,
        "symptoms": [
            {"symptom": symptom.name.lower(), "text": symptom.value, "facts": _ids(judgement)}
            for symptom, judgement in diagnosis.symptoms
        ],
        "incomplete": list(diagnosis.incomplete),
        "unseen": list(diagnosis.unseen),
        "unexplained": [symptom.name.lower() for symptom in diagnosis.unexplained],
        "next_probe": probe
        and {
            "command": typed(probe.command, diagnosis),
            "where": probe.where,
            "privilege": probe.privilege.value,
            "decides": list(diagnosis.decides),
        },
        "clock_skew_ms": diagnosis.skew_ms,
        "facts": [{"id": fact.id, **to_json(fact)} for fact in diagnosis.evidence],
    }
    groups = ("roots", "hidden", "consequences", "possible", "ruled_out", "not_tested")
    for name in groups:
        document[name] = [_assessment(a, title_of, diagnosis) for a in getattr(diagnosis, name)]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _assessment(assessment: Assessment, title_of: TitleOf, diagnosis: Diagnosis) -> dict[str, Any]:
    hypothesis = assessment.hypothesis
    return {
        "code": hypothesis.code,
        "name": hypothesis.name,
        "title": title_of(hypothesis.code),
        "standing": assessment.standing.word.replace(" ", "-"),
        "because": [_judgement(j) for j in assessment.because],
        "support": [_judgement(j) for j in assessment.support],
        "cleared": [_judgement(j) for j in assessment.cleared],
        "against": [_judgement(j) for j in assessment.against],
        "missing": [_judgement(j) for j in assessment.missing],
        "chain": list(hypothesis.chain),
        "fixes": [
            {
                "risk": s.risk.value,
                "text": s.text,
                "command": typed(s.command, diagnosis),
                "only_if": s.only_if,
            }
            for s in assessment.fixes
        ],
        "steps_withheld": assessment.withheld,
        "verify": [typed(command, diagnosis) for command in hypothesis.verify],
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {"text": judgement.text, "facts": _ids(judgement)}


def _ids(judgement: Judgement) -> list[str]:
    return [fact.id for fact in judgement.facts]
