"""What the userspace wire does to frames, from a seed."""

from __future__ import annotations

import random
import struct

import pytest

from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab.course import (
    VNET_HEADER,
    Course,
    damaged,
    passage,
    with_checksum,
    words,
)
from vipkeeper.lab.wire import Counts, Passage

FRAME = bytes(VNET_HEADER) + bytes(range(60))
SECOND = 1000 * MILLISECOND


def through(course: Course, count: int = 200, age: int = 0) -> list[list[tuple[int, bytes]]]:
    rng = random.Random(1)
    return [passage(course, rng, age, FRAME) for _ in range(count)]


def test_a_wire_counts_what_it_did_to_frames_and_says_so() -> None:
    counts = Counts()
    for course in (Course(), Course(copies=2), Course(delay=1.0)):
        Passage(course, random.Random(1), counts).of(0, bytes(80))
    assert Counts.read(str(counts)) == Counts(3, 2)
    assert Counts.read("ready") == Counts()


def test_plain_wire_changes_nothing() -> None:
    assert through(Course(), 3) == [[(0, FRAME)]] * 3


def test_same_seed_does_the_same() -> None:
    course = Course(window=50, tail=20, corrupt=50, copies=2)
    assert through(course) == through(course)


def test_delay_rises_and_stays() -> None:
    course = Course(delay=5, delay_to=300, ramp=6)
    late = [through(course, 1, age)[0][0][0] / MILLISECOND for age in (0, 3 * SECOND, 60 * SECOND)]
    assert late == [5, 152.5, 300]


def test_window_lets_frames_overtake_each_other() -> None:
    late = [arrivals[0][0] for arrivals in through(Course(window=50))]
    assert late != sorted(late)
    assert max(late) <= 50 * MILLISECOND


def test_copies_all_arrive() -> None:
    assert {len(arrivals) for arrivals in through(Course(copies=10))} == {10}


def test_burst_takes_everything_and_then_nothing() -> None:
    course = Course(burst=300, burst_every=2)
    assert through(course, 1, SECOND // 10) == [[]]
    assert through(course, 1, SECOND) == [[(0, FRAME)]]


def test_heavy_tail_is_rare_and_bounded() -> None:
    late = [arrivals[0][0] for arrivals in through(Course(delay=1, tail=20), 2000)]
    slow = [one for one in late if one >= 20 * MILLISECOND]
    assert 100 < len(slow) < 300
    assert max(late) <= 2 * SECOND


def test_every_damaged_frame_differs_and_is_what_a_receiver_would_get() -> None:
    rng = random.Random(2)
    for _ in range(300):
        broken = damaged(rng, FRAME)
        assert broken != FRAME
        assert broken[:VNET_HEADER] == bytes(VNET_HEADER)
        assert broken[VNET_HEADER : VNET_HEADER + 14] == FRAME[VNET_HEADER : VNET_HEADER + 14]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 24, 25, 40])
def test_short_frames_do_no_harm(size: int) -> None:
    damaged(random.Random(3), bytes([1]) + bytes(size))


@pytest.mark.parametrize("payload", [b"even", b"odd.."])
def test_checksum_left_to_the_hardware_is_filled_in(payload: bytes) -> None:
    start, offset = 34, 6
    body = bytearray(34) + struct.pack("!HHHH", 1, 2, 8 + len(payload), 0) + payload
    frame = struct.pack("=BBHHHH", 1, 0, 0, 0, start, offset) + bytes(body)
    filled = with_checksum(frame)[VNET_HEADER:]
    covered = filled[start:] + bytes(len(payload) % 2)
    total = sum(struct.unpack(f"!{len(covered) // 2}H", covered))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    assert with_checksum(FRAME) == FRAME


def test_words_name_what_differs_from_a_plain_wire() -> None:
    assert words(Course()) == []
    assert words(Course(delay_to=3, copies=2)) == ["--delay-to", "3", "--copies", "2"]
