"""Adverts: any bytes give an advert or a rejection; an accepted one is encoded as it was read."""

from __future__ import annotations

import hashlib
import hmac
import random

from fuzz.mutate import mutate
from fuzz.target import Target
from vipkeeper.wire.advert import MAX_LENGTH, TAG_LENGTH, decode, encode
from vipkeeper.wire.types import Advert, Rejection

KEY = bytes(range(32))
_LONGEST = MAX_LENGTH + 16


def check(data: bytes) -> None:
    """Decode; authentic ones round trip, and no other key accepts them."""
    found = decode(data, (KEY,))
    if isinstance(found, Rejection):
        return
    assert isinstance(found, Advert)
    assert decode(data, ()) is Rejection.WRONG_KEY
    assert decode(data, (b"another key",)) is Rejection.WRONG_KEY
    again = encode(found, KEY)
    assert len(again) <= MAX_LENGTH
    assert decode(again, (KEY,)) == found


def sign(message: bytes) -> bytes:
    """The message with a fitting length and tag, made without the code under test (docs/wire.md)."""
    size = (len(message) + TAG_LENGTH) % 65536
    message = message[:6] + size.to_bytes(2, "big") + message[8:]
    derived = hmac.digest(KEY, b"vipkeeper advert 1\x01", hashlib.sha256)
    return message + hmac.digest(derived, message, hashlib.sha256)[:TAG_LENGTH]


def authentic(data: bytes, rng: random.Random) -> bytes:
    """A change within the message, then magic, version, length and tag put right."""
    changed = mutate(data[:-TAG_LENGTH], rng, MAX_LENGTH)
    return sign(b"VIPK\x01" + changed[5:].ljust(59, b"\0"))


TARGET = Target("advert", check, longest=_LONGEST, mutate=authentic)
