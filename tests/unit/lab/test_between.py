"""No moment of a soak is judged by nobody: the cluster comes to rest between acts, and is watched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.cluster import settings
from vipkeeper.core.facts import Configured
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab import between, lateness, soak
from vipkeeper.lab.act import TAKEOVER_BOUND, Act
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.drill import _unplayed
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Window
from vipkeeper.lab.recorder import UDP_PATIENCE, Recorder
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.soak import QUIET_ACT, Soaking, new_record
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.lab.topology import lan
from vipkeeper.report.run import ActResult, Verdict

FAULT = SCENARIOS[0]
WITHIN = 5 * SECOND


def ns(seconds: float) -> int:
    return round(seconds * SECOND)


def span(start: float, end: float) -> Window:
    return Window(ns(start), ns(end))


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """One with sentinels, without any program."""
    monkeypatch.setattr(Recorder, "_start", lambda *_: None)
    return Recorder(lan(3), tmp_path, watched=True)


def ask(recorder: Recorder, window: Window, outages: Iterable[Window] = ()) -> None:
    """The client asks each 2 ms and the observer each 20; cp1 answers, but in outages nobody does."""
    mac = recorder.network.servers[0].mac.replace(":", "")
    for at in range(window.start, window.end, 2 * MILLISECOND):
        number = at // MILLISECOND
        recorder._take(Record(Kind.UDP_SENT, at, number))
        if not any(at in outage for outage in outages):
            recorder._take(Record(Kind.UDP_ANSWERED, at + 1, number, "cp1"))
        if number % 20 == 0:
            recorder._take(Record(Kind.ARP_ASKED, at))
            recorder._take(Record(Kind.ARP_ANSWERED, at + 1, text=mac))
    recorder._take(Record(Kind.HEARD, window.end))


def stall(recorder: Recorder, window: Window) -> None:
    recorder._take(Record(Kind.CORE_LATE, window.end, window.length // 1000))


def test_while_a_cluster_comes_to_rest_nobody_waits_for_long(recorder: Recorder) -> None:
    ask(recorder, span(0, 9), [span(1, 3.5), span(5, 8.2)])
    assert between.broken(recorder, span(0, 4), None) == []
    (found,) = between.broken(recorder, span(0, 9), None)
    assert found == "the client is without answer for 3200 ms, at most 3000 ms"


def test_the_last_questions_before_an_act_are_judged(recorder: Recorder) -> None:
    ask(recorder, span(0, 2), [span(0.99, 1.5)])
    (found,) = between.broken(recorder, span(0, 1), WITHIN)
    assert "without answer for 30 ms, at most 20 ms" in found


def test_two_that_hold_are_found_while_a_cluster_comes_to_rest(recorder: Recorder) -> None:
    recorder._take(Record(Kind.ADDRESS_ADDED, ns(0.1), text="cp1"))
    recorder._take(Record(Kind.ADDRESS_ADDED, ns(1), text="cp2"))
    recorder._take(Record(Kind.ADDRESS_REMOVED, ns(5), text="cp2"))
    other = recorder.network.servers[1].mac.replace(":", "")
    ask(recorder, span(0, 1))
    for at in range(ns(1), ns(2), 20 * MILLISECOND):
        recorder._take(Record(Kind.ARP_ANSWERED, at, text=other))
        ask(recorder, Window(at, at + 20 * MILLISECOND))
    ask(recorder, span(2, 6))
    kernels = "two kernels have the VIP for 4000 ms, at most 3000 ms"
    answering, found = between.broken(recorder, span(0, 6), None)
    assert answering.startswith("two servers answer for the VIP for")
    assert found == kernels


def test_a_stall_excuses_what_it_overlaps_and_nothing_else(recorder: Recorder) -> None:
    ask(recorder, span(0, 20), [span(1, 5), span(10, 14), span(16, 18)])
    stall(recorder, span(10.5, 12.5))
    (found,) = between.broken(recorder, span(0, 20), None)
    assert "without answer for 4000 ms" in found
    assert between.broken(recorder, span(5, 20), None) == []


def test_where_nothing_is_broken_a_client_waits_only_for_what_the_host_was_late_by_then(
    recorder: Recorder,
) -> None:
    ask(recorder, span(0, 30), [span(10, 10.055), span(20, 20.05)])
    stall(recorder, span(10.002, 10.052))
    assert between.broken(recorder, span(0, 15), WITHIN) == []
    (found,) = between.broken(recorder, span(0, 30), WITHIN)
    assert found == "the client is without answer for 50 ms, at most 20 ms"


def test_stretches_one_after_the_other_are_added_up_in_a_wait(recorder: Recorder) -> None:
    ask(recorder, span(0, 15), [span(10, 11.2)])
    stall(recorder, span(10, 10.62))
    stall(recorder, span(10.58, 11.19))
    assert between.broken(recorder, span(0, 15), WITHIN) == []


def test_a_stretch_that_ends_as_a_wait_begins_excuses_none_of_it(recorder: Recorder) -> None:
    ask(recorder, span(0, 15), [span(10, 10.9)])
    stall(recorder, span(9.102, 10.002))
    (found,) = between.broken(recorder, span(0, 15), WITHIN)
    assert found == "the client is without answer for 900 ms, at most 22 ms"


def test_where_nothing_is_broken_a_move_may_come_of_a_standstill_just_before(
    recorder: Recorder,
) -> None:
    ask(recorder, span(0, 20), [span(4, 4.4), span(10, 10.4)])
    stall(recorder, span(1, 3))
    assert between.broken(recorder, span(0, 8), WITHIN) == []
    (found,) = between.broken(recorder, span(0, 20), WITHIN)
    assert "400 ms, at most 20 ms" in found


def quiet_spell(recorder: Recorder) -> dict[str, bool]:
    figures = cast(Figures, SimpleNamespace(
        window=span(0, 30), moves=0, changes=(), holders=frozenset({"cp1"}),
        answerers=frozenset({"cp1"}), two_holders=0, left_behind=(),
    ))  # fmt: skip
    stage = cast(Stage, SimpleNamespace(recorder=recorder))
    return {one.text: one.met for one in QUIET_ACT.judge(stage, figures)}


@pytest.mark.parametrize(("late", "met"), [(10.0, True), (5.0, False)])
def test_one_late_moment_of_a_quiet_spell_excuses_no_other(
    recorder: Recorder, late: float, met: bool
) -> None:
    ask(recorder, span(0, 31), [span(10, 10.8)])
    stall(recorder, span(late, late + 0.8))
    limit = 820 if met else 20
    assert quiet_spell(recorder)[f"the client is without answer for at most {limit} ms"] is met


class Lab:
    """A drill whose clock, client and acts the test decides."""

    manager = Vipkeeper(100)

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.time = 0.0
        self.outages: list[Window] = []
        self.comes_to_rest = 0.5
        """Seconds for which an act's own look at the cluster's health takes."""
        self.failed = ""
        self.after: list[Window] = []
        """When the host stands still after the verdict of an act."""
        ledger = SimpleNamespace(configured={"cp1": Configured("cp1", settings(0))})
        self.cluster: Any = SimpleNamespace(ledger=ledger, servers={})
        self.stage: Any = self._stage()

    def _stage(self) -> Any:
        stage = SimpleNamespace(cluster=self.cluster, recorder=self.recorder)
        stage.began, stage.broken, stage.victim = ns(self.time), [], None
        return stage

    def goes_on(self, seconds: float) -> None:
        """Time passes; the client has asked a little further."""
        start, self.time = self.time, self.time + seconds
        ask(self.recorder, span(start + 0.1, self.time + 0.1), self.outages)

    def rest(self, _: Act) -> str:
        self.stage = self._stage()
        self.goes_on(0.5)
        return ""

    def perform(self, act: Act, run: int, _: int) -> ActResult:
        stage = self.stage = self._stage()
        self.goes_on(self.comes_to_rest)
        stage.began = ns(self.time)
        self.recorder.forget(stage.began - SECOND)
        if act is not QUIET_ACT and act.name == FAULT.name:
            stage.broken = [Window(ns(self.time + 0.1), ns(self.time + 1))]
        self.goes_on(act.seconds)
        for window in self.after:
            self.time = max(self.time, window.end / SECOND + 0.1)
            stall(self.recorder, window)
        verdict = Verdict.FAILED if self.failed else Verdict.PASSED
        return replace(_unplayed(act, run, self.failed, verdict), length=act.seconds)

    def keep_logs(self, _: str) -> None: ...

    def report(self) -> Any:
        return SimpleNamespace(conditions=dict.fromkeys(soak.CONDITIONS, ""))

    started_at = "2026-11-27T10:00:00Z"


@pytest.fixture
def lab(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Lab:
    one = Lab(recorder)
    ask(recorder, span(0, 0.1))
    watch = SimpleNamespace(start=0, look=lambda _: [], traces=dict)
    monkeypatch.setattr(soak, "now", lambda: ns(one.time))
    monkeypatch.setattr(soak, "Watch", lambda _: watch)
    monkeypatch.setattr(lateness, "starved", lambda *_: set())
    return one


def soaking(lab: Lab, *, quiet: bool = False) -> Soaking:
    record = new_record(7, 1.0, quiet, "2026-11-27T10:00:00Z", "1")
    return Soaking(cast(Any, lab), SCENARIOS[:1], record, lambda _: None, lambda *_: None)


def said(one: Soaking) -> list[str]:
    return [violation.text for violation in one.record.violations]


def test_a_healthy_cluster_is_found_healthy_and_its_samples_are_given_back(lab: Lab) -> None:
    one = soaking(lab)
    for _ in range(3):
        one._play(QUIET_ACT, 2.0, None)
        one._play(FAULT, 10.0, 3)
    assert said(one) == []
    assert one.record.outages == ()
    assert min(lab.recorder.udp.started.values()) > ns(lab.time) - 14 * SECOND


def test_an_outage_while_an_act_waits_for_the_cluster_to_come_to_rest_is_judged(lab: Lab) -> None:
    lab.comes_to_rest = 12.0
    lab.outages = [span(3, 11)]
    one = soaking(lab)
    one._play(FAULT, 10.0, 3)
    assert said(one) == ["between: the client is without answer for 8000 ms, at most 3000 ms"]
    (outage,) = one.record.outages
    assert (outage.start, outage.end) == pytest.approx((3, 11), abs=0.01)


def test_an_outage_that_two_looks_at_the_cluster_share_is_one(lab: Lab) -> None:
    one = soaking(lab)
    one._play(FAULT, 10.0, 3)
    begins = lab.time + 0.1
    lab.outages = [span(begins, begins + 3.5)]
    lab.comes_to_rest = 5.0
    one._play(QUIET_ACT, 2.0, None)
    assert said(one) == ["between: the client is without answer for 3500 ms, at most 3000 ms"]
    assert TAKEOVER_BOUND == 3 * SECOND


@pytest.mark.parametrize(
    ("late", "verdict"), [(span(3, 5), Verdict.SKIPPED), (span(12, 15), Verdict.FAILED)]
)
def test_a_host_that_stands_still_after_the_verdict_excuses_nothing(
    lab: Lab, late: Window, verdict: Verdict
) -> None:
    lab.failed = "the VIP moved twice"
    lab.after = [late]
    one = soaking(lab)
    one._play(FAULT, 10.0, 3)
    assert said(one) == ([lab.failed] if verdict is Verdict.FAILED else [])


@pytest.mark.parametrize(
    ("outage", "told"),
    [
        ((0.985, 1.201), [(0.985, 1.201)]),
        ((0.984, 1.010), [(0.984, 1.010)]),
        ((0.5, 1.201), [(0.5, 1.201)]),
        ((1.002, 1.201), [(1.002, 1.201)]),
        ((0.5, 0.982), [(0.5, 0.982)]),
        ((0.996, 1.002), []),
    ],
)
def test_an_outage_at_the_edge_of_what_is_gathered_at_once_is_told_whole(
    lab: Lab, outage: tuple[float, float], told: list[tuple[float, float]]
) -> None:
    one = soaking(lab)
    lab.outages = [span(*outage)]
    lab.goes_on(2.0)
    one._enter()
    one._collect(ns(1))
    one._collect(ns(2))
    found = [(one.start, one.end) for one in one.record.outages]
    assert found == [pytest.approx(each, abs=0.003) for each in told]
    assert UDP_PATIENCE == 20 * MILLISECOND
