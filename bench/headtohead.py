"""The head of docs/benchmarks.md: fault against contender, and what each comparison comes to, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench import versus
from bench.cells import AGAINST_PEERS, Cell
from bench.contenders import CONTENDERS
from bench.figures import runs, summary
from bench.targets import Finding, shown

from vipkeeper.lab.recorder import TLS_EVERY, UDP_EVERY
from vipkeeper.report.style import one_line

OURS = "vipkeeper"
RIVAL = "keepalived-best"
Run = dict[str, Any]
ONCE_TOLD = 100.0
"""Milliseconds by which two single runs must lie apart to be told: an advert interval, since each has its own phase."""
RESOLUTION = {"outage_ms": UDP_EVERY * 1000, "service_outage_ms": TLS_EVERY * 1000}
"""Milliseconds between two questions of the client: figures less than that apart cannot be told from each other."""


def rows(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table."""
    every = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in every)


def tenths(value: float) -> str:
    """Milliseconds to a tenth; what is less than one of them, such as two kernels that overlap for 0.019 ms, as it was measured."""
    return shown(value if value < 0.1 else round(value, 1))


def section(found: dict[str, Any]) -> str:
    """Everything of the head-to-head; one line where nothing of it has been played."""
    text = "## Head to head\n\n"
    records = {
        name: {who: record for who, record in cell.items() if record["blocks"]}
        for name, cell in found["cells"].items()
    }
    cells = [cell for cell in versus.cells() if records.get(cell.name)]
    if not cells:
        return text + "Not measured yet (`./dev bench versus`).\n"
    text += in_short(found)
    played = {name for cell in cells for name in records[cell.name]}
    text += "".join(
        f"* **{name}**: {CONTENDERS[name].what}.\n" for name in versus.EVERY if name in played
    )
    text += "".join(
        f"* **{name}** is left out: {reason}.\n"
        for name, reason in found.get("left_out", {}).items()
        if name not in {CONTENDERS[one].manager for one in played}
    )
    text += (
        "\nEach block of runs is on a fresh cluster; the contenders of one command take turns block by block. An act waits "
        "for another holder for 10 s. Behind a `>`: the outage ended only because what was broken worked again or the act was "
        "over, and may be longer. Rounded to a tenth; every fault's table further down has the minimum and p99 too.\n"
    )
    for group in versus.GROUPS:
        mine = [cell for cell in cells if cell.name.startswith(group.cells)]
        who = [one for one in group.contenders if any(one in records[cell.name] for cell in mine)]
        if who:
            note = f"{group.note}\n\n" if group.note else ""
            text += f"\n### {group.title}\n\n{note}{_group(mine, who, records)}"
    return text + _once([cell for cell in cells if cell.name.startswith("every/")], records)


def _group(cells: Sequence[Cell], names: Sequence[str], records: dict[str, Any]) -> str:
    def table(title: str, what: Callable[[Cell, Sequence[Run]], str]) -> str:
        lines = []
        for cell in cells:
            played = [_played(records, cell, name) for name in names]
            found = [what(cell, some) if some else "not played" for some in played]
            lines.append([f"{cell.act}", *found])
        return f"{title}:\n\n" + rows(["fault", *names], lines) + "\n"

    text = table(
        "Outage seen by the client (with an API server that is broken, its TLS), ms, p50 / max (runs)",
        _outage,
    )
    text += table("Two holders, on the wire or in the kernels, ms, p50 / max", _two)
    text += table("Nobody answered the observer, ms in all, p50 / max", _figure("none_ms"))
    text += table("Moves; runs that left the VIP behind; runs not as expected", _counts)
    if lost := "".join(_unplayed(records, cell, name) for cell in cells for name in names):
        text += f"Not among these figures:\n\n{lost}\n"
    said = "".join(_words(cell, names, records) for cell in cells)
    return text + (f"What it comes to:\n\n{said}" if said else "")


def _unplayed(records: dict[str, Any], cell: Cell, name: str) -> str:
    """A line for a contender's runs and blocks of which there are no figures, with the last reason."""
    words = lacking(records[cell.name].get(name))
    return f"* {cell.act}, {name}: {words}.\n" if words else ""


def lacking(record: dict[str, Any] | None) -> str:
    """How many runs could not be played and how many blocks came to nothing; empty where all is there."""
    blocks = record["blocks"] if record else []
    unplayed = [run for block in blocks for run in block["runs"] if not run["length"]]
    broken = [block for block in blocks if "error" in block]
    parts = []
    if unplayed:
        parts.append(f"{len(unplayed)} runs could not be played ({unplayed[-1]['reason']})")
    if broken:
        parts.append(f"{len(broken)} blocks failed ({one_line(broken[-1]['error'])[-200:]})")
    return ", ".join(parts)


def _played(records: dict[str, Any], cell: Cell, name: str) -> list[Run]:
    record = records[cell.name].get(name)
    return runs(record) if record else []


def _pair(values: Sequence[float | None]) -> str:
    found = summary(values)
    return f"{tenths(found['p50'])} / {tenths(found['max'])}" if found["n"] else "no figure"


def _outage(cell: Cell, played: Sequence[Run]) -> str:
    found = summary(run[cell.metric] for run in played)
    if not found["n"]:
        return f"no figure ({len(played)})"
    least = _least(cell.metric, played)
    marks = (f"{'> ' if least <= found[key] else ''}{tenths(found[key])}" for key in ("p50", "max"))
    return f"{' / '.join(marks)} ({len(played)})"


def _least(metric: str, played: Sequence[Run]) -> float:
    """From this figure on the true one may be longer: the shortest outage that did not end by itself."""
    open_ones = (run[metric] for run in played if metric in run.get("unended", ()))
    return min(open_ones, default=math.inf)


def _figure(key: str) -> Callable[[Cell, Sequence[Run]], str]:
    return lambda _, played: _pair([run[key] for run in played])


def _both(run: Run) -> float:
    """Milliseconds with two holders, whichever witness saw more of it."""
    return float(max(run["two_holders_ms"], run["two_kernels_ms"]))


def _two(_: Cell, played: Sequence[Run]) -> str:
    return _pair([_both(run) for run in played])


def _counts(_: Cell, played: Sequence[Run]) -> str:
    behind, failed = (
        sum(1 for run in played if run["left_behind"]),
        sum(run["verdict"] != "passed" for run in played),
    )
    return f"{sum(run['moves'] for run in played)}; {behind}; {failed}"


def _words(cell: Cell, names: Sequence[str], records: dict[str, Any]) -> str:
    """A line for each peer: who is faster and by how much, and what else it costs."""
    ours = _played(records, cell, OURS)
    if not ours:
        return ""
    text = ""
    for name in names:
        theirs = _played(records, cell, name)
        if name != OURS and theirs:
            text += f"* {cell.act}: {_compared(cell, ours, name, theirs)}.\n"
    return text


def _compared(cell: Cell, ours: Sequence[Run], name: str, theirs: Sequence[Run]) -> str:
    """Who is faster, where both were played often enough to tell."""
    if not _enough(cell, ours, theirs):
        counts = f"{OURS} {len(ours)}, {name} {len(theirs)} of {cell.runs}"
        return f"too few runs to tell {OURS} from {name} ({counts})"
    return faster(cell.metric, ours, name, theirs)


def _enough(cell: Cell, ours: Sequence[Run], theirs: Sequence[Run]) -> bool:
    """Whether both were played as often as the cell wants, or the peer till it was clear that it would wait in vain."""
    return len(ours) >= cell.runs and (len(theirs) >= cell.runs or versus.hopeless(cell, theirs))


def faster(metric: str, ours: Sequence[Run], name: str, theirs: Sequence[Run]) -> str:
    """One sentence, the same words whoever wins."""
    if any(run[metric] is None for run in (*ours, *theirs)):
        return f"{name} and {OURS} cannot be compared"
    sides = ((OURS, ours), (name, theirs))
    parts = []
    for (winner, fast), (loser, slow) in (sides, sides[::-1]):
        if won := _gains(metric, fast, slow):
            parts.append(f"{winner} is faster here than {loser} by {won}")
    text = ", ".join(parts) or f"no difference between {OURS} and {name} can be told"
    prices = [_price(OURS, ours), _price(name, theirs)]
    return "; ".join([text, *(price for price in prices if price)])


def findings(found: dict[str, Any]) -> list[tuple[str, str, Finding]]:
    """Of issue 6: whether each fault costs less than with the rival at the same interval, p50 and max; its cell."""
    judged = []
    for act, cell, ours, theirs in _pairs(found):
        finding = _against(cell, ours, theirs)
        for who in (OURS, RIVAL):
            if words := lacking(found["cells"].get(cell.name, {}).get(who)):
                finding = replace(finding, found=f"{finding.found}; {who}: {words}")
        judged.append((f"{act}: no longer outage than {RIVAL}", cell.name, finding))
    return judged


def _against(cell: Cell, ours: Sequence[Run], theirs: Sequence[Run]) -> Finding:
    if not ours or not theirs:
        return Finding("not measured", "no run")
    words = f"p50 / max (runs): {_outage(cell, ours)}, {RIVAL} {_outage(cell, theirs)}"
    prices = [_price(OURS, ours), _price(RIVAL, theirs)]
    words = "; ".join([words, *(price for price in prices if price)])
    if any(run[cell.metric] is None for run in (*ours, *theirs)):
        return Finding("not measured", words)
    if _gains(cell.metric, theirs, ours):
        at_worst = _gain(cell.metric, "max", theirs, ours)
        why = versus.SLOWER.get(cell.act) or (_untouched(cell.metric, ours) if at_worst else "")
        return Finding("missed", f"{words}. Why: {why}" if why else words)
    return Finding("met" if _enough(cell, ours, theirs) else "not measured", words)


def _untouched(metric: str, played: Sequence[Run]) -> str:
    """What else is known of the longest outage, where the VIP stayed and answered everybody else; empty otherwise."""
    worst = max(played, key=lambda run: run[metric])
    others = ("moves", "left", "none_ms", *(key for key in RESOLUTION if key != metric))
    if any(worst[key] != 0 for key in others):
        return ""
    return "not known; in the longest run the VIP left no kernel, and ARP and the other client were answered all the time"


def in_short(found: dict[str, Any]) -> str:
    """The first lines of the page: against the rival at its best, where the client waits less long, where longer, where
    neither, and what it costs; most words for the losses.
    """
    said: dict[str, list[str]] = {
        "shorter": [],
        "longer": [],
        "no difference": [],
        "too few runs yet": [],
    }
    for act, cell, ours, theirs in _pairs(found):
        measured = _against(cell, ours, theirs).verdict != "not measured"
        if not (measured and _enough(cell, ours, theirs)):
            said["too few runs yet"].append(act)
            continue
        prices = "; ".join(price for price in (_price(OURS, ours), _price(RIVAL, theirs)) if price)
        won, lost = _gains(cell.metric, ours, theirs), _gains(cell.metric, theirs, ours)
        if lost:
            text = f"{act} by {lost}{f', shorter by {won}' if won else ''}"
            said["longer"].append(f"{text}{f' ({prices})' if prices else ''}")
        elif won:
            said["shorter"].append(f"{act} by {won}{f' ({prices})' if prices else ''}")
        else:
            said["no difference"].append(act)
    lines = [f"* **{word}**: {'; '.join(some)}.\n" for word, some in said.items() if some]
    head = f"In short, the outages that {OURS}'s clients see beside those of {RIVAL}'s, adverts every 100 ms from both:\n\n"
    hasty = "".join(
        f"* {act}: {_compared(cell, ours, versus.HASTY, theirs)}.\n"
        for act, cell, ours, theirs in _pairs(found, versus.HASTY)
        if ours and theirs
    )
    if hasty:
        hasty = f"\nThe same of {versus.HASTY}, which gives a holder up after two missed adverts instead of three:\n\n{hasty}"
    return f"{head}{''.join(lines)}{hasty}\nWho was played:\n\n"


def _pairs(
    found: dict[str, Any], rival: str = RIVAL
) -> Iterator[tuple[str, Cell, list[Run], list[Run]]]:
    """Each fault, and how often it was played with vipkeeper and with a rival."""
    for act in versus.FAULTS:
        cell = next(cell for cell in versus.cells() if cell.name == f"{AGAINST_PEERS}{act}")
        records = {cell.name: found["cells"].get(cell.name, {})}
        yield act, cell, _played(records, cell, OURS), _played(records, cell, rival)


def _gains(metric: str, fast: Sequence[Run], slow: Sequence[Run]) -> str:
    """By how much the first is faster, at the median and at the worst; empty where at neither."""
    return " and ".join(
        words for key in ("p50", "max") if (words := _gain(metric, key, fast, slow))
    )


def _gain(metric: str, key: str, fast: Sequence[Run], slow: Sequence[Run]) -> str:
    """By how much the first is faster; empty where it is not by more than the client can tell, or where its own figure is
    only the least.
    """
    ahead, behind = (summary(run[metric] for run in some)[key] for some in (fast, slow))
    if behind - ahead <= RESOLUTION[metric] or ahead >= _least(metric, fast):
        return ""
    least = "at least " if behind >= _least(metric, slow) else ""
    return f"{least}{tenths(behind - ahead)} ms at {key}"


def _price(name: str, played: Sequence[Run]) -> str:
    """Two holders and addresses left behind; empty where there were none."""
    two = max(_both(run) for run in played)
    behind = sum(1 for run in played if run["left_behind"])
    parts = [f"had two holders for up to {tenths(two)} ms"] if two else []
    parts += [f"left the VIP behind in {behind} of {len(played)} runs"] if behind else []
    return f"{name} {' and '.join(parts)}" if parts else ""


def _once(cells: Sequence[Cell], records: dict[str, Any]) -> str:
    """What was played once: what came out of each."""
    if not cells:
        return ""
    names = list(dict.fromkeys(name for cell in cells for name in records[cell.name]))
    lines, lost = [], ""
    for cell in cells:
        played = {name: _last(records[cell.name].get(name)) for name in names}
        lines.append(
            [cell.act, *(_one(cell, run) if run else "not played" for run in played.values())]
        )
        lost += "".join(_sooner(cell, played, name) for name in names)
    head = "\n### Every other act, once\n\nAs expected or not, client outage, ms with two holders. "
    head += (
        "The expectations are vipkeeper's promises; a peer that does not make them is not wrong. "
    )
    head += "*Not played*: the act breaks what only vipkeeper has, or the program is not there.\n\n"
    text = head + rows(["act", *names], lines)
    if lost:
        text += f"\nA peer's client waited less long, by more than {ONCE_TOLD:g} ms, in:\n\n{lost}"
    return text


def _last(record: dict[str, Any] | None) -> Run | None:
    played = [run for block in record["blocks"] for run in block["runs"]] if record else []
    return played[-1] if played else None


def _sooner(cell: Cell, played: dict[str, Run | None], name: str) -> str:
    """A line where a peer's one outage was shorter than ours and had ended."""
    ours, theirs = played.get(OURS), played[name]
    if ours is None or theirs is None or name == OURS:
        return ""
    mine, its = ours[cell.metric], theirs[cell.metric]
    if (
        mine is None
        or its is None
        or mine - its <= ONCE_TOLD
        or its >= _least(cell.metric, [theirs])
    ):
        return ""
    price = _price(name, [theirs])
    return f"* {cell.act}: {OURS} {tenths(mine)} ms, {name} {tenths(its)} ms{f'; {price}' if price else ''}.\n"


def _one(cell: Cell, run: Run) -> str:
    if not run["length"]:
        return f"could not be played: {run['reason']}"
    verdict = "yes" if run["verdict"] == "passed" else "no"
    outage = "" if run[cell.metric] is None else f", {tenths(run[cell.metric])} ms"
    two = f", two holders {tenths(_both(run))} ms" if _both(run) else ""
    return f"{verdict}{outage}{two}"


def rest(found: dict[str, Any] | None) -> str:
    """What each manager costs at rest."""
    if not found:
        return ""
    lines = []
    for name, one in found.items():
        for server, cost in one["servers"].items():
            sizes = [sum(p[key] for p in cost["processes"]) for key in ("rss_kib", "pss_kib")]
            role = f"{server} (holder)" if cost["holder"] else server
            lines.append([name, role, *(f"{size}" for size in sizes), f"{cost['cpu_percent']} %"])
    return (
        "## At rest, all of them\n\nThree servers with nothing to do, nobody probing; all processes of each "
        "manager, its check scripts included, etcd not.\n\n"
        + rows(["manager", "server", "RSS, KiB", "PSS, KiB", "of one core"], lines)
    )
