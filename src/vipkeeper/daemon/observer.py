"""Tells the outside what the node does: log, history, trace, record. Decides nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.core import trace
from vipkeeper.core.actions import Action, Alarm, State, Transition
from vipkeeper.core.events import Event
from vipkeeper.core.facts import Configured
from vipkeeper.core.types import Instant, Record, Settings
from vipkeeper.daemon import log
from vipkeeper.daemon.history import HistoryWriter, MoveTracker
from vipkeeper.daemon.metrics import Durations
from vipkeeper.errors import HostError
from vipkeeper.host.rundir import RunDirectory


class Trace:
    """An NDJSON file, written line by line."""

    def __init__(self, path: Path, settings: Settings, now: Instant) -> None:
        """Raises HostError when the file cannot be opened."""
        try:
            self._file = path.open("a", encoding="ascii", buffering=1)
        except OSError as error:
            raise HostError(f"--trace {path}: {error.strerror}") from error
        server = settings.servers[settings.own].name
        self.write(now, trace.Header(server, __version__))
        self.write(now, Configured(server, settings))

    def write(self, at: Instant, item: object) -> None:
        """Append one record; a full disk ends the trace, never the daemon."""
        try:
            self._file.write(trace.line(at, item) + "\n")
        except (OSError, ValueError):
            self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Reporter:
    """The driver's observer."""

    def __init__(
        self,
        server: str,
        logger: logging.Logger,
        run_directory: RunDirectory,
        history: HistoryWriter,
        traced: Trace | None,
    ) -> None:
        self._logger = logger
        self._run_directory = run_directory
        self._history = history
        self._moves = MoveTracker(server)
        self._trace = traced
        self._record_failed = False
        self.durations = Durations()
        self.on_state: Callable[[State], None] | None = None

    def event(self, at: Instant, event: Event) -> None:
        """Trace it."""
        if self._trace is not None:
            self._trace.write(at, event)

    def action(self, at: Instant, action: Action) -> None:
        """Trace it."""
        if self._trace is not None:
            self._trace.write(at, action)

    def transition(self, at: Instant, transition: Transition) -> None:
        """One line in the log; a move goes to the history."""
        log.transition(self._logger, transition)
        move = self._moves.observe(transition, at, time.time())
        if move is not None:
            self._history.append(move)
            if move.arrived and move.duration_ms is not None:
                self.durations.observe(move.duration_ms / 1000)
        if self.on_state is not None:
            self.on_state(transition.after)

    def alarm(self, alarm: Alarm) -> None:
        """The core has limited the rate already."""
        log.alarm(self._logger, alarm)

    def save(self, record: Record) -> None:
        """Keep the record; without it a restart costs a move, so a failure is said once."""
        try:
            self._run_directory.save(record)
            self._record_failed = False
        except OSError as error:
            if not self._record_failed:
                self._logger.warning("cannot write the record in /run: %s", error.strerror)
            self._record_failed = True
