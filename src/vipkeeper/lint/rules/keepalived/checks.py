"""The checks that keepalived makes, and what they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vipkeeper.config.tree import Span
from vipkeeper.lint.memo import once
from vipkeeper.lint.parsers.keepalived import Keepalived, Statement
from vipkeeper.lint.source import Source

_URL = re.compile(r"https?://[^\s'\"]+")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that keepalived runs, or a line of a script that it runs."""

    span: Span
    text: str

    @property
    def urls(self) -> tuple[str, ...]:
        """What it asks by HTTP."""
        return tuple(_URL.findall(self.text))

    def has_option(self, letter: str, *words: str) -> bool:
        """Whether a command such as curl has an option, alone or among others as in `-sfk`."""
        for part in self.text.split():
            if part in words or re.fullmatch(rf"-[A-Za-z]*{letter}[A-Za-z]*", part):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Check:
    """A script that some instance or group tracks."""

    block: Statement
    """`vrrp_script`."""
    line: Statement
    """`script`."""
    tracked: Statement
    """Where it is tracked first."""
    file: Source | None = None
    """The script, where it is a file that is at hand."""

    @property
    def commands(self) -> tuple[Command, ...]:
        """The command itself, or the lines of its file without comments."""
        if self.file is None:
            return (Command(self.span, self.command),)
        found = []
        for number, line in enumerate(self.file.lines, 1):
            text = line.strip()
            if text and not text.startswith("#"):
                start = line.index(text[0]) + 1
                span = Span(self.file.file, number, start, number, start + len(text))
                found.append(Command(span, text))
        return tuple(found)

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
        return Command(self.span, self.command).urls

    def has_option(self, letter: str, *words: str) -> bool:
        """Whether a command such as curl has an option, alone or among others as in `-sfk`."""
        return Command(self.span, self.command).has_option(letter, *words)


@once
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
            path = command.value.text.partition(" ")[0] if command.value else ""
            yield Check(script, command, line, dict(conf.files).get(path))
