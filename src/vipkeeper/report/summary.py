"""What a run comes to: the acts in order, each with all its runs and the worst of them."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.report.run import (
    API_LATE,
    LATE,
    ActResult,
    Client,
    Lane,
    RunReport,
    Span,
    Verdict,
)
from vipkeeper.report.style import interval, milliseconds, one_line


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure over the runs of an act, in milliseconds."""

    median: float
    highest: float
    n: int
    resolution_ms: float
    unended: float = math.inf
    """From this figure on the true one may be longer: the shortest outage that was not over with its act."""

    @property
    def text(self) -> str:
        """`183 ms`, or `183 / 210 ms` (median / max) when it was measured more than once; `> 183 ms`, at least so long."""
        if self.n == 1:
            return self.worst
        median = self._shown(self.median)
        if median[-2:] == self.worst[-2:]:
            median = median.rsplit(" ", 1)[0]
        return f"{median} / {self.worst}"

    @property
    def worst(self) -> str:
        """`210 ms`, the highest."""
        return self._shown(self.highest)

    def _shown(self, value: float) -> str:
        return waited(value, self.resolution_ms, unended=value >= self.unended)


@dataclass(frozen=True, slots=True)
class ActSummary:
    """One act over all its runs."""

    name: str
    runs: tuple[ActResult, ...]

    @property
    def measured(self) -> tuple[ActResult, ...]:
        """The runs that took place."""
        return tuple(run for run in self.runs if run.verdict is not Verdict.SKIPPED)

    @property
    def worst(self) -> ActResult:
        """The run to show: a failed one before a passed one, then by what hurts most."""
        return max(self.runs, key=_badness)

    @property
    def verdict(self) -> Verdict:
        """Failed when one run failed, skipped when none took place."""
        found = {run.verdict for run in self.runs}
        for verdict in (Verdict.FAILED, Verdict.PASSED, Verdict.RECORDED):
            if verdict in found:
                return verdict
        return Verdict.SKIPPED

    @property
    def outage(self) -> Figure | None:
        """Of the UDP client; None when no run measured it."""
        return self._figure(
            lambda run: run.outage_ms,
            lambda run: run.udp.interval_ms,
            lambda run: unended(run, run.udp),
        )

    @property
    def service_outage(self) -> Figure | None:
        """Of the TLS client; None when no run measured it."""
        return self._figure(
            lambda run: run.service_outage_ms,
            lambda run: run.tls.interval_ms,
            lambda run: unended(run, run.tls),
        )

    @property
    def two_holders(self) -> Figure | None:
        """Time with two servers answering."""
        return self._figure(lambda run: run.two_holders_ms, lambda _: 1.0)

    @property
    def left_behind(self) -> int:
        """In how many runs the VIP stayed on a server without a daemon."""
        return sum(run.left_behind for run in self.measured)

    @property
    def moves(self) -> str:
        """`1`, or `1-2` when the runs differ; empty when none took place."""
        counts = sorted({run.moves for run in self.measured})
        if not counts:
            return ""
        return str(counts[0]) if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"

    def _figure(
        self,
        value: Callable[[ActResult], float | None],
        resolution: Callable[[ActResult], float],
        still: Callable[[ActResult], bool] = lambda _: False,
    ) -> Figure | None:
        known = [(v, run) for run in self.measured if (v := value(run)) is not None]
        if not known:
            return None
        values = [v for v, _ in known]
        step = max(resolution(run) for _, run in known)
        least = min((v for v, run in known if still(run)), default=math.inf)
        return Figure(statistics.median(values), max(values), len(values), step, least)


def waited(value_ms: float, resolution_ms: float, *, unended: bool) -> str:
    """An outage: `183 ms`; `> 183 ms` where it was not over with the act."""
    return f"{'> ' if unended else ''}{milliseconds(value_ms, resolution_ms)}"


def unended(act: ActResult, client: Client) -> bool:
    """Whether the longest time a client waited went on to the end of the act: its figure is the least that it was."""
    gap = longest(client.gaps)
    return gap is not None and gap.end >= act.length


def _badness(run: ActResult) -> tuple[int, float, bool, float, float]:
    order = {Verdict.SKIPPED: 0, Verdict.RECORDED: 1, Verdict.PASSED: 1, Verdict.FAILED: 2}
    return (
        order[run.verdict],
        run.two_holders_ms,
        run.left_behind,
        run.outage_ms or 0.0,
        run.service_outage_ms or 0.0,
    )


def summaries(report: RunReport) -> tuple[ActSummary, ...]:
    """The acts in the order of their first run."""
    groups: dict[str, list[ActResult]] = {}
    for act in report.acts:
        groups.setdefault(act.name, []).append(act)
    return tuple(ActSummary(name, tuple(runs)) for name, runs in groups.items())


def counted(report: RunReport) -> str:
    """`9 passed, 1 failed, 2 skipped`, counting acts; only what there is."""
    found = [act.verdict for act in summaries(report)]
    parts = [f"{found.count(v)} {v.value}" for v in Verdict if v in found]
    return ", ".join(parts) or "no acts"


def traced(report: RunReport) -> bool:
    """Whether it was drawn from a trace: recorded, and judged by nobody."""
    return bool(report.acts) and all(act.verdict is Verdict.RECORDED for act in report.acts)


def resolution(report: RunReport) -> str:
    """One sentence on what the figures can resolve."""
    udp = sorted({act.udp.interval_ms for act in report.acts if act.udp.interval_ms > 0})
    tls = sorted({act.tls.interval_ms for act in report.acts if act.tls.interval_ms > 0})
    parts = []
    if udp:
        parts.append(f"client outage: a UDP echo every {' or '.join(map(interval, udp))}")
    if tls:
        parts.append(f"service outage: a TLS hello every {' or '.join(map(interval, tls))}")
    if not parts:
        return "No probe was recorded."
    late = one_line(report.conditions.get(LATE, ""))
    more = f" and to what the probes were late by (at most {late})" if late else ""
    api = one_line(report.conditions.get(API_LATE, ""))
    own = (
        f" So much of a service outage may be the lab's own: API server late by at most {api}."
        if api
        else ""
    )
    still = any(unended(act, client) for act in report.acts for client in (act.udp, act.tls))
    open_ones = " Behind a > the outage was not over when the act was." if still else ""
    return f"Resolution: {'; '.join(parts)}. A figure is exact to one probe interval{more}.{own}{open_ones}"


def overlaps(lanes: tuple[Lane, ...]) -> dict[str, tuple[Span, ...]]:
    """For each server the spans in which it and another answered for the VIP at the same time."""
    found: dict[str, list[Span]] = {lane.server: [] for lane in lanes}
    for one, other in itertools.combinations(lanes, 2):
        for a, b in itertools.product(one.answered, other.answered):
            start, end = max(a.start, b.start), min(a.end, b.end)
            if start < end:
                found[one.server].append(Span(start, end))
                found[other.server].append(Span(start, end))
    return {
        server: tuple(sorted(set(spans), key=lambda span: (span.start, span.end)))
        for server, spans in found.items()
    }


def answered_twice(lanes: tuple[Lane, ...]) -> float:
    """Seconds in which more than one server answered."""
    both = sorted({span for spans in overlaps(lanes).values() for span in spans}, key=_start)
    total, reached = 0.0, 0.0
    for span in both:
        total += max(span.end - max(span.start, reached), 0.0)
        reached = max(reached, span.end)
    return total


def _start(span: Span) -> tuple[float, float]:
    return span.start, span.end


def longest(spans: tuple[Span, ...]) -> Span | None:
    """The longest span; None when there is none."""
    return max(spans, key=lambda span: span.end - span.start, default=None)
