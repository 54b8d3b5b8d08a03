"""What a bundle says, on its way to becoming facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from vipkeeper.collect.reading import Troubles
from vipkeeper.collect.redact import redacted
from vipkeeper.collect.texts import first_line
from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.logtime import Reference
from vipkeeper.diagnose.messages import Seen
from vipkeeper.diagnose.vocabulary import Key, Subject

_LONGEST_RAW = 300


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was searched: its messages and its last line."""

    seen: tuple[Seen, ...]
    last: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of a bundle, by their path in it."""

    texts: dict[str, str]
    logs: dict[str, Log]
    reference: Reference
    troubles: Troubles

    def text(self, *paths: str) -> tuple[str, str]:
        """The first of these files that is there, and its path; the first path and '' when none is."""
        for path in paths:
            if path in self.texts:
                return path, self.texts[path]
        return paths[0], ""


@dataclass(slots=True)
class Says:
    """Gathers the facts that one server's bundle holds."""

    server: str
    at: int
    troubles: Troubles
    facts: list[Fact] = field(default_factory=list)

    def known(
        self,
        key: Key,
        value: Value,
        source: str,
        raw: str = "",
        aspect: str = "",
        about: str | None = None,
        at: int | None = None,
    ) -> None:
        """A fact; about this server, or as it sees another place."""
        self._add(key, value, source, redacted(raw)[:_LONGEST_RAW], "", aspect, about, at)

    def unknown(self, key: Key, source: str, text: str, aspect: str = "") -> None:
        """A fact that could not be had: the file is not there, or holds an error and no output."""
        why = "it is not in the bundle" if text == "" else redacted(first_line(text))
        self.troubles.add(f"{source}: {why}")
        self._add(key, None, source, "", why, aspect, None, None)

    def _add(
        self,
        key: Key,
        value: Value | None,
        source: str,
        raw: str,
        unknown: str,
        aspect: str,
        about: str | None,
        at: int | None,
    ) -> None:
        cluster = key.meaning.subject is Subject.CLUSTER
        path = key.meaning.subject is Subject.PATH
        self.facts.append(
            Fact(
                key=key,
                value=value,
                about="" if cluster else self.server if about is None else about,
                vantage=""
                if cluster and not self.server
                else self.server
                if (path or cluster)
                else "",
                aspect=aspect,
                at=self.at if at is None else at,
                source=source,
                raw=raw,
                unknown=unknown,
            )
        )
