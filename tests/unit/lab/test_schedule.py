"""What a soak breaks is decided by its seed alone."""

from __future__ import annotations

from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.schedule import PAIR_EACH, QUIET, mending, step

ACTS = mending(SCENARIOS, 3)


def drawn(seed: int, index: int) -> tuple[str, int, float]:
    found = step(ACTS, seed, index, paired=True)
    return found.act.name, found.seed, found.quiet


def test_a_seed_decides_every_fault_also_from_the_middle_on() -> None:
    whole = [drawn(7, index) for index in range(200)]
    assert [drawn(7, index) for index in reversed(range(200))] == whole[::-1]
    assert [drawn(8, index) for index in range(200)] != whole
    assert all(QUIET[0] <= quiet <= QUIET[1] for _, _, quiet in whole)
    assert len({seed for _, seed, _ in whole}) > 190


def test_every_act_comes_once_before_any_comes_again_and_in_another_order_then() -> None:
    count = len(ACTS)
    singles = [n for n in range(3 * count) if n % PAIR_EACH != PAIR_EACH - 1][: 2 * count]
    names = [step(ACTS, 3, n, paired=True).act.name for n in singles]
    turns = (names[:count], names[count:])
    assert sorted(turns[0]) == sorted(turns[1]) == sorted(act.name for act in ACTS)
    assert turns[0] != turns[1]


def test_every_fourth_fault_is_two_at_once() -> None:
    names = [
        step(ACTS, 3, n, paired=True).act.name
        for n in range(PAIR_EACH - 1, 60 * PAIR_EACH, PAIR_EACH)
    ]
    assert all(name.count("+") == 1 for name in names)
    assert len(set(names)) > 40
    single = ACTS[:1]
    assert step(single, 3, PAIR_EACH - 1, paired=True).act is single[0]


def test_no_pair_comes_unasked() -> None:
    assert not any("+" in step(ACTS, 3, n).act.name for n in range(100))


def test_only_acts_that_leave_a_cluster_behind_are_drawn() -> None:
    names = {act.name for act in ACTS}
    assert {"power-off", "loss", "frozen", "api-unready"} <= names
    assert not names & {"elect", "wrong-key", "interface-removed", "ring", "one-server"}
