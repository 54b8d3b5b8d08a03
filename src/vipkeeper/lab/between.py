"""What must hold of the recorder's figures of a soak where no act says what may happen. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vipkeeper.lab import act as acts
from vipkeeper.lab import measure
from vipkeeper.lab.act import TAKEOVER_BOUND, ms
from vipkeeper.lab.measure import Window
from vipkeeper.lab.must import AGREED, LEASE
from vipkeeper.lab.recorder import STANDSTILL, UDP_PATIENCE, Recorder
from vipkeeper.lab.stage import Figures
from vipkeeper.report.run import Expectation

MOST_MOVES = 2
"""Moves that may come of mending what an act broke: two that hold agree on one, and one that is mended lets go."""


@dataclass(frozen=True, slots=True)
class Course:
    """What the cluster went through around a stretch that is judged."""

    broken: bool
    """An act broke something just before it, and that is mended in it."""
    excuses: tuple[Window, ...] = ()
    """When the host stood still, or a stand-in of an API server waited as long for a processor."""
    within: int = 0
    """Nanoseconds after the end of such a stretch in which what happens may come of it."""

    def explains(self, start: int, end: int) -> bool:
        """Whether what happened from an instant to another may come of an excuse."""
        return any(one.start <= end and start <= one.end + self.within for one in self.excuses)

    def unexplained(self, instants: Iterable[int]) -> list[int]:
        """Those at which nothing explains what happened."""
        return [at for at in instants if not self.explains(at, at)]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that does not hold."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the client was without answer, from when on, and how long it may have been. Nanoseconds."""

    at: int
    length: int
    limit: int


def worst_wait(recorder: Recorder, window: Window, course: Course) -> Wait:
    """The wait that is most beyond its limit, or nearest to it; the last questions are answered behind the window."""
    gaps = measure.gaps(recorder.udp, Window(window.start, window.end + UDP_PATIENCE))
    waits = [Wait(gap.start, gap.length, _limit(recorder, gap, course)) for gap in gaps]
    nothing = Wait(window.start, 0, UDP_PATIENCE)
    return max(waits, key=lambda one: one.length - one.limit, default=nothing)


def _limit(recorder: Recorder, gap: Window, course: Course) -> int:
    if course.broken or course.explains(gap.start, gap.end):
        return TAKEOVER_BOUND
    return UDP_PATIENCE + measure.overlap(gap, recorder.stalls(0))


def broken(recorder: Recorder, window: Window, course: Course) -> list[Found]:
    """What does not hold in a window; where the host stood still in it, in the parts before and after that."""
    return [*_seen(recorder, window, course), *_moved(recorder, window, course)]


def _seen(recorder: Recorder, window: Window, course: Course) -> Iterator[Found]:
    for part in measure.outside(window, recorder.stalls(STANDSTILL)):
        yield from _figures(recorder, part, course)


def _figures(recorder: Recorder, window: Window, course: Course) -> Iterator[Found]:
    wait = worst_wait(recorder, window, course)
    if wait.length > wait.limit:
        said = f"the client is without answer for {ms(wait.length)}, at most {ms(wait.limit)}"
        yield Found(wait.at, said)
    for twice, most, who in (
        (measure.twice_answered(recorder.answerers(), window), AGREED, "servers answer for"),
        (measure.twice_held(recorder.changes(), window), LEASE, "kernels have"),
    ):
        alone = [one for one in twice if not (course.broken or course.explains(one.start, one.end))]
        counted, limit = (alone, 0) if alone else (twice, most)
        length = sum(one.length for one in counted)
        if length > limit:
            said = f"two {who} the VIP for {ms(length)}, at most {ms(limit)}"
            yield Found(counted[0].start, said)


def _moved(recorder: Recorder, window: Window, course: Course) -> Iterator[Found]:
    changes = recorder.changes()
    if course.broken:
        moves = course.unexplained(one.at for one in measure.moves(changes, window))
        if len(moves) > MOST_MOVES:
            said = f"the VIP moves {len(moves)} times, at most {MOST_MOVES}"
            yield Found(moves[MOST_MOVES], said)
    elif alone := course.unexplained(one.at for one in changes if one.at in window):
        yield Found(alone[0], "the VIP moved although nothing was broken")


def nothing_happens(recorder: Recorder, figures: Figures, course: Course) -> list[Expectation]:
    """What must be seen where nothing is broken: what an excuse explains is allowed, and nothing else."""
    window = figures.window
    still = not course.unexplained(one.at for one in figures.changes)
    seen = f"{figures.moves} moves, {len(figures.changes)} changes of addresses"
    expected = [Expectation("the VIP does not move", still, seen), acts.nothing_left(figures)]
    # What was not settled yet as it ended is judged with what comes after it.
    if not course.explains(window.end, window.end):
        expected.append(acts.one_answers(figures))
    found = [one.text for one in _seen(recorder, window, course)]
    text = "no client waits, and no two servers have the VIP"
    return [*expected, Expectation(text, not found, "; ".join(found) or "none")]
