"""Changes of a text that a program reads line by line: words of its format put in, lines moved, doubled and taken out."""

from __future__ import annotations

import random
from collections.abc import Sequence

_BEFORE = ("  ", "    ", "\t", "- ", "  - ", "#", "!")


def change(text: str, rng: random.Random, words: Sequence[str]) -> str:
    """One change, with one of these words."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    word = rng.choice(words)
    key, colon, value = lines[at].partition(":")
    match rng.randrange(8):
        case 0:
            lines.insert(at, rng.choice(lines))
        case 1:
            del lines[at]
        case 2:
            lines[at] = rng.choice(_BEFORE) + lines[at]
        case 3:
            lines.insert(at, word)
        case 4:
            parts = lines[at].split(" ")
            parts[rng.randrange(len(parts))] = word
            lines[at] = " ".join(parts)
        case 5:
            lines[at] = f"{key}{colon} {word}"
        case 6:
            lines[at] = f"{word}{colon}{value}"
        case _:
            place = rng.randint(0, len(lines[at]))
            lines[at] = lines[at][:place] + word + lines[at][place:]
    return "\n".join(lines)
