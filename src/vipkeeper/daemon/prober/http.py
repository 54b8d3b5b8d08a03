"""HTTP/1.1 to one server over a connection that stays: h11 on an asyncio protocol.

A protocol and not asyncio's streams, since only a protocol is told at once, and without a pending read,
that an idle connection has died: that is the first sign of a dead API server.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

import h11

from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober.config import Tls
from vipkeeper.daemon.prober.silence import (
    DOUBT_AFTER,
    FRESH,
    STALLED_AFTER,
    Silence,
    StalledError,
)
from vipkeeper.daemon.prober.tls import Contexts
from vipkeeper.daemon.prober.verdict import CheckFailed, failure

BODY_LIMIT = 65536
"""Bytes of an answer that are read; a longer one is cut and its connection closed."""
RENEWED_AFTER = 10.0
"""Seconds a connection is used: then a new one shows that the server still accepts and shakes hands."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body cut at `BODY_LIMIT`."""

    status: int
    body: bytes


class LostError(Exception):
    """A connection that had been made ended before it brought an answer."""

    def __init__(self, cause: Exception | None) -> None:
        super().__init__("connection lost")
        self.reset = isinstance(cause, ConnectionResetError)


class MalformedError(Exception):
    """What came is not HTTP."""


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done when the connection has ended, by whichever side."""
        self.made_at = loop.time()
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._status = 0
        self._body = bytearray()
        self._ended = False

    @property
    def usable(self) -> bool:
        """True when another request may be sent."""
        return not self.lost.done() and self._http.our_state is h11.IDLE

    async def get(self, host: str, path: str) -> Answer:
        """Ask for the path.

        Raises:
            LostError: the connection ended first.
            MalformedError: the answer is not HTTP.
        """
        if self._transport is None or self.lost.done():
            raise LostError(None)
        request = h11.Request(
            method="GET",
            target=path,
            headers=[("Host", host), ("User-Agent", "vipkeeper"), ("Accept", "*/*")],
        )
        parts = [self._http.send(event) for event in (request, h11.EndOfMessage())]
        self._status = 0
        self._body.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"".join(part for part in parts if part))
        try:
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        """End it at once, without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands (with TLS: the handshake is over)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        if self._answer is None:
            self.close()  # Nothing was asked.
            return
        self._http.receive_data(data)
        self._read()

    def eof_received(self) -> None:
        """The server says no more; an answer without a length is complete now."""
        self._ended = True
        if self._answer is not None:
            self._http.receive_data(b"")
            self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LostError(exc))
        if not self.lost.done():
            self.lost.set_result(None)

    def _read(self) -> None:
        try:
            while self._answer is not None and not self._answer.done():
                event = self._http.next_event()
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > BODY_LIMIT:
                        self._finish(self._answer)
                elif isinstance(event, h11.EndOfMessage):
                    self._finish(self._answer)
                elif not isinstance(event, h11.InformationalResponse):
                    return
        except h11.RemoteProtocolError as error:
            # At the end it only says that the answer is not complete: `connection_lost` follows.
            if self._answer is not None and not self._ended:
                self._answer.set_exception(MalformedError(str(error)))
                self.close()

    def _finish(self, answer: asyncio.Future[Answer]) -> None:
        """The answer is complete, or long enough; the connection serves again if HTTP lets it."""
        answer.set_result(Answer(self._status, bytes(self._body[:BODY_LIMIT])))
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.close()


class Missing(enum.Enum):
    """What a server owes next."""

    CONNECTION = "no connection"
    HELLO = "no TLS ServerHello"
    ANSWER = "no answer"


class Remote:
    """One server and the connection that stands to it."""

    def __init__(self, address: str, port: int, tls: Tls | None, timeout: float) -> None:
        self._address = address
        self._port = port
        self._host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self._server_name = (tls.server_name if tls is not None else None) or address
        self._contexts = Contexts(tls) if tls is not None else None
        self._timeout = timeout
        self._missing = Missing.CONNECTION
        self._shook_hands = False
        """For this question, on whichever connection."""
        self._connection: Connection | None = None
        self._silence = Silence()
        """Of the handshake that is awaited, or was when the last question ended."""
        self._kept: tuple[float, Silence] | None = None
        """When a question ended in silence, and what of it counts for the next one."""

    @property
    def lost(self) -> asyncio.Future[None] | None:
        """Done when the standing connection ends; None while none stands."""
        connection = self._connection
        return connection.lost if connection is not None and connection.usable else None

    async def get(self, path: str) -> Answer:
        """Ask for the path over the standing connection, or a new one when it is old or gone.

        A connection that ends before its answer is tried again once with a new one, which decides:
        servers may close an idle connection whenever they like.

        Raises:
            CheckFailed: there is no answer; with what that means.
        """
        now = asyncio.get_running_loop().time
        self._shook_hands = False
        kept, self._kept = self._kept, None
        before = kept[1] if kept is not None and now() - kept[0] < FRESH else Silence()
        try:
            async with asyncio.timeout(self._timeout):
                with contextlib.suppress(LostError):
                    return await self._get(path, before)
                return await self._get(path, Silence())
        except TimeoutError:
            if self._missing is Missing.HELLO and self._timeout > STALLED_AFTER:
                self._kept = now(), self._silence.kept()
            self.close()
            missing = Missing.ANSWER if self._shook_hands else self._missing
            text = f"{missing.value} within {self._timeout:g} s"
            raise CheckFailed(Outcome.SOFT, text) from None
        except StalledError:
            self.close()
            text = f"no TLS ServerHello and no answer for {STALLED_AFTER:g} s"
            raise CheckFailed(Outcome.STALLED, text) from None
        except LostError as error:
            self.close()
            if error.reset:
                raise CheckFailed(Outcome.HARD, "connection reset") from None
            raise CheckFailed(Outcome.SOFT, "closed without an answer") from None
        except MalformedError as error:
            self.close()
            raise CheckFailed(Outcome.SOFT, f"no HTTP: {error}") from None
        except OSError as error:
            self.close()
            raise failure(error) from None

    def close(self) -> None:
        """End the standing connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _get(self, path: str, silence: Silence) -> Answer:
        """Ask once; `silence`: what a handshake for it begins with."""
        connection = self._connection
        age = (
            asyncio.get_running_loop().time() - connection.made_at
            if connection is not None
            else 0.0
        )
        if connection is None or not connection.usable or age >= RENEWED_AFTER:
            connection = await self._greet(silence)
            self.close()  # The old one goes when the new one stands.
            self._connection = connection
        self._missing = Missing.ANSWER
        asking = connection.get(self._host, path)
        if self._contexts is None:
            return await asking
        answer = asyncio.ensure_future(asking)
        try:
            await self._doubt(answer)
            return await answer
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    async def _doubt(self, answer: asyncio.Future[Answer]) -> None:
        """Until an answer comes, see every now and then whether the server still shakes hands.

        Raises:
            StalledError: it does not.
        """
        while await (silence := Silence()).reaches(DOUBT_AFTER, {answer}):
            greeting = asyncio.ensure_future(self._greet(silence.kept()))
            both: set[asyncio.Future[Any]] = {answer, greeting}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                error = greeting.exception() if greeting.done() else None
            finally:
                await _dropped(greeting)
            if isinstance(error, StalledError) and not answer.done():
                raise error
            if error is not None:
                self._missing = Missing.ANSWER  # Only the question can tell more.
                return

    async def _greet(self, silence: Silence) -> Connection:
        """A fresh connection; of its handshake `silence` says how much is over already.

        Raises:
            StalledError: the kernel accepts, and nobody shook hands; only where TLS is spoken.
            OSError: why there is none.
        """
        client = await self._connect()
        if self._contexts is None:
            return await self._shake_hands(client)
        shaking = asyncio.ensure_future(self._shake_hands(client))
        self._silence = silence
        try:
            if await silence.reaches(STALLED_AFTER, {shaking}):
                raise StalledError
            connection = await shaking
            self._shook_hands = True
            return connection
        except BaseException:
            await _dropped(shaking)
            raise
        finally:
            if shaking.done() and not shaking.cancelled():
                self._missing = Missing.ANSWER  # Also where it failed: somebody said something.

    async def _connect(self) -> socket.socket:
        self._missing = Missing.CONNECTION
        client = await connect(self._address, self._port)
        self._missing = Missing.HELLO
        return client

    async def _shake_hands(self, client: socket.socket) -> Connection:
        made = Connection()
        try:
            context = self._contexts.current() if self._contexts is not None else None
            await asyncio.get_running_loop().create_connection(
                lambda: made,
                sock=client,
                ssl=context,
                server_hostname=self._server_name if context is not None else None,
            )
        except BaseException:
            # Cancelled in the turn in which it shook hands asyncio would say goodbye, over a socket that is closed here.
            made.close()
            client.close()
            raise
        return made


async def _dropped(greeting: asyncio.Future[Connection]) -> None:
    """Cancel it; a connection that it has made all the same is closed."""
    greeting.cancel()
    (made,) = await asyncio.gather(greeting, return_exceptions=True)
    if isinstance(made, Connection):
        made.close()


async def connect(address: str, port: int) -> socket.socket:
    """A connected TCP socket.

    Raises:
        OSError: why there is none.
    """
    loop = asyncio.get_running_loop()
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    except ValueError:
        found = await loop.getaddrinfo(address, port, type=socket.SOCK_STREAM)
        family, address = found[0][0], str(found[0][4][0])
    client = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await loop.sock_connect(client, (address, port))
        # On loopback a socket may be given the very port it connects to, and then meets itself.
        if client.getsockname() == client.getpeername():
            raise ConnectionRefusedError("connected to itself: nobody listens")
    except BaseException:
        client.close()
        raise
    return client
