"""Acts and faults by the names on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from vipkeeper.errors import UsageError

Named = TypeVar("Named")


def named(
    names: Sequence[str], known: Mapping[str, Named], what: str, drill: str
) -> tuple[Named, ...]:
    """Those of these names, in their order.

    Raises:
        UsageError: there is no such one; names the nearest.
    """
    wrong = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"see 'vipkeeper {drill} list'"
            wrong.append(f"{drill}: unknown {what} '{name}'; {hint}")
    if wrong:
        raise UsageError("\n".join(wrong))
    return tuple(known[name] for name in names)
