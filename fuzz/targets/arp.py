"""ARP frames: any bytes give a message or None; what is understood round trips."""

from __future__ import annotations

from fuzz.target import Target
from vipkeeper.wire import arp


def check(data: bytes) -> None:
    """Decode, and encode what was understood."""
    message = arp.decode_frame(data)
    if message is None:
        return
    again = arp.encode_frame(message, destination=data[:6])
    assert arp.decode_frame(again) == message


TARGET = Target("arp", check, longest=128)
