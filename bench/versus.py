"""The head-to-head: every fault against every contender, in parts that go on where the last one ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import results
from bench.cells import AGAINST_PEERS, Cell
from bench.contenders import CONTENDERS, left_out
from bench.figures import runs, summary
from bench.runner import BLOCKS_MAY_FAIL, block_of

from vipkeeper.lab.act import Act, Runs
from vipkeeper.lab.act import Group as AboutWhat
from vipkeeper.lab.catalogue import SCENARIOS

RUNS = 50
NEVER = 10
"""Runs after which a contender that ended none of its outages is asked no more, if each took as long as an act waits."""
PATIENCE_MS = 9000.0
"""Of an act, which waits 10 s for another holder: shorter outages that did not end by themselves cost little to look at."""
REPLAYED = 3
"""Runs of a cell and contender that could not be played and are played again."""
GUESS = 15.0
"""Seconds of a run, until one of its cell has been timed."""
BEST = ("vipkeeper", "keepalived-best", "ucarp-best", "kube-vip-best")
HASTY = "keepalived-hasty"
DEFAULTS = ("vipkeeper", "keepalived-default", "ucarp-default", "kube-vip-default")
SECOND = ("vipkeeper", "keepalived-best-v2", "ucarp-best")


@dataclass(frozen=True)
class Group:
    """Contenders that are fairly compared with each other: a table of the page."""

    name: str
    title: str
    contenders: tuple[str, ...]
    cells: str
    """The beginning of the names of the cells whose runs it shows."""
    note: str = ""
    """What a reader must know of its figures."""


GROUPS = (
    Group(
        "best",
        "Equal interval: adverts every 100 ms, each at its best (who cannot, at its fastest)",
        (*BEST, HASTY),
        AGAINST_PEERS,
    ),
    Group(
        "default",
        "Default against default",
        DEFAULTS,
        AGAINST_PEERS,
        "The guide's check of keepalived needs 30 s to give an API server up, and ucarp has none: their figures of `api-dead` and "
        "`api-frozen` say how long the act waited.",
    ),
    Group(
        "second",
        "Equal interval: adverts every second",
        SECOND,
        "second/",
        "Two missed adverts make vipkeeper ask everybody who answers for the VIP, a third one missed makes keepalived claim it.",
    ),
)
EVERY = tuple(dict.fromkeys(name for group in GROUPS for name in group.contenders))
"""Every contender, vipkeeper first."""
FAULTS: dict[str, str] = {
    "power-off": "outage_ms",
    "daemon-killed": "outage_ms",
    "daemon-frozen": "outage_ms",
    "sigterm": "outage_ms",
    "api-dead": "service_outage_ms",
    "api-frozen": "service_outage_ms",
    "holder-mute": "outage_ms",
    "holder-deaf": "outage_ms",
    "loss": "outage_ms",
    "busy": "outage_ms",
}
"""The acts that are played many times, and the figure that sums each of them up."""
_LEFT_BEHIND = (
    "the kernel of a server whose keepalived is gone or stopped keeps the VIP and answers on, unwatched and beside the next holder, so "
    "that the client notices little; vipkeeper's VIP leaves with its lease before another server claims"
)
SLOWER: dict[str, str] = {
    "sigterm": (
        "the holder takes the VIP away before it resigns, so that two never have it; a signed advert, its check and the claim "
        "are turns of two Python programs then, 3 to 5 ms where keepalived's take 2"
    ),
    "daemon-killed": _LEFT_BEHIND,
    "daemon-frozen": _LEFT_BEHIND,
    "api-frozen": (
        "keepalived's check gives an API server a second and one failure; vipkeeper waits for two seconds without an "
        "answer, the last 1.5 of them for a fresh TLS handshake, since all clients come back at once after a takeover and may queue a healthy one for a second "
        "(docs/health-checks.md)"
    ),
}
"""Why vipkeeper is the slower one, where that is meant to be so."""
PATIENT = ("power-off", "loss", "busy")
"""Those in which keepalived is played once more, with two missed adverts instead of three."""
BY_THE_SECOND = ("power-off", "loss")
"""Those that are played with adverts every second as well."""
LAST = "second/"
"""Cells that wait until all others have their runs."""


def cells() -> list[Cell]:
    """Every cell: the faults with all contenders in turn, every other act once, then adverts every second."""
    acts = {act.name: act for act in SCENARIOS}
    found = []
    for name, metric in FAULTS.items():
        hasty = (HASTY,) if name in PATIENT else ()
        found.append(
            _cell(
                f"{AGAINST_PEERS}{name}", acts[name], RUNS, (*BEST, *hasty, *DEFAULTS[1:]), metric
            )
        )
    for act in SCENARIOS:
        if act.name not in FAULTS:
            metric = "service_outage_ms" if act.group is AboutWhat.SERVICE else "outage_ms"
            contenders = BEST if act.managers is Runs.ANY else BEST[:1]
            found.append(_cell(f"every/{act.name}", act, 1, contenders, metric))
    for name in BY_THE_SECOND:
        one = _cell(f"{LAST}{name}", acts[name], RUNS, SECOND, FAULTS[name])
        found.append(replace(one, interval_ms=1000, settings=("kernel_lease=4s",)))
    return found


def _cell(name: str, act: Act, count: int, contenders: tuple[str, ...], metric: str) -> Cell:
    return Cell(name, act.name, count, act.title, managers=contenders, metric=metric)


def only(cells: Sequence[Cell], contenders: Sequence[str]) -> list[Cell]:
    """The cells that any of these contenders plays, with them alone."""
    fewer = [
        replace(cell, managers=tuple(name for name in cell.managers if name in contenders))
        for cell in cells
    ]
    return [cell for cell in fewer if cell.managers]


def play(
    asked: Sequence[Cell], scale: float, path: Path, minutes: float, *, mix: bool
) -> dict[str, Any]:
    """Play what is missing in the file, for so many minutes at most; all results.

    Each pass plays one block of every cell and contender, so that a part shows a bit of everything.

    Raises:
        ResultsError: the file holds runs of another commit and `mix` is not set, or is damaged.
    """
    found = results.load(path)
    results.same_commit(found, path, mix=mix)
    out = left_out(EVERY)
    found["left_out"] = out
    asked_for = {CONTENDERS[name].manager for cell in asked for name in cell.managers}
    for name, reason in out.items():
        if name in asked_for:
            print(f"left out: {name}: {reason}", flush=True)
    end = time.monotonic() + minutes * 60
    while True:
        blocks = missing(asked, scale, found)
        for cell, contender, count in blocks:
            if time.monotonic() + count * pace(found, cell, contender) > end:
                print(
                    f"this part is over; {remaining(asked, scale, found)}; go on with the same command"
                )
                return found
            block = block_of(cell, contender, count)
            results.blocks(found, cell.name, contender).append(block)
            results.save(path, found)
            print(
                f"{_line(cell, contender, found)}; {remaining(asked, scale, found)}",
                flush=True,
            )
        if not blocks:
            results.save(path, found)
            return found  # fmt: skip


def _left(cell: Cell, contender: str, scale: float, found: dict[str, Any]) -> int:
    """Runs still to be played. One that could not be played is played again, but not for ever."""
    blocks = results.blocks(found, cell.name, contender)
    if sum(not block["runs"] for block in blocks) >= BLOCKS_MAY_FAIL:
        return 0
    played = runs({"blocks": blocks})
    if hopeless(cell, played):
        return 0
    unplayable = sum(len(block["runs"]) for block in blocks) - len(played)
    return max(1, round(cell.runs * scale)) - len(played) - max(0, unplayable - REPLAYED)


def hopeless(cell: Cell, played: Sequence[dict[str, Any]]) -> bool:
    """Whether a contender has shown often enough that it does not end this outage."""
    return len(played) >= NEVER and all(
        cell.metric in run.get("unended", ()) and (run[cell.metric] or 0) >= PATIENCE_MS
        for run in played
    )


def missing(
    asked: Sequence[Cell], scale: float, found: dict[str, Any]
) -> list[tuple[Cell, str, int]]:
    """The next block of every cell and contender that lacks runs and can be played; of the last cells only
    when no other lacks any.
    """
    early = [cell for cell in asked if not cell.name.startswith(LAST)]
    late = [cell for cell in asked if cell.name.startswith(LAST)]
    return list(_missing(early, scale, found)) or list(_missing(late, scale, found))


def _missing(
    asked: Sequence[Cell], scale: float, found: dict[str, Any]
) -> Iterator[tuple[Cell, str, int]]:
    out = found.get("left_out", {})
    for cell in asked:
        for contender in cell.managers:
            left = _left(cell, contender, scale, found)
            if left > 0 and CONTENDERS[contender].manager not in out:
                yield cell, contender, min(left, cell.block)


def pace(found: dict[str, Any], cell: Cell, contender: str) -> float:
    """Seconds a run takes, as measured where it was."""
    blocks = results.blocks(found, cell.name, contender)
    timed = [(b["took_s"], len(b["runs"])) for b in blocks if b["runs"] and "took_s" in b]
    played = sum(count for _, count in timed)
    return sum(took for took, _ in timed) / played if played else GUESS


def remaining(asked: Sequence[Cell], scale: float, found: dict[str, Any]) -> str:
    """How far it is and how long it will take."""
    out = found.get("left_out", {})
    wanted = done = 0
    seconds = 0.0
    for cell in asked:
        for contender in cell.managers:
            if CONTENDERS[contender].manager in out:
                continue
            left = max(0, _left(cell, contender, scale, found))
            wanted += max(1, round(cell.runs * scale))
            done += max(1, round(cell.runs * scale)) - left
            seconds += left * pace(found, cell, contender)
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{done} of {wanted} runs, about {hours} h {minutes:02d} min left"


def _line(cell: Cell, contender: str, found: dict[str, Any]) -> str:
    record = found["cells"][cell.name][contender]
    start = f"{cell.name:<24}{contender:<20}"
    if "error" in record["blocks"][-1]:
        return f"{start}FAILED {record['blocks'][-1]['error']}"
    figures = summary(run[cell.metric] for run in runs(record))
    return start + ", ".join(f"{key} {value:g}" for key, value in figures.items())
