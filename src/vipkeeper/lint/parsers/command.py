"""The arguments with which a unit starts RKE2 or k3s, each with its place (systemd.service(5), "Command lines")."""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Scalar
from vipkeeper.lint.parsers.systemd import Directive, Unit
from vipkeeper.lint.parsers.words import split


def arguments(unit: Unit) -> tuple[Scalar, ...]:
    """What follows `server` or `agent`, by the unit's name, in the last command; empty for other programs."""
    role = "agent" if "agent" in unit.name else "server"
    for directive in unit.all("Service", "ExecStart")[-1:]:
        words = tuple(_words(unit, directive))
        program = words[0].text.rpartition("/")[2].lstrip("-@:+!") if words else ""
        at = next((n for n, word in enumerate(words) if word.text == role), None)
        if program in ("rke2", "k3s") and at is not None:
            return words[at + 1 :]
    return ()


def _words(unit: Unit, directive: Directive) -> Iterator[Scalar]:
    """The words of a command, which may go on over several lines."""
    place = directive.value.span
    for number in range(place.line, max(place.line, place.end_line) + 1):
        line = unit.source.line(number)
        if number == place.line:
            line = " " * (place.column - 1) + line[place.column - 1 :]
        elif line.lstrip()[:1] in ("#", ";"):
            continue
        line = line.rstrip().removesuffix("\\")
        yield from split(unit.source.file, number, line, comments="", escapes=True)
