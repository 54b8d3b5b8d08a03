"""Logs: any bytes in any blocks give the messages that a plain search gives, and each line a time or none."""

from __future__ import annotations

import random

from fuzz.mutate import mutate
from fuzz.target import Target
from vipkeeper.diagnose.logtime import Reference, when
from vipkeeper.diagnose.message import stands_in
from vipkeeper.diagnose.messages import LONGEST_RAW, MESSAGES, Scanner

_LONGEST = 1024
_TAKEN = Reference(1795747413000)
_PIECES = tuple(piece for message in MESSAGES for form in message.forms for piece in form)


def check(data: bytes) -> None:
    """The first byte says how large the blocks are."""
    size, log = max(1, data[0] if data else 1), data[1:]
    scanner = Scanner()
    for at in range(0, len(log), size):
        scanner.feed(log[at : at + size])
    found = {seen.message.name: seen.count for seen in scanner.seen()}
    assert found == _plain(log)
    for seen in scanner.seen():
        assert len(seen.first) <= LONGEST_RAW
        assert when(seen.last.decode(errors="replace"), _TAKEN) >= 0


def _plain(log: bytes) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in log.split(b"\n"):
        for message in MESSAGES:
            if any(stands_in(pieces, line) for pieces in message.forms):
                counts[message.name] = counts.get(message.name, 0) + 1
    return counts


def spoken(data: bytes, rng: random.Random) -> bytes:
    """A change of the bytes, and pieces of real messages put in."""
    changed = bytearray(mutate(data, rng, _LONGEST))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(1, len(changed) + 1) if changed else 0
        changed[at:at] = rng.choice(_PIECES) + rng.choice((b"", b"\n", b" "))
    return bytes(changed[:_LONGEST])


TARGET = Target("messages", check, longest=_LONGEST, mutate=spoken)
