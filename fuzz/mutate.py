"""A small mutator: the engine where atheris is missing, and the base of the structured mutators."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_VALUES = (0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)
_WORDS = (b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\0" * 7 + b"\x01")


def mutate(data: bytes, rng: random.Random, longest: int, others: Sequence[bytes] = ()) -> bytes:
    """One to five small changes; `others` are inputs that a piece may be taken from."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        if others and rng.random() < 0.1:
            splice(out, rng, rng.choice(others))
        elif not out:
            out += rng.randbytes(rng.randint(1, 64))
        else:
            rng.choice(_CHANGES)(out, rng)
    return bytes(out[:longest])


def splice(out: bytearray, rng: random.Random, other: bytes) -> None:
    """Put a piece of another input somewhere."""
    begin = rng.randint(0, len(other))
    piece = other[begin : begin + rng.randint(1, 64)]
    at = rng.randint(0, len(out))
    out[at : at + rng.choice((0, len(piece)))] = piece


def _bit(out: bytearray, rng: random.Random) -> None:
    out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)


def _byte(out: bytearray, rng: random.Random) -> None:
    out[rng.randrange(len(out))] = rng.choice((*_VALUES, rng.randrange(256)))


def _nudge(out: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(out))
    out[at] = (out[at] + rng.randint(-4, 4)) % 256


def _word(out: bytearray, rng: random.Random) -> None:
    size = rng.choice((2, 4, 8))
    at = rng.randrange(len(out))
    word = rng.choice(_WORDS)
    out[at : at + size] = word[:size] if rng.random() < 0.5 else word[-size:]


def _cut(out: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(out))
    del out[at : at + rng.choice((1, 1, 2, 4, 8, 16, len(out)))]


def _repeat(out: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(out))
    piece = out[at : at + rng.choice((1, 2, 4, 8, 16, 64))]
    out[at:at] = piece * rng.choice((1, 1, 1, 2, 8, 40))


def _insert(out: bytearray, rng: random.Random) -> None:
    at = rng.randint(0, len(out))
    out[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 8)))


def _move(out: bytearray, rng: random.Random) -> None:
    begin, to = rng.randrange(len(out)), rng.randrange(len(out))
    size = rng.choice((1, 2, 4, 8, 16))
    out[to : to + size] = out[begin : begin + size]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _bit,
    _byte,
    _byte,
    _nudge,
    _word,
    _cut,
    _repeat,
    _insert,
    _move,
)
