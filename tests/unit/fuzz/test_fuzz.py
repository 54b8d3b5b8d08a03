"""The fuzz targets: their seeds pass, what they reach is what they are for, and a finding is reported."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import __main__ as program
from fuzz import engine, seeds
from fuzz.target import WEIGHTS, Target, load
from fuzz.targets import core as core_target
from fuzz.world import World
from vipkeeper.core.actions import Action, State, Transition
from vipkeeper.core.types import Instant
from vipkeeper.wire import echo, ndp
from vipkeeper.wire.advert import decode
from vipkeeper.wire.types import Advert

ROOT = Path(__file__).resolve().parents[3]


def test_every_target_has_a_module_a_weight_and_seeds() -> None:
    modules = {path.stem for path in (ROOT / "fuzz" / "targets").glob("*.py")}
    assert modules - {"__init__", "frames"} == set(WEIGHTS) == set(seeds.SEEDS)


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_nothing_is_found_in_the_corpus(name: str) -> None:
    target = load(name)
    assert target.corpus()
    for path in target.corpus():
        error = engine.replay(target, path)
        assert error is None, engine.report(target, path, error)


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_the_corpus_is_what_our_encoders_make(name: str) -> None:
    if name in ("echo", "ndp"):
        pytest.importorskip("scapy", reason="scapy is not installed")
    for seed, data in seeds.SEEDS[name]().items():
        path = engine.ROOT / "fuzz" / "corpus" / name / seed
        assert path.read_bytes() == data, f"{path.name}: write it anew: python -m fuzz.seeds"


def test_structured_changes_pass_the_gates_that_random_ones_do_not() -> None:
    rng = random.Random(1)
    advert, answers, neighbours = load("advert"), load("echo"), load("ndp")
    passed = {"advert": 0, "echo": 0, "ndp": 0}
    for _ in range(300):
        changed = [
            target.mutate(rng.choice(target.corpus()).read_bytes(), rng)
            for target in (advert, answers, neighbours)
            if target.mutate is not None
        ]
        passed["advert"] += isinstance(decode(changed[0], (bytes(range(32)),)), Advert)
        passed["echo"] += echo.decode_frame(changed[1]) is not None
        passed["ndp"] += ndp.decode_frame(changed[2]) is not None
    assert min(passed.values()) > 30, passed


def test_the_seeds_of_the_core_lead_into_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    carry_out = World._carry_out

    def watched(world: World, action: Action, at: Instant) -> object:
        if isinstance(action, Transition):
            seen.add(action.after)
        return carry_out(world, action, at)

    monkeypatch.setattr(World, "_carry_out", watched)
    for path in core_target.TARGET.corpus():
        core_target.check(path.read_bytes())
    assert seen == set(State)


def broken(data: bytes) -> None:
    if data.startswith(b"bad"):
        raise ValueError("cannot take it")


def test_a_finding_is_kept_and_reported_with_its_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = Target("arp", broken)
    monkeypatch.setattr(engine, "CRASHES", tmp_path)
    monkeypatch.setattr(engine, "load", lambda _: target)
    monkeypatch.setattr(Target, "corpus", lambda _: [tmp_path / "seed"])
    (tmp_path / "seed").write_bytes(b"bad input")
    assert engine.run_plain("arp", 0.0, 1, tmp_path) == 1
    (kept,) = (tmp_path / "arp").iterdir()
    assert kept.read_bytes() == b"bad input"
    told = capsys.readouterr().err
    assert "fuzz: arp: ValueError: cannot take it" in told
    assert f"./dev fuzz arp --replay {kept}" in told


def test_a_hang_is_a_finding() -> None:
    def endless(_: bytes) -> None:
        while True:
            pass

    with engine.time_limit(1):
        assert isinstance(engine.failure(Target("arp", endless), b""), engine.HangError)


def test_the_program_runs_every_target_and_says_which_engine(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "--seconds", "0", "--engine", "plain", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *each, last = done.stdout.splitlines()
    assert [line.split(": ")[1] for line in each] == list(WEIGHTS)
    assert all(line.split(": ")[2] != "0 inputs" for line in each)
    assert last.startswith("fuzz: engine plain, seed 1,")


def test_the_whole_time_of_all_workers_is_given_away() -> None:
    lanes = program.shares(list(WEIGHTS), 2)
    given: dict[str, float] = {}
    for lane in lanes:
        at = 0.0
        for name, begin, end in lane:
            assert begin == pytest.approx(at)
            at = end
            given[name] = given.get(name, 0.0) + end - begin
        assert at == pytest.approx(1.0)
    total = sum(WEIGHTS.values())
    assert given == pytest.approx({name: 2 * weight / total for name, weight in WEIGHTS.items()})
