"""Figures from samples: what counts as an outage, as two holders, as a move."""

from __future__ import annotations

import pytest

from vipkeeper.lab import measure
from vipkeeper.lab.measure import Attempts, Change, Move, Window
from vipkeeper.lab.records import SIZE, Kind, Record, decode, encode

MS = measure.MILLISECOND
ALL = Window(0, 1000 * MS)
NAMES = {"aa": "cp1", "bb": "cp2"}


def attempts(
    *, unanswered: range = range(0), late: dict[int, int] | None = None, count: int = 500
) -> Attempts:
    """One every 2 ms, answered after 1 ms but for those `unanswered` or `late` (by that many ms)."""
    found = Attempts(2 * MS, 20 * MS)
    for number in range(count):
        at = number * 2 * MS
        found.started[number] = at
        if number not in unanswered:
            found.answered[number] = at + (late or {}).get(number, 1) * MS
    return found


def asked(*answers: str, every: int = 5) -> list[tuple[int, set[str]]]:
    """Observer's questions `every` ms; each answered by the servers named, such as "1", "12" or ""."""
    return [(place * every * MS, {f"cp{n}" for n in who}) for place, who in enumerate(answers)]


def change(at: int, server: str, held: bool) -> Change:
    return Change(at * MS, server, held)


@pytest.mark.parametrize(
    ("stretches", "left"),
    [
        ([], [(0, 10)]),
        ([(2, 4), (3, 5), (8, 9)], [(0, 2), (5, 8), (9, 10)]),
        ([(2, 8), (3, 4), (8, 9)], [(0, 2), (9, 10)]),
        ([(-2, 1), (9, 12), (20, 21)], [(1, 9)]),
        ([(-1, 11)], []),
    ],
)
def test_a_window_is_what_stretches_leave_of_it_and_what_they_cover(
    stretches: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    window, known = Window(0, 10), [Window(*one) for one in stretches]
    assert measure.outside(window, known) == [Window(*part) for part in left]
    assert measure.overlap(window, known) == 10 - sum(end - start for start, end in left)


def test_stretches_with_little_between_them_are_one() -> None:
    found = [Window(*one) for one in ((50, 60), (0, 20), (25, 40), (5, 10), (46, 48))]
    assert measure.joined(found, 5) == [Window(0, 40), Window(46, 60)]
    assert measure.joined(found, 6) == [Window(0, 60)]
    assert measure.joined([], 5) == []


def test_no_outage_where_all_is_answered() -> None:
    assert measure.outage(attempts(), ALL) == 0
    assert measure.gaps(attempts(), ALL) == []


def test_outage_runs_from_the_first_unanswered_attempt_to_the_next_answer() -> None:
    found = attempts(unanswered=range(100, 200))
    assert measure.gaps(found, ALL) == [Window(200 * MS, 401 * MS)]
    assert measure.outage(found, ALL) == 201 * MS


def test_one_lost_attempt_is_a_gap_of_one_interval() -> None:
    found = attempts(unanswered=range(100, 101))
    assert measure.outage(found, ALL) == 3 * MS


def test_answer_that_waited_for_a_dead_machine_does_not_hide_the_outage() -> None:
    """What a queue delivers later than the patience is no service, but it ends the gap when it comes."""
    found = attempts(late={number: 500 - number * 2 for number in range(100, 240)})
    assert measure.gaps(found, ALL) == [Window(200 * MS, 481 * MS)]


def test_late_answer_is_lost_but_not_unanswered() -> None:
    found = attempts(late={100: 21})
    assert found.lost(ALL) == [200 * MS]
    assert found.unanswered(ALL) == 0
    assert attempts(late={100: 20}).lost(ALL) == []


def test_gap_that_does_not_end_ends_with_the_window() -> None:
    found = attempts(unanswered=range(400, 500))
    assert measure.gaps(found, ALL) == [Window(800 * MS, 1000 * MS)]


def test_attempts_too_young_to_be_judged_are_not() -> None:
    found = attempts(unanswered=range(491, 500))
    assert measure.gaps(found, ALL) == []
    assert found.sent(ALL) == 490


def test_only_the_window_counts() -> None:
    found = attempts(unanswered=range(100, 200))
    assert measure.outage(found, Window(500 * MS, 1000 * MS)) == 0
    assert measure.outage(found, Window(300 * MS, 1000 * MS)) == 101 * MS
    assert found.sent(Window(300 * MS, 400 * MS)) == 40


def test_longest_of_several_gaps_is_the_outage() -> None:
    found = attempts(unanswered=range(100, 120))
    for number in range(300, 340):
        del found.answered[number]
    assert [gap.length for gap in measure.gaps(found, ALL)] == [41 * MS, 81 * MS]
    assert measure.outage(found, ALL) == 81 * MS


def test_answer_belongs_to_the_question_before_it() -> None:
    records = [
        Record(Kind.ARP_ASKED, 10),
        Record(Kind.ARP_ASKED, 20),
        Record(Kind.ARP_ANSWERED, 11, text="aa"),
        Record(Kind.ARP_ANSWERED, 20, text="bb"),
        Record(Kind.ARP_ANSWERED, 29, text="cc"),
        Record(Kind.ARP_ANSWERED, 9, text="aa"),
    ]
    assert measure.answerers(records, NAMES) == [(10, {"cp1"}), (20, {"cp2", "cc"})]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("1", "1", "1", "1"), 0),
        (("1", "12", "1", "1"), 5),
        (("1", "12", "12", "12", "1"), 15),
        (("12", "1", "1"), 5),
        (("1", "", "2", "2"), 0),
        (("1", "2", "2", "2"), 0),
        (("1", "2", "1", "1"), 5),
        (("1", "2", "1", "2", "1", "1"), 15),
        (("1", "", "1", "1"), 0),
        (("", "", ""), 0),
    ],
    ids=lambda value: "-".join(f"[{v}]" for v in value) if isinstance(value, tuple) else str(value),
)
def test_time_with_two_holders(answers: tuple[str, ...], expected: int) -> None:
    assert measure.two_holders(asked(*answers), ALL) == expected * MS


def test_two_holders_outside_the_window_do_not_count() -> None:
    assert measure.two_holders(asked("12", "12", "1", "1"), Window(10 * MS, 20 * MS)) == 0
    assert measure.two_holders(asked("12", "12", "1", "1"), Window(5 * MS, 20 * MS)) == 5 * MS


def test_answer_spans_end_at_the_first_silence() -> None:
    found = measure.answer_spans(asked("1", "1", "", "2", "2"), Window(0, 25 * MS))
    assert found == {"cp1": [Window(0, 10 * MS)], "cp2": [Window(15 * MS, 25 * MS)]}


def test_renewals_are_no_changes() -> None:
    records = [
        Record(Kind.ADDRESS_ADDED, 1, text="cp1"),
        Record(Kind.ADDRESS_ADDED, 2, text="cp1"),
        Record(Kind.ADDRESS_REMOVED, 3, text="cp1"),
        Record(Kind.ADDRESS_REMOVED, 4, text="cp2"),
        Record(Kind.ARP_ASKED, 5),
    ]
    expected = [Change(1, "cp1", True), Change(3, "cp1", False)]
    assert measure.changes(records) == expected
    assert measure.changes(reversed(records)) == expected


def test_held_spans_are_cut_to_the_window() -> None:
    found = [change(10, "cp1", True), change(50, "cp1", False), change(60, "cp2", True)]
    window = Window(20 * MS, 100 * MS)
    assert measure.held_spans(found, ("cp1", "cp2", "cp3"), window) == {
        "cp1": [Window(20 * MS, 50 * MS)],
        "cp2": [Window(60 * MS, 100 * MS)],
        "cp3": [],
    }
    before = Window(0, 10 * MS)
    assert measure.held_spans(found, ("cp1", "cp2"), before) == {"cp1": [], "cp2": []}


def test_move_is_a_change_of_server_in_the_window() -> None:
    found = [
        change(10, "cp1", True),
        change(20, "cp1", False),
        change(30, "cp1", True),
        change(40, "cp1", False),
        change(50, "cp2", True),
        change(60, "cp2", False),
        change(70, "cp1", True),
    ]
    assert len(measure.moves(found, ALL)) == 2
    assert measure.moves(found, Window(60 * MS, 100 * MS)) == [Move(70 * MS, "cp1", "cp2")]
    assert measure.moves(found, Window(0, 50 * MS)) == []
    assert measure.moves(found[:3], ALL) == []


def test_a_second_holder_that_lets_go_did_not_have_the_vip_last() -> None:
    found = [
        change(10, "cp1", True),
        change(20, "cp2", True),
        change(30, "cp2", False),
        change(50, "cp1", False),
        change(60, "cp2", True),
    ]
    assert measure.moves(found, Window(40 * MS, 100 * MS)) == [Move(60 * MS, "cp2", "cp1")]
    assert len(measure.moves(found, ALL)) == 2


def test_holders_at_an_instant() -> None:
    found = [change(10, "cp1", True), change(20, "cp2", True), change(30, "cp1", False)]
    assert measure.holders(found, 9 * MS) == set()
    assert measure.holders(found, 20 * MS) == {"cp1", "cp2"}
    assert measure.holders(found, 30 * MS) == {"cp2"}


def test_records_come_back_as_they_were_written() -> None:
    records = [
        Record(Kind.UDP_ANSWERED, 2**62, 2**32 - 1, "cp1"),
        Record(Kind.READY, 0, 0, "a-name-of-16-byt"),
        Record(Kind.LATE, 1, 0, ""),
    ]
    data = b"".join(encode(record) for record in records)
    assert len(data) == 3 * SIZE
    assert list(decode(data)) == records
    with pytest.raises(ValueError, match="no whole number"):
        list(decode(data[:-1]))
    with pytest.raises(ValueError, match="not a valid Kind"):
        list(decode(b"\xff" + data[1:]))


def test_two_kernels_counts_only_what_overlaps_within_the_window() -> None:
    found = [
        change(100, "cp1", True),
        change(300, "cp2", True),
        change(340, "cp1", False),
        change(600, "cp1", True),
        change(610, "cp2", False),
    ]
    assert measure.two_kernels(found, ALL) == 50 * MS
    assert measure.two_kernels(found, Window(320 * MS, 605 * MS)) == 25 * MS
    assert measure.two_kernels(found[:2], ALL) == 700 * MS
    assert measure.two_kernels(found[:1], ALL) == 0
