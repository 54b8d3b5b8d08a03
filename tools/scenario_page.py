"""Writes docs/scenarios.md from the scenario library, or with --check fails where the page differs.

tools/scenario_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from vipkeeper.lab.act import Act, Group, Runs
from vipkeeper.lab.acts import STORY
from vipkeeper.lab.catalogue import FAULTS, LEFT_OUT, SCENARIOS, Suite, suite

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scenarios.md"
HEAD = """\
# Scenarios

Written by `tools/scenario_page.py` from the library itself (`lab/catalogue.py`). [drill.md](drill.md) says how they are played
and measured, [protocol.md](protocol.md) why the VIP moves or does not, [findings.md](findings.md) what they found.

```
vipkeeper drill list                     # all of them
vipkeeper drill list --suite smoke       # those of a suite
vipkeeper drill link-down corrupted      # some
vipkeeper drill loss+sigterm             # two at once
vipkeeper drill --suite smoke            # {smoke} that show most, below 4 minutes
vipkeeper drill --suite full             # all {all}, below an hour
```

*Lasts*: how long the fault is there, where the act's end is not an event; `--for` changes it. *Needs*: what this host must have
besides the box; without it the act is **skipped by name**, with the reason, and is not counted as passed. *Runs with*: `any`
manager, or `vipkeeper` where the act breaks or rewrites what only this program has.

An act passes when all in *must be seen* is seen on the wire and in the kernels. With a manager that promises less it fails, and
that is its result.

## Two at once

`ACT+ACT` lays the second fault while the first one is there, up to 0.6 s later, and takes both away in the end. Then one server
must have the VIP and answer, no VIP may stand without a daemon, the VIP may have moved once more than both faults together
allow, and two servers may have answered for at most 500 ms; where one of the faults shows holders on the wire that are none
(`vip-taken`, `corrupted`), two kernels may have had it for at most their kernel lease. Two faults that cannot be told apart, or of which
one needs what the other breaks, are refused in a line: two of the daemon of one server, a handover beside its death, or any beside
its loss of power, but for all API servers together. These can only be played alone: {alone}. They begin or end without a whole
cluster, show the client something else than there is, or are a longer form of a fault that can be laid beside another one (`api-killed`
for `api-dead`, `sigterm` for `handover`, `stall` for `daemon-frozen`, `holder-cut-off` for the splits, `vip-taken` for
`vip-taken-first`).
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _row(act: Act) -> str:
    lasts = f"{act.seconds:g} s" if act.seconds else ""
    needs = ", ".join(need.name for need in act.needs)
    runs = "any" if act.managers is Runs.ANY else "vipkeeper"
    numbers = ", ".join(str(number) for number in act.numbers)
    name = f"`{act.name}`" + (" (smoke)" if act.smoke else "")
    servers = "" if act.servers == 3 else f" ({act.servers} server{'s' * (act.servers != 1)})"
    cells = (numbers, name, act.title + servers, lasts, act.expects, runs, needs)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def page() -> str:
    """The whole page."""
    alone = ", ".join(f"`{act.name}`" for act in SCENARIOS if act.fault is None)
    head = HEAD.format(smoke=len(suite(Suite.SMOKE)), all=len(SCENARIOS), alone=alone)
    parts = [head]
    for group in Group:
        rows = [_row(act) for act in SCENARIOS if act.group is group]
        parts += [
            f"\n## {group.value}\n",
            "| fault | name | what happens | lasts | must be seen | runs with | needs |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    story = ", ".join(f"`{act.name}`" for act in STORY)
    parts += [
        "\n## The fault catalogue\n",
        f"Played when nothing is named: {story}.\n",
        "| fault | what it is | scenarios | not played |",
        "|---|---|---|---|",
    ]
    for number, what in FAULTS.items():
        names = ", ".join(f"`{act.name}`" for act in SCENARIOS if number in act.numbers)
        parts.append(f"| {number} | {what} | {names} | {LEFT_OUT.get(number, '')} |")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the page, or say that it is not what the code says."""
    text = page()
    if "--check" in sys.argv[1:]:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        if not same:
            sys.stderr.write("docs/scenarios.md differs: run tools/scenario_page.py\n")
        return int(not same)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
