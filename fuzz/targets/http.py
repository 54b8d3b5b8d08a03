"""The prober's HTTP: any bytes of a server, in any pieces, give answers, a loss or 'no HTTP'."""

from __future__ import annotations

import asyncio
import functools
import random

from fuzz.mutate import mutate
from fuzz.target import Target
from vipkeeper.daemon.prober.http import BODY_LIMIT, Answer, Connection, LostError, MalformedError

_HEAD = 2
"""Bytes of an input that say how the rest is cut and how it ends."""
_REQUESTS = 3


class Wire(asyncio.Transport):
    """A transport that keeps the promise of asyncio: nothing arrives after it was aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """What the prober asks."""
        assert not self.aborted
        self.sent += bytes(data)

    def abort(self) -> None:
        """The prober wants no more."""
        self.aborted = True


@functools.cache
def runner() -> asyncio.Runner:
    """One event loop for the process."""
    return asyncio.Runner()


def check(data: bytes) -> None:
    """Feed the answer to up to three requests over one connection."""
    head, body = data[:_HEAD].ljust(_HEAD, b"\0"), data[_HEAD:]
    runner().run(_talk(head[0], head[1], body))


async def _talk(cut: int, end: int, body: bytes) -> None:
    raised: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    wire, connection = Wire(), Connection()
    connection.connection_made(wire)
    size = max(1, cut)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    for _ in range(_REQUESTS):
        if not connection.usable:
            break
        asked = asyncio.ensure_future(connection.get("127.0.0.1:6443", "/readyz"))
        await asyncio.sleep(0)
        while pieces and not asked.done() and not wire.aborted:
            connection.data_received(pieces.pop(0))
            if end & 4:
                await asyncio.sleep(0)
        if not pieces or wire.aborted:
            if not wire.aborted and end & 1:
                connection.eof_received()
            connection.connection_lost(ConnectionResetError() if end & 2 else None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        _judge(asked)
    if not connection.lost.done():
        connection.data_received(b"".join(pieces) or b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        connection.connection_lost(None)
    assert not connection.usable
    assert not raised, raised


def _judge(asked: asyncio.Future[Answer]) -> None:
    assert asked.done(), "neither an answer nor a failure"
    error = asked.exception()
    if error is None:
        answer = asked.result()
        assert 200 <= answer.status <= 999
        assert len(answer.body) <= BODY_LIMIT
    elif not isinstance(error, LostError | MalformedError):
        raise error


_PARTS = (
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 503 \r\n", b"HTTP/1.1 101 Switching Protocols\r\n"),
    *(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n", b"\r\n", b"\r\n\r\n"),
    *(b"Content-Length: 2\r\n", b"Content-Length: 99999999999999999999\r\n", b"2\r\nok\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n", b"ok"),
    *(b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Upgrade: h2c\r\n", b" x\r\n"),
    *(
        b"A" * 400,
        b"\xff",
        b":",
        b"fffffffffffffffff\r\n",
        b"HTTP/2 200\r\n",
        b"\x15\x03\x01\0\x02",
    ),
)


def in_http(data: bytes, rng: random.Random) -> bytes:
    """A part of HTTP put in at the end of a line."""
    lines = data[_HEAD:].split(b"\r\n")
    at = rng.randint(0, len(lines))
    lines[at : at + rng.randint(0, 1)] = [rng.choice(_PARTS).removesuffix(b"\r\n")]
    changed = data[:_HEAD] + b"\r\n".join(lines)
    return mutate(changed, rng, 4096) if rng.random() < 0.3 else changed


TARGET = Target("http", check, longest=4096, mutate=in_http)
