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
        ("link-down+power-off", "without power"),
        ("api-slow+frozen", "both need the API server of the holder"),
        ("sigterm+frozen", "both break the daemon of the holder"),
        ("interface-renamed+vip-deleted", "both need the addresses of the holder"),
        ("twice+interface-removed", "both need the wire of the holder"),
        ("sigterm+adverts-replayed", "both need the daemon of the holder"),
        ("backups-stopped+small-mtu", "both need the daemon of another server"),
        ("loss+loss", "the same fault twice"),
        ("elect+loss", "'elect' can only be played alone"),
        ("loss+stall+ring", "two acts"),
        ("all-unready+api-slow", "both break the API server of the holder"),
        ("reload-vip+daemon-killed", "both break the daemon of the holder"),
        ("reload-broken+backup-stall", "both break the daemon of another server"),
        ("reload-order+power-off", "without power"),
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


@pytest.mark.parametrize(
    "pair",
    [
        "link-down+frozen",
        "hog+reload-vip",
        "link-down+vip-deleted",
        "power-off+all-unready",
        "all-unready+reboot-skewed",
        "loss+restart-in-lease",
    ],
)
def test_possible_pair_is_not_refused(pair: str) -> None:
    assert catalogue.find([pair])


@pytest.mark.parametrize(
    ("pair", "moves"), [("twice+loss-5", 1), ("twice+sigterm", 2), ("crash-loop+jitter", 7)]
)
def test_pair_may_move_the_vip_once_more_than_both_faults_together(pair: str, moves: int) -> None:
    (both,) = catalogue.find([pair])
    assert f"at most {moves} move{'s' * (moves > 1)};" in f"{both.expects};"


@pytest.mark.parametrize("pair", ["loss+vip-taken", "corrupted+sigterm"])
def test_where_the_wire_deceives_the_kernels_are_asked(pair: str) -> None:
    (both,) = catalogue.find([pair])
    assert "two kernels" in both.expects
    assert "two servers answer" not in both.expects


def test_pair_lasts_as_long_as_the_player_says_where_one_of_both_has_no_end() -> None:
    lasting, ending = catalogue.find(["sigterm+loss", "sigterm+link-down"])
    assert (lasting.seconds, ending.seconds) == (8.0, 0.0)


def test_faults_of_frames_stand_beside_each_other() -> None:
    (pair,) = catalogue.find(["loss+backup-deaf"])
    assert pair.name == "loss+backup-deaf"


def test_what_is_lacking_is_said_for_each_need() -> None:
    there, absent = Need("one", lambda: ""), Need("other", lambda: "the other is not installed")
    assert lacking((there,)) == ""
    assert lacking((there, absent)) == "the other is not installed"
