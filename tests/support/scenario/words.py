"""Reads the words after a verb: servers, wires, times. An error says what was expected."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vipkeeper.core.types import MILLISECOND, SECOND, Duration

UNITS = {"ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min)")
_WIRE = re.compile(r"(\w+)(->|-)(\w+)")
ALL = "all"


class WordError(Exception):
    """A word that does not fit."""


def duration(word: str) -> Duration:
    """A time such as `300ms`, `1.5s` or `10min`."""
    found = _TIME.fullmatch(word)
    if found is None:
        raise WordError(f"'{word}' is no time; write it like 300ms, 2s or 10min")
    return round(float(found[1]) * UNITS[found[2]])


class UnfulfilledError(WordError):
    """The words are right, but what they say is not so."""


class Words:
    """The words of one command, taken from the left."""

    def __init__(self, words: Sequence[str], servers: Sequence[str]) -> None:
        self._words = list(words)
        self._servers = list(servers)

    @property
    def left(self) -> bool:
        return bool(self._words)

    def take(self, what: str) -> str:
        """The next word; `what` it should be."""
        if not self._words:
            raise WordError(f"{what} is missing")
        return self._words.pop(0)

    def one_of(self, *choices: str) -> str:
        """The next word, one of these."""
        word = self.take(" or ".join(choices))
        if word not in choices:
            raise WordError(f"'{word}' is not {' or '.join(choices)}")
        return word

    def accept(self, word: str) -> bool:
        """Take this word if it comes next."""
        if self._words[:1] == [word]:
            self._words.pop(0)
            return True
        return False

    def server(self) -> int:
        """The next word, a server."""
        return self._index(self.take("a server"))

    def servers(self) -> list[int]:
        """All words that are left, at least one server; `all` is every one."""
        found: list[int] = []
        while self._words or not found:
            word = self.take("a server")
            found += list(range(len(self._servers))) if word == ALL else [self._index(word)]
        return found

    def wires(self) -> set[tuple[int, int]]:
        """All words that are left, as directed pairs: `cp1->cp2`, `cp1-cp2` for both ways, `cp1-all`."""
        found: set[tuple[int, int]] = set()
        while self._words or not found:
            found |= self.wire()
        return found

    def wire(self) -> set[tuple[int, int]]:
        """The next word, as directed pairs."""
        word = self.take("a wire such as cp1->cp2")
        match = _WIRE.fullmatch(word)
        if match is None:
            raise WordError(
                f"'{word}' is no wire; write cp1->cp2, cp1-cp2 for both ways, or cp1-all"
            )
        ends = [
            range(len(self._servers)) if w == ALL else [self._index(w)]
            for w in (match[1], match[3])
        ]
        pairs = {(a, b) for a in ends[0] for b in ends[1] if a != b}
        return pairs | {(b, a) for a, b in pairs} if match[2] == "-" else pairs

    def time(self) -> Duration:
        """The next word, a time."""
        return duration(self.take("a time"))

    def number(self) -> int:
        """The next word, a whole number."""
        word = self.take("a number")
        if not word.isdecimal():
            raise WordError(f"'{word}' is no whole number")
        return int(word)

    def end(self) -> None:
        """Nothing may be left."""
        if self._words:
            raise WordError(f"'{self._words[0]}' is too much")

    def _index(self, word: str) -> int:
        if word not in self._servers:
            raise WordError(f"there is no server '{word}' (there are {', '.join(self._servers)})")
        return self._servers.index(word)
