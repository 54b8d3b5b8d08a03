"""What the prober writes: any line gives a sample, a heartbeat or a ValueError."""

from __future__ import annotations

from fuzz.documents import LONGEST, change
from fuzz.target import Target
from vipkeeper.daemon.prober.lines import DETAIL_LIMIT, LINE_LIMIT, decode, encode


def check(data: bytes) -> None:
    """Decode, and encode what was understood."""
    try:
        sample = decode(data)
    except ValueError:
        return
    if sample is None:
        return
    assert len(sample.detail) <= DETAIL_LIMIT
    line = encode(sample)
    assert len(line) <= LINE_LIMIT
    assert line.count(b"\n") == 1
    assert decode(line) == sample


TARGET = Target("lines", check, longest=LONGEST, mutate=change)
