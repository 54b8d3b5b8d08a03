"""Properties of the codecs: round trips, totality, and that no change to an advert goes unnoticed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import example, given
from hypothesis import strategies as st

from vipkeeper.wire import arp, echo, ndp, tls
from vipkeeper.wire.advert import MAX_HEARD, MAX_LENGTH, MIN_LENGTH, cluster_digest, decode, encode
from vipkeeper.wire.checksum import checksum
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

KEY = b"a key of the property tests, 32+"
u64 = st.integers(0, 2**64 - 1)
boot_ids = st.integers(1, 2**64 - 1)
ages = st.none() | st.integers(0, 65534)
v4 = st.ip_addresses(v=4).map(lambda address: IPv4Address(int(address)))
v6 = (
    st.ip_addresses(v=6)
    .map(lambda address: IPv6Address(int(address)))
    .filter(lambda address: address.ipv4_mapped is None)
)
macs = st.binary(min_size=6, max_size=6)
heards = st.builds(Heard, boot_ids, ages) | st.just(Heard(0, None))
adverts = st.builds(
    Advert,
    sender=v4 | v6,
    boot_id=boot_ids,
    counter=u64,
    epoch=u64,
    role=st.sampled_from(Role),
    health=st.sampled_from(Health),
    standby=st.booleans(),
    interval_ms=st.integers(1, 65535),
    cluster=st.binary(min_size=8, max_size=8),
    successor=st.none() | st.integers(0, 254),
    heard=st.lists(heards, max_size=MAX_HEARD).map(tuple),
    asks=st.booleans(),
    planned=st.booleans(),
    follows=st.none() | st.integers(0, 254),
)


@given(adverts, st.binary(min_size=1, max_size=100))
def test_adverts_round_trip(advert: Advert, key: bytes) -> None:
    data = encode(advert, key)
    assert MIN_LENGTH <= len(data) <= MAX_LENGTH
    assert decode(data, [key]) == advert


@given(st.binary(max_size=MAX_LENGTH + 10))
@example(b"VIPK\x01" + bytes(MIN_LENGTH))
def test_any_bytes_are_judged(data: bytes) -> None:
    assert isinstance(decode(data, [KEY]), Rejection)


@given(adverts, st.binary(max_size=300), st.data())
def test_any_authentic_bytes_are_judged(advert: Advert, tail: bytes, data: st.DataObject) -> None:
    """Whoever has the key but another program: values or a named refusal, never an exception."""
    from vipkeeper.wire.advert import TAG_LENGTH, _tag

    message = bytearray(encode(advert, KEY)[:-TAG_LENGTH] + tail)
    for at in data.draw(st.lists(st.integers(8, len(message) - 1), max_size=8)):
        message[at] = data.draw(st.integers(0, 255))
    message[6:8] = (len(message) + TAG_LENGTH).to_bytes(2, "big")
    decoded = decode(bytes(message) + _tag(bytes(message), KEY), [KEY])
    if isinstance(decoded, Advert):
        assert decode(encode(decoded, KEY), [KEY]) == decoded
    else:
        assert decoded in (Rejection.BAD_FIELD, Rejection.BAD_LENGTH, Rejection.TOO_LONG)


@given(adverts, st.integers(1, 255), st.data())
def test_no_byte_can_be_changed(advert: Advert, flip: int, data: st.DataObject) -> None:
    message = bytearray(encode(advert, KEY))
    message[data.draw(st.integers(0, len(message) - 1))] ^= flip
    assert isinstance(decode(bytes(message), [KEY]), Rejection)


@given(adverts, st.data())
def test_nothing_can_be_cut_off(advert: Advert, data: st.DataObject) -> None:
    message = encode(advert, KEY)
    size = data.draw(st.integers(0, len(message) - 1))
    assert isinstance(decode(message[:size], [KEY]), Rejection)
    assert isinstance(decode(message[len(message) - size :], [KEY]), Rejection)


@given(adverts, st.binary(min_size=1, max_size=64))
def test_nothing_can_be_added(advert: Advert, more: bytes) -> None:
    message = encode(advert, KEY)
    assert isinstance(decode(message + more, [KEY]), Rejection)
    assert isinstance(decode(more + message, [KEY]), Rejection)


@given(adverts, st.binary(min_size=1, max_size=64), st.binary(min_size=1, max_size=64))
def test_another_key_is_refused(advert: Advert, key: bytes, other: bytes) -> None:
    # HMAC pads short keys with zero bytes, so these two would be one key.
    if key.rstrip(b"\0") != other.rstrip(b"\0"):
        assert decode(encode(advert, key), [other]) is Rejection.WRONG_KEY


clusters = st.tuples(
    st.lists(v4 | v6, max_size=3),
    st.lists(st.tuples(st.text(max_size=8), v4 | v6), max_size=4),
)
Cluster = tuple[list[IPAddress], list[tuple[str, IPAddress]]]


@given(clusters, clusters)
def test_digests_agree_only_for_the_same_cluster(one: Cluster, other: Cluster) -> None:
    assert (cluster_digest(*one) == cluster_digest(*other)) == (one == other)


@given(st.binary(max_size=200))
def test_checksum_is_the_sum_of_rfc_1071(data: bytes) -> None:
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(data) == 0xFFFF - total


@given(st.builds(arp.Arp, st.sampled_from(arp.Operation), macs, v4, macs, v4), macs)
def test_arp_round_trips(message: arp.Arp, destination: bytes) -> None:
    frame = arp.encode_frame(message, destination=destination)
    assert len(frame) == 42
    assert frame[:6] == destination
    assert arp.decode_frame(frame) == message


@given(v6.filter(lambda a: not a.is_multicast), v6, macs)
def test_neighbour_messages_round_trip(
    target: IPv6Address, source: IPv6Address, mac: bytes
) -> None:
    asked = ndp.decode_frame(ndp.solicitation(target, source, mac))
    assert asked is not None
    assert (asked.kind, asked.target, asked.source) == (ndp.SOLICITATION, target, source)
    assert asked.link_address == (None if source == ndp.UNSPECIFIED else mac)
    told = ndp.decode_frame(ndp.advertisement(target, mac))
    assert told is not None
    assert (told.kind, told.target, told.link_address) == (ndp.ADVERTISEMENT, target, mac)
    assert told.override
    assert not told.solicited


@given(st.sampled_from([b"", b"\x16", b"\x15\x03\x03\0"]), st.binary(max_size=12))
def test_an_answer_to_the_client_hello_is_judged_once_and_for_all(head: bytes, rest: bytes) -> None:
    """Read in pieces, the verdict never changes once there is one."""
    data = head + rest
    verdicts = [tls.judge(data[:length]) for length in range(len(data) + 1)]
    last = verdicts[-1]
    pending = verdicts.count(tls.Answer.PENDING)
    assert verdicts == [tls.Answer.PENDING] * pending + [last] * (len(verdicts) - pending)
    assert last is not tls.Answer.PENDING or len(data) <= 5


FRAMES = (
    arp.probe(IPv4Address("10.0.0.1"), b"\2" * 6),
    ndp.advertisement(IPv6Address("2001:db8::1"), b"\2" * 6),
    ndp.solicitation(IPv6Address("2001:db8::1"), IPv6Address("::"), b"\2" * 6),
    echo.echo_request((b"\2" * 6,) * 2, IPv4Address(1), IPv4Address(2), 3),
    echo.echo_request((b"\2" * 6,) * 2, IPv6Address(1), IPv6Address(2), 3),
    echo.syn((b"\2" * 6,) * 2, IPv4Address(1), IPv4Address(2), (4, 5)),
    echo.syn((b"\2" * 6,) * 2, IPv6Address(1), IPv6Address(2), (4, 5)),
)


def understand(data: bytes) -> None:
    assert isinstance(arp.decode_frame(data), arp.Arp | None)
    assert isinstance(ndp.decode_frame(data), ndp.NeighbourMessage | None)
    assert isinstance(echo.decode_frame(data), echo.EchoReply | echo.TcpAnswer | None)
    assert isinstance(echo.answer(data, 3, 4), IPv4Address | IPv6Address | None)


@given(st.binary(max_size=120))
def test_any_frame_is_judged(data: bytes) -> None:
    understand(data)


@given(st.sampled_from(FRAMES), st.data())
def test_any_frame_like_ours_is_judged(frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame[: data.draw(st.integers(0, len(frame)))])
    if changed:
        for at in data.draw(st.lists(st.integers(0, len(changed) - 1), max_size=6)):
            changed[at] = data.draw(st.integers(0, 255))
    understand(bytes(changed))
