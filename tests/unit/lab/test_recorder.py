"""What the drill's ear keeps of what it heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab.measure import Window
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.topology import lan


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """One without probes."""
    monkeypatch.setattr(Recorder, "_start", lambda *_: None)
    return Recorder(lan(3), tmp_path)


def test_a_standstill_while_the_cluster_healed_is_known_when_the_act_is_over(
    recorder: Recorder,
) -> None:
    stall = Window(1000 * SECOND, 1003 * SECOND)
    recorder._take(Record(Kind.LATE, stall.end, 3_000_000))
    recorder._take(Record(Kind.LATE, 1004 * SECOND, 7_000))
    recorder.forget(1010 * SECOND)
    assert recorder.stalls(1000 * MILLISECOND) == [stall]
    assert recorder.late(Window(1010 * SECOND, 1040 * SECOND)) == 0


def test_what_probes_were_late_by_is_forgotten_in_the_end(recorder: Recorder) -> None:
    recorder._take(Record(Kind.LATE, 1000 * SECOND, 3_000_000))
    recorder.forget(2000 * SECOND)
    assert recorder.stalls(0) == []
