"""Lines cut into words that know their columns, for the formats that are not YAML."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from vipkeeper.config.tree import Scalar, Span, Style

_RUN = re.compile(r"[\w./:,=@%+*-]+")
"""Characters that mean themselves in every format, taken at once."""
_Word = tuple[int, int, str, Style]
"""Its first column, the one behind it, what it says and how it is written."""


def split(
    file: str, number: int, line: str, *, comments: str, escapes: bool, lone: str = ""
) -> list[Scalar]:
    """The words of a line. Quotes group and go away; a comment character outside them ends the line.

    Args:
        file: named in spans.
        number: the line, from 1.
        line: its text.
        comments: characters that begin a comment anywhere outside quotes.
        escapes: whether a backslash makes the next character an ordinary one (haproxy).
        lone: characters that are a word by themselves where they stand alone.
    """
    return [
        Scalar(Span(file, number, start, number, end), text, style)
        for start, end, text, style in _cut(line, comments, escapes, lone)
    ]


@functools.lru_cache(maxsize=1024)
def _cut(line: str, comments: str, escapes: bool, lone: str) -> tuple[_Word, ...]:
    """The words of a line, wherever it stands; servers of a cluster have most of their lines in common."""
    words: list[_Word] = []
    text, start, quote, style = "", -1, "", Style.PLAIN
    index = 0

    def close(end: int) -> None:
        nonlocal text, start, style
        if start >= 0:
            words.append((start + 1, end + 1, text, style))
        text, start, style = "", -1, Style.PLAIN

    while index < len(line):
        run = _RUN.match(line, index)
        if run is not None:
            start = index if start < 0 else start
            text += run[0]
            index = run.end()
            continue
        char = line[index]
        if escapes and char == "\\" and index + 1 < len(line) and quote != "'":
            start = index if start < 0 else start
            text += line[index + 1]
            index += 2
            continue
        if quote:
            if char == quote:
                quote = ""
            else:
                text += char
        elif char in "'\"" and (escapes or char == '"'):
            quote, style = char, Style(char)
            start = index if start < 0 else start
        elif char in comments:
            break
        elif char.isspace():
            close(index)
        elif char == "{" and text.endswith("$") and "}" in line[index:]:
            end = line.index("}", index)  # ${NAME} is one word
            text += line[index : end + 1]
            index = end
        elif char in lone:
            close(index)
            start, text = index, char
            close(index + 1)
        else:
            start = index if start < 0 else start
            text += char
        index += 1
    close(index)
    return tuple(words)


def joined(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; those that a backslash continues are one."""
    pending: list[str] = []
    first = 0
    for number, line in enumerate(lines, 1):
        first = first or number
        if line.rstrip().endswith("\\"):
            pending.append(line.rstrip()[:-1])
            continue
        yield first, "".join([*pending, line])
        pending, first = [], 0
    if pending:
        yield first, "".join(pending)
