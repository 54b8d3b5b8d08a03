"""Phases of a takeover from the records of traces."""

from __future__ import annotations

import pytest

from vipkeeper.core.trace import TraceRecord
from vipkeeper.report.phases import milestones, phases, takeovers

MS = 1_000_000


def moved(at: int, before: str, after: str) -> TraceRecord:
    return TraceRecord(at * MS, "Transition", {"before": before, "after": after})


def done(at: int, outcome: str = "DONE") -> TraceRecord:
    return TraceRecord((at - 1) * MS, "AddressesDone", {"outcome": outcome, "finished": at * MS})


ANNOUNCED = TraceRecord(1471 * MS, "Announce", {})
CLAIM = [
    moved(1200, "BACKUP", "SUSPECT"),
    moved(1210, "SUSPECT", "HOLDOFF"),
    moved(1460, "HOLDOFF", "CLAIM"),
    done(1470),
    moved(1470, "CLAIM", "HOLDER"),
    ANNOUNCED,
]


def named(records: dict[str, list[TraceRecord]], back: int | None = None) -> dict[str, float]:
    found = milestones(
        records,
        start=1000 * MS,
        end=9000 * MS,
        faults=[1050 * MS],
        unserved=[] if back is None else [(1055 * MS, back * MS)],
    )
    assert found is not None
    return {p.name: round((p.end - p.start) * 1000, 3) for p in phases(found)}


def test_each_phase_ends_with_its_record() -> None:
    assert named({"cp2": CLAIM}, back=1480) == {
        "detect": 150,
        "confirm": 260,
        "claim": 10,
        "announce": 1,
        "client back": 9,
    }


def test_what_nobody_saw_is_left_out() -> None:
    assert list(named({"cp2": CLAIM})) == ["detect", "confirm", "claim", "announce"]
    assert list(named({"cp2": CLAIM[:3]}, back=1480)) == ["detect", "confirm"]


def test_a_suspicion_that_was_withdrawn_is_not_when_it_was_detected() -> None:
    earlier = [moved(1060, "BACKUP", "SUSPECT"), moved(1070, "SUSPECT", "BACKUP")]
    assert named({"cp2": [*earlier, *CLAIM]})["detect"] == 150


def test_a_holder_that_gives_the_vip_away_has_noticed_first() -> None:
    records = {
        "cp1": [moved(1100, "HOLDER", "RELEASE")],
        "cp2": [moved(1130, "BACKUP", "CLAIM"), done(1131)],
    }
    assert named(records) == {"detect": 50, "confirm": 30, "claim": 1}


def test_a_claim_that_failed_is_passed_over_for_one_that_did_not() -> None:
    failed = [moved(1300, "SUSPECT", "CLAIM"), done(1310, "FAILED")]
    found = milestones({"cp3": failed, "cp2": CLAIM}, start=1000 * MS, end=9000 * MS)
    assert found is not None
    assert found.server == "cp2"
    assert [one.server for one in takeovers({"cp3": failed, "cp2": CLAIM})] == ["cp3", "cp2"]


@pytest.mark.parametrize("fault", [None, 1500])
def test_nothing_without_a_claim_after_the_fault(fault: int | None) -> None:
    records = {"cp2": CLAIM if fault else [moved(1200, "BACKUP", "SUSPECT")]}
    faults = [] if fault is None else [fault * MS]
    assert milestones(records, start=1000 * MS, end=9000 * MS, faults=faults) is None


@pytest.mark.parametrize(
    ("faults", "detect"),
    [
        ([1050, 1100], None),  # which of them is why, nobody knows
        ([1050, 1055], 150),
        ([1055, 1050], 150),
        ([1050, 1500], 150),  # the second one came too late to be why
    ],
)
def test_a_takeover_is_counted_from_a_fault_only_where_one_can_be_why(
    faults: list[int], detect: float | None
) -> None:
    at = [fault * MS for fault in faults]
    found = milestones({"cp2": CLAIM}, start=1000 * MS, end=9000 * MS, faults=at)
    assert found is not None
    lengths = {p.name: round((p.end - p.start) * 1000, 3) for p in phases(found)}
    assert lengths.get("detect") == detect
    assert lengths["confirm"] == 260


@pytest.mark.parametrize(
    ("unserved", "back"),
    [
        ([(1050, 1060), (1300, 1480), (2000, 6000)], 9),  # the longest gap is another one
        ([(1050, 1060), (2000, 6000)], None),  # nobody waited for this takeover
        ([(1300, 9000)], None),  # the act was over first
        ([(1300, 1465)], 0),  # an answer that came before the announcement
        ([(1190, 1210), (1300, 1480)], 9),  # one that was over before anybody claimed is none of it
        ([(1190, 1210), (1300, 9000)], None),
        ([(1300, 1465), (1468, 1480)], 9),
    ],
)
def test_the_client_is_back_when_its_wait_for_this_takeover_ends(
    unserved: list[tuple[int, int]], back: float | None
) -> None:
    gaps = [(begin * MS, end * MS) for begin, end in unserved]
    found = milestones(
        {"cp2": CLAIM}, start=1000 * MS, end=9000 * MS, faults=[1050 * MS], unserved=gaps
    )
    assert found is not None
    lengths = {p.name: round((p.end - p.start) * 1000, 3) for p in phases(found)}
    assert lengths.get("client back") == back
