"""A small HTTP/1.1 server (keep-alive, TLS or plain) that can be frozen: what the stand-ins speak with."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

import h11

BACKLOG = 4096
"""As Go's servers ask for: a frozen one still lets this many clients connect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


Handler = Callable[[str], Awaitable[Answer]]
"""Answers the path of a GET; takes its time when it is told to be slow."""


async def serve(
    listener: socket.socket, handler: Handler, running: asyncio.Event, tls: ssl.SSLContext | None
) -> None:
    """Answer everybody who connects, until cancelled.

    While `running` is cleared nothing is accepted and nothing is answered: clients connect (the
    kernel does that) and hear nothing, as from a server process that was stopped.
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def greet(client: socket.socket) -> None:
        # Clients that only try the handshake, or leave, are the rule here.
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(
                lambda: _Connection(handler, running), client, ssl=tls
            )

    try:
        while True:
            await running.wait()
            client, _ = await loop.sock_accept(listener)
            await running.wait()
            task = loop.create_task(greet(client))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, handler: Handler, running: asyncio.Event) -> None:
        self._handler = handler
        self._running = running
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answering is not None:
            self._answering.cancel()

    def _advance(self) -> None:
        """Read the next request, unless one is being answered."""
        target = ""
        try:
            while self._answering is None:
                event = self._http.next_event()
                if isinstance(event, h11.Request):
                    target = event.target.decode("ascii")
                elif isinstance(event, h11.EndOfMessage):
                    self._answering = asyncio.create_task(self._answer(target))
                elif not isinstance(event, h11.Data):
                    return
        except h11.RemoteProtocolError:
            self._close()

    async def _answer(self, target: str) -> None:
        answer = await self._handler(target.partition("?")[0])
        await self._running.wait()
        body = answer.body.encode()
        head = h11.Response(
            status_code=answer.status,
            headers=[
                ("Content-Type", answer.content_type),
                ("Content-Length", str(len(body))),
                ("Date", formatdate(usegmt=True)),
            ],
        )
        self._answering = None
        if self._transport is None:
            return
        parts = [
            self._http.send(event) for event in (head, h11.Data(data=body), h11.EndOfMessage())
        ]
        self._transport.write(b"".join(part for part in parts if part))
        if self._http.our_state is h11.MUST_CLOSE:
            self._close()
        else:
            self._http.start_next_cycle()
            self._advance()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
