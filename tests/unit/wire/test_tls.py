"""The fixed ClientHello against real TLS servers, and what counts as their answer."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest

from vipkeeper.lab.standin_certificate import server_context
from vipkeeper.wire.tls import CLIENT_HELLO, Answer, judge

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
SERVER_HELLO = bytes.fromhex("16 0303 007a 02 000076")
ALERT = bytes.fromhex("15 0303 0002 02 28")


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    return server_context(None)


def answer_of(context: ssl.SSLContext) -> bytes:
    """What a server sends back for our ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(CLIENT_HELLO)
    with contextlib.suppress(ssl.SSLError):  # wants more of us, or refuses with an alert
        server.do_handshake()
    return outgoing.read()


@VERSIONS
def test_a_real_server_answers_with_its_hello(
    context: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = version
    answer = answer_of(context)
    assert answer[0] == 22
    assert answer[5] == 2
    assert judge(answer) is Answer.TLS


def test_a_server_that_demands_another_group_answers_too() -> None:
    """HelloRetryRequest, a ServerHello with a random of its own (RFC 8446 section 4.1.4)."""
    context = server_context(None)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_ecdh_curve("prime256v1")
    assert judge(answer_of(context)) is Answer.TLS


def test_a_server_that_refuses_us_lives() -> None:
    context = server_context(None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    answer = answer_of(context)
    assert answer[0] == 21
    assert judge(answer) is Answer.TLS


def test_the_hello_is_always_the_same() -> None:
    document = (Path(__file__).parents[3] / "docs" / "wire.md").read_text(encoding="utf-8")
    assert CLIENT_HELLO.hex() in document.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize("whole", [SERVER_HELLO, ALERT])
def test_an_answer_that_comes_in_pieces(whole: bytes) -> None:
    verdicts = [judge(whole[:length]) for length in range(len(whole) + 1)]
    first = verdicts.index(Answer.TLS)
    assert verdicts == [Answer.PENDING] * first + [Answer.TLS] * (len(whole) + 1 - first)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 400 Bad Request",
        b"\x16\x02",
        b"\x16\x03\x03\x00\x00",
        b"\x16\x03\x03\xff\xff\x02",
        b"\x16\x03\x03\x00\x10\x01",
        b"\x15\x03\x03\x00\x20",
        b"\x17\x03\x03\x00\x10\x02",
        b"SSH-2.0-OpenSSH",
    ],
    ids=[
        "HTTP",
        "SSL 2",
        "empty record",
        "record too long",
        "ClientHello",
        "encrypted alert",
        "application data",
        "SSH",
    ],
)
def test_what_is_no_answer_of_a_tls_server(data: bytes) -> None:
    assert judge(data) is Answer.OTHER
