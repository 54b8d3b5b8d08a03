"""Outages of several programs on one lab and one probe, read from the results of `./dev bench`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from vipkeeper.report.json import LONGEST, ReportError

METRIC = "outage_ms"
"""The figure that is drawn: the client's longest wait, by UDP echo."""
FALLBACK = "service_outage_ms"
"""Drawn where a fault leaves the address alone: the TLS client's."""
RESOLUTION = {METRIC: 2.0, FALLBACK: 20.0}
"""Milliseconds between two probes of the bench (docs/drill.md)."""
WORDS = {METRIC: "client outage", FALLBACK: "service outage (TLS)"}
OF_THE_API = "api-"
"""How acts of an API server are called: the address answers on, and what they cost is the TLS client's wait."""


@dataclass(frozen=True, slots=True)
class Series:
    """The measured outages of one program, milliseconds, in order of size."""

    name: str
    values: tuple[float, ...]
    split: int = 0
    """Runs in which two servers answered at once: a short outage is then no merit."""
    open: tuple[float, ...] = ()
    """Outages that only the mending ended, in order of size: nobody knows how long they would have been."""

    @property
    def runs(self) -> int:
        """How many there were."""
        return len(self.values) + len(self.open)

    def quantile(self, share: float) -> float:
        """The smallest value that `share` of all do not exceed. Not smoothed. What did not end is the longest."""
        return (*self.values, *self.open)[self._place(share)]

    def ends(self, share: float) -> bool:
        """Whether the outage at this quantile ended by itself; if not, it was longer than the figure."""
        return self._place(share) < len(self.values)

    def _place(self, share: float) -> int:
        return max(math.ceil(share * self.runs) - 1, 0)


@dataclass(frozen=True, slots=True)
class Outages:
    """One fault: a series for each program that was measured."""

    cell: str
    metric: str
    series: tuple[Series, ...]

    @property
    def title(self) -> str:
        """`client outage: power-off`."""
        return f"{WORDS[self.metric]}: {self.cell}"


def load_bench(text: str) -> tuple[Outages, ...]:
    """Every cell of a file of results in which something was measured.

    Raises:
        ReportError: not the JSON of `./dev bench`; says what was expected.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ReportError("not JSON; expected results of ./dev bench") from None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, dict):
        raise ReportError("no results of a bench: expected a JSON object with 'cells'")
    return tuple(found for cell, records in cells.items() if (found := outages(cell, records)))


def outages(cell: str, records: Any) -> Outages | None:
    """The figures of one cell; None when nothing was measured. Entries of no known form are passed over."""
    if not isinstance(records, Mapping):
        return None
    service = cell.rpartition("/")[2].startswith(OF_THE_API)
    for metric in (FALLBACK, METRIC) if service else (METRIC, FALLBACK):
        every = [_series(name, record, metric) for name, record in records.items()]
        series = [one for one in every if one.runs]
        if any(one.quantile(0.5) > 0 for one in series):
            return Outages(cell, metric, tuple(series))
    return None


def _series(name: str, record: Any, metric: str) -> Series:
    found = sorted(_values(record, metric))
    values = tuple(value for value, ended in found if ended)
    still = tuple(value for value, ended in found if not ended)
    split = sum(value > 0 for value, _ in _values(record, "two_holders_ms"))
    return Series(name, values, split, still)


def _values(record: Any, metric: str) -> Iterator[tuple[float, bool]]:
    """Each run's figure, and whether that outage ended by itself."""
    for block in _entries(record, "blocks"):
        for run in _entries(block, "runs"):
            value = run.get(metric) if isinstance(run, Mapping) else None
            if _is_time(value):
                yield float(value), metric not in _entries(run, "unended")


def _is_time(value: object) -> TypeGuard[float]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= cast("float", value) <= LONGEST


def _entries(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
