"""The server side of the control socket: one request a connection, answered in one line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from vipkeeper.daemon.protocol import (
    MAX_LINE,
    Malformed,
    Request,
    Response,
    encode_response,
    parse_request,
)

READ_LIMIT = 2.0
"""Seconds a client may take to send its line."""
MAX_CLIENTS = 16

Handler = Callable[[Request], Awaitable[Response]]


class ControlServer:
    """Listens on a unix socket that only its owner may open; a slow client delays nobody."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.AbstractServer | None = None
        self._clients = 0

    async def start(self) -> None:
        """Bind the socket; a stale one is replaced (the run directory's lock says that it is stale).

        Raises:
            OSError: the socket cannot be made.
        """
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._serve, path=str(self._path), limit=MAX_LINE
        )
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Close and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients <= MAX_CLIENTS:
                writer.write(encode_response(await self._answer(reader)))
                await asyncio.wait_for(writer.drain(), READ_LIMIT)
        except (OSError, TimeoutError):
            pass  # the client is gone or does not read: its loss
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> Response:
        try:
            line = await asyncio.wait_for(reader.readline(), READ_LIMIT)
        except TimeoutError:
            return Response(False, "no request came within 2 s")
        except ValueError:
            return Response(False, f"the request is longer than {MAX_LINE} bytes")
        request = parse_request(line)
        if isinstance(request, Malformed):
            return Response(False, f"not a request: {request}")
        return await self._handler(request)
