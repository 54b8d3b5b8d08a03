"""Neighbour solicitations and advertisements: any bytes give a valid message or None."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets.frames import LONGEST, checksummed
from vipkeeper.wire import ndp


def check(data: bytes) -> None:
    """Decode; what is understood keeps the rules of RFC 4861 section 7.1."""
    message = ndp.decode_frame(data)
    if message is None:
        return
    assert message.kind in (ndp.SOLICITATION, ndp.ADVERTISEMENT)
    assert not message.target.is_multicast
    assert message.link_address is None or len(message.link_address) == 6
    assert len(message.frame_source) == 6
    if message.kind == ndp.SOLICITATION:
        assert not any((message.router, message.solicited, message.override))
        assert message.source != ndp.UNSPECIFIED or message.link_address is None


TARGET = Target("ndp", check, longest=LONGEST, mutate=checksummed)
