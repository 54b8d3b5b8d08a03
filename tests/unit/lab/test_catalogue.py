"""The scenario library as data: whole, unambiguous, and clear about what it cannot do."""

from __future__ import annotations

import itertools
import re

import pytest

from vipkeeper.errors import UsageError
from vipkeeper.lab import catalogue
from vipkeeper.lab.act import Act, Runs
from vipkeeper.lab.acts import STORY
from vipkeeper.lab.catalogue import FAULTS, LEFT_OUT, SCENARIOS, Suite
from vipkeeper.lab.needs import Need, lacking


def named(name: str) -> Act:
    return next(act for act in SCENARIOS if act.name == name)


def test_every_fault_of_the_catalogue_is_played_or_left_out_with_a_reason() -> None:
    played = {number for act in SCENARIOS for number in act.numbers}
    assert set(FAULTS) == set(range(1, 51))
    assert played | set(LEFT_OUT) == set(FAULTS)


def test_two_acts_one_of_which_lets_a_stranger_answer_do_not_count_who_answers() -> None:
    with_stranger, without = catalogue.find(["vip-taken+holder-deaf", "loss+holder-deaf"])
    assert "two servers answer" not in with_stranger.expects
    assert "two servers answer" in without.expects


def test_names_are_one_of_a_kind_and_can_be_laid_together() -> None:
    names = [act.name for act in SCENARIOS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) for name in names)


def test_every_scenario_says_what_must_be_seen() -> None:
    assert [act.name for act in SCENARIOS if not (act.expects and act.story)] == []


def test_full_suite_is_everything_once_and_smoke_is_a_part_of_it() -> None:
    full, smoke = catalogue.suite(Suite.FULL), catalogue.suite(Suite.SMOKE)
    assert sorted(a.name for a in full) == sorted(a.name for a in SCENARIOS)
    assert {act.name for act in smoke} < {act.name for act in full}
    assert catalogue.suite(Suite.STORY) == STORY


def test_suites_build_each_topology_once() -> None:
    servers = [act.servers for act in catalogue.suite(Suite.FULL)]
    changes = sum(one != other for one, other in itertools.pairwise(servers))
    assert changes == len(set(servers)) - 1


def test_unknown_name_is_answered_with_the_nearest_also_within_a_pair() -> None:
    with pytest.raises(UsageError, match="'corruptd'; did you mean 'corrupted'"):
        catalogue.find(["loss+corruptd"])


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ("stall+sigterm", "both break the daemon of the holder"),
        ("power-off+api-slow", "without power"),
        ("link-down+frozen", "without power"),
        ("loss+loss", "the same fault twice"),
        ("elect+loss", "'elect' can only be played alone"),
        ("loss+stall+ring", "two acts"),
        ("all-unready+api-slow", "both break the API server of the holder"),
    ],
)
def test_impossible_pair_is_refused_in_a_line_that_says_why(pair: str, why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)) as refused:
        catalogue.find([pair])
    assert "\n" not in str(refused.value)


def test_pair_needs_what_both_need() -> None:
    (both,) = catalogue.find(["ring+reload-vip"])
    assert both.servers == 5
    assert both.managers is Runs.VIPKEEPER
    (pair,) = catalogue.find(["quota-10+loss"])
    assert pair.needs == named("quota-10").needs
    assert pair.spoils


def test_faults_of_frames_stand_beside_each_other() -> None:
    (pair,) = catalogue.find(["loss+backup-deaf"])
    assert pair.name == "loss+backup-deaf"


def test_what_is_lacking_is_said_for_each_need() -> None:
    there, absent = Need("one", lambda: ""), Need("other", lambda: "the other is not installed")
    assert lacking((there,)) == ""
    assert lacking((there, absent)) == "the other is not installed"
