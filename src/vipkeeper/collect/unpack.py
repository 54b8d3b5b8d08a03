"""Bytes of an archive as they come out of gzip: in pieces, and never more than a limit."""

from __future__ import annotations

import zlib
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes that are held at once."""
LIMIT = 4 << 30
"""Bytes that are taken out of one bundle: a bomb ends here."""
_GZIP = b"\x1f\x8b"


class UnpackError(Exception):
    """The archive cannot be read any further; says why."""


class Unpacked:
    """Reads a plain or a gzip-compressed file forwards, one piece after the other."""

    def __init__(self, file: BinaryIO, limit: int = LIMIT) -> None:
        self._file = file
        self._left = limit
        self._raw = file.read(BLOCK)
        self._ready = b""
        self._inflate = self._begin()

    def _begin(self) -> zlib._Decompress | None:
        return zlib.decompressobj(31) if self._raw.startswith(_GZIP) else None

    def some(self, most: int) -> bytes:
        """The next bytes, at least one and at most so many; nothing at the end of the archive.

        Raises:
            UnpackError: it is damaged, or larger than the limit.
        """
        if not self._ready:
            self._ready = self._next()
            self._left -= len(self._ready)
            if self._left < 0:
                self._ready = b""
                raise UnpackError("it unpacks to more than is read of one bundle")
        piece, self._ready = self._ready[:most], self._ready[most:]
        return piece

    def exactly(self, size: int) -> bytes:
        """The next bytes, so many; fewer only at the end of the archive."""
        pieces = []
        while size and (piece := self.some(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _next(self) -> bytes:
        if self._inflate is None:
            data, self._raw = self._raw, self._file.read(BLOCK)
            return data
        while True:
            try:
                data = self._inflate.decompress(self._raw, BLOCK)
            except zlib.error as error:
                raise UnpackError(f"the compressed data is damaged ({error})") from None
            self._raw = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._raw = self._inflate.unused_data or self._file.read(BLOCK)
                if not self._raw.startswith(_GZIP):
                    self._raw = b""
                self._inflate = self._begin()
                if self._inflate is None:
                    return data
            elif not self._raw:
                self._raw = self._file.read(BLOCK)
                if not self._raw and not data:
                    raise UnpackError("it ends in the middle of the compressed data")
            if data:
                return data
