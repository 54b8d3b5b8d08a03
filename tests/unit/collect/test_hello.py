"""Without a CA at hand a certificate is judged by its name and its time all the same."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest

from vipkeeper.collect.live.network import _rejected, hello
from vipkeeper.diagnose.vocabulary import Hello
from vipkeeper.lab.standin_certificate import expire, server_context

NAMED, NOT_NAMED = "127.0.0.1", "127.0.0.2"


@contextmanager
def serving(context: ssl.SSLContext, address: str) -> Iterator[int]:
    """A TLS server for as many connections as come."""
    with socket.create_server((address, 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    peer.settimeout(5)
                    with suppress(OSError), context.wrap_socket(peer, server_side=True):
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    ("address", "expired", "word"),
    [
        (NAMED, False, Hello.UNVERIFIED),
        (NOT_NAMED, False, Hello.NAME_MISSING),
        (NAMED, True, Hello.EXPIRED),
    ],
    ids=["named and in its time", "not named", "expired"],
)
def test_a_workstation_without_the_ca_sees_a_name_that_is_missing_and_a_time_that_is_over(
    address: str, expired: bool, word: Hello
) -> None:
    context = server_context()
    expire(context, expired=expired)
    with serving(context, address) as port:
        assert hello(ip_address(address), port, None)[0] is word


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (9, Hello.NOT_YET_VALID),
        (10, Hello.EXPIRED),
        (18, Hello.OTHER_AUTHORITY),
        (20, Hello.OTHER_AUTHORITY),
        (62, Hello.NAME_MISSING),
        (64, Hello.NAME_MISSING),
    ],
)
def test_why_a_certificate_is_rejected(code: int, word: Hello) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    assert _rejected(error) is word
