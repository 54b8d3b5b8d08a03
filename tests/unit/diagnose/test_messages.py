"""The table of log messages and what finds them: nothing is missed, whatever the blocks and the bytes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.diagnose.codec import load
from vipkeeper.diagnose.message import Message, Where, stands_in
from vipkeeper.diagnose.messages import BY_NAME, LONGEST_LINE, LONGEST_RAW, MESSAGES, Scanner
from vipkeeper.diagnose.vocabulary import Key


def found(data: bytes, size: int = 1 << 20) -> dict[str, int]:
    scanner = Scanner()
    for at in range(0, len(data), size):
        scanner.feed(data[at : at + size])
    return {seen.message.name: seen.count for seen in scanner.seen()}


REAL = {
    "lease-timeout": b"E0413 12:00:01.1 1 leaderelection.go:330] error retrieving resource lock "
    b"kube-system/plndr-cp-lock: etcdserver: request timed out",
    "invalid-url-scheme": b'Nov 27 02:43:33 cp1 rke2[99]: time="2026-11-27T02:43:33Z" level=fatal msg="'
    b"starting kubernetes: preparing server: failed to validate token: only https:// URLs are "
    b'supported, invalid scheme: true"',
    "join-no-route": b'level=fatal msg="failed to validate token: failed to get CA certs: Get '
    b'\\"https://192.0.2.105:9345/cacerts\\": dial tcp 192.0.2.105:9345: connect: no route to host"',
    "join-refused": b'failed to get CA certs: Get "https://10.77.0.200:6443/cacerts": dial tcp '
    b"10.77.0.200:6443: connect: connection refused",
    "etcd-health-no-leader": b'{"level":"warn","ts":"2026-11-27T02:43:33.1Z","msg":"/health error",'
    b'"output":"{\\"health\\":\\"false\\",\\"reason\\":\\"RAFT NO LEADER\\"}"}',
    "member-address-changed": b"this server is not a member of the etcd cluster. Found "
    b"[cp1-1a2b3c4d=https://10.0.0.1:2380], expect: cp1-1a2b3c4d=https://10.0.0.9:2380",
    "certificate-name-missing": b"tls: failed to verify certificate: x509: certificate is valid for "
    b"10.40.0.11, 127.0.0.1, not 10.40.0.100",
    "keepalived-master": b"Fri Nov 27 02:43:33 2026: (VI_1) Entering MASTER STATE",
    "lease-forbidden": b'leases.coordination.k8s.io "plndr-cp-lock" is forbidden: User '
    b'"system:serviceaccount:kube-system:kube-vip" cannot get resource "leases"',
    "waiting-for-supervisor": b"Waiting to retrieve kube-proxy configuration; server is not ready: "
    b"https://127.0.0.1:9345/v1-rke2/readyz: 500 Internal Server Error",
    "tunnel-missing": b"proxy error from 127.0.0.1:9345 while dialing 10.0.0.7:10250, code 502: 502 "
    b"Bad Gateway",
    "lease-api-refused": b'error retrieving resource lock kube-system/plndr-cp-lock: Get "https://'
    b"192.0.2.105:6443/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/plndr-cp-lock"
    b'?timeout=10s": dial tcp 192.0.2.105:6443: connect: connection refused',
}
"""Lines as they were seen or are printed by the source."""


@pytest.mark.parametrize("name", sorted(REAL))
def test_a_real_line_is_the_message_it_is(name: str) -> None:
    assert name in found(REAL[name])


def test_lines_of_a_healthy_cluster_are_no_message() -> None:
    healthy = (
        b'Nov 27 02:43:33 cp1 rke2[9]: time="2026-11-27T02:43:33Z" level=info msg="Handling backend '
        b'connection request [node2]"\n'
        b'{"level":"info","ts":"2026-11-27T02:43:33.1Z","caller":"mvcc/kvstore_compaction.go:68",'
        b'"msg":"finished scheduled compaction","compact-revision":12345,"took":"12.3ms"}\n'
        b"I1127 02:43:33.123456 1 alloc.go:330] allocated clusterIPs service=default/foo\n"
        b"Nov 27 02:43:33 cp1 kernel: IPv6: ADDRCONF(NETDEV_CHANGE): cali1: link becomes ready\n"
    )
    assert found(healthy) == {}


def test_names_are_unique_and_every_message_says_what_it_means() -> None:
    assert len(BY_NAME) == len(MESSAGES) > 100
    assert all(message.meaning and message.where for message in MESSAGES)
    assert all(not message.meaning.endswith(".") for message in MESSAGES)


def test_every_message_of_a_recorded_case_is_in_the_table() -> None:
    cases = Path(__file__).parents[2] / "why" / "cases"
    facts = [fact for path in sorted(cases.glob("*.facts")) for fact in load(path.read_text())[0]]
    assert {fact.aspect for fact in facts if fact.key is Key.LOG} <= set(BY_NAME)


def samples() -> list[bytes]:
    return [b" x ".join(pieces) for message in MESSAGES for pieces in message.forms]


def test_every_form_of_every_message_is_found() -> None:
    for message in MESSAGES:
        for pieces in message.forms:
            line = b"before " + b" 192.0.2.1 ".join(pieces) + b" after"
            assert message.name in found(line), line


def test_pieces_in_the_wrong_order_or_on_two_lines_are_no_message() -> None:
    assert found(b"connection refused: failed to get CA certs: /cacerts") == {}
    assert found(b"failed to get CA certs: /cacerts\nconnect: connection refused\n") == {}


def plain(data: bytes) -> Counter[str]:
    """The same, line by line and text by text."""
    counts: Counter[str] = Counter()
    for line in data.split(b"\n"):
        for message in MESSAGES:
            counts[message.name] += any(stands_in(p, line[:LONGEST_LINE]) for p in message.forms)
    return +counts


@given(
    st.lists(st.sampled_from([*samples(), b"\n", b"\n", b"fuwxA", b"etcdserver: "]), max_size=12),
    st.integers(1, 200),
    st.integers(0, 2**32),
)
def test_the_filter_finds_what_a_plain_search_finds(
    parts: list[bytes], size: int, seed: int
) -> None:
    rng = random.Random(seed)
    cut = [part[rng.randrange(3) : len(part) - rng.randrange(3)] for part in parts]
    data = b"".join(cut)
    assert found(data, size) == plain(data)


def test_a_line_counts_once_however_often_and_in_whatever_form_it_says_so() -> None:
    assert found(b"RAFT NO LEADER RAFT NO LEADER\n" * 3) == {"etcd-health-no-leader": 3}
    assert found(b"invalid token format, invalid token CA hash length") == {"token-malformed": 1}


def test_first_and_last_line_are_kept_and_cut() -> None:
    scanner = Scanner()
    scanner.feed(b"one etcdserver: no leader\r\ntwo etcdserver: no leader\n")
    scanner.feed(b"three etcdserver: no leader " + b"x" * 5000)
    (seen,) = scanner.seen()
    assert seen.message.name == "etcd-no-leader"
    assert seen.count == 3
    assert seen.first == b"one etcdserver: no leader"
    assert seen.last.startswith(b"three ")
    assert len(seen.last) == LONGEST_RAW


def test_a_line_of_megabytes_is_looked_at_only_at_its_beginning() -> None:
    late = b"x" * LONGEST_LINE + b"etcdserver: no leader"
    assert found(late, 1000) == found(late, 1 << 20) == found(late + b"\n") == {}
    after = late + b" etcdserver: no leader" * LONGEST_LINE + b"\netcdserver: no leader\n"
    assert found(after, 4096) == found(after) == {"etcd-no-leader": 1}


def test_a_text_that_is_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="long enough"):
        Message("too-short", ("not …ok",), "nothing", (Where.ETCD,))
    with pytest.raises(ValueError, match="no name"):
        Message("Not A Name", ("long enough text",), "nothing", (Where.ETCD,))
