"""Whatever way a drill ends, this host is as it was: namespaces, links, nftables, processes, mounts, /tmp."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import vipkeeper
from vipkeeper.lab import cgroups
from vipkeeper.lab.cgroups import Controller, hierarchies
from vipkeeper.lab.processes import SYSTEM_PATH, wait_for

pytestmark = pytest.mark.lab

PATIENCE = 30.0
MOUNTS = Path("/proc/self/mountinfo")
CONTROL = "cgroup.subtree_control"
MARK = "VIPKEEPER_TEST_MARK"
"""In the environment of a drill and so of every process it starts: finds them without guessing names."""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
WITHOUT_NAMESPACES = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
OURS = Path(vipkeeper.__file__).parent
LIBRARIES = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
"""The same packages for another interpreter of the same version."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


def system(*words: str) -> list[str]:
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    return done.stdout.splitlines()


def host_state() -> set[str]:
    """What a drill could leave behind on this host, without what other lab tests (vkh...) have."""
    found = {f"namespace {line.split()[0]}" for line in system("ip", "netns", "list") if line}
    found |= {f"link {line.split(':')[1].strip()}" for line in system("ip", "-o", "link")}
    found |= {f"nftables {line}" for line in system("nft", "list", "tables")}
    mounts = MOUNTS.read_text().splitlines()
    found |= {f"mount {line.split()[4]}" for line in mounts}
    found |= {f"control group {path}" for path in control_groups()}
    found |= {f"{path} hands down {words}" for path, words in handed_down().items()}
    return {entry for entry in found if "vkh" not in entry}


def handed_down() -> dict[Path, str]:
    """Which controllers each hierarchy of v2 lets the groups below its root have: the one setting that a drill changes."""
    roots = [one.path for one, _ in hierarchies(MOUNTS.read_text()) if one.version == 2]
    return {root: " ".join(sorted(state(root, CONTROL).split())) for root in roots}


def control_groups() -> list[Path]:
    """Those that drills made and have not removed."""
    roots = {hierarchy.path for hierarchy, _ in hierarchies(MOUNTS.read_text())}
    return [path for root in roots for path in root.glob(f"{cgroups.PREFIX}*")]


def marked(mark: str) -> list[str]:
    """The command lines of all living processes with this mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{entry.name} {words.decode(errors='replace')}")
        except OSError:
            continue  # it has just ended
    return found


@dataclass
class Drill:
    """A running drill in a session of its own, its temporary files in a directory of its own."""

    directory: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    process: subprocess.Popen[str] | None = None

    def start(
        self, *words: str, prefix: tuple[str, ...] = (), python: str = sys.executable
    ) -> subprocess.Popen[str]:
        temporary = self.directory / "tmp"
        temporary.mkdir(mode=0o777, exist_ok=True)
        temporary.chmod(0o777)
        report = self.directory / "report"
        report.mkdir(mode=0o777, exist_ok=True)
        report.chmod(0o777)
        program = [*prefix, python, "-m", "vipkeeper", "drill", *words]
        output = ["--output", "json", "--report", str(report)]
        self.process = subprocess.Popen(
            [*program, *output],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env={**LIBRARIES, MARK: self.mark, "TMPDIR": str(temporary)},
            start_new_session=True,
        )
        return self.process

    def nothing_left(self) -> None:
        """Processes that are being killed may take a moment; everything else must be gone with them."""
        end = time.monotonic() + PATIENCE
        while left := marked(self.mark):
            assert time.monotonic() < end, f"left running: {left}"
            time.sleep(0.02)
        assert list((self.directory / "tmp").iterdir()) == []


@pytest.fixture
def drill() -> Iterator[Drill]:
    """Its directory may be entered by anybody; pytest's own may not."""
    directory = Path(tempfile.mkdtemp(prefix="vipkeeper-test-"))
    directory.chmod(0o755)
    running = Drill(directory)
    before = host_state()
    try:
        yield running
        assert host_state() - before == set()
    finally:
        if running.process is not None and running.process.poll() is None:
            running.process.kill()
            running.process.communicate(timeout=PATIENCE)
        shutil.rmtree(directory)


@pytest.mark.parametrize("changed", ["cpu memory", ""])
def test_a_controller_that_is_handed_down_or_no_longer_is_a_leftover(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"31 25 0:28 / {tmp_path} rw - cgroup2 cgroup2 rw\n")
    monkeypatch.setattr(f"{__name__}.MOUNTS", table)
    (tmp_path / CONTROL).write_text("memory\n")
    before = host_state()
    (tmp_path / CONTROL).write_text(f"{changed}\n")
    assert host_state() - before == {f"{tmp_path} hands down {changed}"}


def python_for_everybody() -> str:
    """An interpreter that other users can run: this one may stand in root's home."""
    system_wide = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for python in (sys.executable, system_wide):
        # The shell in between has lost root's capabilities for certain when it starts Python.
        words = [*NOBODY, "sh", "-c", '"$0" -c "import vipkeeper.cli.drill, yaml"; exit $?', python]
        if (
            subprocess.run(
                words, capture_output=True, check=False, cwd="/", env=LIBRARIES
            ).returncode
            == 0
        ):
            return python
    pytest.skip("no Python with the project's packages can be run by other users")


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait for the first act's line, whatever came of it: from then on the next one is being played."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith(("passed", "FAILED")), line
    return line


def test_nothing_is_left_after_a_normal_end(drill: Drill) -> None:
    process = drill.start("elect")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert json.loads(out)["acts"][0]["verdict"] == "passed"
    drill.nothing_left()


def test_mark_finds_what_runs_in_the_box(drill: Drill) -> None:
    process = drill.start("elect", "answer")
    first_line(process)
    running = " ".join(marked(drill.mark))
    for program in ("lab.observer", "lab.client", "lab.standin", "vipkeeper run"):
        assert program in running
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    drill.nothing_left()


def test_nothing_is_left_after_ctrl_c_in_the_middle(drill: Drill) -> None:
    process = drill.start("elect", "answer")
    first_line(process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "drill: interrupted after 1 of 2 acts" in err.splitlines()
    assert "Traceback" not in err
    assert [act["name"] for act in json.loads(out)["acts"]] == ["elect"]
    drill.nothing_left()


def instants(seed: int) -> list[float]:
    """Seconds after the start: while modules are imported, the box is made, the cluster is built, it is played."""
    rng = random.Random(seed)
    return [rng.uniform(*span) for span in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 1), (1, 2))]


@pytest.mark.parametrize("instant", instants(7), ids=lambda instant: f"{instant:.3f}s")
def test_nothing_is_left_after_ctrl_c_at_any_instant(drill: Drill, instant: float) -> None:
    process = drill.start("elect", "answer")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(instant)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert str(OURS) not in err, "a traceback of ours"
    if "Traceback" not in err:  # while the interpreter itself starts
        assert process.returncode in (130, -signal.SIGINT), err
    drill.nothing_left()


def test_impatient_ctrl_c_does_no_harm(drill: Drill) -> None:
    process = drill.start("elect", "answer")
    first_line(process)
    for _ in range(5):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in err
    drill.nothing_left()


def test_nothing_is_left_after_sigkill_of_the_drill(drill: Drill) -> None:
    process = drill.start("elect", "answer")
    first_line(process)
    process.kill()
    process.wait(PATIENCE)
    drill.nothing_left()
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err


@as_root
def test_what_a_drill_killed_amid_a_frozen_machine_left_is_found_by_name(drill: Drill) -> None:
    if reason := cgroups.lacking(Controller.FREEZER):
        pytest.skip(reason)
    before = set(control_groups())
    process = drill.start("frozen", "--for", "60s")
    assert wait_for(lambda: bool(frozen(before)), PATIENCE * 2)
    (left,) = frozen(before)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert left.exists()
    second = drill.start("elect")
    _, err = second.communicate(timeout=PATIENCE * 2)
    assert second.returncode == 0, err
    assert f"drill: removed what a killed drill left: control group {left.name}" in err.splitlines()
    assert set(control_groups()) <= before
    drill.nothing_left()


@as_root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_amid_a_frozen_machine_ends_all_of_it(drill: Drill, number: signal.Signals) -> None:
    if reason := cgroups.lacking(Controller.FREEZER):
        pytest.skip(reason)
    before = set(control_groups())
    process = drill.start("frozen", "--for", "60s")
    assert wait_for(lambda: bool(frozen(before)), PATIENCE * 2)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "drill: interrupted after 0 of 1 acts" in err.splitlines()
    drill.nothing_left()
    assert set(control_groups()) <= before


def frozen(before: set[Path]) -> set[Path]:
    """The new groups in which everything stands still (cgroups(7), v1 and v2)."""
    new = set(control_groups()) - before
    return {path for path in new if state(path, "freezer.state") == "FROZEN"} | {
        path for path in new if "frozen 1" in state(path, "cgroup.events")
    }


def state(path: Path, name: str) -> str:
    """A file of a group; empty where it has none, or has gone."""
    try:
        return (path / name).read_text().strip()
    except OSError:
        return ""


@as_root
def test_without_root_it_runs_in_a_user_namespace_or_says_what_would_allow_it(
    drill: Drill,
) -> None:
    process = drill.start("elect", prefix=NOBODY, python=python_for_everybody())
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    report = json.loads(out)
    if err.startswith("drill: cannot make network namespaces here"):
        assert "simulated" in report["conditions"]
    else:
        assert report["conditions"]["namespaces"] == "in a user namespace"
    assert report["acts"][0]["verdict"] == "passed"
    drill.nothing_left()


@as_root
def test_without_namespaces_it_says_so_first_and_plays_the_story_in_the_simulator(
    drill: Drill,
) -> None:
    process = drill.start("elect", "power-off", prefix=WITHOUT_NAMESPACES)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert err.startswith("drill: cannot make network namespaces here")
    assert "CAP_SYS_ADMIN" in err.splitlines()[0]
    report = json.loads(out)
    assert "simulated" in report["manager"]
    assert [(act["name"], act["verdict"]) for act in report["acts"]] == [
        ("elect", "passed"),
        ("power-off", "passed"),
    ]
    drill.nothing_left()


@as_root
def test_without_namespaces_an_act_that_needs_kernels_stops_with_one_clear_line(
    drill: Drill,
) -> None:
    process = drill.start("partial-cut", prefix=WITHOUT_NAMESPACES)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert out == ""
    assert err.startswith("vipkeeper: cannot make network namespaces here")
    assert len(err.splitlines()) == 1
    drill.nothing_left()


@as_root
@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_lab_test_that_cannot_run_says_why(ci: str, outcome: str) -> None:
    here = Path(__file__)
    done = subprocess.run(
        [
            *WITHOUT_NAMESPACES,
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"{here}::test_nothing_is_left_after_a_normal_end",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 2,
        cwd=here.parents[2],
        env={**os.environ, "CI": ci},
    )
    assert done.returncode == (1 if ci else 0)
    assert f"1 {outcome}" in done.stdout or (ci and "1 error" in done.stdout)
    assert "this root lacks CAP_SYS_ADMIN" in done.stdout
