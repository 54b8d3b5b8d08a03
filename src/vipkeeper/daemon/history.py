"""Every move of this server, kept across restarts in STATE_DIR/history.ndjson.

A move is the VIP coming to this server or leaving it. One JSON object a line, oldest first; at 1 MiB
the file becomes history.ndjson.1, so two files at most are kept. A crash can tear the last line:
readers skip what is no record. Nothing here ever stops the daemon.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.types import MILLISECOND, Instant
from vipkeeper.daemon.protocol import rfc3339

STATE_DIR = Path("/var/lib/vipkeeper")
FILE_NAME = "history.ndjson"
MAX_FILE = 1024 * 1024
"""Bytes after which the file is put aside."""
MAX_WAITING = 256
"""Moves that may wait for a slow disk; more are dropped with a warning."""
RESULT_BYTES = 48 * 1024
"""What of the history fits into one answer of the control socket."""

_LONGEST_MS = 1e15
"""No move takes longer; what is longer in a file is damage."""
_UNDERWAY = frozenset({State.SUSPECT, State.HOLDOFF, State.CLAIM, State.RELEASE})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """The VIP came to this server or left it."""

    at: str
    """Wall clock at the end of the move, RFC 3339, UTC."""
    server: str
    before: str
    """State before the move (value of `core.actions.State`)."""
    after: str
    cause: str
    """Name of the `core.actions.Cause` in lower case."""
    epoch: int
    peer: str | None = None
    """The server the VIP came from, or was handed to, where known."""
    duration_ms: float | None = None
    """From the first doubt or the decision to the end of the move; None when it was not a stretch."""
    detail: str = ""

    @property
    def arrived(self) -> bool:
        """True when this server became the holder."""
        return self.after == State.HOLDER.value

    @property
    def reason(self) -> str:
        """The cause in words; an unknown one (of a newer version) as it was written."""
        try:
            return Cause[self.cause.upper()].value
        except KeyError:
            return self.cause


class MoveTracker:
    """Joins the transitions of one move: backup, suspect, claim, holder is one move with one duration."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._first: Transition | None = None
        self._started: Instant = 0

    def observe(self, transition: Transition, now: Instant, wall: float) -> Move | None:
        """Take one transition; the move it ends, if it ends one. `wall` is in seconds since 1970."""
        if self._first is None:
            self._first, self._started = transition, now
        if transition.after in _UNDERWAY:
            return None
        first, self._first = self._first, None
        arrived = transition.after is State.HOLDER
        if arrived == (first.before is State.HOLDER):
            return None
        told = transition if arrived else first
        return Move(
            at=rfc3339(wall),
            server=self._server,
            before=first.before.value,
            after=transition.after.value,
            cause=told.cause.name.lower(),
            epoch=transition.epoch,
            peer=told.peer,
            duration_ms=None if first is transition else (now - self._started) / MILLISECOND,
            detail=told.detail,
        )


class HistoryWriter:
    """Appends moves from a thread of its own: a slow disk must not delay an advert."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE_NAME
        self._waiting: queue.Queue[Move | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="history", daemon=True)
        self._warned = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def append(self, move: Move) -> None:
        """Queue one move; never blocks and never raises."""
        try:
            self._waiting.put_nowait(move)
        except queue.Full:
            self._warn("the disk is too slow; moves are missing in the history")

    def close(self, timeout: float = 1.0) -> None:
        """Write what waits and end; gives up after `timeout` seconds."""
        try:
            self._waiting.put(None, timeout=timeout)
        except queue.Full:
            return
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _write_all(self) -> None:
        while (move := self._waiting.get()) is not None:
            try:
                _append(self._path, move)
            except OSError as error:
                self._warn(f"cannot write {self._path}: {error.strerror}; moves are not kept")

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            _LOG.warning("%s", text)


def _append(path: Path, move: Move) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size >= MAX_FILE:
        path.replace(path.with_name(FILE_NAME + ".1"))
    line = json.dumps(asdict(move), separators=(",", ":"), ensure_ascii=False).encode()
    with path.open("ab") as file:
        torn = file.tell() > 0 and not _ends_with_newline(path)
        file.write((b"\n" if torn else b"") + line + b"\n")


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def parse_move(line: bytes | str) -> Move | None:
    """The move in one line; None when the line is no record (torn, foreign)."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return move_from_json(document)


def move_from_json(document: Any) -> Move | None:
    """The move in a decoded JSON value; None when it is none."""
    if not isinstance(document, dict):
        return None
    strings = [document.get(key) for key in ("at", "server", "before", "after", "cause")]
    epoch, peer = document.get("epoch"), document.get("peer")
    duration, detail = document.get("duration_ms"), document.get("detail", "")
    at, server, before, after, cause = strings
    if not (
        isinstance(at, str)
        and isinstance(server, str)
        and isinstance(before, str)
        and isinstance(after, str)
        and isinstance(cause, str)
        and isinstance(epoch, int)
        and isinstance(detail, str)
        and (peer is None or isinstance(peer, str))
        and (duration is None or _is_duration(duration))
    ):
        return None
    return Move(at, server, before, after, cause, epoch, peer, duration, detail)


def _is_duration(value: Any) -> bool:
    """Python's JSON also reads NaN, infinities and numbers that no float holds; ours are none of them."""
    return isinstance(value, int | float) and 0 <= value <= _LONGEST_MS


def read_moves(state_dir: Path, limit: int | None = None) -> list[Move]:
    """The newest moves, oldest first; at most `limit` when given. Lines that are no record are skipped.

    Raises:
        OSError: a file exists and cannot be read.
    """
    moves: list[Move] = []
    for name in (FILE_NAME + ".1", FILE_NAME):
        try:
            data = (state_dir / name).read_bytes()
        except FileNotFoundError:
            continue
        moves += [move for line in data.splitlines() if (move := parse_move(line)) is not None]
    if limit is None:
        return moves
    return moves[len(moves) - min(limit, len(moves)) :]


def moves_to_json(moves: Iterable[Move]) -> dict[str, Any]:
    """The `result` of the verb history: as many of the newest moves as fit into one answer."""
    kept: list[dict[str, Any]] = []
    size = omitted = 0
    for move in reversed(list(moves)):
        document = asdict(move)
        size += len(json.dumps(document).encode())
        if size > RESULT_BYTES:
            omitted += 1
        else:
            kept.append(document)
    return {"schema_version": 1, "moves": kept[::-1], "omitted": omitted}
