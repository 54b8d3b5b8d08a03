"""What others may ask of a running node: the control socket's requests, metrics, status."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.core import snapshot
from vipkeeper.core.events import Verb
from vipkeeper.core.node import Node
from vipkeeper.core.status import NodeStatus
from vipkeeper.core.types import Instant
from vipkeeper.daemon import metrics
from vipkeeper.daemon.driver import Driver
from vipkeeper.daemon.history import moves_to_json, read_moves
from vipkeeper.daemon.protocol import DaemonFacts, Request, RequestVerb, Response, status_to_json
from vipkeeper.host import clock

TEXTFILE_EVERY = 10.0
"""Seconds between two writes of the metrics textfile."""


class Services:
    """Reads the node, and puts requests to it through the driver."""

    def __init__(
        self,
        node: Node,
        driver: Driver,
        durations: metrics.Durations,
        *,
        config: Path,
        state_dir: Path,
        logger: logging.Logger,
    ) -> None:
        self._node = node
        self._driver = driver
        self._durations = durations
        self._config = config
        self._state_dir = state_dir
        self._logger = logger
        self._started: Instant = clock.now()
        self.realtime = ""
        """What scheduling and memory locking were granted."""

    def status(self) -> tuple[NodeStatus, DaemonFacts]:
        """The node's snapshot and what the process adds."""
        now = clock.now()
        host = self._node.host
        facts = DaemonFacts(
            version=__version__,
            pid=os.getpid(),
            config=str(self._config),
            interface=host.interface if host is not None else None,
            realtime=self.realtime,
            uptime=now - self._started,
            wall=time.time(),
            lateness=self._driver.lateness,
        )
        return snapshot.status(self._node, now), facts

    def metrics(self) -> bytes:
        """Prometheus text."""
        return metrics.render(*self.status(), self._durations)

    async def answer(self, request: Request) -> Response:
        """Carry out one request of the control socket."""
        match request.verb:
            case RequestVerb.STATUS:
                return Response(True, "", status_to_json(*self.status()))
            case RequestVerb.HISTORY:
                moves = await asyncio.to_thread(read_moves, self._state_dir, request.limit)
                return Response(True, "", moves_to_json(moves))
            case RequestVerb.HANDOVER:
                reply = await self._driver.ask(Verb.HANDOVER, to=request.to, force=request.force)
            case RequestVerb.RELEASE:
                reply = await self._driver.ask(Verb.RELEASE)
            case RequestVerb.STANDBY:
                verb = Verb.STANDBY_ON if request.on else Verb.STANDBY_OFF
                reply = await self._driver.ask(verb, force=request.force)
        return Response(reply.ok, reply.text)

    async def write_textfile(self, path: Path) -> None:
        """Keep the textfile fresh until cancelled."""
        while True:
            try:
                await asyncio.to_thread(metrics.write_textfile, path, self.metrics())
            except OSError as error:
                self._logger.warning("cannot write metrics to %s: %s", path, error.strerror)
            await asyncio.sleep(TEXTFILE_EVERY)
