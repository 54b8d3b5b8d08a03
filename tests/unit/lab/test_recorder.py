"""What the drill's ear keeps of what it heard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab import addresses, sentinel
from vipkeeper.lab import recorder as recorders
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.topology import lan


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """One without probes."""
    monkeypatch.setattr(Recorder, "_start", lambda *_: None)
    return Recorder(lan(3), tmp_path)


@pytest.fixture
def watched(recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """One that has sentinels of two cores, as records only."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    one = Recorder(recorder.network, tmp_path, watched=True)
    for core in (0, 1):
        one._take(Record(Kind.READY, 1, 1, sentinel.name(core)))
    return one


def heard(recorder: Recorder, at: int, *names: str) -> None:
    """The client and these have said all until then."""
    recorder._take(Record(Kind.UDP_SENT, at, 7))
    for name in names:
        recorder._take(Record(Kind.HEARD, at, text=name))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorders, "_SETTLES_WITHIN", 0.0)
    monkeypatch.setattr(recorders, "_TOLD_WITHIN", 0.0)


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


def test_a_probe_that_waits_for_a_daemon_is_no_host_that_stands_still(watched: Recorder) -> None:
    window = Window(1000 * SECOND, 1003 * SECOND)
    watched._take(Record(Kind.LATE, window.end, 3_000_000))
    assert watched.stalls(0) == []
    assert watched.late(window) == 0
    assert watched.worst_lateness_us == 3_000_000
    watched._take(Record(Kind.CORE_LATE, window.end, 2_000_000))
    assert watched.stalls(0) == [Window(1001 * SECOND, 1003 * SECOND)]
    assert watched.late(window) == 2 * SECOND


def test_without_a_sentinel_a_probe_says_how_late_the_host_is(recorder: Recorder) -> None:
    recorder._take(Record(Kind.LATE, 1003 * SECOND, 3_000_000))
    assert recorder.late(Window(1000 * SECOND, 1001 * SECOND)) == 3 * SECOND


def test_where_a_sentinel_has_no_priority_a_probe_says_how_late_the_host_is(
    watched: Recorder,
) -> None:
    watched._take(Record(Kind.READY, 1, 0, sentinel.name(1)))
    watched._take(Record(Kind.LATE, 1003 * SECOND, 3_000_000))
    assert watched.late(Window(1000 * SECOND, 1001 * SECOND)) == 3 * SECOND


@pytest.mark.usefixtures("impatient")
def test_probes_that_nobody_hears_are_a_failed_lab_unless_the_host_stood_still(
    watched: Recorder,
) -> None:
    end = now() - 5 * SECOND
    for core in (0, 1):
        watched._take(Record(Kind.HEARD, now(), text=sentinel.name(core)))
    watched._take(Record(Kind.LATE, now(), 5_000_000))
    with pytest.raises(LabError, match="probes were not heard"):
        watched.settle(end)
    watched._take(Record(Kind.CORE_LATE, now(), 4_000_000))
    watched.settle(end)
    assert watched.late(Window(end, now())) >= 5 * SECOND


@pytest.mark.usefixtures("impatient")
def test_a_core_whose_sentinel_is_silent_stands_still_still(watched: Recorder) -> None:
    end, silent = now(), now() - 2 * SECOND
    heard(watched, end + SECOND, addresses.NAME, sentinel.name(0))
    watched._take(Record(Kind.HEARD, silent, text=sentinel.name(1)))
    watched.settle(end)
    (stall,) = watched.stalls(SECOND)
    assert stall.start == pytest.approx(silent, abs=1000)
    assert stall.end >= end


def test_a_standstill_across_the_end_of_an_act_is_waited_for(
    watched: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = now()
    heard(watched, end + SECOND, addresses.NAME, sentinel.name(0))

    listened = iter((False, True))

    def wakes(_: float = 0.0) -> None:
        if not next(listened):
            return
        watched._take(Record(Kind.CORE_LATE, end + 500 * MILLISECOND, 2_000_000))
        watched._take(Record(Kind.HEARD, end + 510 * MILLISECOND, text=sentinel.name(1)))

    monkeypatch.setattr(watched, "pump", wakes)
    watched.settle(end)
    assert watched.late(Window(end - SECOND, end)) == 2 * SECOND


def test_a_recorder_that_had_no_processor_itself_hears_what_was_written_meanwhile(
    watched: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = now()
    monkeypatch.setattr(watched, "wait", lambda *_: False)
    names = (addresses.NAME, *map(sentinel.name, (0, 1)))
    monkeypatch.setattr(watched, "watch", lambda _: heard(watched, end + SECOND, *names))
    watched.settle(end)
    assert watched.stalls(0) == []


def test_nothing_is_forgotten_that_is_needed(recorder: Recorder) -> None:
    for second in range(1, 6):
        recorder._take(Record(Kind.UDP_SENT, second * SECOND, second))
        recorder._take(Record(Kind.UDP_ANSWERED, second * SECOND + 1, second, f"cp{second}"))
        recorder._take(Record(Kind.ARP_ASKED, second * SECOND))
    recorder.needed = 3 * SECOND
    recorder.forget(5 * SECOND)
    assert sorted(recorder.udp.answered) == [3, 4, 5]
    assert [at for at, _ in recorder.answerers()] == [3 * SECOND, 4 * SECOND, 5 * SECOND]
    assert [name for _, name in recorder.served] == ["cp2", "cp3", "cp4", "cp5"]
    recorder.needed = None
    recorder.forget(9 * SECOND)
    assert recorder.udp.started == {}
    assert recorder.served == [(5 * SECOND + 1, "cp5")]
