"""Counts what happened, for status and metrics, and keeps repeated alarms from flooding the log."""

from __future__ import annotations

from collections import Counter

from vipkeeper.core.actions import Alarm, AlarmKind, Transition
from vipkeeper.core.status import AlarmStatus
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.wire.types import Rejection

REPEAT_ALARM_AFTER: Duration = 60 * SECOND
FROM_STRANGERS = frozenset({AlarmKind.ADVERT_REJECTED, AlarmKind.FOREIGN_ANSWER})
"""Whoever can send us a frame writes these details: another detail is no reason to log again."""


class Ledger:
    """Bounded: one entry a kind of alarm, a rejection, a (state, cause)."""

    def __init__(self) -> None:
        self._alarms: dict[AlarmKind, AlarmStatus] = {}
        self._emitted: dict[AlarmKind, tuple[str, Instant]] = {}
        self._transitions: Counter[tuple[str, str]] = Counter()
        self._rejected: Counter[Rejection] = Counter()

    def alarm(self, kind: AlarmKind, detail: str, now: Instant) -> list[Alarm]:
        """Count it; an action only when it is new, says something else, or is a minute old."""
        before = self._alarms.get(kind)
        count = before.count + 1 if before is not None else 1
        self._alarms[kind] = AlarmStatus(kind, count, now, detail)
        emitted = self._emitted.get(kind)
        if emitted is not None and now - emitted[1] < REPEAT_ALARM_AFTER:
            news = kind not in FROM_STRANGERS and emitted[0] != detail
            if not news or now - emitted[1] < SECOND:
                return []
        self._emitted[kind] = (detail, now)
        return [Alarm(kind, detail)]

    def rejected(self, reason: Rejection) -> None:
        """Count a refused advert."""
        self._rejected[reason] += 1

    def transition(self, transition: Transition) -> None:
        """Count a change of state."""
        self._transitions[(transition.after.value, transition.cause.name.lower())] += 1

    def alarms(self) -> tuple[AlarmStatus, ...]:
        """One entry for each kind that ever happened."""
        return tuple(self._alarms.values())

    def rejections(self) -> tuple[tuple[Rejection, int], ...]:
        """How many adverts were refused, by reason."""
        return tuple(self._rejected.items())

    def transitions(self) -> tuple[tuple[str, str, int], ...]:
        """How often each state was entered for each cause."""
        return tuple((state, cause, n) for (state, cause), n in self._transitions.items())
