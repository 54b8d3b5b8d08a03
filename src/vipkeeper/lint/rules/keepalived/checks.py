"""The checks that keepalived makes, and what they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vipkeeper.config.tree import Span
from vipkeeper.lint.parsers.keepalived import Keepalived, Statement

_URL = re.compile(r"https?://[^\s'\"]+")


@dataclass(frozen=True, slots=True)
class Check:
    """A script that some instance or group tracks."""

    block: Statement
    """`vrrp_script`."""
    line: Statement
    """`script`."""
    tracked: Statement
    """Where it is tracked first."""

    @property
    def command(self) -> str:
        """The command, without quotes."""
        return " ".join(word.text for word in self.line.words[1:])

    @property
    def span(self) -> Span:
        """The command in the file."""
        return self.line.words[1].span if len(self.line.words) > 1 else self.line.span

    @property
    def program(self) -> str:
        """The program without its folder."""
        return self.command.split(" ")[0].rpartition("/")[2]

    @property
    def urls(self) -> tuple[str, ...]:
        """What it asks by HTTP."""
        return tuple(_URL.findall(self.command))

    def has_option(self, letter: str, *words: str) -> bool:
        """Whether a command such as curl has an option, alone or among others as in `-sfk`."""
        for part in self.command.split():
            if part in words or re.fullmatch(rf"-[A-Za-z]*{letter}[A-Za-z]*", part):
                return True
        return False


def tracked(conf: Keepalived) -> Iterator[Check]:
    """Every script that is tracked and defined, once."""
    seen: set[str] = set()
    for block in (*conf.blocks("vrrp_instance"), *conf.blocks("vrrp_sync_group")):
        for line in (line for lines in block.all("track_script") for line in lines.children):
            script = conf.script(line.keyword)
            command = script.first("script") if script is not None else None
            if line.keyword in seen or script is None or command is None:
                continue
            seen.add(line.keyword)
            yield Check(script, command, line)
