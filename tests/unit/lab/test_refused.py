"""An act of a stranger's adverts has shown nothing where no daemon counted them."""

from __future__ import annotations

from vipkeeper.lab.refused import FORGED, RANDOM, Refused, expected

BEFORE = {name: Refused(7, {"wrong_key": 5}) for name in ("cp1", "cp2", "cp3")}


def after(*counts: int, reason: str = "wrong_key", run: int = 7) -> dict[str, Refused]:
    return {f"cp{i}": Refused(run, {reason: count}) for i, count in enumerate(counts, 1)}


def test_every_daemon_must_have_counted_some_since() -> None:
    said = expected(BEFORE, after(6, 8, 105), FORGED, alone=True)
    assert said.met
    assert said.found == "cp1 1, cp2 3, cp3 100"
    assert not expected(BEFORE, after(6, 5, 105), FORGED, alone=True).met
    assert not expected(BEFORE, BEFORE, FORGED, alone=True).met


def test_beside_another_fault_some_daemon_is_enough() -> None:
    assert expected(BEFORE, after(5, 6), FORGED, alone=False).met
    assert not expected(BEFORE, BEFORE, FORGED, alone=False).met


def test_daemons_that_say_nothing_are_no_effect() -> None:
    for alone in (True, False):
        said = expected({}, {}, FORGED, alone=alone)
        assert (said.met, said.found) == (False, "no daemon answers")


def test_a_daemon_that_has_become_silent_has_counted_nothing() -> None:
    said = expected(BEFORE, after(6, 6), FORGED, alone=True)
    assert (said.met, said.found) == (False, "cp1 1, cp2 1, cp3 silent")
    assert expected(BEFORE, after(6, 6), FORGED, alone=False).met


def test_a_daemon_that_was_started_again_counts_from_nothing() -> None:
    assert expected(BEFORE, after(2, 2, 2, run=8), FORGED, alone=True).found == (
        "cp1 2, cp2 2, cp3 2"
    )


def test_other_reasons_do_not_count() -> None:
    after_replays = after(50, 50, 50, reason="replayed")
    assert not expected({}, after_replays, FORGED, alone=True).met
    assert not expected({}, after_replays, RANDOM, alone=True).met
    assert expected({}, after(1, 1, 1, reason="bad_magic"), RANDOM, alone=True).met
