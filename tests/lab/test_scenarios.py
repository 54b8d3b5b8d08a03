"""The scenario library on real kernels: its tools do what they say, and what cannot be played is skipped by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vipkeeper.lab.act import Act
from vipkeeper.lab.box import in_box
from vipkeeper.lab.client import UDP_PORT
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.course import Course
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.processes import command, in_namespace, wait_for
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import LAN, lan

LIMIT = 240.0
pytestmark = [pytest.mark.lab, pytest.mark.timeout(LIMIT + 30)]


def play(directory: Path, *words: str) -> tuple[int, str, dict[str, Any]]:
    """A drill's exit code, progress and acts by name."""
    result = directory / "run.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "vipkeeper", "drill", *words),
            *("--output", f"json={result}", "--report", str(directory / "report")),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert result.exists(), done.stderr
    acts = json.loads(result.read_text())["acts"]
    return done.returncode, done.stderr, {act["name"]: act for act in acts}


ASK = f"""
import socket, sys, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(2)
for _ in range(10):
    began = time.monotonic()
    client.sendto(b"?", (sys.argv[1], {UDP_PORT}))
    try:
        client.recv(64)
        print((time.monotonic() - began) * 1000)
    except OSError:
        pass
"""


def answers(machine: str, address: str) -> list[float]:
    """Milliseconds to each answer to ten datagrams."""
    words = in_namespace(machine, sys.executable, "-c", ASK, address)
    return [float(line) for line in command(*words).split()]


def pinged(course: Course | None) -> list[float]:
    """From the client to a server that has this wire, in a box of its own."""
    found: list[float] = []

    def inside(directory: Path) -> bytes:
        cluster = Cluster(lan(1), directory / "cluster")
        cluster.build()
        server = cluster.servers["cp1"]
        cluster.power_on(server)
        wait_for(lambda: bool(answers("client", str(server.machine.address.ip))), 30.0)
        wire = cluster.insert_wire(server, course, "7") if course is not None else None
        times = answers("client", str(server.machine.address.ip))
        if wire is not None:
            cluster.remove_wire(server, wire)
            times += answers("client", str(server.machine.address.ip))
        return json.dumps(times).encode()

    assert in_box(inside, lambda data: found.extend(json.loads(data))) == 0
    return found


def test_wire_delays_both_ways_and_is_gone_when_it_is_taken_out() -> None:
    times = pinged(Course(delay=40))
    through, beside = times[:10], times[10:]
    assert len(through) == len(beside) == 10
    assert min(through) >= 80
    assert min(beside) < 40


def test_wire_in_a_burst_lets_nothing_through() -> None:
    times = pinged(Course(burst=600_000, burst_every=3600))
    assert len(times) == 10


def test_port_that_is_silent_stays_so_behind_a_wire() -> None:
    states: list[str] = []

    def inside(directory: Path) -> bytes:
        cluster = Cluster(lan(1), directory / "cluster")
        cluster.build()
        server = cluster.servers["cp1"]
        found = []

        def look() -> None:
            words = ("link", "show", "dev", cluster.port(server))
            (port,) = json.loads(command("bridge", "-n", LAN, "-j", *words))
            found.append(port["state"])

        cluster.cut(server)
        look()
        wire = cluster.insert_wire(server, Course(copies=2), "7")
        look()
        cluster.remove_wire(server, wire)
        look()
        cluster.connect(server)
        look()
        return json.dumps(found).encode()

    assert in_box(inside, lambda data: states.extend(json.loads(data))) == 0
    assert states == ["disabled", "disabled", "disabled", "forwarding"]


def test_act_of_another_manager_is_skipped_by_name_and_shows_nothing(tmp_path: Path) -> None:
    code, progress, acts = play(tmp_path, "reload-vip", "--manager", "keepalived")
    assert code == 2
    assert acts["reload-vip"]["verdict"] == "skipped"
    assert acts["reload-vip"]["reason"] == "keepalived has nothing that this act could break"
    assert "skipped reload-vip" in progress


def verdicts(*acts: Act) -> list[tuple[str, str]]:
    """Verdict and reason of acts of one server, played on one cluster."""
    found: list[tuple[str, str]] = []

    def inside(directory: Path) -> bytes:
        drill = Drill(Plan(acts), directory, Progress())
        drill.play()
        return json.dumps([(act.verdict.value, act.reason) for act in drill.results]).encode()

    assert in_box(inside, lambda data: found.extend(map(tuple, json.loads(data)))) == 0
    return found


def passing(play: Callable[[Stage], None], name: str) -> Act:
    """An act that expects nothing but what its faults show of themselves."""
    return Act(name, name, name, play, lambda stage, figures: [], servers=1)


def test_act_whose_fault_has_no_effect_fails() -> None:
    def cut_off_nobody(stage: Stage) -> None:
        everybody = [machine.name for machine in stage.cluster.network.machines]
        stage.cluster.wires.lose(100, ["client"], spared=everybody)
        stage.recorder.watch(0.3)

    def cut_off_the_client(stage: Stage) -> None:
        stage.cluster.wires.mute("client")
        stage.recorder.watch(0.3)

    nothing, something = verdicts(
        passing(cut_off_nobody, "nobody"), passing(cut_off_the_client, "client")
    )
    assert nothing == ("failed", "frames are lost, in fact: found 0 frames")
    assert something == ("passed", "")


def test_two_faults_at_once_are_laid_and_mended(tmp_path: Path) -> None:
    code, progress, acts = play(tmp_path, "backup-deaf+sigterm", "--set", "kernel_lease=6s")
    assert code == 0, progress
    act = acts["backup-deaf+sigterm"]
    assert len(act["faults"]) == 2
    assert all(span["end"] < act["length"] for span in act["faults"])
