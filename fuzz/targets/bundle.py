"""Bundles: any bytes are read, plain or compressed, and give facts, or one line for each trouble."""

from __future__ import annotations

import gzip
import io
import random

from fuzz.mutate import mutate
from fuzz.target import Target
from vipkeeper.collect.archive import members
from vipkeeper.collect.read import read_members
from vipkeeper.collect.reading import LONGEST_TROUBLE, MOST_TROUBLES, Reading, Troubles
from vipkeeper.collect.redact import redacted
from vipkeeper.diagnose import codec

_LONGEST = 24 * 1024
_SECTOR = 512


def check(data: bytes) -> None:
    """Read it twice; the facts are facts, and compression makes no difference to them."""
    plain = _read(data)
    assert _read(gzip.compress(data, 1)).facts == plain.facts
    assert len(plain.troubles) <= MOST_TROUBLES + 1
    for line in plain.troubles:
        assert line.isprintable()
        assert len(line) <= LONGEST_TROUBLE
    again, wrong = codec.load(codec.dump(plain.facts))
    assert (again, wrong) == (plain.facts, ())
    text = data[:2048].decode(errors="replace")
    assert redacted(redacted(text)) == redacted(text)


def _read(data: bytes) -> Reading:
    troubles = Troubles()
    return read_members(members(io.BytesIO(data), troubles), "192.0.2.105", troubles)


def sealed(data: bytes, rng: random.Random) -> bytes:
    """A change of the bytes, then the checksum of every header put right."""
    changed = bytearray(mutate(data, rng, _LONGEST))
    for at in range(0, len(changed) - _SECTOR + 1, _SECTOR):
        block = changed[at : at + _SECTOR]
        if block[257:262] == b"ustar":
            total = sum(block[:148]) + 8 * 32 + sum(block[156:])
            changed[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(changed)


TARGET = Target("bundle", check, longest=_LONGEST, mutate=sealed)
