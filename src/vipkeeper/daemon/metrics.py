"""Prometheus metrics: the text, a loopback HTTP server and a textfile for the node exporter.

Off unless asked for, and prometheus_client is imported only then. A scraper can never delay an
advert: few connections, a hard time limit on each, and the text is made at most once a second.
Label values are names of servers and of enum members: a bounded set.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import h11

from vipkeeper.core.actions import AlarmKind
from vipkeeper.core.events import Outcome
from vipkeeper.core.status import NodeStatus
from vipkeeper.core.types import SECOND
from vipkeeper.daemon.protocol import DaemonFacts, word
from vipkeeper.errors import HostError

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Upper bounds of the failover histogram, in seconds."""
REQUEST_LIMIT = 2.0
"""Seconds a connection may last."""
MAX_CONNECTIONS = 4
MAX_REQUEST = 8 * 1024
"""Bytes of a request's head."""
FRESH_FOR = 1.0
"""Seconds during which every scraper gets the same text."""


@dataclass(slots=True)
class Durations:
    """How long the moves to this server took: a histogram over `BUCKETS`."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one move to this server."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """Buckets as Prometheus wants them: upper bound, and how many were at most that."""
        bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
        running = 0
        buckets = []
        for bound, count in zip(bounds, self.counts, strict=True):
            running += count
            buckets.append((bound, float(running)))
        return buckets


def render(status: NodeStatus, facts: DaemonFacts, durations: Durations) -> bytes:
    """The metrics in Prometheus' text format 0.0.4."""
    from prometheus_client.exposition import generate_latest
    from prometheus_client.registry import Collector, CollectorRegistry

    class Snapshot(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from _node_metrics(status, facts)
            yield from _peer_metrics(status, facts)
            yield from _event_metrics(status, facts, durations)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Snapshot())
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> Metric:
    from prometheus_client.metrics_core import GaugeMetricFamily

    return GaugeMetricFamily(f"vipkeeper_{name}", text, value=value)


def _node_metrics(status: NodeStatus, facts: DaemonFacts) -> Iterator[Metric]:
    from prometheus_client.metrics_core import GaugeMetricFamily

    build = GaugeMetricFamily("vipkeeper_build_info", "Version of the daemon", labels=["version"])
    build.add_metric([facts.version], 1)
    yield build
    left = 0 if status.lease_until is None else max(0, status.lease_until - status.at)
    held = GaugeMetricFamily(
        "vipkeeper_vip_held", "1 while this server's kernel lease of the VIP runs", labels=["vip"]
    )
    for vip in status.vips:
        held.add_metric([str(vip)], float(left > 0))
    yield held
    yield _gauge("lease_remaining_seconds", "Time to the end of the kernel lease", left / SECOND)
    yield _gauge("epoch", "Highest epoch this server knows", status.epoch)
    yield _gauge("health", "0 unready, 1 unknown, 2 API only, 3 ready", status.health)
    yield _gauge("standby", "1 while the operator keeps this server from claiming", status.standby)
    yield _gauge(
        "successor_present",
        "1 when some server would take over if the holder went",
        status.successor is not None,
    )
    yield _gauge(
        "last_transition_timestamp_seconds",
        "When the state last changed",
        facts.wall - (status.at - status.since) / SECOND,
    )
    yield _gauge(
        "start_time_seconds", "When the daemon started", facts.wall - facts.uptime / SECOND
    )
    yield _gauge(
        "lateness_max_seconds",
        "The latest any wake-up came since the start",
        facts.lateness / SECOND,
    )
    checks = GaugeMetricFamily(
        "vipkeeper_health_check_success",
        "1 good, 0 bad; absent while unknown",
        labels=["check"],
    )
    for check in status.checks:
        if check.outcome is not Outcome.UNKNOWN:
            checks.add_metric([check.check.value], float(check.outcome is Outcome.OK))
    yield checks


def _peer_metrics(status: NodeStatus, facts: DaemonFacts) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    received = CounterMetricFamily(
        "vipkeeper_advertisements_received", "Adverts accepted, by sender", labels=["peer"]
    )
    seen = GaugeMetricFamily(
        "vipkeeper_peer_last_seen_timestamp_seconds",
        "When the last advert of a peer was accepted; absent when never",
        labels=["peer"],
    )
    ready = GaugeMetricFamily(
        "vipkeeper_peer_health",
        "Health a peer advertises: 0 unready, 1 unknown, 2 API only, 3 ready",
        labels=["peer"],
    )
    for server in status.servers:
        if server.own:
            continue
        received.add_metric([server.name], server.adverts_received)
        if server.last_advert_age is not None:
            seen.add_metric([server.name], facts.wall - server.last_advert_age / SECOND)
            ready.add_metric([server.name], server.health)
    yield from (received, seen, ready)


def _event_metrics(
    status: NodeStatus, facts: DaemonFacts, durations: Durations
) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

    transitions = CounterMetricFamily(
        "vipkeeper_transitions",
        "Changes of state, by state entered and cause",
        labels=["to", "reason"],
    )
    for to, cause, count in status.transitions:
        transitions.add_metric([to, cause], count)
    rejected = CounterMetricFamily(
        "vipkeeper_advertisements_rejected", "Adverts refused, by reason", labels=["reason"]
    )
    for reason, count in status.rejected:
        rejected.add_metric([reason.name.lower()], count)
    alarms = CounterMetricFamily(
        "vipkeeper_alarms", "Things an operator should know, by kind", labels=["kind"]
    )
    for alarm in status.alarms:
        alarms.add_metric([word(alarm.kind)], alarm.count)
    doubles = (AlarmKind.TWO_HOLDERS, AlarmKind.FOREIGN_ANSWER)
    yield from (transitions, rejected, alarms)
    yield CounterMetricFamily(
        "vipkeeper_duplicate_owner_detected",
        "Times another machine was seen to hold the VIP",
        value=sum(alarm.count for alarm in status.alarms if alarm.kind in doubles),
    )
    yield CounterMetricFamily(
        "vipkeeper_advertisements_sent", "Adverts sent, to all peers", value=status.adverts_sent
    )
    yield CounterMetricFamily(
        "vipkeeper_announcements_sent",
        "Rounds of gratuitous ARP or unsolicited NA sent",
        value=status.announcements_sent,
    )
    yield HistogramMetricFamily(
        "vipkeeper_failover_duration_seconds",
        "From the first doubt or the decision until this server held the VIP",
        buckets=durations.cumulative(),
        sum_value=durations.total,
    )


class MetricsServer:
    """Serves `GET /metrics` on loopback. `text` makes the text; it is called in the event loop."""

    def __init__(self, text: Callable[[], bytes]) -> None:
        self._make = text
        self._text = b""
        self._made_at = -math.inf
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port (useful when 0 was asked for).

        Raises:
            HostError: the address cannot be listened on.
        """
        try:
            self._server = await asyncio.start_server(
                self._connected, host, port, limit=MAX_REQUEST, backlog=MAX_CONNECTIONS
            )
        except OSError as error:
            raise HostError(
                f"metrics: cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; "
                "choose another port"
            ) from None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            async with asyncio.timeout(REQUEST_LIMIT):
                await self._answer(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, h11.RemoteProtocolError):
            pass  # the scraper's trouble; the next one gets its answer
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_REQUEST)
        while (event := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await reader.read(MAX_REQUEST))
        if not isinstance(event, h11.Request):
            return
        status, body = self._respond(event)
        headers = [
            ("Content-Type", CONTENT_TYPE),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        if event.method == b"HEAD":
            body = b""
        parts = [
            connection.send(h11.Response(status_code=status, headers=headers)),
            connection.send(h11.Data(data=body)),
            connection.send(h11.EndOfMessage()),
        ]
        writer.write(b"".join(part for part in parts if part))
        await writer.drain()

    def _respond(self, request: h11.Request) -> tuple[int, bytes]:
        if request.method not in (b"GET", b"HEAD"):
            return 405, b"only GET\n"
        if request.target.partition(b"?")[0] != b"/metrics":
            return 404, b"the metrics are at /metrics\n"
        now = asyncio.get_running_loop().time()
        if now - self._made_at >= FRESH_FOR:
            self._text, self._made_at = self._make(), now
        return 200, self._text


def write_textfile(path: Path, text: bytes) -> None:
    """Replace the file at once, so that the node exporter never reads half of it. May block on a disk.

    Raises:
        HostError: it cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise HostError(f"metrics: cannot write {path}: {error.strerror}") from None
