"""What an act must show, as pieces: the words for a reader and the check of the figures, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vipkeeper.core.types import SECOND
from vipkeeper.lab import act, leases
from vipkeeper.lab.act import MILLISECOND, Judge, ms
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation

LEASE = leases.LEASE
AGREED = 500 * MILLISECOND
"""A generous bound on two holders that hear each other (docs/protocol.md: three intervals)."""
BUDGET = 6
"""The default move budget of a server in ten minutes."""


@dataclass(frozen=True, slots=True)
class Must:
    """One thing that must be seen."""

    text: str
    check: Callable[[Stage, Figures], Expectation]
    most_moves: int | None = None
    """How many moves of the VIP it allows; None: it is not about moves."""


def judged_by(musts: tuple[Must, ...]) -> Judge:
    """The judge of an act that must show these things."""

    def judge(stage: Stage, figures: Figures) -> list[Expectation]:
        return [must.check(stage, figures) for must in musts]

    return judge


UNMOVED = Must("the VIP does not move", lambda _, figures: act.unmoved(figures), 0)
ANSWERED = Must("every datagram is answered", act.every_answered)
ONE = Must(
    "one server has the VIP and answers at the end", lambda _, figures: act.one_answers(figures)
)
NEVER_TWO = Must("never two servers answer", lambda _, figures: act.never_two(figures))
NOTHING_LEFT = Must(
    "no VIP without a daemon at the end", lambda _, figures: act.nothing_left(figures)
)
MOVED = Must("another server takes over", act.moved, 1)
BACK = Must("the client waits at most 3 s", lambda _, figures: act.bounded(figures))

SETTLED = (ONE, NEVER_TWO, NOTHING_LEFT)
QUIET = (UNMOVED, *SETTLED)
UNSEEN = (ANSWERED, *QUIET)
TAKEOVER = (MOVED, BACK, *SETTLED)


def moves(most: int) -> Must:
    """At most so many moves."""

    def check(_: Stage, figures: Figures) -> Expectation:
        text = f"the VIP moves at most {most} times"
        return Expectation(text, figures.moves <= most, f"{figures.moves} moves")

    return Must(f"at most {most} move{'s' if most > 1 else ''}", check, most)


def most_moves(musts: Iterable[Must]) -> int:
    """How many moves things that must be seen allow together; 1 where none is about moves."""
    return max((must.most_moves for must in musts if must.most_moves is not None), default=1)


def waits(seconds: float) -> Must:
    """The client waits at most so long."""
    limit = int(seconds * 1000) * MILLISECOND
    return Must(
        f"the client waits at most {seconds:g} s", lambda _, figures: act.bounded(figures, limit)
    )


def two_kernels(limit: int) -> Must:
    """Two kernels have the VIP for at most so long, also where the wire cannot show it."""
    return Must(
        f"two kernels have the VIP for at most {ms(limit)}",
        lambda _, figures: act.briefly_two(figures, limit),
    )


LEASED = Must(
    "two kernels have the VIP for at most a kernel lease",
    lambda stage, figures: act.briefly_two(figures, round(leases.longest(stage) * SECOND)),
)
"""As `two_kernels`, of a server that cannot know it has lost the VIP."""


def two_answer(limit: int) -> Must:
    """Two servers answer for at most so long."""

    def check(_: Stage, figures: Figures) -> Expectation:
        text = f"two servers answer for the VIP for at most {ms(limit)}"
        return Expectation(text, figures.two_holders <= limit, ms(figures.two_holders))

    return Must(f"two servers answer for at most {ms(limit)}", check)


def said(name: str, text: str, wanted: str) -> Must:
    """Something the act looked at itself (`Stage.seen`) was as it must be."""

    def check(stage: Stage, _: Figures) -> Expectation:
        found = stage.seen.get(name, "was not looked at")
        return Expectation(text, found == wanted, found)

    return Must(text, check)
