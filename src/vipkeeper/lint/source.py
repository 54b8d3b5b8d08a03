"""Files as the linter sees them: their text, or a problem that says why there is none."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from vipkeeper.config.tree import Problem, Span, Trouble, decode, split_lines
from vipkeeper.lint.kinds import Place

MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file that could be read."""

    file: str
    """As the user named it; what spans and messages say."""
    text: str
    lines: tuple[str, ...] = field(repr=False)
    path: Path | None = None
    """Where it was read, for includes; None for text that came from elsewhere."""

    place: Place = field(init=False)
    """Where on a server it is, judged by its path."""

    def __post_init__(self) -> None:
        folder = "/" + self.file.rpartition("/")[0].lstrip("/")
        if self.path is not None:
            folder = str(self.path.parent)
        object.__setattr__(self, "place", _place(folder))

    @property
    def start(self) -> Span:
        """The beginning of the file, for findings about what is missing in it."""
        return Span(self.file, 1, 1)

    def line(self, number: int) -> str:
        """A line, counted from 1; empty outside the file."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def _place(folder: str) -> Place:
    if "/server/manifests" in folder:
        return Place.SERVER_MANIFESTS
    if folder.endswith("/pod-manifests"):
        return Place.POD_MANIFESTS
    if folder.endswith("/kubernetes/manifests"):
        return Place.KUBERNETES_MANIFESTS
    return Place.UNKNOWN


def from_text(text: str, file: str, path: Path | None = None) -> Source:
    """A source from text that is already there."""
    return Source(file, text, tuple(split_lines(text)), path)


def from_bytes(data: bytes, file: str, path: Path | None = None) -> Source | Problem:
    """A source from bytes."""
    if b"\0" in data[:8192]:
        message = "a binary file (it holds a zero byte); nothing in it was judged"
        return Problem(Span(file, 1, 1), message, Trouble.BINARY)
    text = decode(data, file, MAX_BYTES)
    if isinstance(text, Problem):
        return text
    return from_text(text.replace("\r\n", "\n"), file, path)


def read(path: Path, file: str) -> Source | Problem:
    """The source at a path; `file` is how messages name it."""
    try:
        # without blocking: the path may name a pipe that nobody writes to
        fileno = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fileno, "rb") as stream:
            if not stat.S_ISREG(os.fstat(fileno).st_mode):
                message = "no regular file; nothing in it was judged"
                return Problem(Span(file, 1, 1), message, Trouble.UNREADABLE)
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        loop = "Too many levels" in (error.strerror or "")
        message = f"cannot be read: {error.strerror}"
        trouble = Trouble.CYCLE if loop else Trouble.UNREADABLE
        return Problem(Span(file, 1, 1), message, trouble)
    return from_bytes(data, file, path)


def beside(source: Source, path: Path) -> str:
    """How messages name an included file: as the including one was named."""
    assert source.path is not None
    try:
        rest = path.relative_to(source.path.parent)
    except ValueError:
        return str(path)
    return str(Path(source.file).parent / rest)
