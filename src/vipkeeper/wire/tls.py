"""One fixed TLS ClientHello, and what of the answer shows that a TLS server lives (RFC 8446, RFC 5246).

Only the first bytes of the answer are looked at and the handshake never goes on: no key is used, no
certificate is judged. Whoever wants to know how well the server is asks the prober.
"""

from __future__ import annotations

import enum
import struct

HANDSHAKE_RECORD, ALERT_RECORD = 22, 21
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_MAJOR = 3
_LEGACY = b"\x03\x03"
_RECORD = struct.Struct("!BBBH")
_ALERT_LENGTH = 2
_LONGEST_RECORD = (1 << 14) + 2048
"""What TLS 1.2 allows a record (RFC 5246 section 6.2.3); TLS 1.3 allows less."""

_CIPHERS = bytes.fromhex("1301 1302 1303 c02b c02f c02c c030 cca9 cca8")
"""TLS 1.3: AES-128-GCM, AES-256-GCM, ChaCha20; TLS 1.2: the same with ECDHE and ECDSA or RSA."""
_GROUPS = bytes.fromhex("001d 0017 0018")
"""X25519, P-256, P-384."""
_SIGNATURES = bytes.fromhex("0403 0503 0603 0807 0804 0805 0806 0401 0501 0601")
"""ECDSA, Ed25519, RSA-PSS and RSA-PKCS1: whatever the certificate's key is."""
_VERSIONS = bytes.fromhex("0304 0303")
_X25519_SHARE = bytes([9]) + bytes(31)
"""The base point of RFC 7748 section 4.1: a valid public key, and no secret that has to be kept."""
_RANDOM = b"vipkeeper: is your server alive?"


class Answer(enum.Enum):
    """What the bytes so far that came in answer to a ClientHello show."""

    PENDING = "pending"
    """Could become an answer: wait for more."""
    TLS = "tls"
    """A ServerHello (also one that asks for another key share), or an alert: a TLS server lives."""
    OTHER = "other"
    """Not TLS."""


def _counted(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _counted(2, data)


def _client_hello() -> bytes:
    extensions = (
        _extension(10, _counted(2, _GROUPS))  # supported_groups, RFC 8422
        + _extension(11, _counted(1, b"\0"))  # ec_point_formats, for TLS 1.2
        + _extension(13, _counted(2, _SIGNATURES))  # signature_algorithms
        + _extension(43, _counted(1, _VERSIONS))  # supported_versions
        + _extension(51, _counted(2, b"\x00\x1d" + _counted(2, _X25519_SHARE)))  # key_share
        + _extension(0xFF01, _counted(1, b""))  # renegotiation_info, RFC 5746
    )
    body = (
        _LEGACY
        + _RANDOM
        + _counted(1, b"")  # no session to resume
        + _counted(2, _CIPHERS)
        + _counted(1, b"\0")  # no compression
        + _counted(2, extensions)
    )
    return b"\x16\x03\x01" + _counted(2, bytes([_CLIENT_HELLO]) + _counted(3, body))


CLIENT_HELLO = _client_hello()
"""The record that is sent: always the same bytes, without a server name, for TLS 1.2 and 1.3."""


def judge(data: bytes) -> Answer:
    """What the first bytes of the answer show. Total; looks at no more than six bytes."""
    kind = data[:1]
    if not kind:
        return Answer.PENDING
    if kind[0] not in (HANDSHAKE_RECORD, ALERT_RECORD) or data[1:2] not in (b"", bytes([_MAJOR])):
        return Answer.OTHER
    if len(data) < _RECORD.size:
        return Answer.PENDING
    _, _, _, length = _RECORD.unpack_from(data)
    if kind[0] == ALERT_RECORD:
        return Answer.TLS if length == _ALERT_LENGTH else Answer.OTHER
    if not 0 < length <= _LONGEST_RECORD:
        return Answer.OTHER
    if len(data) == _RECORD.size:
        return Answer.PENDING
    return Answer.TLS if data[_RECORD.size] == _SERVER_HELLO else Answer.OTHER
