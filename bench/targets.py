"""What was aimed at, as data, and whether the results meet it. Nothing is rounded before it is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.cells import AGAINST_PEERS, Cell, find
from bench.figures import runs, summary

Run = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What was found about one aim."""

    verdict: str
    """`met`, `missed`, or `not measured`."""
    found: str


@dataclass(frozen=True)
class Aim:
    """One line of what was aimed at."""

    issue: int
    text: str
    cell: str
    found: Callable[[Sequence[Run]], tuple[float | None, str]]
    limit: float = 0.0
    need: float = 50
    """Runs (or seconds broken, where the cell counts seconds) without which it is not judged."""


def shown(value: float | None) -> str:
    """A figure as it was measured."""
    return "nothing" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def share(metric: str, which: str) -> Callable[[Sequence[Run]], tuple[float | None, str]]:
    """A quantile of a metric; a run without the figure (it never came) is a miss by itself."""

    def found(played: Sequence[Run]) -> tuple[float | None, str]:
        without = sum(run[metric] is None for run in played)
        if without:
            return None, f"{without} of {len(played)} runs without an end"
        value = summary(run[metric] for run in played).get(which)
        return value, f"{which} {shown(value)} ms"

    return found


def worst(*metrics: str) -> Callable[[Sequence[Run]], tuple[float | None, str]]:
    """The largest of several metrics over all runs."""

    def found(played: Sequence[Run]) -> tuple[float | None, str]:
        value = max((run[metric] for run in played for metric in metrics), default=None)
        return value, f"max {shown(value)} ms"

    return found


def total(*counts: str) -> Callable[[Sequence[Run]], tuple[float | None, str]]:
    """The sum of counts over all runs."""

    def found(played: Sequence[Run]) -> tuple[float | None, str]:
        value = sum(run[count] for run in played for count in counts)
        return (
            value,
            f"{value} in {len(played)} runs, {sum(run['broken_s'] for run in played):.0f} s",
        )

    return found


def judge(aim: Aim, cells: dict[str, Any]) -> Finding:
    """Whether vipkeeper met the aim in its cell; where the head-to-head played the same it is missed there, too."""
    cell = find(aim.cell)
    own = _judged(aim, cell, cells.get(aim.cell, {}).get("vipkeeper"))
    record = cells.get(_twin(cell), {}).get("vipkeeper")
    played = runs(record) if record else []
    if not played:
        return own
    value, text = aim.found(played)
    missed = value is None or value > aim.limit
    words = f"{own.found}; in the head-to-head {text} ({len(played)} run{'s' if len(played) != 1 else ''})"
    return Finding("missed" if missed else own.verdict, words)


def _judged(aim: Aim, cell: Cell | None, record: dict[str, Any] | None) -> Finding:
    """What the runs of the aim's own cell say."""
    played = runs(record) if record else []
    unplayed = (
        sum(not run["length"] for b in record["blocks"] for run in b["runs"]) if record else 0
    )
    failed = sum("error" in block for block in record["blocks"]) if record else 0
    done = sum(run["broken_s"] for run in played) if cell and cell.seconds else len(played)
    value, text = aim.found(played) if played else (None, "no run")
    if played and (value is None or value > aim.limit):
        return Finding("missed", text)
    if unplayed or failed:
        text += f"; {unplayed} runs and {failed} blocks could not be played"
        return Finding("not measured", text)
    if done < aim.need:
        unit = "s" if cell and cell.seconds else "runs"
        return Finding("not measured", f"{text}; {done:.0f} of {aim.need:.0f} {unit}")
    return Finding("met", text)


def _twin(cell: Cell | None) -> str:
    """The cell of the head-to-head in which the same is played under the same conditions; it need not be there."""
    if cell is None or cell.interval_ms != 100 or cell.settings:
        return ""
    return f"{AGAINST_PEERS}{cell.act}"


def _median_and_max(issue: int, cell: str, what: str) -> tuple[Aim, ...]:
    return (
        Aim(issue, f"{what}: p50 at most 3 ms", cell, share("outage_ms", "p50"), 3),
        Aim(issue, f"{what}: max at most 15 ms", cell, share("outage_ms", "max"), 15),
    )


def _dead_daemon(issue: int, cell: str, what: str, need: int) -> tuple[Aim, ...]:
    return (
        Aim(issue, f"{what}: 0 ms with two holders", cell, worst("two_holders_ms"), 0, need),
        Aim(issue, f"{what}: outage at most 300 ms", cell, share("outage_ms", "max"), 300, need),
    )


AIMS: tuple[Aim, ...] = (
    Aim(2, "power off: p50 at most 300 ms", "power-off", share("outage_ms", "p50"), 300, 30),
    Aim(2, "power off: max at most 420 ms", "power-off", share("outage_ms", "max"), 420, 30),
    *_median_and_max(2, "handover", "handover"),
    *_median_and_max(2, "sigterm", "SIGTERM"),
    Aim(2, "API server killed: p99 at most 250 ms", "api-dead", share("service_outage_ms", "p99"), 250),
    *_dead_daemon(2, "daemon-killed", "SIGKILL of the daemon", 1),
    *_dead_daemon(2, "daemon-frozen", "SIGSTOP of the daemon", 1),
    Aim(3, "power off, bare-metal: max at most 290 ms", "power-off", share("outage_ms", "max"), 290),
    Aim(3, "power off, vm: max at most 390 ms", "power-off-vm", share("outage_ms", "max"), 390),
    *_median_and_max(3, "handover", "handover"),
    *_median_and_max(3, "sigterm", "SIGTERM"),
    *_dead_daemon(3, "daemon-killed", "SIGKILL, no restart", 50),
    *_dead_daemon(3, "daemon-frozen", "SIGSTOP", 50),
    Aim(3, "SIGKILL, restart inside the lease: 0 moves", "killed-restart", total("moves"), 0),
    Aim(3, "SIGKILL, restart inside the lease: 0 ms outage", "killed-restart", share("outage_ms", "max")),
    Aim(3, "strict, SIGKILL: VIP silent within 450 ms", "strict-killed", share("silent_ms", "max"), 450),
    Aim(3, "strict, SIGSTOP: VIP silent within 450 ms", "strict-frozen", share("silent_ms", "max"), 450),
    Aim(
        3,
        "holder that cannot send: at most 20 ms with two holders (wire and kernels)",
        "holder-mute",
        worst("two_holders_ms", "two_kernels_ms"),
        20,
    ),
    Aim(3, "holder that cannot receive: moved within 1.5 s", "holder-deaf", share("outage_ms", "max"), 1500),
    Aim(3, "power off at 20 ms: max at most 70 ms", "power-off-20ms", share("outage_ms", "max"), 70),
    Aim(3, "20 % loss, 30 lab minutes: 0 moves", "loss-20", total("moves"), 0, 1800),
    Aim(3, "8 busy loops on 2 cores, 10 minutes: 0 moves", "busy", total("moves"), 0, 600),
    Aim(3, "holder's daemon stopped 0.2-2 s, 60 times: 0 moves", "holder-stalls", total("moves"), 0, 60),
    Aim(3, "a backup's daemon stopped 0.2-2 s, 60 times: 0 moves", "backup-stalls", total("moves"), 0, 60),
)  # fmt: skip


def rest_findings(rest: dict[str, Any] | None) -> list[tuple[str, Finding]]:
    """Of issue 2: memory, processor time, `--help`."""
    texts = (
        "keeper and prober: at most 65 MB RSS",
        "keeper and prober: at most 1.5 % of a core at rest",
        "`vipkeeper --help`: at most 150 ms",
    )
    if not rest:
        return [(text, Finding("not measured", "no run")) for text in texts]
    servers = rest["servers"].values()
    memory = max(sum(p["rss_kib"] for p in s["processes"]) for s in servers) * 1024 / 1e6
    cpu = max(s["cpu_percent"] for s in servers)
    longest = rest["help_ms"]["max"]
    seconds = rest["seconds"]
    complete = seconds >= 59
    found = (
        (memory <= 65, f"{memory:.1f} MB, the largest of {len(servers)} servers", True),
        (cpu <= 1.5, f"{cpu} %, the largest of {len(servers)} servers over {seconds} s", complete),
        (longest <= 150, f"max {longest} ms of {rest['help_ms']['n']} runs", True),
    )
    return [
        (text, Finding("met" if met and enough else "not measured" if met else "missed", words))
        for text, (met, words, enough) in zip(texts, found, strict=True)
    ]


WHY_LIVE_RUNS = 10
"""Without so many a figure of `why` on a live server is not judged."""


def why_findings(why: dict[str, Any] | None) -> list[tuple[str, Finding]]:
    """Of issue 5: a bundle of 200 MB, and live on one server. The worst run counts, by wall clock."""
    texts = (
        "bundle of 200 MB, few messages: at most 3 s",
        "bundle of 200 MB, a message in every tenth line: at most 3 s",
        "bundle of 200 MB: at most 300 MB of memory",
        "live, everything dead: at most 8 s",
        "live, healthy: at most 2 s",
    )
    if not why:
        return [(text, Finding("not measured", "no run")) for text in texts]
    quiet, loud = (why["cells"][name]["runs"] for name in ("quiet", "loud"))
    dead, healthy = (why["live"][name] for name in ("dead", "healthy"))
    memory = max(run["rss_mib"] for run in (*quiet, *loud)) * (1 << 20) / 1e6
    found = [_within(quiet, 3, 1), _within(loud, 3, 1)]
    found.append(Finding("met" if memory <= 300 else "missed", f"max {memory:.0f} MB"))
    found += [_within(dead, 8, WHY_LIVE_RUNS), _within(healthy, 2, WHY_LIVE_RUNS)]
    return list(zip(texts, found, strict=True))


def _within(played: Sequence[Run], limit: float, need: int) -> Finding:
    """Whether every run took at most so many seconds; its processor time tells a busy machine from a slow program."""
    wall, cpu = summary(run["seconds"] for run in played), summary(run["cpu_s"] for run in played)
    words = f"max {shown(wall['max'])} s, p50 {shown(wall['p50'])} s of {wall['n']} runs; processor time max {shown(cpu['max'])} s"
    if wall["max"] > limit:
        return Finding("missed", words)
    return Finding("met" if wall["n"] >= need else "not measured", words)
