"""What a soak breaks is decided by its seed alone."""

from __future__ import annotations

from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.schedule import QUIET, mending, step

ACTS = mending(SCENARIOS, 3)


def test_a_seed_decides_every_fault_also_from_the_middle_on() -> None:
    whole = [step(ACTS, 7, index) for index in range(200)]
    assert [step(ACTS, 7, index) for index in reversed(range(200))] == whole[::-1]
    assert [step(ACTS, 8, index) for index in range(200)] != whole
    assert all(QUIET[0] <= one.quiet <= QUIET[1] for one in whole)
    assert len({one.seed for one in whole}) > 190


def test_every_act_comes_once_before_any_comes_again_and_in_another_order_then() -> None:
    count = len(ACTS)
    turns = [[step(ACTS, 3, turn * count + n).act.name for n in range(count)] for turn in (0, 1)]
    assert sorted(turns[0]) == sorted(turns[1]) == sorted(act.name for act in ACTS)
    assert turns[0] != turns[1]


def test_only_acts_that_leave_a_cluster_behind_are_drawn() -> None:
    names = {act.name for act in ACTS}
    assert {"power-off", "loss", "frozen", "api-unready"} <= names
    assert not names & {"elect", "wrong-key", "interface-removed", "ring", "one-server"}
