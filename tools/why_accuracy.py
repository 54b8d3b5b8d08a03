"""Writes docs/why-accuracy.md from bench/results/why-drill.json and the list of faults, or with --check fails where it differs.

With --judge DIR the bundles that `drill --why --bundles DIR` kept are judged anew first, by the hypotheses as they are now.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from vipkeeper.lab.troubles.faults import CHANGED, FAULTS
from vipkeeper.lab.troubles.play import Outcome, Result, as_json, judge
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
    "As they were first played, these were not answered rightly: `quorum-lost`, `quorum-lost-rke2`, `one-of-two-lost`,",
    "`holder-cut-off`, `holder-mute`, `disk-full`, `etcd-no-space` (wrong: VK812), `election`, `manager-killed`,",
    "`manager-killed-alone`, `manager-frozen`, `vrrp-blocked`, `vrrp-password`, `wrong-interface`, `vip-in-no-subnet`, `all-on-standby`,",
    "`server-not-a-url` and `first-joins-vip`. Faults after `disk-full` in the table were first played when the first three items of this",
    "list had been mended, so how many of those would have failed as well is not known. The answers above are what the hypotheses",
    "say now of the bundles of each fault's last play. Found and mended:",
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
    "What is missed: an election is over within seconds, and on a busy machine before anybody looks; that every server joins through",
    "the VIP is seen only across the files of all servers, and `why` judges the files of each server by itself.",
)


def judged_anew(folder: Path) -> list[Result]:
    """What `why` says of kept bundles now."""
    results = []
    for fault in FAULTS:
        bundles = sorted(str(path) for path in (folder / fault.name).glob("*.tar.gz"))
        if bundles:
            words = (sys.executable, "-m", "vipkeeper", "why", "--from", *bundles)
            done = subprocess.run([*words, "--output", "json"], stdout=subprocess.PIPE, check=False)
            results.append(judge(fault, json.loads(done.stdout)))
    return results


def main(arguments: list[str]) -> int:
    """Write, or check."""
    if arguments[:1] == ["--judge"]:
        RESULTS.write_text(as_json(judged_anew(Path(arguments[1]))), encoding="utf-8")
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
