"""Metrics: what a scraper reads, and that no scraper can do harm."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from unit.daemon.test_protocol import FACTS, status
from vipkeeper.core.actions import AlarmKind
from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.status import AlarmStatus, CheckStatus
from vipkeeper.core.types import SECOND
from vipkeeper.daemon import metrics
from vipkeeper.daemon.metrics import Durations, MetricsServer, render, write_textfile
from vipkeeper.errors import HostError

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: bytes) -> Samples:
    """Read with Prometheus' own parser."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_a_holder_without_successor() -> None:
    samples = parse(render(status(), FACTS, Durations()))
    assert samples["vipkeeper_vip_held", (("vip", "10.0.0.100"),)] == 1
    assert samples["vipkeeper_successor_present", ()] == 0
    assert samples["vipkeeper_lease_remaining_seconds", ()] == 2
    assert samples["vipkeeper_epoch", ()] == 7
    assert samples["vipkeeper_advertisements_rejected_total", (("reason", "wrong_key"),)] == 3
    transition = (("reason", "first_claim"), ("to", "holder"))
    assert samples["vipkeeper_transitions_total", transition] == 1
    assert samples["vipkeeper_alarms_total", (("kind", "no-successor"),)] == 2
    assert samples["vipkeeper_duplicate_owner_detected_total", ()] == 0
    assert samples["vipkeeper_build_info", (("version", "0.1.0"),)] == 1
    assert samples["vipkeeper_last_transition_timestamp_seconds", ()] == FACTS.wall - 10


def test_a_lapsed_lease_is_not_held() -> None:
    lapsed = dataclasses.replace(status(), lease_until=99 * SECOND)
    samples = parse(render(lapsed, FACTS, Durations()))
    assert samples["vipkeeper_vip_held", (("vip", "10.0.0.100"),)] == 0
    assert samples["vipkeeper_lease_remaining_seconds", ()] == 0


def test_a_peer_never_heard_has_no_time() -> None:
    samples = parse(render(status(), FACTS, Durations()))
    assert ("vipkeeper_peer_last_seen_timestamp_seconds", (("peer", "cp2"),)) not in samples
    assert samples["vipkeeper_advertisements_received_total", (("peer", "cp2"),)] == 0


def test_an_unknown_check_is_not_a_failed_one() -> None:
    unknown = CheckStatus(CheckName.SUPERVISOR, Outcome.UNKNOWN, "", 0)
    failed = CheckStatus(CheckName.API, Outcome.SOFT, "500", 0)
    checked = dataclasses.replace(status(), checks=(unknown, failed))
    samples = parse(render(checked, FACTS, Durations()))
    assert samples["vipkeeper_health_check_success", (("check", "api"),)] == 0
    assert ("vipkeeper_health_check_success", (("check", "supervisor"),)) not in samples


def test_two_holders_and_a_foreign_answer_are_duplicate_owners() -> None:
    alarms = (
        AlarmStatus(AlarmKind.TWO_HOLDERS, 2, 0, ""),
        AlarmStatus(AlarmKind.FOREIGN_ANSWER, 3, 0, ""),
    )
    samples = parse(render(dataclasses.replace(status(), alarms=alarms), FACTS, Durations()))
    assert samples["vipkeeper_duplicate_owner_detected_total", ()] == 5


def test_durations_fall_into_their_buckets() -> None:
    durations = Durations()
    for seconds in (0.002, 0.1, 0.25, 99.0):
        durations.observe(seconds)
    samples = parse(render(status(), FACTS, durations))
    name = "vipkeeper_failover_duration_seconds"
    assert samples[f"{name}_bucket", (("le", "0.1"),)] == 2
    assert samples[f"{name}_bucket", (("le", "8.0"),)] == 3
    assert samples[f"{name}_bucket", (("le", "+Inf"),)] == 4
    assert samples[f"{name}_count", ()] == 4
    assert samples[f"{name}_sum", ()] == pytest.approx(99.352)


async def request(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("data", "starts"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET /metrics?a=b HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 "),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 405 "),
    ],
)
def test_only_the_metrics_are_served(data: bytes, starts: bytes) -> None:
    async def run() -> bytes:
        server = MetricsServer(lambda: b"up 1\n")
        port = await server.start("127.0.0.1", 0)
        answer = await request(port, data)
        await server.close()
        return answer

    answer = asyncio.run(run())
    assert answer.startswith(starts)
    assert (b"up 1\n" in answer) == (b" 200 " in starts)


@pytest.mark.parametrize("data", [b"\x16\x03\x01 tls\r\n\r\n", b"GET /" + b"x" * 20_000])
def test_nonsense_gets_no_answer_and_breaks_nothing(data: bytes) -> None:
    async def run() -> bytes:
        server = MetricsServer(lambda: b"up 1\n")
        port = await server.start("127.0.0.1", 0)
        with contextlib.suppress(OSError):  # a reset is as good as an end
            await request(port, data)
        answer = await request(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.close()
        return answer

    assert b"up 1\n" in asyncio.run(run())


def test_a_silent_client_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "REQUEST_LIMIT", 0.05)

    async def run() -> None:
        server = MetricsServer(lambda: b"")
        port = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        await server.close()

    asyncio.run(run())


def test_a_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB fit into no socket buffer: the server must give up although the client stays."""
    monkeypatch.setattr(metrics, "REQUEST_LIMIT", 0.2)

    async def run() -> int:
        server = MetricsServer(lambda: b"x" * (64 * 1024 * 1024))
        port = await server.start("127.0.0.1", 0)
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            while not server._connections:  # noqa: ASYNC110 - two turns of the loop at most
                await asyncio.sleep(0)
            (served,) = server._connections
            await asyncio.wait({served})
        writer.transport.abort()
        left = len(server._connections)
        await server.close()
        return left

    assert asyncio.run(run()) == 0


def test_crowds_are_turned_away() -> None:
    async def run() -> bytes:
        server = MetricsServer(lambda: b"up 1\n")
        port = await server.start("127.0.0.1", 0)
        idle = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(metrics.MAX_CONNECTIONS)
        ]
        while len(server._connections) < metrics.MAX_CONNECTIONS:  # noqa: ASYNC110 - a few turns
            await asyncio.sleep(0)
        try:
            answer = await request(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        except ConnectionError:
            answer = b""
        for _, writer in idle:
            writer.close()
        await server.close()
        return answer

    assert asyncio.run(run()) == b""


def test_a_port_in_use_is_one_clear_line() -> None:
    async def run() -> None:
        first, second = MetricsServer(lambda: b""), MetricsServer(lambda: b"")
        port = await first.start("127.0.0.1", 0)
        try:
            await second.start("127.0.0.1", port)
        finally:
            await first.close()

    with pytest.raises(HostError, match=r"metrics: cannot listen on 127.0.0.1 port \d+: Address"):
        asyncio.run(run())


def test_the_textfile_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vipkeeper.prom"
    write_textfile(path, b"up 1\n")
    write_textfile(path, b"up 2\n")
    assert path.read_bytes() == b"up 2\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_textfile_without_its_directory(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="metrics: cannot write"):
        write_textfile(tmp_path / "missing" / "x.prom", b"")
