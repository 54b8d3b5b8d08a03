"""The verdicts of the model's checker: what Spin did not finish never counts as proof."""

from __future__ import annotations

import pytest
from model.check import MODEL, read_output
from model.runs import RUNS, Run

HOLDS = "State-vector 92 byte, depth reached 248, errors: 0\n  144844 states, stored\n"
VIOLATED = (
    "pan:1: assertion violated  !(wrong) (at depth 60)\npan: wrote election.pml.trail\n"
    "Warning: Search not completed\n"
    "State-vector 92 byte, depth reached 60, errors: 1\n  16 states, stored\n"
)
PROPERTY = Run("stops", "S1", "STOP", 3)
MUTANT = Run("NO_CONFIRM", "S1", "STOP", 3, holds=False)


def test_a_complete_search_without_an_error_is_a_proof() -> None:
    found = read_output(HOLDS)
    assert (found.states, found.depth, found.verdict()) == (144844, 248, "holds")
    assert found.as_expected(PROPERTY)
    assert not found.as_expected(MUTANT)


def test_a_violation_is_what_a_mutant_needs() -> None:
    found = read_output(VIOLATED)
    assert found.verdict() == "violated"
    assert found.as_expected(MUTANT)
    assert not found.as_expected(PROPERTY)


@pytest.mark.parametrize(
    "output",
    [
        "error: max search depth too small\n" + HOLDS,
        "pan: out of memory\n" + HOLDS,
        "Warning: Search not completed\n" + HOLDS,
        HOLDS.replace("errors: 0", "errors: 1"),
        "Segmentation fault",
        "",
    ],
)
def test_a_search_cut_short_proves_nothing(output: str) -> None:
    found = read_output(output)
    assert not found.as_expected(PROPERTY)
    assert not found.as_expected(MUTANT)


def test_each_row_is_another_search() -> None:
    assert len({(run.options, run.holds) for run in RUNS}) == len(RUNS)


def test_each_mutant_has_a_switch_in_the_model_and_each_switch_a_mutant() -> None:
    """A misspelt switch would check the unmutated model."""
    text = MODEL.read_text(encoding="utf-8")
    named = {run.name for run in RUNS if run.name.isupper()}
    used = {line.split()[1] for line in text.splitlines() if line.startswith(("#ifdef", "#ifndef"))}
    known = used - {"TRACE", "N", "BUDGET", "K", "F", "LEASE", "TL", "STOPPED_AFTER", "GRACE"}
    known -= {"UNHEARD", "WITNESSED", "GATEWAY", "PROBES", "READY"}
    switches = {name for name in known if not name.startswith(("PROP_", "F_"))}
    assert named == switches
    for run in RUNS:
        for option in run.options:
            if option.startswith(("-DPROP_", "-DF_")):
                assert option.removeprefix("-D") in used


def test_the_document_records_each_row_with_its_property() -> None:
    document = (MODEL.parent.parent / "docs" / "model.md").read_text(encoding="utf-8")
    for run in RUNS:
        assert f"| {run.servers} | {run.label} | {run.name} |" in document
