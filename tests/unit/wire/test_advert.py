"""Our UDP message: the bytes documented in docs/wire.md, and every reason to refuse one."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from vipkeeper.wire import advert as codec
from vipkeeper.wire.advert import MAX_LENGTH, TAG_LENGTH, cluster_digest, decode, encode
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

KEY, OTHER_KEY = bytes(range(32)), b"another key, another key, another"
VIPS = (IPv4Address("10.10.10.100"),)
SERVERS: tuple[tuple[str, IPAddress], ...] = (
    ("cp1", IPv4Address("10.10.10.11")),
    ("cp2", IPv4Address("10.10.10.12")),
    ("cp3", IPv4Address("10.10.10.13")),
)
HOLDER = Advert(
    sender=IPv4Address("10.10.10.11"),
    boot_id=0x0123456789ABCDEF,
    counter=42,
    epoch=7,
    role=Role.HOLDER,
    health=Health.READY,
    standby=False,
    interval_ms=100,
    cluster=bytes.fromhex("40038baada145e0f"),
    successor=1,
    heard=(Heard(0, None), Heard(0x1111111111111111, 12), Heard(0x2222222222222222, None)),
)
REVISION_0_HOLDER = bytes.fromhex(
    "5649504b0100006e0203000100640300"
    "00000000000000000000ffff0a0a0a0b"
    "0123456789abcdef000000000000002a"
    "000000000000000740038baada145e0f"
    "0000000000000000ffff111111111111"
    "1111000c2222222222222222ffffab38"
    "fde8b878cbad2f2446b801c8f9c6"
)
"""What a daemon of revision 0 sends: no flags but standby, byte 15 reserved."""
SUSPECTING = Advert(
    sender=IPv4Address("10.10.10.12"),
    boot_id=0x1111111111111111,
    counter=43,
    epoch=7,
    role=Role.BACKUP,
    health=Health.READY,
    standby=False,
    interval_ms=100,
    cluster=HOLDER.cluster,
    heard=(Heard(0x0123456789ABCDEF, 201), Heard(0, None), Heard(0x2222222222222222, 87)),
    asks=True,
    follows=0,
)
RESIGNED = Advert(
    sender=IPv6Address("2001:db8::11"),
    boot_id=2**64 - 1,
    counter=2**64 - 1,
    epoch=2**64 - 1,
    role=Role.RESIGNED,
    health=Health.UNREADY,
    standby=True,
    interval_ms=65535,
    cluster=b"\xff" * 8,
    planned=True,
)
GOLDEN_HOLDER = bytes.fromhex(
    "5649504b0101006e0203000100640300"
    "00000000000000000000ffff0a0a0a0b"
    "0123456789abcdef000000000000002a"
    "000000000000000740038baada145e0f"
    "0000000000000000ffff111111111111"
    "1111000c2222222222222222ffff80a0"
    "61e85208606a70dddf5f8914c737"
)
GOLDEN_SUSPECTING = bytes.fromhex(
    "5649504b0101006e010302ff00640301"
    "00000000000000000000ffff0a0a0a0c"
    "1111111111111111000000000000002b"
    "000000000000000740038baada145e0f"
    "0123456789abcdef00c9000000000000"
    "0000ffff222222222222222200574987"
    "85f93cebde4eed14cf73b63b634d"
)
GOLDEN_RESIGNED = bytes.fromhex(
    "5649504b01010050030005ffffff0000"
    "20010db8000000000000000000000011"
    "ffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffff"
    "96ea5ddff192347267ac31565c5c3899"
)


def signed(message: bytes, *, declare: bool = True) -> bytes:
    """The message under our key, its length field put right unless told otherwise."""
    if declare:
        message = message[:6] + struct.pack("!H", len(message) + TAG_LENGTH) + message[8:]
    return message + codec._tag(message, KEY)


def with_byte(at: int, value: int) -> bytes:
    message = bytearray(GOLDEN_HOLDER[:-TAG_LENGTH])
    message[at] = value
    return signed(bytes(message))


@pytest.mark.parametrize(
    ("advert", "golden"),
    [
        (HOLDER, GOLDEN_HOLDER),
        (SUSPECTING, GOLDEN_SUSPECTING),
        (RESIGNED, GOLDEN_RESIGNED),
    ],
)
def test_golden_bytes(advert: Advert, golden: bytes) -> None:
    assert encode(advert, KEY) == golden
    assert decode(golden, [KEY]) == advert


def test_an_advert_of_revision_0_is_read() -> None:
    """A rolling upgrade: the older daemon asks nothing, plans nothing and follows nobody."""
    decoded = decode(REVISION_0_HOLDER, [KEY])
    assert decoded == HOLDER
    assert isinstance(decoded, Advert)
    assert (decoded.asks, decoded.planned, decoded.follows) == (False, False, None)


def test_the_document_shows_the_golden_bytes() -> None:
    document = Path(__file__).parents[3] / "docs" / "wire.md"
    shown = "".join(re.findall(r"^    ((?:[0-9a-f]{2} ?)+)$", document.read_text(), re.MULTILINE))
    digits = shown.replace(" ", "")
    assert GOLDEN_HOLDER.hex() in digits
    assert GOLDEN_SUSPECTING.hex() in digits
    assert GOLDEN_RESIGNED.hex() in digits
    assert REVISION_0_HOLDER.hex() in digits


def test_the_longest_advert_fits_and_round_trips() -> None:
    longest = replace(HOLDER, heard=tuple(Heard(n, n) for n in range(1, 65)))
    data = encode(longest, KEY)
    assert len(data) <= MAX_LENGTH
    assert decode(data, [KEY]) == longest


def test_either_key_of_a_rotation_is_accepted_and_no_other() -> None:
    assert decode(GOLDEN_HOLDER, [OTHER_KEY, KEY]) == HOLDER
    assert decode(GOLDEN_HOLDER, [KEY, OTHER_KEY]) == HOLDER
    assert decode(GOLDEN_HOLDER, [OTHER_KEY]) is Rejection.WRONG_KEY
    assert decode(GOLDEN_HOLDER, []) is Rejection.WRONG_KEY


def test_the_key_itself_does_not_authenticate() -> None:
    """Domain separation: a plain HMAC with the same key, made for something else, is no advert."""
    import hmac

    message = GOLDEN_HOLDER[:-TAG_LENGTH]
    forged = message + hmac.digest(KEY, message, "sha256")[:TAG_LENGTH]
    assert decode(forged, [KEY]) is Rejection.WRONG_KEY


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Rejection.TOO_SHORT),
        (GOLDEN_HOLDER[: codec.MIN_LENGTH - 1], Rejection.TOO_SHORT),
        (GOLDEN_HOLDER + bytes(MAX_LENGTH), Rejection.TOO_LONG),
        (b"vipk" + GOLDEN_HOLDER[4:], Rejection.BAD_MAGIC),
        (with_byte(4, 0), Rejection.UNKNOWN_VERSION),
        (with_byte(4, 2), Rejection.UNKNOWN_VERSION),
        (GOLDEN_HOLDER + b"\0", Rejection.BAD_LENGTH),
        (GOLDEN_HOLDER[:-1], Rejection.BAD_LENGTH),
        (signed(GOLDEN_HOLDER[:-TAG_LENGTH] + b"\0", declare=False), Rejection.BAD_LENGTH),
        (with_byte(14, 4), Rejection.BAD_LENGTH),
        (GOLDEN_HOLDER[:-1] + b"\0", Rejection.WRONG_KEY),
        (with_byte(8, 4), Rejection.BAD_FIELD),
        (with_byte(9, 4), Rejection.BAD_FIELD),
        (with_byte(13, 0), Rejection.BAD_FIELD),
        (
            signed(GOLDEN_HOLDER[:32] + bytes(8) + GOLDEN_HOLDER[40:-TAG_LENGTH]),
            Rejection.BAD_FIELD,
        ),
        (with_byte(73, 0), Rejection.BAD_FIELD),
    ],
    ids=[
        "empty",
        "one byte short of the least",
        "longer than any",
        "magic",
        "older version",
        "newer version",
        "one byte too many",
        "one byte too few",
        "authentic, but one byte more than declared",
        "more heard entries than there is room for",
        "tag",
        "role",
        "health",
        "interval 0",
        "boot id 0",
        "never heard, with an age",
    ],
)
def test_refused_with_the_reason(data: bytes, reason: Rejection) -> None:
    assert decode(data, [KEY]) is reason


def test_more_than_64_heard_entries_are_refused() -> None:
    message = GOLDEN_HOLDER[:14] + b"\x41\0" + GOLDEN_HOLDER[16:64] + bytes.fromhex(65 * "00" * 10)
    assert decode(signed(message), [KEY]) is Rejection.BAD_FIELD


def test_a_forged_advert_is_told_from_a_broken_one_by_its_tag_first() -> None:
    """Without the key nothing can be learnt of how fields are judged."""
    broken = bytearray(GOLDEN_HOLDER)
    broken[8] = 99
    assert decode(bytes(broken), [KEY]) is Rejection.WRONG_KEY


def test_a_reader_skips_what_a_later_revision_adds() -> None:
    """A newer minor must not break an older reader: see docs/wire.md, "Later revisions"."""
    message = bytearray(GOLDEN_HOLDER[:-TAG_LENGTH] + b"fields of a later revision")
    message[5] = 2  # revision
    message[10] |= 0xF8  # flags of a later revision
    assert decode(signed(bytes(message)), [KEY]) == HOLDER


def test_each_field_of_revision_1_has_its_own_place() -> None:
    message = bytearray(GOLDEN_HOLDER[:-TAG_LENGTH])
    for at, value, expected in (
        (10, 0x02, replace(HOLDER, asks=True)),
        (10, 0x04, replace(HOLDER, planned=True)),
        (15, 1, replace(HOLDER, follows=0)),
        (15, 255, replace(HOLDER, follows=254)),
    ):
        changed = bytearray(message)
        changed[at] = value
        assert decode(signed(bytes(changed)), [KEY]) == expected
        assert encode(expected, KEY) == signed(bytes(changed))


def test_a_server_beyond_the_heard_entries_is_no_reason_to_refuse() -> None:
    """Which servers there are is the election's knowledge; there such an index is nobody's."""
    elsewhere = replace(HOLDER, successor=200, follows=254)
    assert decode(encode(elsewhere, KEY), [KEY]) == elsewhere


@pytest.mark.parametrize("age", [65535, 65536, 10**9])
def test_an_age_that_does_not_fit_becomes_unknown(age: int) -> None:
    advert = replace(HOLDER, heard=(Heard(5, age),))
    decoded = decode(encode(advert, KEY), [KEY])
    assert isinstance(decoded, Advert)
    assert decoded.heard == (Heard(5, None),)


def test_an_ipv4_mapped_sender_is_the_ipv4_address() -> None:
    mapped = replace(HOLDER, sender=IPv6Address("::ffff:10.10.10.11"))
    assert decode(encode(mapped, KEY), [KEY]) == HOLDER


WRONG: list[Callable[[], Advert]] = [
    lambda: replace(HOLDER, boot_id=0),
    lambda: replace(HOLDER, boot_id=2**64),
    lambda: replace(HOLDER, counter=-1),
    lambda: replace(HOLDER, epoch=2**64),
    lambda: replace(HOLDER, interval_ms=0),
    lambda: replace(HOLDER, interval_ms=65536),
    lambda: replace(HOLDER, successor=255),
    lambda: replace(HOLDER, successor=-1),
    lambda: replace(HOLDER, follows=255),
    lambda: replace(HOLDER, follows=-1),
    lambda: replace(HOLDER, cluster=b"seven77"),
    lambda: replace(HOLDER, heard=(Heard(1, 1),) * 65),
    lambda: replace(HOLDER, heard=(Heard(0, 5),)),
    lambda: replace(HOLDER, heard=(Heard(1, -1),)),
]


@pytest.mark.parametrize("advert", [make() for make in WRONG], ids=str)
def test_an_advert_out_of_range_is_never_sent(advert: Advert) -> None:
    with pytest.raises(ValueError, match=r"range|digest|entries|age"):
        encode(advert, KEY)


def test_an_empty_key_never_signs() -> None:
    with pytest.raises(ValueError, match="empty key"):
        encode(HOLDER, b"")


def test_digest_is_golden() -> None:
    assert cluster_digest(VIPS, SERVERS) == HOLDER.cluster


def test_digest_tells_every_difference() -> None:
    v4, v6 = IPv4Address("10.10.10.101"), IPv6Address("2001:db8::100")
    a, b, c = SERVERS
    digests = [
        cluster_digest(VIPS, SERVERS),
        cluster_digest((v4,), SERVERS),
        cluster_digest((*VIPS, v6), SERVERS),
        cluster_digest((v6, *VIPS), SERVERS),
        cluster_digest(VIPS, (b, a, c)),
        cluster_digest(VIPS, (a, b)),
        cluster_digest(VIPS, (a, b, ("cp4", c[1]))),
        cluster_digest(VIPS, (a, b, ("cp3", v4))),
        cluster_digest((), SERVERS),
        cluster_digest(VIPS, ()),
        # Names that would run into their neighbours if lengths were not written.
        cluster_digest(VIPS, (("cp1 10.10.10.11\nserver cp2", b[1]),)),
        cluster_digest(VIPS, (("", a[1]), ("cp1", a[1]))),
        cluster_digest(VIPS, (("cp1", a[1]), ("", a[1]))),
    ]
    assert all(len(digest) == 8 for digest in digests)
    assert len(set(digests)) == len(digests)


def test_digest_takes_any_name() -> None:
    assert len(cluster_digest(VIPS, (("\ud800", VIPS[0]),))) == 8
