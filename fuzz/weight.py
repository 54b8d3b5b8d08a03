"""How much a value holds: so that nothing a stranger sends can make it grow without end."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

_PLAIN = (int, float, str, bytes, bool, type(None), enum.Enum, IPv4Address, IPv6Address, type)


def weight(value: Any) -> int:
    """The number of values reachable from this one, each counted once; a long text counts by its length."""
    seen: set[int] = set()
    waiting: list[Any] = [value]
    count = 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, _PLAIN):
            count += 1 + (len(item) // 64 if isinstance(item, str | bytes) else 0)
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        count += 1
        waiting += _parts(item)
    return count


def _parts(item: Any) -> list[Any]:
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    if isinstance(item, list | tuple | set | frozenset | deque):
        return list(item)
    if callable(item):
        return []
    names = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    found = [getattr(item, name) for name in names if hasattr(item, name)]
    return found + list(getattr(item, "__dict__", {}).values())
