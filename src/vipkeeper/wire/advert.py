"""Our UDP message: one advert, authenticated. The byte table is in docs/wire.md.

Big-endian: a header of 64 bytes, 10 bytes for each configured server, room for fields of later
revisions, and a tag: HMAC-SHA256 over everything before it, its first 128 bits (RFC 2104 section 5).
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

MAGIC = b"VIPK"
VERSION = 1
"""A reader refuses every other version."""
REVISION = 1
"""Later revisions only append fields, or use bits and bytes that were 0; earlier readers skip both."""
_HEADER = struct.Struct("!4s BBH BBBB HBB 16s QQQ 8s")
_HEARD = struct.Struct("!QH")
HEADER_LENGTH = _HEADER.size
HEARD_LENGTH = _HEARD.size
TAG_LENGTH = 16
MAX_HEARD = 64
MIN_LENGTH = HEADER_LENGTH + TAG_LENGTH
MAX_LENGTH = 1024
"""Fits every path IPv6 can use unfragmented (1280 bytes) with room to spare."""
DIGEST_LENGTH = 8

_STANDBY = 0x01
_ASKS = 0x02
_PLANNED = 0x04
_NO_SUCCESSOR = 255
_MAX_INDEX = 254
_NO_AGE = 65535
_MAPPED = b"\0" * 10 + b"\xff\xff"
_KEY_LABEL = b"vipkeeper advert 1"
_DIGEST_LABEL = b"vipkeeper cluster 1"
_ROLES = {int(role): role for role in Role}
_HEALTHS = {int(health): health for health in Health}


def encode(advert: Advert, key: bytes) -> bytes:
    """The datagram of an advert, authenticated with the key.

    An age of 65535 ms or more is written as unknown.

    Raises:
        ValueError: a field is out of the range its type documents, or the key is empty
            (our own mistake, never a peer's).
    """
    _check(advert, key)
    length = MIN_LENGTH + len(advert.heard) * HEARD_LENGTH
    try:
        message = _HEADER.pack(
            MAGIC,
            VERSION,
            REVISION,
            length,
            advert.role,
            advert.health,
            _flags(advert),
            _NO_SUCCESSOR if advert.successor is None else advert.successor,
            advert.interval_ms,
            len(advert.heard),
            0 if advert.follows is None else advert.follows + 1,
            _packed(advert.sender),
            advert.boot_id,
            advert.counter,
            advert.epoch,
            advert.cluster,
        )
        message += b"".join(_HEARD.pack(entry.boot_id, _age(entry)) for entry in advert.heard)
    except struct.error as error:
        raise ValueError(f"advert field out of range: {error}") from error
    return message + _tag(message, key)


def decode(data: bytes, keys: Sequence[bytes]) -> Advert | Rejection:
    """The advert in a datagram, or why it is none. Total; the work is bounded for any bytes.

    Any of the keys may have authenticated it (two during a rotation). Checked in this order: length,
    magic, version, declared length, authenticity, fields. Sender, freshness, and whether `successor` and
    `follows` are servers that exist, are the caller's part.
    """
    if len(data) < MIN_LENGTH:
        return Rejection.TOO_SHORT
    if len(data) > MAX_LENGTH:
        return Rejection.TOO_LONG
    if not data.startswith(MAGIC):
        return Rejection.BAD_MAGIC
    if data[4] != VERSION:
        return Rejection.UNKNOWN_VERSION
    if int.from_bytes(data[6:8], "big") != len(data):
        return Rejection.BAD_LENGTH
    message, tag = data[:-TAG_LENGTH], data[-TAG_LENGTH:]
    for key in keys:
        if hmac.compare_digest(tag, _tag(message, key)):
            return _fields(message)
    return Rejection.WRONG_KEY


def _check(advert: Advert, key: bytes) -> None:
    if not key:
        raise ValueError("an empty key authenticates nothing")
    if len(advert.heard) > MAX_HEARD:
        raise ValueError(f"more than {MAX_HEARD} heard entries")
    if any(entry.boot_id == 0 and entry.age_ms is not None for entry in advert.heard):
        raise ValueError("a server that was never heard has no age")
    if len(advert.cluster) != DIGEST_LENGTH:
        raise ValueError(f"the cluster digest is not {DIGEST_LENGTH} bytes")
    if advert.boot_id == 0 or advert.interval_ms == 0:
        raise ValueError("boot_id or interval_ms out of range")
    for index in (advert.successor, advert.follows):
        if index is not None and not 0 <= index <= _MAX_INDEX:
            raise ValueError("successor or follows out of range")


def _flags(advert: Advert) -> int:
    flags = _STANDBY if advert.standby else 0
    flags |= _ASKS if advert.asks else 0
    return flags | (_PLANNED if advert.planned else 0)


def _fields(message: bytes) -> Advert | Rejection:
    """What an authentic message says; only a peer with our key and another program fails here."""
    (
        *_,
        role,
        health,
        flags,
        successor,
        interval_ms,
        count,
        follows,
        sender,
        boot_id,
        counter,
        epoch,
        cluster,
    ) = _HEADER.unpack_from(message)
    end = HEADER_LENGTH + count * HEARD_LENGTH
    if end > len(message):
        return Rejection.BAD_LENGTH
    if role not in _ROLES or health not in _HEALTHS or count > MAX_HEARD:
        return Rejection.BAD_FIELD
    if interval_ms == 0 or boot_id == 0:
        return Rejection.BAD_FIELD
    entries = tuple(_HEARD.iter_unpack(message[HEADER_LENGTH:end]))
    if any(boot == 0 and age != _NO_AGE for boot, age in entries):
        return Rejection.BAD_FIELD
    return Advert(
        sender=_unpacked(sender),
        boot_id=boot_id,
        counter=counter,
        epoch=epoch,
        role=_ROLES[role],
        health=_HEALTHS[health],
        standby=bool(flags & _STANDBY),
        asks=bool(flags & _ASKS),
        planned=bool(flags & _PLANNED),
        interval_ms=interval_ms,
        cluster=cluster,
        successor=None if successor == _NO_SUCCESSOR else successor,
        follows=follows - 1 if follows else None,
        heard=tuple(Heard(boot, None if age == _NO_AGE else age) for boot, age in entries),
    )


def cluster_digest(vips: Sequence[IPAddress], servers: Sequence[tuple[str, IPAddress]]) -> bytes:
    """8 bytes that differ when the VIPs, the servers (name, address) or their order differ.

    Every part is preceded by its count or length, so that no two inputs have the same form.
    """
    parts = [_DIGEST_LABEL, _size(len(vips))]
    parts += [_packed(vip) for vip in vips]
    parts.append(_size(len(servers)))
    for name, address in servers:
        text = name.encode("utf-8", "surrogatepass")
        parts += [_size(len(text)), text, _packed(address)]
    return hashlib.sha256(b"".join(parts)).digest()[:DIGEST_LENGTH]


def _size(count: int) -> bytes:
    return count.to_bytes(4, "big")


def _tag(message: bytes, key: bytes) -> bytes:
    keyed = _keyed(key).copy()
    keyed.update(message)
    return keyed.digest()[:TAG_LENGTH]


@functools.lru_cache(maxsize=4)
def _keyed(key: bytes) -> hmac.HMAC:
    """What every message of this key begins from; copied and never changed.

    The key is used through a label (HKDF-Expand, RFC 5869 section 2.3), so that another use of the same
    key file can never produce a valid advert. Made once: between two adverts the caches of the processor
    have forgotten OpenSSL, and finding the algorithm costs more than the tag. A reload knows four keys.
    """
    return hmac.new(hmac.digest(key, _KEY_LABEL + b"\x01", "sha256"), digestmod="sha256")


def _age(entry: Heard) -> int:
    return _NO_AGE if entry.age_ms is None else min(entry.age_ms, _NO_AGE)


def _packed(address: IPAddress) -> bytes:
    """16 bytes; an IPv4 address in its IPv4-mapped form (RFC 4291 section 2.5.5.2)."""
    return _MAPPED + address.packed if isinstance(address, IPv4Address) else address.packed


@functools.lru_cache(maxsize=256)
def _unpacked(data: bytes) -> IPAddress:
    """The same few senders, ten times a second each."""
    return IPv4Address(data[12:]) if data.startswith(_MAPPED) else IPv6Address(data)
