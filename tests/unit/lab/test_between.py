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
from vipkeeper.lab import between, lateness, measure, soak
from vipkeeper.lab.act import TAKEOVER_BOUND, Act
from vipkeeper.lab.between import Course, Found
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.drill import _unplayed
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Window
from vipkeeper.lab.recorder import UDP_PATIENCE, Recorder
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.soak import QUIET_ACT, Soaking, new_record
from vipkeeper.lab.stage import Figures
from vipkeeper.lab.topology import lan
from vipkeeper.report.run import ActResult, Expectation, Verdict

FAULT = SCENARIOS[0]
WITHIN = 5 * SECOND
MENDED = Course(broken=True)
"""An act broke something just before."""


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
    for name in recorder._heard:
        recorder._take(Record(Kind.HEARD, window.end, text=name))


def calm(recorder: Recorder, *starved: Window) -> Course:
    """Nothing is broken."""
    return Course(False, (*recorder.stalls(SECOND), *starved), WITHIN)


def texts(found: Iterable[Found]) -> list[str]:
    return [one.text for one in found]


def stall(recorder: Recorder, window: Window) -> None:
    recorder._take(Record(Kind.CORE_LATE, window.end, window.length // 1000))


def test_while_a_cluster_comes_to_rest_nobody_waits_for_long(recorder: Recorder) -> None:
    ask(recorder, span(0, 9), [span(1, 3.5), span(5, 8.2)])
    assert texts(between.broken(recorder, span(0, 4), MENDED)) == []
    (found,) = texts(between.broken(recorder, span(0, 9), MENDED))
    assert found == "the client is without answer for 3200 ms, at most 3000 ms"


def test_the_last_questions_before_an_act_are_judged(recorder: Recorder) -> None:
    ask(recorder, span(0, 2), [span(0.99, 1.5)])
    (found,) = texts(between.broken(recorder, span(0, 1), calm(recorder)))
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
    answering, found = texts(between.broken(recorder, span(0, 6), MENDED))
    assert answering.startswith("two servers answer for the VIP for")
    assert found == kernels


def test_a_stall_excuses_what_it_overlaps_and_nothing_else(recorder: Recorder) -> None:
    ask(recorder, span(0, 20), [span(1, 5), span(10, 14), span(16, 18)])
    stall(recorder, span(10.5, 12.5))
    (found,) = texts(between.broken(recorder, span(0, 20), MENDED))
    assert "without answer for 4000 ms" in found
    assert texts(between.broken(recorder, span(5, 20), MENDED)) == []


def test_where_nothing_is_broken_a_client_waits_only_for_what_the_host_was_late_by_then(
    recorder: Recorder,
) -> None:
    ask(recorder, span(0, 30), [span(10, 10.055), span(20, 20.05)])
    stall(recorder, span(10.002, 10.052))
    assert texts(between.broken(recorder, span(0, 15), calm(recorder))) == []
    (found,) = texts(between.broken(recorder, span(0, 30), calm(recorder)))
    assert found == "the client is without answer for 50 ms, at most 20 ms"


def test_stretches_one_after_the_other_are_added_up_in_a_wait(recorder: Recorder) -> None:
    ask(recorder, span(0, 15), [span(10, 11.2)])
    stall(recorder, span(10, 10.62))
    stall(recorder, span(10.58, 11.19))
    assert texts(between.broken(recorder, span(0, 15), calm(recorder))) == []


def test_a_stretch_that_ends_as_a_wait_begins_excuses_none_of_it(recorder: Recorder) -> None:
    ask(recorder, span(0, 15), [span(10, 10.9)])
    stall(recorder, span(9.102, 10.002))
    (found,) = texts(between.broken(recorder, span(0, 15), calm(recorder)))
    assert found == "the client is without answer for 900 ms, at most 22 ms"


def test_where_nothing_is_broken_a_move_may_come_of_a_standstill_just_before(
    recorder: Recorder,
) -> None:
    ask(recorder, span(0, 20), [span(4, 4.4), span(10, 10.4)])
    stall(recorder, span(1, 3))
    assert texts(between.broken(recorder, span(0, 8), calm(recorder))) == []
    (found,) = texts(between.broken(recorder, span(0, 20), calm(recorder)))
    assert "400 ms, at most 20 ms" in found


def moves(recorder: Recorder, *instants: float) -> None:
    """The VIP goes from cp1 to the next one, and on."""
    for number, at in enumerate(instants, 1):
        old, new = (f"cp{one % 3 + 1}" for one in (number - 1, number))
        if number == 1:
            recorder._take(Record(Kind.ADDRESS_ADDED, -1, text=old))
        recorder._take(Record(Kind.ADDRESS_REMOVED, ns(at) - MILLISECOND, text=old))
        recorder._take(Record(Kind.ADDRESS_ADDED, ns(at), text=new))


def figures(recorder: Recorder, window: Window, *answering: str) -> Figures:
    found = recorder.changes()
    holders = measure.holders(found, window.end)
    return cast(Figures, SimpleNamespace(
        window=window, moves=len(measure.moves(found, window)), left_behind=(),
        changes=tuple(one for one in found if one.at in window),
        holders=holders, answerers=set(answering) or holders,
    ))  # fmt: skip


def not_met(judged: Iterable[Expectation]) -> list[str]:
    return [f"{one.text}: {one.found}" for one in judged if not one.met]


def unmet(recorder: Recorder, course: Course) -> list[str]:
    """What a quiet spell of half a minute does not show."""
    return not_met(
        between.nothing_happens(recorder, figures(recorder, span(0.01, 30), "cp1"), course)
    )


@pytest.mark.parametrize(("late", "met"), [(10.0, True), (5.0, False)])
def test_one_late_moment_of_a_quiet_spell_excuses_no_other(
    recorder: Recorder, late: float, met: bool
) -> None:
    recorder._take(Record(Kind.ADDRESS_ADDED, 0, text="cp1"))
    ask(recorder, span(0, 31), [span(10, 10.8)])
    stall(recorder, span(late, late + 0.8))
    found = unmet(recorder, calm(recorder))
    assert (found == []) is met
    assert met or "without answer for 800 ms, at most 20 ms" in found[0]


def test_a_move_that_is_excused_excuses_nothing_later_in_the_quiet_spell(
    recorder: Recorder,
) -> None:
    moves(recorder, 3, 3.5, 4)
    ask(recorder, span(0, 31), [span(3, 3.3), span(20, 20.9)])
    starved = span(0.9, 2)
    (found,) = unmet(recorder, calm(recorder, starved))
    assert "without answer for 900 ms, at most 20 ms" in found
    moved, waited = unmet(recorder, calm(recorder))
    assert moved == "the VIP does not move: 3 moves, 6 changes of addresses"
    assert waited == found


def test_who_answers_as_a_quiet_spell_ends_is_not_asked_while_a_move_may_come(
    recorder: Recorder,
) -> None:
    moves(recorder, 29.9)
    ask(recorder, span(0, 31))
    assert unmet(recorder, calm(recorder, span(27, 29))) == []
    assert "at the end one server has the VIP" in unmet(recorder, calm(recorder))[1]


def test_two_that_answer_where_nothing_is_broken_are_two_too_many(recorder: Recorder) -> None:
    ask(recorder, span(0, 1))
    other = recorder.network.servers[1].mac.replace(":", "")
    recorder._take(Record(Kind.ARP_ANSWERED, ns(0.5), text=other))
    (found,) = between.broken(recorder, span(0, 1), calm(recorder))
    assert (found.at, found.text) == (
        ns(0.5), "two servers answer for the VIP for 20 ms, at most 0 ms",
    )  # fmt: skip
    assert between.broken(recorder, span(0, 1), MENDED) == []
    assert between.broken(recorder, span(0, 1), calm(recorder, span(-2, -1))) == []


def test_what_is_mended_moves_the_vip_no_more_than_twice(recorder: Recorder) -> None:
    moves(recorder, 1, 2, 8)
    ask(recorder, span(0, 10))
    assert between.broken(recorder, span(0, 7), MENDED) == []
    third = Found(ns(8), "the VIP moves 3 times, at most 2")
    assert between.broken(recorder, span(0, 10), MENDED) == [third]
    excused = Course(True, (span(0.5, 1.6),), WITHIN)
    assert between.broken(recorder, span(0, 10), excused) == []


class Lab:
    """A drill whose clock, client and acts the test decides."""

    manager = Vipkeeper(100)

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.time = 0.0
        self.outages: list[Window] = []
        self.struck: list[str] = []
        self.comes_to_rest = 0.5
        """Seconds for which an act's own look at the cluster's health takes."""
        self.failed = ""
        self.judges = False
        """Quiet spells are judged by their figures."""
        self.after: list[Window] = []
        """When the host stands still after the verdict of an act."""
        ledger = SimpleNamespace(configured={"cp1": Configured("cp1", settings(0))})
        self.cluster: Any = SimpleNamespace(ledger=ledger, servers={})
        self.stage: Any = self._stage()

    def _stage(self) -> Any:
        stage = SimpleNamespace(cluster=self.cluster, recorder=self.recorder)
        stage.began, stage.broken, stage.victim = ns(self.time), [], None
        stage.struck = lambda: set(self.struck)
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
        if act.name == FAULT.name:
            stage.broken = [Window(ns(self.time + 0.1), ns(self.time + 1))]
        self.goes_on(act.seconds)
        for window in self.after:
            self.time = max(self.time, window.end / SECOND + 0.1)
            stall(self.recorder, window)
        window = Window(stage.began, stage.began + ns(act.seconds))
        found = figures(self.recorder, window)
        reason = self.failed
        if self.judges and act.name == QUIET_ACT.name:
            reason = "; ".join(not_met(act.judge(stage, found)))
        verdict = Verdict.FAILED if reason else Verdict.PASSED
        result = replace(_unplayed(act, run, reason, verdict), length=act.seconds)
        return replace(result, moves=found.moves)

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
    assert said(one) == ["between: the client is without answer for 8000 ms, at most 20 ms"]
    assert one.record.violations[0].at == pytest.approx(3, abs=0.01)
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


def test_between_a_quiet_spell_and_the_next_fault_nothing_may_happen(lab: Lab) -> None:
    one = soaking(lab)
    one._play(FAULT, 10.0, 3)
    one._play(QUIET_ACT, 2.0, None)
    moved = lab.time + 0.7
    moves(lab.recorder, moved)
    lab.outages = [span(moved - 0.4, moved)]
    one._play(FAULT, 10.0, 4)
    assert said(one) == [
        "between: the client is without answer for 400 ms, at most 20 ms",
        "between: the VIP moved although nothing was broken",
    ]
    assert one.record.violations[1].at == pytest.approx(moved, abs=0.01)


def test_after_a_fault_the_vip_may_move_as_things_are_mended(lab: Lab) -> None:
    one = soaking(lab)
    one._play(FAULT, 10.0, 3)
    moves(lab.recorder, lab.time + 0.2, lab.time + 0.6)
    one._play(QUIET_ACT, 2.0, None)
    assert said(one) == []


@pytest.mark.parametrize("quiet", [False, True])
def test_an_api_server_without_a_processor_excuses_a_move_of_a_quiet_spell(
    lab: Lab, quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.judges = True
    moves(lab.recorder, 3.0)
    monkeypatch.setattr(lateness, "starved", lambda *_: {span(1.5, 2.9)})
    one = soaking(lab, quiet=quiet)
    one._play(one._quiet, 20.0, None)
    assert said(one) == []
    assert len(one.record.moves) == 1


def test_what_an_act_did_to_an_api_server_excuses_nothing_once_all_is_mended(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.judges = True
    froze = span(2, 5)
    monkeypatch.setattr(
        lateness, "starved", lambda _, since, *__: {froze} if froze.end >= since else set()
    )
    one = soaking(lab)
    one._play(FAULT, 4.0, 3)
    moves(lab.recorder, lab.time + 2)
    one._play(one._quiet, 4.0, None)
    assert "the VIP does not move: 1 moves, 2 changes of addresses" in said(one)[0]


@pytest.mark.parametrize(
    ("most_moves", "starved", "verdict"),
    [(0, 1.4, Verdict.SKIPPED), (0, 0.9, Verdict.FAILED), (1, 1.4, Verdict.FAILED)],
)
def test_an_act_that_moves_nothing_has_shown_nothing_where_an_api_server_had_no_processor(
    lab: Lab,
    most_moves: int,
    starved: float,
    verdict: Verdict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab.failed = "the VIP does not move: found 1 moves"
    lab.struck = ["cp2"]
    moves(lab.recorder, 5)

    def found(_: Any, __: int, longer: int, struck: Iterable[str] = ()) -> set[Window]:
        one = span(3, 3 + starved)
        return {one} if one.length > longer and set(struck) == {"cp2"} else set()

    monkeypatch.setattr(lateness, "starved", found)
    one = soaking(lab)
    one._play(replace(FAULT, most_moves=most_moves), 10.0, 3)
    assert said(one) == ([lab.failed] if verdict is Verdict.FAILED else [])
    (fault,) = one.record.faults
    assert fault.stood_still == (1.4 if verdict is Verdict.SKIPPED else None)
