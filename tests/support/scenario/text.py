"""The form of a scenario: comments, commands, and below `----` what they make happen.

    # takeover_example: why the rule is there.

    cluster servers=3

    settle
    ----
       0.0 ms  cp1 holder (epoch 1), cp2 backup, cp3 backup

Paragraphs are separated by empty lines; output has none in it. A paragraph that prints nothing has no
`----`. The manner is that of the data-driven tests of etcd-io/raft.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DIVIDER = "----"


class ScenarioError(Exception):
    """A scenario cannot be read, or does not do what it says; begins with file and line."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line to carry out."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph."""

    source: tuple[str, ...]
    """Its lines above the divider, comments among them."""
    commands: tuple[Command, ...]
    expected: tuple[str, ...]
    line: int
    """Where the expected output begins."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def purpose(self) -> str:
        """The comment it begins with."""
        first = self.blocks[0].source if self.blocks else ()
        return " ".join(line.lstrip("# ") for line in first if line.startswith("#"))


def parse(text: str, name: str) -> Scenario:
    """Take a file apart."""
    blocks = []
    paragraph: list[tuple[int, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            paragraph.append((number, line.rstrip()))
        elif paragraph:
            blocks.append(_block(paragraph, name))
            paragraph = []
    scenario = Scenario(name, tuple(blocks))
    if not scenario.purpose:
        raise ScenarioError(f"{name}:1: begin with a comment that says what is shown and why")
    return scenario


def _block(paragraph: list[tuple[int, str]], name: str) -> Block:
    lines = [line for _, line in paragraph]
    if lines.count(DIVIDER) > 1:
        raise ScenarioError(
            f"{name}:{paragraph[0][0]}: two {DIVIDER} without an empty line between"
        )
    end = lines.index(DIVIDER) if DIVIDER in lines else len(lines)
    commands = tuple(
        Command(number, line.strip())
        for number, line in paragraph[:end]
        if not line.lstrip().startswith("#")
    )
    if not commands and end < len(lines):
        raise ScenarioError(f"{name}:{paragraph[0][0]}: output without a command")
    expected = tuple(lines[end + 1 :])
    return Block(tuple(lines[:end]), commands, expected, paragraph[0][0] + end + 1)


def render(scenario: Scenario, outputs: Iterable[tuple[str, ...]]) -> str:
    """The file with these outputs, one for each block."""
    paragraphs = []
    for block, output in zip(scenario.blocks, outputs, strict=True):
        below = (DIVIDER, *output) if output else ()
        paragraphs.append("\n".join([*block.source, *below]))
    return "\n\n".join(paragraphs) + "\n"


def differences(scenario: Scenario, outputs: Iterable[tuple[str, ...]]) -> list[str]:
    """What was expected and did not come (-) and what came instead (+), by file and line."""
    import difflib

    found = []
    for block, output in zip(scenario.blocks, outputs, strict=True):
        if block.expected == output:
            continue
        found.append(f"{scenario.name}:{block.line}: another output than expected")
        lines = difflib.ndiff(block.expected, output)
        found += [line.rstrip() for line in lines if not line.startswith("?")]
    return found


def read(path: Path) -> Scenario:
    """Read one file."""
    return parse(path.read_text(encoding="utf-8"), path.name)
