"""Writes the table and the diagram of docs/protocol.md from core/transitions.py, or checks them.

tools/protocol_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from vipkeeper.core.actions import Cause, State
from vipkeeper.core.transitions import ANEW, ELECTION, RULES, WAITING, Rule

PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
DRAWN = tuple(s for s in State if s not in (State.STANDBY, State.BLOCKED, State.STOPPED))


def _states(states: tuple[State, ...]) -> str:
    if states == WAITING:
        return "waiting"
    rest = [s for s in states if s not in WAITING] if set(WAITING) <= set(states) else None
    if rest is not None and len(states) > len(WAITING) + 3:
        return "any"
    if rest is not None:
        return ", ".join(["waiting", *(f"`{s.value}`" for s in rest)])
    anew = set(ANEW) <= set(states)
    names = [f"`{s.value}`" for s in states if not (anew and s in ANEW)]
    return ", ".join([*names, *(["begin anew"] if anew else [])])


def _merged() -> list[tuple[tuple[State, ...], tuple[State, ...], str, list[Cause]]]:
    """Rules that differ in their cause only are one row."""
    rows: dict[tuple[tuple[State, ...], tuple[State, ...], str], list[Cause]] = {}
    for rule in RULES:
        rows.setdefault((rule.before, rule.after, rule.when), []).append(rule.cause)
    return [(*key, causes) for key, causes in rows.items()]


def table() -> str:
    """One row for each rule."""
    lines = ["| from | when | to | cause |", "|---|---|---|---|"]
    for before, after, when, causes in _merged():
        names = "; ".join(cause.value for cause in causes)
        lines.append(f"| {_states(before)} | {when} | {_states(after)} | {names} |")
    return "\n".join(lines)


def _edges(rules: tuple[Rule, ...]) -> dict[tuple[State, State], list[str]]:
    edges: dict[tuple[State, State], list[str]] = {}
    for rule in rules:
        for before in rule.before:
            for after in rule.after:
                if before in DRAWN and after in DRAWN and before is not after:
                    names = edges.setdefault((before, after), [])
                    if rule.cause.value not in names:
                        names.append(rule.cause.value)
    return edges


def diagram() -> str:
    """What the servers decide among themselves, as Mermaid."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for (before, after), causes in _edges(ELECTION).items():
        few = causes if len(causes) < 4 else [*causes[:2], f"{len(causes) - 2} more"]
        lines.append(f"    {before.value} --> {after.value}: {', '.join(few)}")
    return "\n".join([*lines, "```"])


def _put(page: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
    head, found, rest = page.partition(begin)
    _, ended, tail = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{PAGE}: no place for {name}")
    return f"{head}{begin}\n\n{content}\n\n{end}{tail}"


def main() -> int:
    """Write the page, or say that it is not what the code says."""
    before = PAGE.read_text(encoding="utf-8")
    after = _put(_put(before, "transitions", table()), "diagram", diagram())
    if "--check" in sys.argv[1:]:
        if before != after:
            sys.stderr.write("docs/protocol.md is not up to date: run tools/protocol_page.py\n")
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
