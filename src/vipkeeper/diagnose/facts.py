"""Facts, and the evidence made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from vipkeeper.diagnose.vocabulary import Key, Subject, Word

ARCHIVE = "the archive"
"""The source of a fact that says why a bundle could not be read to its end."""

Value = bool | int | str | tuple[str, ...] | Word


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that somebody looked at: its value, or why it could not be known.

    Raises:
        ValueError: value and reason both there or both missing, or a value of the wrong kind.
    """

    key: Key
    value: Value | None
    """None when it could not be known."""
    about: str = ""
    """The server; empty for the cluster and, seen from a place, for the VIP."""
    vantage: str = ""
    """The place that looked: a server's name or a client's; empty when it is of no matter."""
    aspect: str = ""
    at: int = 0
    """Milliseconds since 1970, by the clock of the vantage point; 0: unknown."""
    source: str = ""
    """The command, the file with its line, or the probe."""
    raw: str = ""
    """The words that were read, cut to what matters."""
    unknown: str = ""
    """Why it could not be known."""
    id: str = ""
    """E1, E2, ... once it is part of the evidence."""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.unknown):
            raise ValueError(f"{self.key.word}: a fact has either a value or a reason for none")
        kind = self.key.meaning.kind
        if self.value is not None and type(self.value) is not kind:
            raise ValueError(f"{self.key.word}: {self.value!r} is no {kind.__name__}")
        if bool(self.aspect) != bool(self.key.meaning.aspect):
            raise ValueError(f"{self.key.word}: aspect {self.aspect!r} is missing or not wanted")
        if self.key.meaning.subject is Subject.SERVER and not self.about:
            raise ValueError(f"{self.key.word}: it is about a server, and none is named")

    @property
    def known(self) -> bool:
        """Whether it has a value."""
        return self.value is not None

    def order(self) -> tuple[str, ...]:
        """The place in the evidence: by what it says, never by how it came in."""
        return (
            self.key.word,
            self.aspect,
            self.about,
            self.vantage,
            f"{self.at:020}",
            self.source,
            shown(self.value),
            self.raw,
            self.unknown,
        )


def shown(value: Value | None) -> str:
    """A value in words."""
    if value is None:
        return "unknown"
    if isinstance(value, Word):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


class Evidence:
    """All facts of one diagnosis, in one order, each with its id. The same facts give the same ids."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        distinct = {fact.order(): replace(fact, id="") for fact in facts}
        ordered = [distinct[order] for order in sorted(distinct)]
        self.facts = tuple(replace(fact, id=f"E{n}") for n, fact in enumerate(ordered, 1))
        self._of: dict[Key, list[Fact]] = {}
        self._about: dict[tuple[Key, str, str], list[Fact]] = {}
        for fact in self.facts:
            self._of.setdefault(fact.key, []).append(fact)
        for fact in sorted(self.facts, key=lambda fact: fact.at):
            self._about.setdefault((fact.key, fact.about, fact.aspect), []).append(fact)
        named = self._named()
        others = tuple(sorted({f.about for f in self.facts if f.about}))
        self.servers = others if named is None else named
        """All control-plane servers, when somebody said which they are; else those that facts are about."""

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)

    def of(self, key: Key) -> tuple[Fact, ...]:
        """All facts of a key, also those without a value."""
        return tuple(self._of.get(key, ()))

    def about(self, key: Key, about: str, aspect: str) -> tuple[Fact, ...]:
        """All facts of a key about one subject, the oldest first."""
        return tuple(self._about.get((key, about, aspect), ()))

    def _named(self) -> tuple[str, ...] | None:
        named = (fact.value for fact in self.of(Key.SERVERS))
        return next((value for value in named if isinstance(value, tuple)), None)

    @property
    def servers_known(self) -> bool:
        """Whether the list of servers is complete, so that 'all' and 'none' mean something."""
        return any(fact.known for fact in self.of(Key.SERVERS))
