"""The answer to our ClientHello, as it comes in: what was judged once stays so, whatever follows."""

from __future__ import annotations

from fuzz.target import Target
from vipkeeper.wire.tls import Answer, judge


def check(data: bytes) -> None:
    """Judge every beginning of the bytes."""
    known = Answer.PENDING
    for size in range(min(len(data), 16) + 1):
        found = judge(data[:size])
        assert known in (Answer.PENDING, found)
        known = found
    assert judge(data) is known


TARGET = Target("tls", check, longest=64)
