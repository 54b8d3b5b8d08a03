"""Control groups: where they are, and what a killed drill left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vipkeeper.lab import cgroups
from vipkeeper.lab.cgroups import (
    ControlGroup,
    Controller,
    clear,
    find,
    hierarchies,
    lacking,
    let_go,
    owner_name,
    sweep,
)

V1 = "30 25 0:27 / {root}/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
V2 = "31 25 0:28 / {root}/unified rw - cgroup2 cgroup2 rw\n"


def mounts(root: Path, text: str) -> Path:
    path = root / "mountinfo"
    path.write_text(text.format(root=root))
    for name in ("cpu", "unified"):
        (root / name).mkdir(exist_ok=True)
    (root / "unified" / "cgroup.controllers").write_text("memory pids\n")
    (root / "unified" / "cgroup.subtree_control").write_text("\n")
    return path


def test_v1_goes_before_v2_and_v2_has_what_it_lists(tmp_path: Path) -> None:
    table = mounts(tmp_path, V1 + V2)
    cpu, memory, freezer = (find(controller, table) for controller in Controller)
    assert cpu is not None
    assert (cpu.version, cpu.path) == (1, tmp_path / "cpu")
    assert memory is not None
    assert memory.version == 2
    assert freezer is not None
    assert freezer.version == 2


def test_what_no_hierarchy_has_is_not_found(tmp_path: Path) -> None:
    assert find(Controller.MEMORY, mounts(tmp_path, V1)) is None


def test_lines_of_other_file_systems_are_left_out() -> None:
    assert hierarchies("1 2 0:3 / /proc rw - proc proc rw\nbroken\n\n - cgroup\n") == []


def test_sweep_removes_groups_of_drills_that_ended_and_no_others(tmp_path: Path) -> None:
    table = mounts(tmp_path, V1)
    ended = tmp_path / "cpu" / f"{cgroups.PREFIX}{os.getpid()}-1-cpu-cp1"
    ours = tmp_path / "cpu" / f"{owner_name()}-cpu-cp1"
    foreign = tmp_path / "cpu" / "vipkeeper-lab-of-somebody"
    for path in (ended, ours, foreign):
        path.mkdir()
    assert sweep(table) == [ended.name]
    assert (ended.exists(), ours.exists(), foreign.exists()) == (False, True, True)


def test_what_a_drill_holds_still_is_let_go_and_nobody_elses(tmp_path: Path) -> None:
    table = mounts(tmp_path, V1 + V2)
    ours, theirs = (f"{cgroups.PREFIX}{pid}-1" for pid in (7, 77))
    states = []
    for owner in (ours, theirs):
        for root, name, text in (
            ("cpu", "freezer.state", "FROZEN"),
            ("unified", "cgroup.freeze", "1"),
        ):
            group = tmp_path / root / f"{owner}-freezer-cp1"
            group.mkdir()
            (group / name).write_text(text)
            states.append(group / name)
    let_go(ours, table)
    assert [path.read_text() for path in states] == ["THAWED", "0", "FROZEN", "1"]


def test_what_a_drill_still_has_is_removed_when_it_has_ended(tmp_path: Path) -> None:
    table = mounts(tmp_path, V1)
    ours, theirs = (tmp_path / "cpu" / f"{cgroups.PREFIX}{pid}-1-cpu-cp1" for pid in (7, 77))
    for path in (ours, theirs):
        path.mkdir()
    clear(f"{cgroups.PREFIX}7-1", table)
    assert (ours.exists(), theirs.exists()) == (False, True)


@pytest.mark.parametrize(
    ("table", "root", "limits", "stat"),
    [
        (
            V1,
            "cpu",
            {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "5000"},
            "nr_periods 9\nnr_throttled 5\nthrottled_time 1500000000\n",
        ),
        (
            V2,
            "unified",
            {"cpu.max": "5000 100000"},
            "usage_usec 7\nnr_throttled 5\nthrottled_usec 1500000\n",
        ),
    ],
)
def test_quota_and_what_it_held_back_in_both_versions(
    tmp_path: Path, table: str, root: str, limits: dict[str, str], stat: str
) -> None:
    where = mounts(tmp_path, table)
    (tmp_path / "unified" / "cgroup.controllers").write_text("cpu memory\n")
    group = ControlGroup(Controller.CPU, "vipkeeper-lab-7-1-cpu", where)
    group.quota(5)
    (made,) = (tmp_path / root).glob("vipkeeper-lab-7-1-cpu*")
    assert {name: (made / name).read_text() for name in limits} == limits
    (made / "cpu.stat").write_text(stat)
    assert group.held_back() == 1.5


def test_a_root_that_hands_nothing_down_is_lacking(tmp_path: Path) -> None:
    """As in a container whose root group has processes of its own."""
    where = mounts(tmp_path, V2)
    control = tmp_path / "unified" / "cgroup.subtree_control"
    control.unlink()
    control.mkdir()
    assert "does not hand down its control of memory" in lacking(Controller.MEMORY, where)
    assert lacking(Controller.FREEZER, where) == ""


V1_MEMORY = "32 25 0:29 / {root}/cpu rw - cgroup cgroup rw,memory\n"
V1_FREEZER = "33 25 0:30 / {root}/cpu rw - cgroup cgroup rw,freezer\n"


@pytest.mark.parametrize(
    ("table", "root", "swap", "limits"),
    [
        (
            V1_MEMORY,
            "cpu",
            "memory.memsw.limit_in_bytes",
            {"memory.limit_in_bytes": "4096", "memory.memsw.limit_in_bytes": "4096"},
        ),
        (V2, "unified", "memory.swap.max", {"memory.max": "4096", "memory.swap.max": "0"}),
    ],
)
def test_limit_of_memory_and_swap_in_both_versions(
    tmp_path: Path, table: str, root: str, swap: str, limits: dict[str, str]
) -> None:
    group = ControlGroup(Controller.MEMORY, "vipkeeper-lab-7-1-memory", mounts(tmp_path, table))
    (made,) = (tmp_path / root).glob("vipkeeper-lab-7-1-memory*")
    group.limit(4096)
    assert not (made / swap).exists(), "a kernel that does not account for swap has no such file"
    (made / swap).write_text("max")
    group.limit(4096)
    assert {name: (made / name).read_text() for name in limits} == limits


@pytest.mark.parametrize(
    ("table", "root", "ordered", "shown", "frozen", "thawed"),
    [
        (V1_FREEZER, "cpu", "freezer.state", ("freezer.state", "FROZEN"), "FROZEN", "THAWED"),
        (
            V2,
            "unified",
            "cgroup.freeze",
            ("cgroup.events", "populated 1\nfrozen 1\n"),
            "1",
            "0",
        ),
    ],
)
def test_freezing_and_thawing_in_both_versions(
    tmp_path: Path, table: str, root: str, ordered: str, shown: tuple[str, str], frozen: str, thawed: str,
) -> None:  # fmt: skip
    group = ControlGroup(Controller.FREEZER, "vipkeeper-lab-7-1-freezer", mounts(tmp_path, table))
    made = tmp_path / root / "vipkeeper-lab-7-1-freezer"
    (made / shown[0]).write_text(shown[1])
    group.freeze()
    assert (made / ordered).read_text() == frozen
    group.thaw()
    assert (made / ordered).read_text() == thawed


@pytest.mark.parametrize(("before", "after"), [("\n", "-memory"), ("cpu memory\n", "cpu memory\n")])
def test_what_the_root_of_v2_hands_down_is_as_before_when_all_is_over(
    tmp_path: Path, before: str, after: str
) -> None:
    where = mounts(tmp_path, V2)
    control = tmp_path / "unified" / "cgroup.subtree_control"
    control.write_text(before)
    assert lacking(Controller.MEMORY, where) == ""
    assert control.read_text() == after
    control.write_text(before)
    ControlGroup(Controller.MEMORY, f"{cgroups.PREFIX}7-1-memory", where)
    assert control.read_text() == ("+memory" if after == "-memory" else before)
    clear(f"{cgroups.PREFIX}7-1", where)
    assert control.read_text() == after
    assert list((tmp_path / "unified").glob(f"{cgroups.PREFIX}*")) == []


def test_processes_go_back_to_the_group_they_were_in(tmp_path: Path) -> None:
    """What a group hands down it may not use itself, and in a container the top is such a group."""
    home = tmp_path / "unified" / "system.slice" / "drill.service"
    home.mkdir(parents=True)
    ((seen, _),) = hierarchies(V2.format(root=tmp_path))
    groups = "12:cpu,cpuacct:/elsewhere\n0::/system.slice/drill.service\n"
    assert seen.home(groups, Controller.CPU) == home
    assert seen.home("0::/gone\n", Controller.CPU) == tmp_path / "unified"
    assert seen.home("0::/../above\n", Controller.CPU) == tmp_path / "unified"
    ((part, _),) = hierarchies(V2.format(root=tmp_path).replace(" / ", " /system.slice "))
    assert part.home(groups, Controller.CPU) == tmp_path / "unified"
    ((first, _),) = hierarchies(V1.format(root=tmp_path))
    (tmp_path / "cpu" / "elsewhere").mkdir(parents=True)
    assert first.home(groups, Controller.CPU) == tmp_path / "cpu" / "elsewhere"
