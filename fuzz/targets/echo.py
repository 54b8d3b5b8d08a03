"""Answers to our echo and SYN: any bytes give an answer or None; only ours count."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets.frames import LONGEST, checksummed
from vipkeeper.wire import echo

IDENTIFIER, PORT, THEIR_PORT = 0x1234, 40000, 6443


def check(data: bytes) -> None:
    """Decode, and judge as answers to our probes."""
    found = echo.decode_frame(data)
    answered = echo.answer(data, IDENTIFIER, PORT)
    strict = echo.answer(data, IDENTIFIER, PORT, their_port=THEIR_PORT)
    assert strict in (None, answered)
    if answered is None:
        return
    assert found is not None
    assert answered == found.source
    assert found.source.version == found.destination.version
    if isinstance(found, echo.EchoReply):
        assert found.identifier == IDENTIFIER
    else:
        assert found.destination_port == PORT
        assert found.reset or found.acknowledged is not None


TARGET = Target("echo", check, longest=LONGEST, mutate=checksummed)
