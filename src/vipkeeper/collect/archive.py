"""A tar archive that is read forwards and trusted with nothing: no file is written, no link followed.

The formats are those of POSIX.1-2001 (ustar and pax) and the long names of GNU tar. Whatever is no
plain file, or has a name that leads out of the archive, is a trouble and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vipkeeper.collect.reading import Troubles
from vipkeeper.collect.unpack import BLOCK, Unpacked, UnpackError

_SECTOR = 512
_LONGEST_NAME = 1024
_LARGEST_EXTENSION = 64 * 1024
"""Bytes of a header that tells of the next one."""
MOST_MEMBERS = 100_000
_PLAIN = (b"0", b"\0", b"7")
_FOLDER = b"5"
_KINDS = {b"1": "a hard link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file of the archive; its bytes can be read until the next one is asked for."""

    path: str
    """Relative, with '/' between folders, without '.' and '..'."""
    modified: int
    """Seconds since 1970; 0: unknown."""
    size: int
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    kind: bytes
    size: int
    modified: int


class _Body:
    """The bytes of one member, of which any number may have been taken."""

    def __init__(self, source: Unpacked, size: int) -> None:
        self._source = source
        self._left = size
        self._padding = -size % _SECTOR

    def pieces(self) -> Iterator[bytes]:
        while self._left:
            piece = self._source.some(min(self._left, BLOCK))
            if not piece:
                raise UnpackError("it ends in the middle of a file")
            self._left -= len(piece)
            yield piece

    def skip(self) -> None:
        for _ in self.pieces():
            pass
        self._source.exactly(self._padding)
        self._padding = 0


def members(file: BinaryIO, troubles: Troubles) -> Iterator[Member]:
    """The plain files of a tar archive, compressed with gzip or not, as far as it can be read."""
    try:
        yield from _members(Unpacked(file), troubles)
    except UnpackError as error:
        _tell(troubles, error)


def _tell(troubles: Troubles, error: UnpackError) -> None:
    troubles.add(f"the archive: {error}")


def _told(pieces: Iterator[bytes], troubles: Troubles) -> Iterator[bytes]:
    """The pieces of a file; where they end too early, that is told and not raised."""
    try:
        yield from pieces
    except UnpackError as error:
        _tell(troubles, error)


def _members(source: Unpacked, troubles: Troubles) -> Iterator[Member]:
    told: dict[str, str] = {}
    for _ in range(MOST_MEMBERS):
        header = _header(source)
        if header is None:
            while source.some(BLOCK):
                pass  # a cut of what is compressed is seen at its end only
            return
        body = _Body(source, header.size)
        if header.kind in (b"L", b"x", b"K", b"g"):
            told |= _extension(header, body)
            continue
        name, told = told.get("path", header.name), {}
        path = _safe(name)
        if header.kind in _PLAIN and path and not name.endswith("/"):
            content = _told(body.pieces(), troubles)
            yield Member(path, header.modified, header.size, content)
        elif header.kind in _PLAIN or header.kind == _FOLDER:
            if path is None:
                troubles.add(f"{name[:200]}: the name leads out of the archive; not read")
        else:
            what = _KINDS.get(header.kind, "no plain file")
            troubles.add(f"{name[:200]}: {what}; not read")
        body.skip()
    troubles.add(f"the archive: it has more than {MOST_MEMBERS} files; the rest was not read")


def _header(source: Unpacked) -> _Header | None:
    block = source.exactly(_SECTOR)
    if not block or block == bytes(_SECTOR):
        return None
    if len(block) < _SECTOR:
        raise UnpackError("it ends in the middle of a header")
    if _number(block[148:156]) != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise UnpackError("it is no tar archive, or it is damaged")
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    size = _number(block[124:136])
    if size is None:
        raise UnpackError("a header gives no size")
    kind = block[156:157]
    sized = kind not in (b"1", b"2", b"3", b"4", b"5", b"6")
    modified = _number(block[136:148]) or 0
    return _Header(f"{prefix}/{name}" if prefix else name, kind, size if sized else 0, modified)


def _extension(header: _Header, body: _Body) -> dict[str, str]:
    """What a header tells of the next one: only its name matters."""
    if header.size > _LARGEST_EXTENSION:
        raise UnpackError("a header is larger than any name")
    data = b"".join(body.pieces())
    body.skip()
    if header.kind == b"L":
        return {"path": _text(data)}
    if header.kind != b"x":
        return {}
    told = {}
    while data:
        length, _, rest = data.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not 0 < int(length) <= len(data):
            raise UnpackError("a pax header is damaged")
        record = rest[: int(length) - len(length) - 1]
        key, _, value = record.partition(b"=")
        if key == b"path":
            told["path"] = _text(value.rstrip(b"\n"))
        elif key == b"size":
            raise UnpackError("a file is larger than 8 GiB")
        data = data[int(length) :]
    return told


def _number(field: bytes) -> int | None:
    """A number in octal digits, or in the binary form of GNU tar."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if all(48 <= byte < 56 for byte in digits) else None


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")


def _safe(name: str) -> str | None:
    """The name as a path within the archive; None when it leads out of it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or len(name) > _LONGEST_NAME:
        return None
    return "/".join(parts)
