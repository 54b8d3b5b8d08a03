"""Which acts `drill` plays, and the list of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from vipkeeper.errors import UsageError
from vipkeeper.lab import catalogue
from vipkeeper.lab.act import Act, Group
from vipkeeper.lab.acts import STORY
from vipkeeper.lab.catalogue import SCENARIOS, Suite

_NAME_WIDTH = max(len(act.name) for act in SCENARIOS)
_LINE = 100


def chosen(names: list[str], suite: str | None) -> tuple[Act, ...]:
    """The acts of these names or of a suite; the whole story when neither is given.

    Raises:
        UsageError: there is no such act, two cannot be laid together, or both names and a suite are given.
    """
    if suite is not None and names:
        raise UsageError(f"--suite {suite}: a suite is played whole; name acts or the suite")
    if suite is not None:
        return catalogue.suite(Suite(suite))
    return catalogue.find(names) or STORY


def listed(suite: str | None = None) -> str:
    """Every act once, by what it breaks; or the acts of a suite, in the order they are played."""
    if suite is not None:
        return "\n".join(_rows(catalogue.suite(Suite(suite))))
    lines = ["Played when no act is named:", "", *_rows(STORY)]
    for group in Group:
        rest = [act for act in SCENARIOS if act.group is group and act not in STORY]
        if rest:
            lines += ["", f"{group.value}:", "", *_rows(rest)]
    smoke = sum(act.smoke for act in SCENARIOS)
    ends = ", ".join(act.name for act in SCENARIOS if act.seconds)
    lines += [
        "",
        f"--suite smoke plays {smoke} of them ('drill list --suite smoke' shows which), --suite full all "
        f"{len(SCENARIOS)}.",
        "ACT+ACT lays two faults on one cluster.",
        *textwrap.wrap(
            f"--for changes how long these last: {ends}",
            _LINE,
            subsequent_indent="  ",
            break_on_hyphens=False,
        ),
    ]
    return "\n".join(lines)


def _rows(acts: Sequence[Act]) -> list[str]:
    return [f"  {act.name:<{_NAME_WIDTH}}  {act.title}" for act in acts]
