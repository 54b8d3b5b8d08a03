"""Writes docs/why-accuracy.md from bench/results/why-drill.json and the list of faults, or with --check fails where it differs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vipkeeper.lab.troubles.faults import CHANGED, FAULTS
from vipkeeper.lab.troubles.play import Outcome, Result
from vipkeeper.lab.troubles.table import expectation, said, summary

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench/results/why-drill.json"
PAGE = ROOT / "docs/why-accuracy.md"
HEAD = """\
# How often `why` is right

Written by `tools/why_accuracy.py` from [bench/results/why-drill.json](../bench/results/why-drill.json), which
`vipkeeper drill --why --output json=FILE` writes. [drill.md](drill.md) says what the box has and what stands for what.
The faults and the answers that are right (`src/vipkeeper/lab/troubles/faults.py`) were chosen before any of them was run.

*Right*: the foremost root cause is one of the expected ones, confirmed or likely; where nothing is broken, `healthy`. *Open*:
undetermined. *Misled*: another cause, not confirmed, or `healthy` where something is broken; or what was confirmed is true and
not the cause. *Wrong*: something that is not so was confirmed.

"""


def page(results: list[Result]) -> str:
    """The whole page."""
    by_name = {result.name: result for result in results}
    lines = [
        HEAD + f"{summary(results)}.",
        "",
        "| fault | what is broken | expected | outcome | answer |",
    ]
    lines.append("|---|---|---|---|---|")
    for fault in FAULTS:
        result = by_name.get(fault.name)
        outcome, answer = ("not played", "") if result is None else (result.outcome, said(result))
        shown = outcome if outcome == Outcome.RIGHT.value else f"**{outcome}**"
        cells = (f"`{fault.name}`", fault.what, expectation(fault), shown, answer)
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    lines += ["", "## Expectations that were changed after a run", ""]
    lines += [f"* `{name}`: {why}" for name, why in CHANGED] or ["None."]
    lines += ["", "## What the runs changed", "", *CHANGES]
    return "\n".join(lines) + "\n"


CHANGES = (
    "The first runs showed faults of the collectors, which were mended; the answers above are those after it.",
    "",
    "* A server without power counted as there while the neighbour table still had its entry, so that lost quorum and a server",
    "  that is cut off were not told apart. Hosts are now asked by ARP.",
    "* Findings of lint and rules of a firewall were collected under other names than the hypotheses read.",
    "* A stranger's address was called otherwise than the hypotheses expect, and not told where two hosts answer.",
    "* TLS on the servers' own addresses, captured VIPs and failed duplicate address detection were not collected from a live host.",
    "* A cluster without quorum whose API servers answer 401 was called healthy.",
)


def main(arguments: list[str]) -> int:
    """Write, or check."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["results"]
    wanted = page([Result(**row) for row in rows])
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
            sys.stderr.write("docs/why-accuracy.md is not up to date; run tools/why_accuracy.py\n")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
