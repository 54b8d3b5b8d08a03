"""The parts every drawing is made of: palette, hatchings, and SVG elements as escaped text.

The palette is Okabe and Ito's (distinct for every common colour blindness), darkened or lightened
for contrast. No meaning hangs on colour: each has a shape, a hatching or a word too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from vipkeeper.report.style import one_line

LIGHT = {
    "paper": "#ffffff", "ink": "#1b1f24", "soft": "#57606a", "grid": "#d8dee4",
    "hold": "#0072b2", "onhold": "#ffffff", "ok": "#007a5a", "lost": "#b34700",
    "two": "#c8102e", "fault": "#b87a00",
}  # fmt: skip
DARK = {
    "paper": "#0d1117", "ink": "#e6edf3", "soft": "#a2acb8", "grid": "#30363d",
    "hold": "#56b4e9", "onhold": "#06121b", "ok": "#3fce9f", "lost": "#ff9a57",
    "two": "#ff6b78", "fault": "#f0b429",
}  # fmt: skip

_RULES = (
    ("paper", "fill", "paper", ""),
    ("ink", "fill", "ink", ""),
    ("soft", "fill", "soft", ""),
    ("grid", "stroke", "grid", "stroke-width:1"),
    ("hold", "fill", "hold", ""),
    ("onhold", "fill", "onhold", ""),
    ("quiet", "stroke", "hold", "stroke-width:1"),
    ("stray", "stroke", "two", "fill:none;stroke-width:1.5;stroke-dasharray:3 2"),
    ("two", "fill", "two", ""),
    ("ok", "fill", "ok", ""),
    ("lost", "fill", "lost", ""),
    ("bracket", "stroke", "lost", "fill:none;stroke-width:1.5"),
    ("band", "fill", "fault", "fill-opacity:.10"),
    ("edge", "stroke", "fault", "stroke-width:1.5;stroke-dasharray:5 3"),
    ("hatch", "stroke", "fault", "stroke-width:1;stroke-opacity:.35"),
    ("stripe", "stroke", "hold", "stroke-width:1.5"),
    ("cross", "stroke", "paper", "stroke-width:2"),
    ("mark", "stroke", "soft", "stroke-width:1"),
    ("flag", "stroke", "ink", "stroke-width:1"),
    ("warn", "fill", "fault", ""),
    ("rim", "stroke", "fault", "fill:none;stroke-width:1"),
    ("solid", "fill", "soft", ""),
    ("page", "fill", "paper", ""),
    ("outline", "stroke", "ink", "fill:none;stroke-width:1"),
    ("dash", "stroke", "ink", "stroke-width:1.5"),
    ("curve", "stroke", "ink", "fill:none;stroke-width:2"),
    ("halo", "stroke", "paper", "stroke-width:4px;stroke-linejoin:round;paint-order:stroke"),
)
"""Class, property, colour, and what else the class sets."""


CHARACTER = 6.6
"""Width of a character at 12 px, on the generous side: fonts differ."""
BOLD = 7.6
"""The same for bold text."""


def variables(prefix: str, palette: dict[str, str]) -> str:
    """Custom properties of a palette, for CSS."""
    return "".join(f"--{prefix}{name}:{value};" for name, value in palette.items())


def stylesheet() -> str:
    """CSS of a drawing: light, and dark where the reader prefers it.

    Each colour is given twice, since some programs that draw SVG know no custom properties.
    """
    rules = "".join(
        f".vk .{name}{{{prop}:{LIGHT[color]};{prop}:var(--vk-{color});{rest}}}"
        for name, prop, color, rest in _RULES
    )
    return (
        f".vk{{{variables('vk-', LIGHT)}font:12px system-ui,-apple-system,'Segoe UI',sans-serif}}"
        f"@media(prefers-color-scheme:dark){{.vk{{{variables('vk-', DARK)}}}}}"
        f"{rules}.vk .b{{font-weight:600}}.vk .n{{font-variant-numeric:tabular-nums}}"
        ".vk .s{font-size:11px}.vk .t{font-size:15px;font-weight:600}"
    )


def patterns(key: str) -> str:
    """Hatchings, under ids that belong to one drawing."""
    return (
        f'<pattern id="{key}-fault" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="8"/></pattern>'
        f'<pattern id="{key}-quiet" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="stripe" x1="0" y1="0" x2="0" y2="6"/></pattern>'
        f'<pattern id="{key}-two" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(-45)"><line class="cross" x1="0" y1="0" x2="0" y2="8"/></pattern>'
        f'<pattern id="{key}-slant" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="dash" x1="0" y1="0" x2="0" y2="5"/></pattern>'
        f'<pattern id="{key}-dots" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<circle class="ink" cx="1.5" cy="1.5" r="1"/></pattern>'
        f'<pattern id="{key}-level" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<line class="dash" x1="0" y1="1" x2="4" y2="1"/></pattern>'
    )


def document(
    key: str, title: str, description: str, size: tuple[float, float], parts: Sequence[str]
) -> str:
    """A whole drawing with its words for those who do not see it; `key` begins every id in it."""
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="vk" '
        f'viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{plain(title)}</title>'
        f'<desc id="{key}-desc">{plain(description)}</desc>'
        f"<style>{stylesheet()}</style><defs>{patterns(key)}</defs>"
    )
    paper = Box(0, 0, width, height).draw("paper", radius=8)
    return "\n".join([head, paper, *parts, "</svg>"]) + "\n"


Swatch = tuple[tuple[str, str], ...]
"""Class and hatching of each rectangle that is laid over the others."""


def flow(
    entries: Iterable[tuple[str, Swatch]], left: float, right: float, y: float
) -> tuple[list[str], float]:
    """Words behind swatches, as many on a line as fit; and where the next line would stand."""
    parts: list[str] = []
    x = left
    for words, swatch in entries:
        room = 24 + len(words) * CHARACTER
        if x + room > right and x > left:
            x, y = left, y + 18
        parts += [Box(x, y - 9, 18, 10).draw(kind, fill=fill) for kind, fill in swatch]
        parts.append(text(x + 24, y, words, "soft s"))
        x += room + 12
    return parts, y + 18


def number(value: float) -> str:
    """A coordinate with at most one digit."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, content: str, kind: str = "ink", anchor: str = "") -> str:
    """A line of text; foreign content is escaped."""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}"{place}>{plain(content)}</text>'


def plain(content: str) -> str:
    """Foreign text as SVG or XML content."""
    return escape(one_line(content))


def attribute(content: str) -> str:
    """Foreign text as a quoted attribute value."""
    return quoteattr(one_line(content))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float

    def draw(self, kind: str, *, radius: float = 0, fill: str = "", tip: str = "") -> str:
        """The rectangle, filled by its class or by a hatching, with a text shown under the pointer."""
        extra = f' rx="{number(radius)}"' if radius else ""
        extra += f' fill="url(#{fill})"' if fill else ""
        shape = (
            f'<rect class="{kind}" x="{number(self.x)}" y="{number(self.y)}" '
            f'width="{number(self.width)}" height="{number(self.height)}"{extra}'
        )
        return f"{shape}><title>{plain(tip)}</title></rect>" if tip else f"{shape}/>"


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line."""
    return (
        f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" '
        f'x2="{number(x2)}" y2="{number(y2)}"/>'
    )


def path(kind: str, data: str) -> str:
    """A path of our own making."""
    return f'<path class="{kind}" d="{data}"/>'
