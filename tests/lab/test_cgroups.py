"""A control group of version 2 on this kernel, where it has one: the lab itself takes version 1 where both are there."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vipkeeper.lab.cgroups import ControlGroup, Controller, clear, lacking, owner_name
from vipkeeper.lab.processes import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
MOUNTS = Path("/proc/self/mountinfo")
COUNT = "while :; do echo; sleep 0.01; done"


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Path]:
    """A table of mounts with version 2 alone."""
    lines = [line for line in MOUNTS.read_text().splitlines() if " - cgroup2 " in line]
    table = tmp_path / "mountinfo"
    table.write_text("".join(f"{line}\n" for line in lines))
    if reason := lacking(Controller.FREEZER, table):
        pytest.skip(reason)
    yield table
    clear(owner_name(), table)


def group_of(pid: int) -> str:
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return next(line for line in lines if line.startswith("0::"))


def test_version_2_freezes_and_gives_back(second: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as stream, subprocess.Popen(["sh", "-c", COUNT], stdout=stream) as counting:
        try:
            before = group_of(counting.pid)
            group = ControlGroup(Controller.FREEZER, f"{owner_name()}-freezer-cp1", second)
            group.add([counting.pid])
            assert group_of(counting.pid) != before
            assert wait_for(lambda: out.stat().st_size > 0, 10.0)
            group.freeze()
            size = out.stat().st_size
            time.sleep(0.2)
            assert out.stat().st_size == size
            group.thaw()
            assert wait_for(lambda: out.stat().st_size > size, 10.0)
            group.remove()
            assert group_of(counting.pid) == before
        finally:
            with contextlib.suppress(ProcessLookupError):
                counting.kill()
    table = [line.split()[4] for line in second.read_text().splitlines()]
    assert [path for root in table for path in Path(root).glob(f"{owner_name()}*")] == []
