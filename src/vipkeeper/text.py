"""Foreign text made fit for a message."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line, with escapes for what a terminal would obey or not show.

    Line breaks, control characters, bidirectional marks, lone surrogates and code points without a
    character are escaped as Python writes them.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
