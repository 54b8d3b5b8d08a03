"""What is to be pasted into a shell stands whole on a line, in every answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vipkeeper.diagnose.engine import Assessment, Diagnosis, Standing, Verdict, diagnose
from vipkeeper.diagnose.facts import Evidence
from vipkeeper.diagnose.hypothesis import Hypothesis
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.report.style import Style
from vipkeeper.report.why import markdown, text

HYPOTHESES = {r.hypothesis.code: r.hypothesis for r in all_hypotheses()}


def confirmed(hypothesis: Hypothesis) -> Diagnosis:
    cause = Assessment(hypothesis, Standing.CONFIRMED, (), (), (), (), ())
    none = diagnose(Evidence(()), ())
    return replace(
        none,
        verdict=Verdict.ROOT_CAUSE,
        roots=(cause,),
        next_probe=next(iter(hypothesis.probes), None),
    )


@pytest.mark.parametrize("code", sorted(HYPOTHESES))
def test_no_command_is_broken(code: str) -> None:
    hypothesis = HYPOTHESES[code]
    diagnosis = confirmed(hypothesis)
    commands = {step.command for step in hypothesis.fixes if step.command}
    commands |= {probe.command for probe in hypothesis.probes[:1]}
    plain = text.render(diagnosis, str, Style(color=False, ascii=False))
    pasted = markdown.render(diagnosis, str)
    for told in (plain, pasted):
        assert commands <= {line.strip() for line in told.splitlines()}
    assert set(hypothesis.verify) <= {line.strip() for line in plain.splitlines()}


def test_who_resets_a_cluster_is_told_to_start_it_again() -> None:
    resets = [
        step.command
        for hypothesis in HYPOTHESES.values()
        for step in hypothesis.fixes
        if "--cluster-reset" in step.command
    ]
    assert len(resets) == 3
    for command in resets:
        assert command.endswith("--cluster-reset && systemctl start rke2-server")
