"""Several checks reported under one name."""

from __future__ import annotations

from collections.abc import Callable

from vipkeeper.core.events import CheckName, HealthSampled, Outcome
from vipkeeper.daemon.prober.verdict import Verdict

_BADNESS = {
    Outcome.OK: 0, Outcome.UNKNOWN: 1, Outcome.SOFT: 2, Outcome.STALLED: 3, Outcome.HARD: 4,
}  # fmt: skip


class Together:
    """Passes on the worst of the checks of one name.

    The gate counts samples (two refusals confirm a failure, two good ones end it), so a sample passes
    only when the check that made it decides the whole: the others must not confirm in its place.
    """

    def __init__(
        self, name: CheckName, count: int, report: Callable[[HealthSampled], None]
    ) -> None:
        self._name = name
        self._report = report
        self._latest = [Outcome.UNKNOWN] * count
        self._speaker: int | None = None
        """The check that decided last."""

    def take(self, index: int, label: str, verdict: Verdict) -> None:
        """The check number `index` found this."""
        self._latest[index] = verdict.outcome
        worst = max(self._latest, key=_BADNESS.__getitem__)
        if verdict.outcome is not worst:
            return
        if worst is Outcome.OK and self._speaker not in (None, index):
            return
        self._speaker = index
        detail = f"{label}: {verdict.detail}" if label else verdict.detail
        self._report(HealthSampled(self._name, worst, detail))
