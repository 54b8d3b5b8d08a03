"""What must hold of the recorder's figures of a soak where no act says what may happen. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vipkeeper.lab import measure
from vipkeeper.lab.act import TAKEOVER_BOUND, ms
from vipkeeper.lab.measure import Window
from vipkeeper.lab.must import AGREED, LEASE
from vipkeeper.lab.recorder import STANDSTILL, UDP_PATIENCE, Recorder


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the client was without answer, and how long it may have been. Nanoseconds."""

    length: int
    limit: int


def unbroken(recorder: Recorder, gap: Window) -> int:
    """How long a client waits where nothing is broken: longer only for what the host was late by in that very wait."""
    return UDP_PATIENCE + measure.overlap(gap, recorder.stalls(0))


def worst_wait(recorder: Recorder, window: Window, limit: Callable[[Window], int]) -> Wait:
    """The wait that is most beyond its limit, or nearest to it."""
    gaps = measure.gaps(recorder.udp, window)
    waits = [Wait(gap.length, limit(gap)) for gap in gaps]
    return max(waits, key=lambda one: one.length - one.limit, default=Wait(0, UDP_PATIENCE))


def broken(recorder: Recorder, window: Window, explained: int | None) -> list[str]:
    """What does not hold in a window; where the host stood still in it, in the parts before and after that.

    `explained`: nothing was broken before it either, and for so many nanoseconds a move may come of a
    standstill; None: an act was.
    """
    stalls = recorder.stalls(STANDSTILL)

    def limit(gap: Window) -> int:
        if explained is None or any(
            stall.start <= gap.end and gap.start <= stall.end + explained for stall in stalls
        ):
            return TAKEOVER_BOUND
        return unbroken(recorder, gap)

    return [text for part in measure.outside(window, stalls) for text in _broken(recorder, part, limit)]


def _broken(recorder: Recorder, window: Window, limit: Callable[[Window], int]) -> Iterator[str]:
    # The last questions of the window are answered behind it.
    wait = worst_wait(recorder, Window(window.start, window.end + UDP_PATIENCE), limit)
    answering = measure.two_holders(recorder.answerers(), window)
    kernels = measure.two_kernels(recorder.changes(), window)
    for found, most, text in (
        (wait.length, wait.limit, "the client is without answer"),
        (answering, AGREED, "two servers answer for the VIP"),
        (kernels, LEASE, "two kernels have the VIP"),
    ):
        if found > most:
            yield f"{text} for {ms(found)}, at most {ms(most)}"
