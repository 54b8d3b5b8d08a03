"""The compiled simulator is only used where it plays as the sources do, and made anew when they change."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
from pathlib import Path

import pytest
from tools import compiled
from tools.compiled import AS_IT_IS, What

RUN = {"seed": 1, "trace": "aa", "outcome": "Result()"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of src/ that a test may change."""
    folder = tmp_path / "src"
    shutil.copytree(compiled.SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_another_source_is_another_build(source: Path) -> None:
    before = compiled.key(source)
    assert compiled.key(source) == before
    with (source / "vipkeeper" / "core" / "node.py").open("a", encoding="utf-8") as file:
        file.write("# Another comment.\n")
    assert compiled.key(source) != before


def test_all_that_decides_and_simulates_is_compiled() -> None:
    names = compiled.modules()
    assert {"vipkeeper/core/node.py", "vipkeeper/sim/world.py"} <= set(names)
    assert not [name for name in compiled.INTERPRETED if not (compiled.SOURCE / name).is_file()]


@pytest.mark.parametrize("other", [[], [RUN | {"trace": "ab"}], [RUN | {"outcome": "Result(1)"}]])
def test_a_seed_that_plays_otherwise_is_named(other: list[dict[str, object]]) -> None:
    assert compiled.differences([RUN], [dict(RUN)]) == []
    assert compiled.differences([RUN], other) == [1]
    assert compiled.differences(other, [RUN]) == [1]


def test_a_package_that_decides_otherwise_does_not_pass_the_proof(source: Path) -> None:
    types = source / "vipkeeper" / "core" / "types.py"
    text = types.read_text(encoding="utf-8")
    types.write_text(text.replace("suspect_factor * self.advert_interval", "suspect_factor + 1"))
    way = compiled.Way(AS_IT_IS.name, source)
    with pytest.raises(compiled.CompileError, match="plays other traces: seed 2"):
        compiled.prove(way, [2], seconds=1)


def test_what_is_not_compiled_is_not_taken_for_compiled() -> None:
    way = compiled.Way("compiled", compiled.SOURCE)
    with pytest.raises(compiled.CompileError, match="which is not compiled"):
        compiled.play(way, [1], What.SPEED, 1)


def test_a_signal_to_who_waits_kills_the_compilers_too(tmp_path: Path) -> None:
    """SIGTERM as the bench has it: KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    script = f"sleep 60 & echo $! > {tmp_path}/pid; kill -TERM $PPID; wait"
    try:
        with pytest.raises(KeyboardInterrupt):
            compiled._run(["sh", "-c", script])
    finally:
        signal.signal(signal.SIGTERM, before)
    with contextlib.suppress(ProcessLookupError):  # when it is reaped already
        compiler = os.pidfd_open(int((tmp_path / "pid").read_text()))
        ended, _, _ = select.select([compiler], [], [], 10)
        os.close(compiler)
        assert ended, "a compiler goes on"
