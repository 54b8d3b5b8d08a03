"""The input of the core target: records of 12 bytes, each one thing that happens to a node.

Records of one size let a mutation take out, double or move whole events. The first record is the
settings and the start; bytes that are missing at the end are zero.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator

SIZE = 12
MOST = 160
"""Records of the longest input."""


class Kind(enum.IntEnum):
    """What a record is; its first byte modulo the number of them."""

    NOTHING = 0
    """Time passes."""
    ADVERT = 1
    REJECTED = 2
    VIP_ANSWERED = 3
    SERVER_ANSWERED = 4
    GATEWAY_ANSWERED = 5
    NEIGHBOURS = 6
    FOREIGN_CLAIM = 7
    HEALTH = 8
    PROBER_LOST = 9
    HOST = 10
    COMMAND = 11
    RECONFIGURED = 12
    STALE_RESULT = 13
    KERNEL = 14
    """How the kernel answers address actions from now on."""
    FLOOD = 15
    """Many hostile packets at once."""


FROZEN = 0x80
"""In the time byte: the daemon does not run meanwhile."""
_MS = 1_000_000
DELAYS = (
    *(0, 1_000, 200_000, _MS, 5 * _MS, 15 * _MS, 20 * _MS, 50 * _MS, 60 * _MS, 80 * _MS),
    *(100 * _MS, 150 * _MS, 200 * _MS, 300 * _MS, 500 * _MS, 1000 * _MS, 2000 * _MS, 3000 * _MS),
    *(4000 * _MS, 5000 * _MS, 10_000 * _MS, 60_000 * _MS, 601_000 * _MS),
)
"""Nanoseconds before a record, by its second byte modulo their number."""


def records(data: bytes) -> Iterator[bytes]:
    """The records of an input."""
    for at in range(0, min(len(data), SIZE * MOST), SIZE):
        yield data[at : at + SIZE].ljust(SIZE, b"\0")


def delay(record: bytes) -> tuple[int, bool]:
    """Time before this record, and whether the daemon was frozen meanwhile."""
    return DELAYS[(record[1] & 0x7F) % len(DELAYS)], bool(record[1] & FROZEN)


def record(kind: Kind, delay_ms: float = 0, *rest: int, frozen: bool = False) -> bytes:
    """One record, for seeds."""
    code = DELAYS.index(int(delay_ms * _MS)) | (FROZEN if frozen else 0)
    return bytes((kind, code, *rest)).ljust(SIZE, b"\0")


def change(data: bytes, rng: random.Random) -> bytes:
    """Whole records put in, taken out, doubled, swapped, and single fields changed."""
    pieces = [bytearray(piece) for piece in records(data)] or [bytearray(SIZE)]
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(len(pieces))
        match rng.randrange(8):
            case 0:
                made = bytearray(rng.randbytes(SIZE))
                made[1] = rng.randrange(len(DELAYS))
                pieces.insert(at + 1, made)
            case 1 if len(pieces) > 1:
                del pieces[at]
            case 2:
                pieces.insert(rng.randint(1, len(pieces)), bytearray(pieces[at]))
            case 3:
                other = rng.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 4:
                pieces[at][1] = rng.randrange(len(DELAYS)) | rng.choice((0, 0, 0, FROZEN))
            case 5:
                pieces[at + 1 : at + 1] = [bytearray(piece) for piece in pieces[at : at + 6]]
            case 6:
                pieces[at][0] = rng.randrange(len(Kind))
            case _:
                pieces[at][rng.randrange(2, SIZE)] = rng.choice(
                    (0, 1, 2, 4, 8, 255, rng.randrange(256))
                )
    return b"".join(pieces[:MOST])
