"""Writes docs/why-accuracy.md from bench/results/why-drill.json and the list of faults, or with --check fails where it differs.

With --judge DIR the bundles that `drill --why --bundles DIR` kept are judged anew first, by the hypotheses as they are now.
With --first FILE the answers in FILE, as `drill --why --output json=FILE` writes it, are kept as those of the first play of the
faults that had none: bench/results/why-drill-first.json, in which nothing is ever written over.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vipkeeper.lab.troubles.faults import CHANGED, FAULTS, FIRST, LATER, Fault
from vipkeeper.lab.troubles.play import Outcome, Result, as_json, judge
from vipkeeper.lab.troubles.table import expectation, said, summary

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results/why-drill.json"
FIRST_PLAYS = ROOT / "bench/results/why-drill-first.json"
PAGE = ROOT / "docs/why-accuracy.md"
HEAD = """\
# How often `why` is right

Written by `tools/why_accuracy.py` from [bench/results/why-drill.json](../bench/results/why-drill.json), which
`vipkeeper drill --why --output json=FILE` writes. [drill.md](drill.md) says what the box has and what stands for what.
The faults and the answers that are right (`src/vipkeeper/lab/troubles/faults.py`) were chosen before any of them was run; those of
the second table later, when what the first ones had shown was mended, and again before any of them was run.

*Right*: the foremost root cause is one of the expected ones, confirmed or likely, and none beside it is another than those that are
true as well; where nothing is broken, `healthy`. *Open*: undetermined. *Misled*: another cause, not confirmed, also beside an
expected one; or `healthy` where something is broken; or what was confirmed is true and not the cause. *Wrong*: something that is
not so was confirmed. *At first*: what the first play of all said, before anything was mended that it showed
([bench/results/why-drill-first.json](../bench/results/why-drill-first.json)). *s*: seconds that the last play took, with the start
of its cluster.

"""
HEADER = (
    "| fault | what is broken | expected | outcome | answer | s | at first |",
    "|---|---|---|---|---|---|---|",
)


def page(results: list[Result], first: dict[str, str]) -> str:
    """The whole page."""
    lines = [HEAD + f"{summary(results)}.", ""]
    lines += _table(FIRST, results, first)
    lines += ["", "## Added later", ""]
    lines += _table(LATER, results, first)
    lines += ["", *LATER_SHOWED]
    lines += ["", "## Expectations that were changed after a run", ""]
    lines += [f"* `{name}`: {why}" for name, why in CHANGED] or ["None."]
    lines += ["", "## What the runs changed", "", *CHANGES]
    return "\n".join(lines) + "\n"


def _table(faults: Sequence[Fault], results: list[Result], first: dict[str, str]) -> list[str]:
    by_name = {result.name: result for result in results}
    lines = list(HEADER)
    for fault in faults:
        result = by_name.get(fault.name)
        outcome, answer = ("not played", "") if result is None else (result.outcome, said(result))
        took = f"{result.seconds:.0f}" if result is not None and result.seconds else ""
        shown = outcome if outcome == Outcome.RIGHT.value else f"**{outcome}**"
        cells = (f"`{fault.name}`", fault.what, expectation(fault), shown, answer, took)
        row = (*cells, first.get(fault.name, ""))
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |")
    return lines


LATER_SHOWED = (
    "Two of them had no cause that would have been right: VK851 and VK876 were written for them, after the faults and before they were",
    "played, and the first plays were made without them and without what follows. `slow-etcd-no-lease` was chosen when `slow-etcd` had",
    "been mended, and VK814 written for it before it was played. Found and mended:",
    "",
    "* Port 9345 was missed on k3s, which has none: a healthy cluster was undetermined, and so was one without a quorum, since its",
    "  cause did not explain the port. It is missed only where the files say RKE2, or 9345 is seen open on some server.",
    "* No live collector told clocks, so that VK884 could not be had. They are read from the `Date` of the API servers' answers, to",
    "  half a second; each place measures by its own clock, and one that is wrong itself is outvoted.",
    '* "Two looks more than 10 s apart" took facts of several servers for looks one after the other: with clocks that differ, one look',
    "  of two servers could have confirmed what needs two. No play showed it; only looks by one clock count now.",
    "* An etcd with a slow disk, whose /health and whose API server's /readyz fail for it, counted as one with an alarm and without a",
    "  leader, which ruled out the right cause. Its metrics tell; and since they are sums since its start, so does its log of late.",
    "* No live collector told under which address etcd is a member.",
    "* `first-joins-vip` of the first table: where `server` leads is a fact of each server now, so that all of them together show what",
    "  no server's files show alone.",
    "",
    "Not played: a take-over of a node's address by DHCP or by a link that was down, since the box has neither; a disk that is slow for",
    "all programs, since only etcd's calls are held up; kube-vip itself, whose Lease needs a real API server. etcd does not see that",
    "its server's clock is ahead, since it asks the kernel without libc.",
)
CHANGES = (
    "Of the first play of the first table only whether it was right was noted. Faults after `disk-full` there were first played when the",
    "first three items of this list had been mended, so how many of those would have failed as well is not known. Found and mended:",
    "",
    "* A server without power counted as there while the neighbour table still had its entry, so that lost quorum and a server",
    "  that is cut off were not told apart. Hosts are now asked by ARP.",
    "* Findings of lint, rules of a firewall and a stranger's address were collected under other names than the hypotheses read;",
    "  TLS on the servers' own addresses, captured VIPs and failed duplicate address detection not at all from a live host.",
    "* A cluster without quorum whose API servers answer 401 was called healthy.",
    "* The collector of managers took its own command, which is called vipkeeper, for the daemon.",
    "* The words of a frozen manager before it froze counted as its claim.",
    "* etcd before 3.5 gives no reason on /health: out of space looked like no leader.",
    "* A VIP that its holder alone reaches counted as reached. keepalived's words for a missing interface were not known.",
    "* Of the drill itself: its `journalctl` did not know `--grep`, and `standby on` is refused on the last server, so that nothing was broken.",
    "",
    "What can be missed: an election is over within seconds. On a busy machine it is over before anybody looks, and then `why` says what is so",
    "by then: healthy. That etcd's log speaks of an election a minute ago is shown with the causes that it supports, and is no cause by",
    "itself: the loss of a server, of its disk or of its power begins one, too, and it would stand beside each of them.",
)


def judged_anew(folder: Path) -> list[Result]:
    """What `why` says of kept bundles now; how long each took is what its play said, or the results so far."""
    took = {result.name: result.seconds for result in _results()}
    results = []
    for fault in FAULTS:
        bundles = sorted(str(path) for path in (folder / fault.name).glob("*.tar.gz"))
        if bundles:
            words = (sys.executable, "-m", "vipkeeper", "why", "--from", *bundles)
            done = subprocess.run([*words, "--output", "json"], stdout=subprocess.PIPE, check=False)
            played = folder / fault.name / "result.json"
            seconds = took.get(fault.name, 0.0)
            if played.exists():
                seconds = json.loads(played.read_text(encoding="utf-8"))["seconds"]
            results.append(judge(fault, json.loads(done.stdout), seconds))
    return results


def keep_first(played: Path) -> None:
    """Add the first plays of faults that had none."""
    rows = json.loads(FIRST_PLAYS.read_text(encoding="utf-8"))["plays"]
    known = {row["name"] for row in rows}
    for row in json.loads(played.read_text(encoding="utf-8"))["results"]:
        result = Result(**row)
        if result.name not in known:
            rows.append({"name": result.name, "outcome": result.outcome, "answer": said(result)})
    text = json.dumps({"schema_version": 1, "plays": rows}, indent=1) + "\n"
    FIRST_PLAYS.write_text(text, encoding="utf-8")


def _results() -> list[Result]:
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["results"]
    return [Result(**row) for row in rows]


def _first() -> dict[str, str]:
    """What the first play of each fault said, in words."""
    rows = json.loads(FIRST_PLAYS.read_text(encoding="utf-8"))["plays"]
    right = Outcome.RIGHT.value
    return {
        row["name"]: row["outcome"]
        if row["outcome"] == right or not row["answer"]
        else f"{row['outcome']}: {row['answer']}"
        for row in rows
    }


def main(arguments: list[str]) -> int:
    """Write, or check."""
    if arguments[:1] == ["--judge"]:
        RESULTS.write_text(as_json(judged_anew(Path(arguments[1]))), encoding="utf-8")
    if arguments[:1] == ["--first"]:
        keep_first(Path(arguments[1]))
    wanted = page(_results(), _first())
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
            sys.stderr.write("docs/why-accuracy.md is not up to date; run tools/why_accuracy.py\n")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
