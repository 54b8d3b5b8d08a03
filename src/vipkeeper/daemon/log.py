"""Logs of the daemon: text for people and journald, or JSON lines; one line a transition.

Under systemd every line starts with its level as `<6>` (sd-daemon(3)), so that
`journalctl -p warning` works without a library.
"""

from __future__ import annotations

import enum
import json
import logging
import os
import sys
from typing import TextIO

from vipkeeper.core.actions import Alarm, State, Transition
from vipkeeper.daemon.protocol import rfc3339, word
from vipkeeper.text import printable

_SYSLOG_LEVELS = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
_WARN_ABOUT = frozenset({State.BLOCKED})


class LogFormat(enum.Enum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class _TextFormatter(logging.Formatter):
    def __init__(self, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage())
        if record.exc_info:
            message += " | " + printable(self.formatException(record.exc_info))
        if self._journal:
            return f"<{_SYSLOG_LEVELS.get(record.levelno, 6)}>{message}"
        return f"{rfc3339(record.created)} {record.levelname.lower()} {message}"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, object] = {
            "at": rfc3339(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            document |= fields
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def set_up(
    log_format: LogFormat = LogFormat.TEXT,
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """Send everything this process logs to `stream` (default: stderr), replacing earlier set-up."""
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    if log_format is LogFormat.JSON:
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(_TextFormatter(is_journal(target)))
    logging.raiseExceptions = False  # a log that cannot be written must not print a traceback
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def is_journal(stream: TextIO) -> bool:
    """True when the stream goes to journald: JOURNAL_STREAM names its device and inode (systemd.exec(5))."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


def transition(logger: logging.Logger, moved: Transition) -> None:
    """Log one transition: a warning when this server can no longer take part, else information."""
    about = f" ({moved.peer})" if moved.peer else ""
    detail = f"; {moved.detail}" if moved.detail else ""
    logger.log(
        logging.WARNING if moved.after in _WARN_ABOUT else logging.INFO,
        "%s -> %s: %s%s, epoch %d%s",
        moved.before.value,
        moved.after.value,
        moved.cause.value,
        about,
        moved.epoch,
        detail,
        extra={
            "fields": {
                "event": "transition",
                "before": moved.before.value,
                "after": moved.after.value,
                "cause": moved.cause.name.lower(),
                "epoch": moved.epoch,
                "peer": moved.peer,
                "detail": moved.detail,
            }
        },
    )


def alarm(logger: logging.Logger, raised: Alarm) -> None:
    """Log one alarm; the core has seen to it that the same is not said too often."""
    detail = f": {raised.detail}" if raised.detail else ""
    logger.warning(
        "%s%s",
        raised.kind.value,
        detail,
        extra={
            "fields": {
                "event": "alarm",
                "kind": word(raised.kind),
                "detail": raised.detail,
            }
        },
    )
