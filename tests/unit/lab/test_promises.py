"""One trace of several daemons and the lab: what is planted in it is found, what the lab cannot know is no breach."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from support.cluster import settings
from support.story import Story
from vipkeeper.core.actions import Cause, Exit, SendAdvert, State, Transition
from vipkeeper.core.events import AdvertReceived, Tick
from vipkeeper.core.facts import (
    CLIENT,
    GATEWAY,
    AnswersChanged,
    ApiChanged,
    ApiState,
    Configured,
    DaemonChanged,
    DaemonState,
    Disturber,
    DisturberChanged,
    Escaped,
    FaultKind,
    Healed,
    HostChanged,
    PowerChanged,
    ServedChanged,
    StateKnown,
    VipChanged,
    WireChanged,
)
from vipkeeper.core.trace import Header, TraceRecord, line, parse
from vipkeeper.core.types import MILLISECOND
from vipkeeper.daemon.observer import Trace
from vipkeeper.lab.ledger import Ledger
from vipkeeper.lab.merging import Told
from vipkeeper.lab.promises import Judge, judge, merged
from vipkeeper.lab.topology import lan
from vipkeeper.lab.wires import Fault
from vipkeeper.report.trace import load_trace
from vipkeeper.wire.types import Role

END = 20_000 * MILLISECOND
NAMES = ("cp1", "cp2", "cp3")


class Act:
    """cp1 holds, cp2 and cp3 follow; daemons' lines and the lab's facts at times in milliseconds.

    Each daemon writes a tick each 100 ms, until it is told to be silent.
    """

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {name: [] for name in NAMES}
        self.silent_from: dict[str, int] = {}
        self.facts: list[Told] = [
            (1, Configured(name, settings(own))) for own, name in enumerate(NAMES)
        ]
        for name in NAMES:
            held = name == "cp1"
            state = State.HOLDER if held else State.BACKUP
            self.tell(0, DaemonChanged(name, DaemonState.RUNNING), StateKnown(name, state))
            if held:
                self.holds(0, name)
        self.tell(0, ServedChanged("cp1"))

    def tell(self, at: int, *facts: object) -> None:
        self.facts += [(at * MILLISECOND + 1, fact) for fact in facts]  # type: ignore[misc]

    def holds(self, at: int, name: str, *, held: bool = True) -> None:
        self.tell(at, VipChanged(name, held), AnswersChanged(name, held))

    def writes(self, at: int, name: str, event: object, *actions: object) -> None:
        texts = [line(at * MILLISECOND + 1, item) for item in (event, *actions)]
        self.lines[name] += [f"{text}\n".encode() for text in texts]

    def moves(
        self, at: int, name: str, before: State, after: State, cause: Cause = Cause.HOLDER_SILENT
    ) -> None:
        self.writes(at, name, Tick(), Transition(before, after, cause, 1))

    def claims(self, at: int, name: str) -> None:
        self.moves(at, name, State.BACKUP, State.SUSPECT)
        self.moves(at + 80, name, State.SUSPECT, State.CLAIM)
        self.moves(at + 81, name, State.CLAIM, State.HOLDER)

    def written(self) -> dict[str, list[bytes]]:
        found = {}
        for name, lines in self.lines.items():
            end = self.silent_from.get(name, END // MILLISECOND)
            ticks = [
                f"{line(at * MILLISECOND + 1, Tick())}\n".encode() for at in range(50, end, 100)
            ]
            found[name] = sorted([*ticks, *lines], key=when)
        return found

    def broken(self) -> set[str]:
        return {one.invariant for one in judge(self.written(), self.facts, until=END)}

    def texts(self) -> list[str]:
        return [one.text for one in judge(self.written(), self.facts, until=END)]


def when(text: bytes) -> int:
    record = parse(text)
    assert isinstance(record, TraceRecord)
    return record.at


def test_a_quiet_act_breaks_nothing() -> None:
    assert Act().broken() == set()


def test_two_holders_are_found() -> None:
    act = Act()
    act.claims(1000, "cp2")
    act.holds(1082, "cp2")
    assert "S1" in act.broken()


def test_a_cut_between_two_holders_excuses_them() -> None:
    act = Act()
    act.tell(900, WireChanged("cp1", "cp2", 1000, 0), WireChanged("cp2", "cp1", 1000, 0))
    act.claims(1000, "cp2")
    act.holds(1082, "cp2")
    assert not {"S1", "S2"} & act.broken()


def test_a_claim_against_a_fresh_advert_of_the_holder_is_found() -> None:
    act, story = Act(), Story()
    act.writes(900, "cp2", Tick(), SendAdvert(story.advert("cp2"), ()))
    source = settings(0).servers[0].address
    advert = story.advert("cp1", Role.HOLDER)
    at = 1050 * MILLISECOND
    act.writes(1050, "cp2", AdvertReceived(source, advert, at))
    act.claims(1000, "cp2")
    act.lines["cp2"].sort(key=lambda text: parse(text).at)  # type: ignore[union-attr]
    assert "S5" in act.broken()


def test_a_vip_that_stays_after_its_holder_told_a_successor_is_found() -> None:
    act = Act()
    act.moves(1000, "cp1", State.HOLDER, State.RELEASE, Cause.HANDOVER)
    act.moves(1001, "cp1", State.RELEASE, State.BACKUP, Cause.HANDOVER)
    act.holds(1500, "cp1", held=False)
    assert "S4" in act.broken()


def test_a_vip_left_by_a_daemon_that_ended_by_itself_is_found() -> None:
    act = Act()
    act.writes(1000, "cp1", Tick(), Exit())
    act.holds(1300, "cp1", held=False)
    assert "S3" in act.broken()


def test_a_kernel_heard_late_is_no_vip_left_behind() -> None:
    act = Act()
    act.tell(900, HostChanged("cp1", 250 * MILLISECOND, False))
    act.writes(1000, "cp1", Tick(), Exit())
    act.silent_from["cp1"] = 1000
    act.holds(1300, "cp1", held=False)
    assert "S3" not in act.broken()


def test_a_vip_left_behind_by_a_daemon_that_writes_no_more_is_found() -> None:
    act = Act()
    act.silent_from["cp1"] = 1000
    assert any(text.startswith("cp1 has the VIP with its daemon stalled") for text in act.texts())


def test_a_lease_that_ends_is_no_vip_left_behind() -> None:
    act = Act()
    act.silent_from["cp1"] = 1000
    act.holds(3500, "cp1", held=False)
    assert "S3" not in act.broken()


def test_a_daemon_that_was_killed_is_not_taken_for_a_silent_one() -> None:
    act = Act()
    act.silent_from["cp1"] = 1000
    act.tell(1000, DaemonChanged("cp1", DaemonState.DEAD))
    assert any(text.startswith("cp1 has the VIP with its daemon dead") for text in act.texts())


def test_a_daemon_that_writes_again_runs_again() -> None:
    act = Act()
    act.silent_from["cp1"] = 1000
    for at in range(3000, END // MILLISECOND, 100):
        act.writes(at, "cp1", Tick())
    assert act.broken() == set()


def test_unknown_wires_excuse_two_holders_and_nothing_else() -> None:
    act = Act()
    for one, other in permutations((*NAMES, GATEWAY, CLIENT), 2):
        act.tell(900, WireChanged(one, other, 0, 0, bursts=True))
    act.holds(1000, "cp2")
    assert act.broken() & {"S1", "S2", "S3", "S4"} == {"S4"}


def test_a_transition_that_the_protocol_does_not_have_is_found() -> None:
    act = Act()
    act.moves(1000, "cp3", State.STANDBY, State.HOLDER, Cause.STARTED)
    assert "A1" in act.broken()


def test_a_trace_in_pieces_is_judged_as_a_whole_one_and_each_breach_told_once() -> None:
    act = Act()
    act.silent_from["cp1"] = 1000
    act.holds(4000, "cp2")
    for at in (8000, 12_000, 16_000):
        act.tell(at, HostChanged("cp1", 0, False))
    one, written, found = Judge(), act.written(), []
    for end in range(700 * MILLISECOND, END + 1, 700 * MILLISECOND):
        now = [fact for fact in act.facts if end - 700 * MILLISECOND <= fact[0] < end]
        pieces = {
            name: [text for text in lines if end - 700 * MILLISECOND <= when(text) < end]
            for name, lines in written.items()
        }
        found += one.take(pieces, now, end)
    found += one.finish(END)
    whole = judge(written, act.facts, until=END)
    assert {"S3", "S4"} <= {one.invariant for one in whole}
    assert found == whole


def test_nobody_who_serves_is_found_unless_something_unknown_is_wrong() -> None:
    act = Act()
    act.holds(1000, "cp1", held=False)
    act.tell(1000, ServedChanged(None))
    assert "L1" in act.broken()
    act.tell(900, DisturberChanged(Disturber.OTHER, None, True))
    act.facts.sort(key=lambda one: one[0])
    assert "L1" not in act.broken()


def test_a_merged_trace_is_in_order_and_read_by_the_report() -> None:
    act = Act()
    act.claims(1000, "cp2")
    act.holds(1082, "cp2")
    texts = [text.decode() for text in merged(act.written(), act.facts, until=END)]
    records = [parse(text) for text in texts]
    times = [record.at for record in records if isinstance(record, TraceRecord)]
    assert len(times) == len(texts)
    assert times == sorted(times)
    notes = " ".join(load_trace("\n".join(texts)).notes)
    assert "promises checked (A1 C1 F1" in notes


def test_a_daemons_own_trace_is_judged_by_what_it_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "trace.ndjson"
    trace = Trace(path, settings(1), 1)
    trace.write(2, Tick())
    trace.write(2, Transition(State.STOPPED, State.HOLDER, Cause.HOLDER_SILENT, 1))
    trace.close()
    first, second, *_ = (parse(text) for text in path.read_text().splitlines())
    assert isinstance(first, TraceRecord)
    assert isinstance(second, TraceRecord)
    assert (first.type, second.type) == (Header.__name__, Configured.__name__)
    notes = " ".join(load_trace(path.read_text()).notes)
    assert "promises checked (A1 F3 P1 P2 S4 S5 S6): broken: A1 at" in notes


def test_a_trace_without_settings_is_said_to_be_unjudged() -> None:
    text = line(1, Transition(State.STOPPED, State.LISTEN, Cause.STARTED, 1))
    assert any("promises not checked" in note for note in load_trace(text).notes)


# What the lab writes down


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(lan(3))
    ledger.begin()
    return ledger


def facts(ledger: Ledger) -> list[object]:
    return [fact for _, fact in ledger.told]


def test_a_fault_with_a_kind_is_a_fact_and_so_is_its_end(ledger: Ledger) -> None:
    ledger.fault(FaultKind.API_REFUSES, "dies", ["cp1"])
    ledger.healed()
    found = facts(ledger)
    assert ApiChanged("cp1", ApiState.REFUSING) in found
    assert found[-2:] == [ApiChanged("cp1", ApiState.READY), Healed()]


def test_an_api_server_that_is_frozen_is_told_from_one_that_hangs(ledger: Ledger) -> None:
    for kind, state in (
        (FaultKind.API_HANGS, ApiState.HANGING),
        (FaultKind.API_FROZEN, ApiState.FROZEN),
    ):
        ledger.fault(kind, "says nothing", ["cp1"])
        assert facts(ledger)[-1] == ApiChanged("cp1", state)


def test_of_an_unknown_fault_nothing_is_held_against_the_servers_wires(ledger: Ledger) -> None:
    ledger.fault(FaultKind.OTHER, "something", ["cp1"])
    assert WireChanged("cp1", "cp2", 0, 0, bursts=True) in facts(ledger)
    assert not any(isinstance(f, WireChanged) and f.source == "cp3" and f.target == "cp2" for f in facts(ledger))  # fmt: skip
    ledger.healed()
    assert WireChanged("cp1", "cp2", 0, 0) in facts(ledger)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (signal.SIGKILL, DaemonState.DEAD),
        (signal.SIGSTOP, DaemonState.STALLED),
        (signal.SIGTERM, None),
        (signal.SIGCONT, None),
    ],
)
def test_a_signal_to_a_daemon(
    ledger: Ledger, number: signal.Signals, state: DaemonState | None
) -> None:
    ledger.signalled("cp1", number)
    assert facts(ledger) == ([DaemonChanged("cp1", state)] if state is not None else [])


def test_a_daemon_that_ended_is_told_of_once(ledger: Ledger) -> None:
    ledger.ended("cp1", "KeyError: 7", 9)
    ledger.ended("cp1", "KeyError: 7", 10)
    assert ledger.told == [(9, Escaped("cp1", "the daemon ended by itself: KeyError: 7"))]


def break_it(ledger: Ledger) -> None:
    ledger.fault(FaultKind.OTHER, "no memory", ["cp1"])


def terminate(ledger: Ledger) -> None:
    ledger.signalled("cp1", signal.SIGTERM)


def switch_off(ledger: Ledger) -> None:
    ledger.powered("cp1", on=False)


@pytest.mark.parametrize("what", [break_it, terminate, switch_off])
def test_the_lab_may_end_a_daemon_until_the_next_act_begins(
    ledger: Ledger, what: Callable[[Ledger], None]
) -> None:
    what(ledger)
    ledger.changing("what was broken is mended")
    ledger.ended("cp1", "Killed", 9)
    assert not any(isinstance(fact, Escaped) for fact in facts(ledger))
    ledger.begin()
    ledger.changing("what was broken is mended")
    ledger.ended("cp1", "KeyError: 7", 10)
    assert any(isinstance(fact, Escaped) for fact in facts(ledger))


def test_a_fault_that_ends_no_daemon_excuses_none(ledger: Ledger) -> None:
    ledger.fault(FaultKind.PARTITION, "cut off", ["cp1"])
    ledger.signalled("cp1", signal.SIGHUP)
    ledger.ended("cp1", "KeyError: 7", 9)
    assert any(isinstance(fact, Escaped) for fact in facts(ledger))


def cut_port(ledger: Ledger) -> None:
    ledger.port("cp1", open=False)


def cut_bridge(ledger: Ledger) -> None:
    cut = Fault(frozenset({"cp1"}), frozenset({"cp2", "cp3", "router", "client", "observer"}))
    ledger.wires([cut, replace(cut, senders=cut.receivers, receivers=cut.senders)], 5)


@pytest.mark.parametrize("cut", [cut_port, cut_bridge])
def test_a_cut_is_told_of_each_wire(ledger: Ledger, cut: Callable[[Ledger], None]) -> None:
    cut(ledger)
    ends = {"cp2", "cp3", "gateway", "client"}
    wires = {(f.source, f.target) for f in facts(ledger) if isinstance(f, WireChanged) and f.lost == 1000}  # fmt: skip
    assert wires == {("cp1", end) for end in ends} | {(end, "cp1") for end in ends}


def test_a_loss_is_told_in_thousandths_and_wires_that_are_not_whole_again_at_the_next_act(
    ledger: Ledger,
) -> None:
    ledger.wires([Fault(frozenset({"cp1"}), frozenset({"cp2"}), percent=20)], 5)
    assert ledger.told == [(5, WireChanged("cp1", "cp2", 200, 0))]
    ledger.begin()
    assert facts(ledger) == [WireChanged("cp1", "cp2", 200, 0)]


def test_whoever_listens_hears_that_the_next_act_begins_with_nothing_broken(
    ledger: Ledger,
) -> None:
    heard: list[object] = []
    ledger.listener = lambda _, fact: heard.append(fact)
    ledger.fault(FaultKind.API_REFUSES, "dies", ["cp1"])
    ledger.changing("what was broken is mended")
    ledger.begin()
    assert facts(ledger) == []
    assert heard.index(ApiChanged("cp1", ApiState.REFUSING)) < heard.index(
        ApiChanged("cp1", ApiState.READY)
    )
    assert DisturberChanged(Disturber.OTHER, None, False) in heard
    wires = {(f.source, f.target): f.bursts for f in heard if isinstance(f, WireChanged)}
    assert wires
    assert not any(wires.values())


def test_power_that_goes_takes_vip_and_daemon(ledger: Ledger) -> None:
    ledger.powered("cp2", on=False)
    found = facts(ledger)
    assert found[0] == PowerChanged("cp2", False)
    assert VipChanged("cp2", False) in found
