"""Many seeds on all cores."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.pool import Pool

from vipkeeper.core.types import Duration
from vipkeeper.sim.faults import draw
from vipkeeper.sim.run import Result, run


@dataclass(slots=True)
class Totals:
    """What a sweep came to."""

    runs: int = 0
    simulated: Duration = 0
    events: int = 0
    faults: int = 0
    moves: int = 0
    worst_outage: Duration = 0
    worst_seed: int | None = None
    latest: Result | None = None
    """The newest failure."""
    failed: list[Result] = field(default_factory=list)
    """Results with violations, by seed."""

    def add(self, result: Result) -> None:
        """One more run."""
        self.runs += 1
        self.simulated += result.simulated
        self.events += result.events
        self.faults += result.faults
        self.moves += result.moves
        if result.worst_outage > self.worst_outage:
            self.worst_outage, self.worst_seed = result.worst_outage, result.seed
        if result.violations:
            self.latest = result
            self.failed.append(result)
            self.failed.sort(key=lambda failed: failed.seed)


def one(seed: int, fault_phase: Duration | None, encoded: bool, pause: Duration | None) -> Result:
    """The run of a seed."""
    return run(draw(seed, fault_phase, encoded=encoded, pause=pause))


def results(play: Callable[[int], Result], seeds: Iterable[int], jobs: int) -> Iterator[Result]:
    """The runs of these seeds, in the order they end."""
    if jobs == 1:
        yield from map(play, seeds)
        return
    with _pool(jobs) as pool:
        yield from pool.imap_unordered(play, seeds, chunksize=1)


def _pool(jobs: int) -> Pool:
    """Its processes leave Ctrl-C to this one from their first instant: what is ignored stays so in a child."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return multiprocessing.get_context("spawn").Pool(jobs)
    finally:
        signal.signal(signal.SIGINT, before)


def sweep(
    play: Callable[[int], Result],
    seeds: Iterable[int],
    jobs: int,
    progress: Callable[[Totals], None],
) -> Totals:
    """Run them all; `progress` is told after each."""
    totals = Totals()
    for result in results(play, seeds, jobs):
        totals.add(result)
        progress(totals)
    return totals
