"""Our UDP message: one advert, authenticated. The byte table is in docs/wire.md.

Layout, big-endian: header (76 bytes), one 10-byte entry for each configured server, then
HMAC-SHA256 over all of it, truncated to 128 bits (RFC 2104 section 5).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

MAGIC = b"VIPK"
VERSION = 1
_HEADER = struct.Struct("!4sBBH16sQQQBBBBHHB3x8sQ")
_HEARD = struct.Struct("!QH")
TAG_LENGTH = 16
MAX_HEARD = 64
MIN_LENGTH = _HEADER.size + TAG_LENGTH
MAX_LENGTH = _HEADER.size + MAX_HEARD * _HEARD.size + TAG_LENGTH

_FLAG_STANDBY = 1
_NO_SUCCESSOR = 255
_AGE_UNKNOWN = 65535
_KEY_LABEL = b"vipkeeper advert v1"
_DIGEST_LENGTH = 8


def encode(advert: Advert, key: bytes) -> bytes:
    """The datagram of an advert, authenticated with the key.

    Raises:
        ValueError: a field is out of its documented range (our own mistake, never a peer's).
    """
    if len(advert.heard) > MAX_HEARD or len(advert.cluster) != _DIGEST_LENGTH:
        raise ValueError("heard or cluster out of range")
    successor = _NO_SUCCESSOR if advert.successor is None else advert.successor
    if not (0 <= successor <= _NO_SUCCESSOR and 1 <= advert.interval_ms <= 65535):
        raise ValueError("successor or interval_ms out of range")
    length = MIN_LENGTH + len(advert.heard) * _HEARD.size
    try:
        header = _HEADER.pack(
            MAGIC,
            VERSION,
            _FLAG_STANDBY if advert.standby else 0,
            length,
            _packed(advert.sender),
            advert.boot_id,
            advert.counter,
            advert.epoch,
            advert.role,
            advert.health,
            successor,
            len(advert.heard),
            advert.interval_ms,
            0,
            0,
            advert.cluster,
            0,
        )
        entries = b"".join(_HEARD.pack(h.boot_id, _age(h.age_ms)) for h in advert.heard)
    except struct.error as error:
        raise ValueError(f"advert field out of range: {error}") from error
    message = header + entries
    return message + _tag(message, key)


def decode(data: bytes, keys: Sequence[bytes]) -> Advert | Rejection:
    """The advert in a datagram, or why it is none. Total, and O(1) work for any bytes.

    Any of the keys may have authenticated it (two during a rotation).
    """
    if len(data) < MIN_LENGTH:
        return Rejection.TOO_SHORT
    if len(data) > MAX_LENGTH:
        return Rejection.TOO_LONG
    if data[:4] != MAGIC:
        return Rejection.BAD_MAGIC
    if data[4] != VERSION:
        return Rejection.UNKNOWN_VERSION
    fields = _HEADER.unpack_from(data)
    if fields[3] != len(data) or MIN_LENGTH + fields[11] * _HEARD.size != len(data):
        return Rejection.BAD_LENGTH
    message, tag = data[:-TAG_LENGTH], data[-TAG_LENGTH:]
    if not any(hmac.compare_digest(tag, _tag(message, key)) for key in keys):
        return Rejection.WRONG_KEY
    return _advert(fields, message)


def _advert(fields: tuple[object, ...], message: bytes) -> Advert | Rejection:
    (_, _, flags, _, sender, boot_id, counter, epoch, role, health, successor, _, interval) = (
        fields[:13]
    )
    cluster = fields[15]
    assert isinstance(flags, int)
    assert isinstance(sender, bytes)
    assert isinstance(boot_id, int)
    assert isinstance(counter, int)
    assert isinstance(epoch, int)
    assert isinstance(interval, int)
    assert isinstance(successor, int)
    assert isinstance(cluster, bytes)
    if role not in _ROLES or health not in _HEALTHS or interval == 0 or boot_id == 0:
        return Rejection.BAD_FIELD
    heard = tuple(
        Heard(boot, None if age == _AGE_UNKNOWN else age)
        for boot, age in _HEARD.iter_unpack(message[_HEADER.size :])
    )
    return Advert(
        sender=_unpacked(sender),
        boot_id=boot_id,
        counter=counter,
        epoch=epoch,
        role=_ROLES[role],
        health=_HEALTHS[health],
        standby=bool(flags & _FLAG_STANDBY),
        interval_ms=interval,
        cluster=cluster,
        successor=None if successor == _NO_SUCCESSOR else successor,
        heard=heard,
    )


_ROLES: dict[object, Role] = {int(role): role for role in Role}
_HEALTHS: dict[object, Health] = {int(health): health for health in Health}


def cluster_digest(vips: Iterable[IPAddress], servers: Iterable[tuple[str, IPAddress]]) -> bytes:
    """8 bytes that differ when vip, servers or their order differ."""
    parts = [f"vip {vip}" for vip in vips] + [f"server {name} {addr}" for name, addr in servers]
    return hashlib.sha256("\n".join(parts).encode()).digest()[:_DIGEST_LENGTH]


def _tag(message: bytes, key: bytes) -> bytes:
    derived = hashlib.sha256(_KEY_LABEL + b"\0" + key).digest()
    return hmac.digest(derived, message, "sha256")[:TAG_LENGTH]


def _age(age_ms: int | None) -> int:
    return _AGE_UNKNOWN if age_ms is None else min(max(age_ms, 0), _AGE_UNKNOWN - 1)


def _packed(address: IPAddress) -> bytes:
    if isinstance(address, IPv4Address):
        return b"\0" * 10 + b"\xff\xff" + address.packed
    return address.packed


def _unpacked(data: bytes) -> IPAddress:
    address = IPv6Address(data)
    return address.ipv4_mapped or address
