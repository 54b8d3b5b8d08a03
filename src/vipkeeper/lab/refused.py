"""Whether adverts that somebody sent were refused, by the daemons' own counts: else the fault was not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from vipkeeper.lab.managers.vipkeeper import Vipkeeper, refused
from vipkeeper.lab.stage import Stage
from vipkeeper.report.run import Expectation
from vipkeeper.wire.types import Rejection

FORGED = (Rejection.WRONG_KEY,)
"""What a key that nobody has comes to."""
REPLAYED = (Rejection.REPLAYED,)
RANDOM = (
    Rejection.TOO_SHORT, Rejection.TOO_LONG, Rejection.BAD_MAGIC, Rejection.UNKNOWN_VERSION, Rejection.BAD_LENGTH,
)  # fmt: skip
"""Bytes that are no advert at all."""


@dataclass(frozen=True, slots=True)
class Refused:
    """How many adverts one daemon has refused so far, by reason."""

    run: int
    """Its process: the counts of another one begin at 0."""
    counts: Mapping[str, int]

    def since(self, before: Refused | None, reasons: Collection[Rejection]) -> int:
        """How many more for these reasons than at an earlier look; None: there was no answer then."""
        known = before.counts if before is not None and before.run == self.run else {}
        names = [reason.name.lower() for reason in reasons]
        return sum(self.counts.get(name, 0) - known.get(name, 0) for name in names)


def look(stage: Stage) -> dict[str, Refused]:
    """The counts of every daemon that answers; of managers other than vipkeeper there are none."""
    if not isinstance(stage.manager, Vipkeeper):
        return {}
    found = {server.name: refused(server) for server in stage.cluster.servers.values()}
    return {name: Refused(*one) for name, one in found.items() if one is not None}


def expected(
    before: Mapping[str, Refused],
    after: Mapping[str, Refused],
    reasons: Collection[Rejection],
    *,
    alone: bool,
) -> Expectation:
    """That daemons refused adverts for these reasons between two looks.

    `alone`: nothing else was broken, so that adverts came to every daemon, not only to some.
    """
    more = {name: one.since(before.get(name), reasons) for name, one in after.items()}
    silent = [name for name in before if name not in after]
    hit = [count > 0 for count in more.values()]
    found = [
        *(f"{name} {count}" for name, count in more.items()),
        *(f"{name} silent" for name in silent),
    ]
    text = f"{'all' if alone else 'some'} daemons count such adverts as refused"
    met = bool(hit) and (all(hit) and not silent if alone else any(hit))
    return Expectation(text, met, ", ".join(found) or "no daemon answers")


def show(stage: Stage, before: Mapping[str, Refused], reasons: Collection[Rejection]) -> None:
    """Hold the fault against what the daemons counted since `before`."""
    if isinstance(stage.manager, Vipkeeper):
        alone = len(stage.broken) == 1
        stage.effects.append(expected(before, look(stage), reasons, alone=alone))
