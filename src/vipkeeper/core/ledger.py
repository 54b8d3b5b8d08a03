"""Counts what happened, for status and metrics, and keeps repeated alarms from flooding the log."""

from __future__ import annotations

from collections import Counter

from vipkeeper.core.actions import Alarm, AlarmKind, Transition
from vipkeeper.core.status import AlarmStatus
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.wire.types import Rejection

REPEAT_ALARM_AFTER: Duration = 60 * SECOND
ONE_OF_A_KIND = (AlarmKind.ADVERT_REJECTED, AlarmKind.FOREIGN_ANSWER, AlarmKind.LATE)
"""Strangers or chance write these details: another detail is no reason to say it again."""
MOST_DETAILS = 256


class Ledger:
    """Bounded: one entry a kind of alarm, a rejection, a (state, cause)."""

    def __init__(self) -> None:
        self._alarms: dict[AlarmKind, AlarmStatus] = {}
        self._emitted: dict[tuple[AlarmKind, str], Instant] = {}
        self._transitions: Counter[tuple[str, str]] = Counter()
        self._rejected: Counter[Rejection] = Counter()

    def alarm(self, kind: AlarmKind, detail: str, now: Instant) -> list[Alarm]:
        """Count it; an action only when nothing like it was said in the last minute."""
        before = self._alarms.get(kind)
        count = before.count + 1 if before is not None else 1
        self._alarms[kind] = AlarmStatus(kind, count, now, detail)
        key = (kind, "" if kind in ONE_OF_A_KIND else detail)
        emitted = self._emitted.get(key)
        if emitted is not None and now - emitted < REPEAT_ALARM_AFTER:
            return []
        if len(self._emitted) >= MOST_DETAILS:
            self._emitted.clear()
        self._emitted[key] = now
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
