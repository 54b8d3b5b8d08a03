"""How results look on a terminal: colour, glyphs, and words for figures.

Every meaning has a glyph or a word of its own; colour only repeats it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from vipkeeper.report.run import Verdict
from vipkeeper.text import printable


class ColorChoice(enum.Enum):
    """What `--color` says."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Tone(enum.Enum):
    """What a piece of text is, by SGR parameters of the 16-colour palette."""

    GOOD = "32"
    BAD = "1;31"
    WARN = "33"
    HELD = "34"
    STRONG = "1"
    FAINT = "2"


def use_color(choice: ColorChoice, environment: Mapping[str, str], tty: bool) -> bool:
    """Whether to colour: `--color` first, then NO_COLOR, FORCE_COLOR, TERM=dumb, then the stream.

    A variable that is set but empty counts as not set (no-color.org).
    """
    if choice is not ColorChoice.AUTO:
        return choice is ColorChoice.ALWAYS
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return tty and environment.get("TERM") != "dumb"


def use_ascii(asked: bool, environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether to keep to ASCII: asked for, a dumb terminal, or a stream that is not UTF-8."""
    unicode = (encoding or "").lower().replace("-", "") == "utf8"
    return asked or environment.get("TERM") == "dumb" or not unicode


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The marks of a timeline, one character each, all different within a set."""

    answers: str
    """The VIP is on the server and the server answers for it."""
    silent: str
    """The VIP is on the server, nothing answers on the wire."""
    stray: str
    """The server answers for a VIP its kernel does not show."""
    both: str
    """Two servers answer for the VIP."""
    served: str
    lost: str
    fault: str
    nothing: str


UNICODE = Glyphs("━", "┄", "~", "‼", "·", "×", "▒", " ")
ASCII = Glyphs("=", "-", "~", "!", ".", "x", "#", " ")

_REPLACED = str.maketrans(
    {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "·": "-", "…": "...", "×": "x",
     "±": "+-", "→": "->", "µ": "u", "≤": "<=", "≥": ">=", "\u00a0": " ", "\u202f": " "}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """What the reader's terminal can show."""

    color: bool
    ascii: bool

    @property
    def glyphs(self) -> Glyphs:
        """The set of marks that fits."""
        return ASCII if self.ascii else UNICODE

    def paint(self, text: str, tone: Tone | None) -> str:
        """The text in its colour, where there are colours."""
        return f"\x1b[{tone.value}m{text}\x1b[0m" if self.color and tone and text else text

    def text(self, foreign: str) -> str:
        """Recorded text on one line, without control characters, in ASCII where asked."""
        line = one_line(foreign)
        if not self.ascii:
            return line
        return line.translate(_REPLACED).encode("ascii", "backslashreplace").decode()


def one_line(text: str) -> str:
    """Recorded text with white space joined and control characters and lone surrogates escaped."""
    return printable(" ".join(text.split()))


VERDICT_TONE = {Verdict.PASSED: Tone.GOOD, Verdict.FAILED: Tone.BAD, Verdict.SKIPPED: Tone.WARN,
                Verdict.RECORDED: Tone.STRONG}  # fmt: skip


def milliseconds(value: float, resolution_ms: float = 1.0) -> str:
    """A measured time with no more digits than its resolution carries: `183 ms`, `0.4 ms`, `12.34 s`."""
    if value >= 10_000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if resolution_ms >= 1 or value == 0 else f"{value:.1f} ms"


def interval(value_ms: float) -> str:
    """A probe interval: `2 ms`, `0.5 ms`."""
    return f"{value_ms:g} ms"
