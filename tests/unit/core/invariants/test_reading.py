"""The same predicates read a trace of lines: nothing is lost on the way."""

from __future__ import annotations

import typing

import pytest

from support.cluster import settings
from vipkeeper.core import actions, events, facts
from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import Tick
from vipkeeper.core.facts import AnswersChanged, DaemonChanged, DaemonState, VipChanged
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.reading import Reader, build
from vipkeeper.core.trace import Header, TraceRecord, line, parse
from vipkeeper.core.types import SECOND
from vipkeeper.sim.faults import draw
from vipkeeper.sim.run import trace_lines

PLAN = draw(3, fault_phase=5 * SECOND)
KINDS = {
    cls.__name__: cls
    for union in (events.Event, actions.Action, facts.Fact)
    for cls in typing.get_args(union)
}


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return trace_lines(PLAN)


def test_every_line_of_a_simulation_is_read_and_says_the_same(lines: list[str]) -> None:
    for text in lines[:3000]:
        record = parse(text)
        assert isinstance(record, TraceRecord)
        again = build(KINDS[record.type], record.fields)
        extra = {"local": record.fields["local"]} if "local" in record.fields else {}
        assert line(record.at, again, writer=record.writer, **extra) == text


def test_a_reader_finds_what_a_checker_finds(lines: list[str]) -> None:
    reader = Reader(Checker())
    for text in lines:
        reader.take(text)
    assert reader.finish() == []
    assert reader.unread == 0
    assert reader.checker.situation.moved_at > 0


def broken_trace() -> list[str]:
    """A daemon that is terminated and leaves the VIP, as a lab would write it: no settings, one clock."""
    claim = Transition(State.SUSPECT, State.HOLDER, Cause.FIRST_CLAIM, 1)
    return [
        line(0, Header("cp1", "0.1.0")),
        line(SECOND, Tick()),
        line(SECOND, claim),
        line(SECOND, VipChanged("cp1", True)),
        line(SECOND, AnswersChanged("cp1", True)),
        line(2 * SECOND, DaemonChanged("cp1", DaemonState.STOPPED)),
        line(9 * SECOND, DaemonChanged("cp1", DaemonState.RUNNING)),
    ]


def test_a_trace_of_a_lab_is_judged() -> None:
    reader = Reader(Checker(), [settings(own, 3) for own in range(3)])
    for text in broken_trace():
        reader.take(text)
    assert "S3" in [violation.invariant for violation in reader.finish()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"t":1,"type":"VipChanged","server":"cp1"}',
        '{"t":1,"type":"VipChanged","server":"cp1","present":"yes"}',
        '{"t":1,"type":"DaemonChanged","server":"cp1","state":"ASLEEP"}',
        '{"t":1,"type":"AdvertReceived","writer":"cp1","source":"x","advert":{},"received":1}',
        '{"t":1,"type":"Tick","writer":"cp9"}',
        '{"t":1,"type":"Announce","writer":"cp1"}',
    ],
)
def test_what_cannot_be_read_is_counted(text: str) -> None:
    reader = Reader(Checker(), [settings(own, 3) for own in range(3)])
    reader.take(text)
    assert reader.unread == 1
