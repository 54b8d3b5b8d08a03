"""What several rules ask of one thing, found once and kept as long as the thing itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar


class Remembers(Protocol):
    """A thing that never changes, with room for what was found out about it."""

    @property
    def memo(self) -> dict[object, Any]:
        """By the function that found it."""


M = TypeVar("M", bound=Remembers)
T = TypeVar("T")


def once(find: Callable[[M], Iterable[T]]) -> Callable[[M], tuple[T, ...]]:
    """Call a function of one thing once, whoever asks for its result."""

    @functools.wraps(find)
    def found(thing: M) -> tuple[T, ...]:
        if find not in thing.memo:
            thing.memo[find] = tuple(find(thing))
        kept: tuple[T, ...] = thing.memo[find]
        return kept

    return found
