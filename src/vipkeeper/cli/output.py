"""Where results go and how they look: `--output`, colour, glyphs, tables.

stdout carries the result, stderr progress and warnings.
"""

from __future__ import annotations

import argparse
import contextlib
import enum
import json
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from vipkeeper.errors import HostError, UsageError
from vipkeeper.text import printable


@dataclass(frozen=True, slots=True)
class Target:
    """One `--output FORMAT[=FILE]`."""

    format: str
    path: Path | None
    """None: stdout."""


def add_output_option(
    parser: argparse.ArgumentParser, formats: Sequence[str] = ("text", "json")
) -> None:
    """Declare `--output FORMAT[=FILE]`, repeatable; read it with `targets`."""

    def target(text: str) -> Target:
        name, _, path = text.partition("=")
        if name not in formats:
            expected = ", ".join(formats)
            raise argparse.ArgumentTypeError(f"unknown format '{name}', expected one of {expected}")
        if "=" in text and not path:
            raise argparse.ArgumentTypeError(f"no file name after '{name}='")
        return Target(name, Path(path) if path else None)

    parser.add_argument(
        "--output",
        "-o",
        action="append",
        type=target,
        metavar="FORMAT[=FILE]",
        help=f"{' or '.join(formats)}, to stdout or a file; repeatable (default: {formats[0]})",
    )
    parser.set_defaults(first_format=formats[0])


def add_ascii_option(parser: argparse.ArgumentParser) -> None:
    """Declare `--ascii`."""
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")


def add_run_dir_option(parser: argparse.ArgumentParser, default: Path) -> None:
    """Declare `--run-dir`, where the daemon's control socket is."""
    parser.add_argument(
        "--run-dir",
        type=Path,
        default=default,
        metavar="DIR",
        help=f"where the daemon keeps its control socket (default: {default})",
    )


def targets(args: argparse.Namespace) -> tuple[Target, ...]:
    """What `--output` asks for.

    Raises:
        UsageError: two formats want stdout.
    """
    asked: list[Target] = args.output or [Target(args.first_format, None)]
    if sum(target.path is None for target in asked) > 1:
        raise UsageError("--output: only one format can go to stdout; give the others =FILE")
    return tuple(asked)


def check_files(asked: Sequence[Target]) -> None:
    """Refuse files that cannot be written, before what they are to hold is made in minutes.

    Raises:
        UsageError: the file or its folder is not there or not writable; says which.
    """
    for target in asked:
        if target.path is not None and (reason := _unwritable(target.path)):
            raise UsageError(f"--output: cannot write {target.path}: {reason}")


def _unwritable(path: Path) -> str:
    """Why a file cannot be written; empty where nothing is known against it."""
    try:
        real = Path(os.path.realpath(path))
        if real.exists():
            if real.is_dir():
                return "it is a folder"
            return "" if os.access(real, os.W_OK) else "it is not writable"
        if not real.parent.is_dir():
            return f"there is no folder {real.parent}"
    except OSError as error:
        return str(error.strerror)
    writable = os.access(real.parent, os.W_OK | os.X_OK)
    return "" if writable else f"the folder {real.parent} is not writable"


def deliver(
    asked: Sequence[Target],
    renderers: Mapping[str, Callable[[Style], str]],
    *,
    ascii_only: bool = False,
    instead: str = "",
) -> None:
    """Render each target and write it, stdout first; files never get colour.

    `instead`: the format that goes to stdout where a file cannot be written and nothing else went there,
    for a result that was minutes in the making.

    Raises:
        HostError: a file cannot be written; all others are.
    """
    failed: list[str] = []
    for target in sorted(asked, key=lambda one: one.path is not None):
        render = renderers[target.format]
        if target.path is None:
            emit(render(Style.of(sys.stdout, ascii_only)))
            continue
        text = ensure_newline(render(Style(colour=False, ascii=ascii_only)))
        try:
            write_whole(target.path, text)
        except OSError as error:
            failed.append(f"--output: cannot write {target.path}: {error.strerror}")
    if failed and instead and all(target.path is not None for target in asked):
        emit(renderers[instead](Style.of(sys.stdout, ascii_only)))
    if failed:
        raise HostError("\n".join(failed))


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of what a file holds: all of it, or what was there stays.

    A device or a pipe, and a file in a folder that takes no other, is written to as it is.

    Raises:
        OSError: it cannot be written.
    """
    there = path.stat() if path.exists() else None
    plain = there is None or stat.S_ISREG(there.st_mode)
    if not plain or path.absolute().parts[1:2] in (
        ("dev",),
        ("proc",),
    ):  # /dev/stdout may be a file
        path.write_text(text, encoding="utf-8")
        return
    path = Path(os.path.realpath(path))  # a link stays a link
    refused = there is not None and not os.access(path, os.W_OK)
    if refused or not os.access(path.parent, os.W_OK | os.X_OK):
        path.write_text(text, encoding="utf-8")
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        _write_new(fresh, text, there)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _write_new(path: Path, text: str, like: os.stat_result | None) -> None:
    """Make a file, with owner and mode of another one; what somebody put in its way is not written to."""
    flags, mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if like is None else 0o600
    with os.fdopen(os.open(path, flags, mode), "w", encoding="utf-8") as file:
        file.write(text)
    if like is not None:
        with contextlib.suppress(PermissionError):  # only root gives files away
            os.chown(path, like.st_uid, like.st_gid)
        path.chmod(stat.S_IMODE(like.st_mode))


def width(unknown: int) -> int:
    """The columns of the terminal: what COLUMNS says, else the terminal that stdout is, else `unknown`."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or unknown
    except (AttributeError, OSError, ValueError):
        return unknown


def emit(text: str) -> None:
    """Write a result to stdout, with a newline at its end."""
    if sys.stdout is not None:
        sys.stdout.write(ensure_newline(text))


def note(text: str) -> None:
    """Write progress or a warning to stderr."""
    if sys.stderr is not None:
        sys.stderr.write(ensure_newline(text))


def live() -> bool:
    """Whether stderr is a terminal on which a line can be written over."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def passing(text: str) -> None:
    """Write over the last passing line on a live stderr; an empty text takes it away."""
    if live():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def ensure_newline(text: str) -> str:
    """The text with exactly one newline at its end, unless it is empty."""
    return text.rstrip("\n") + "\n" if text else ""


def to_json(document: Mapping[str, Any]) -> str:
    """A document for `--output json`."""
    return json.dumps(document, indent=2, ensure_ascii=False)


class Tone(enum.Enum):
    """What a piece of text is, by SGR parameters."""

    GOOD = "32"
    WARN = "33"
    BAD = "31"
    STRONG = "1"
    FAINT = "2"


@dataclass(frozen=True, slots=True)
class Style:
    """What the terminal can show."""

    colour: bool
    ascii: bool

    @classmethod
    def of(cls, stream: TextIO | None, ascii_only: bool = False) -> Style:
        """What fits a stream: NO_COLOR, FORCE_COLOR, TERM=dumb and its encoding decide."""
        if stream is None:
            return cls(colour=False, ascii=True)
        dumb = os.environ.get("TERM") == "dumb"
        colour = (stream.isatty() and not dumb) or bool(os.environ.get("FORCE_COLOR"))
        if os.environ.get("NO_COLOR"):
            colour = False
        unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        return cls(colour=colour, ascii=ascii_only or dumb or not unicode)

    def paint(self, text: str, tone: Tone) -> str:
        """The text in its colour, where there are colours."""
        return f"\x1b[{tone.value}m{text}\x1b[0m" if self.colour else text

    def glyph(self, nice: str, plain: str) -> str:
        """A glyph, or its ASCII stand-in."""
        return plain if self.ascii else nice


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns two spaces apart, without trailing spaces."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def duration(milliseconds: float) -> str:
    """A length of time for humans: `83 ms`, `2.4 s`, `5 min`, `3 h`, `2 d`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.1f} s"


def local_time(stamp: str) -> str:
    """An RFC 3339 time in the reader's own time zone; what is none is shown as it is."""
    try:
        return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return printable(stamp)
