"""This server's own API server, its registration port, and its etcd."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.live.network import HELLO_LIMIT, at_once, connect, readyz
from vipkeeper.collect.target import API_PORT, REGISTRATION_PORT, Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Port

LOOPBACK = ip_address("127.0.0.1")
ETCD_PORT = 2381
SLOW_SECONDS = 0.1
"""An fsync of etcd's log that takes longer for one in a hundred makes Leases lapse under load."""
_HAS_LEADER = "etcd_server_has_leader 1\n"
NEARLY_FULL = 0.8
"""Of its quota: etcd counts what a write would add, so its database is smaller when it refuses."""
_BODY = 1024 * 1024
_METRIC = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


def look_at_api(target: Target) -> Iterator[Fact]:
    """Port and readiness of the local API server, without a credential."""

    def port() -> Iterator[Fact]:
        word, raw = connect(LOOPBACK, API_PORT)
        yield target.of_own(Key.API_PORT, word, f"connect to 127.0.0.1:{API_PORT}", raw=raw)

    def readiness() -> Iterator[Fact]:
        ready, raw = readyz(LOOPBACK)
        yield target.of_own(Key.READYZ, ready, f"https://127.0.0.1:{API_PORT}/readyz", raw=raw)

    yield from at_once([port, readiness])


def look_at_registration(target: Target) -> Iterator[Fact]:
    """Through which port nodes join; port 9345 on the server's own address, and what listens on the VIP."""
    if target.join_port is not None:
        yield target.of_path(Key.JOIN_PORT, target.join_port, "folders of the supervisor")
    if target.join_port == API_PORT:
        return
    own = next((s.address for s in target.servers if s.name == target.own), LOOPBACK)
    word, raw = connect(own, REGISTRATION_PORT)
    source = f"connect to {own}:{REGISTRATION_PORT}"
    yield target.of_own(Key.REGISTRATION_PORT, word, source, raw=raw)
    listening = listeners(target, REGISTRATION_PORT)
    if word is Port.OPEN and listening:
        anywhere = {"0.0.0.0", "::", str(target.vip)} & listening
        raw = ", ".join(sorted(listening))
        yield target.of_own(Key.REGISTRATION_ON_VIP, bool(anywhere), "/proc/net/tcp", raw=raw)


def listeners(target: Target, port: int) -> set[str]:
    """The addresses on which a TCP port listens (proc(5): state 0A)."""
    found = set()
    for name in ("tcp", "tcp6"):
        path = target.path(f"/proc/net/{name}")
        for row in path.read_text().splitlines()[1:] if path.exists() else ():
            cells = row.split()
            address, _, number = cells[1].partition(":")
            if cells[3] == "0A" and int(number, 16) == port:
                words = bytes.fromhex(address)
                packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
                found.add(str(ip_address(packed)))
    return found


def look_at_etcd(target: Target) -> Iterator[Fact]:
    """etcd's /health and /metrics on loopback; they need no credential and no quorum.

    Both at once: /health waits for a read through the quorum, and /metrics answers meanwhile.
    """
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(get, LOOPBACK, ETCD_PORT, path) for path in ("/health", "/metrics")]
    (status, body), (metrics_status, metrics) = (answer.result() for answer in asked)
    source = f"http://127.0.0.1:{ETCD_PORT}/health"
    word = judge_health(status, body)
    raw = body or _shown(status)
    if word is Etcd.NO_LEADER and _HAS_LEADER in metrics:
        word = judge_failed(body, metrics)
        raw = f"{body.strip()}, and its metrics say that it has a leader"
    yield target.of_own(Key.ETCD_HEALTH, word, source, raw=raw)
    if metrics_status == http.client.OK:
        yield from judge_metrics(target, metrics)


def judge_failed(body: str, metrics: str) -> Etcd:
    """The word for a failed /health of an etcd that has a leader by its metrics. Total.

    Before 3.5 it gives no reason; from then on a read that took too long is a RANGE ERROR
    (server/etcdserver/api/etcdhttp/health.go). It is that without a quorum, too, while the metrics are old.
    """
    reason = "reason" in body
    if not reason and out_of_quota(metrics):
        return Etcd.NO_SPACE
    fsyncs = read_fsyncs(metrics)
    if fsyncs is not None and fsyncs[0] and (not reason or "RANGE ERROR" in body):
        return Etcd.SLOW
    return Etcd.NO_LEADER if reason else Etcd.ALARM


def read_fsyncs(metrics: str) -> tuple[bool, str] | None:
    """Whether more than one fsync in a hundred took longer than `SLOW_SECONDS`, in words; None: none is counted. Total."""
    buckets = [
        (_float(labels.partition('le="')[2].partition('"')[0]), _float(number))
        for name, labels, number in _METRIC.findall(metrics)
        if name == "etcd_disk_wal_fsync_duration_seconds_bucket"
    ]
    within = max((count for limit, count in buckets if limit <= SLOW_SECONDS), default=0.0)
    total = max((count for _, count in buckets), default=0.0)
    if not total:
        return None
    raw = f"{within:.0f} of {total:.0f} fsyncs within {SLOW_SECONDS * 1000:.0f} ms"
    return within < 0.99 * total, raw


def out_of_quota(metrics: str) -> bool:
    """Whether etcd has hardly any room left. Before 3.5 /health gives no reason. Total."""
    values = {name: _float(number) for name, _, number in _METRIC.findall(metrics)}
    size = values.get("etcd_mvcc_db_total_size_in_bytes", 0.0)
    quota = values.get("etcd_server_quota_backend_bytes", 0.0)
    return quota > 0 and size >= NEARLY_FULL * quota


def judge_health(status: int | Port, body: str) -> Etcd:
    """The word for etcd's answer. Total."""
    if status is Port.REFUSED:
        return Etcd.REFUSED
    if isinstance(status, Port):
        return Etcd.NO_ANSWER
    if "NO LEADER" in body.upper():
        return Etcd.NO_LEADER
    if "NOSPACE" in body.upper():
        return Etcd.NO_SPACE
    if "ALARM" in body.upper():
        return Etcd.ALARM
    return Etcd.HEALTHY if status == http.client.OK else Etcd.NO_LEADER


def judge_metrics(target: Target, text: str) -> Iterator[Fact]:
    """What etcd's metrics say. Lines that are none are passed over."""
    source = f"http://127.0.0.1:{ETCD_PORT}/metrics"
    values = {name: _float(number) for name, labels, number in _METRIC.findall(text) if not labels}
    for key, name in (
        (Key.ETCD_LEADER, "etcd_server_has_leader"),
        (Key.ETCD_LEARNER, "etcd_server_is_learner"),
    ):
        if name in values:
            yield target.of_own(key, values[name] == 1, source, raw=f"{name} {values[name]:g}")
    fsyncs = read_fsyncs(text)
    if fsyncs is not None:
        slow, raw = fsyncs
        yield target.of_own(Key.ETCD_SLOW, slow, source, raw=raw)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def look_at_members(target: Target) -> Iterator[Fact]:
    """The member list that the supervisor gives to its own host; it needs quorum."""
    port = target.join_port or REGISTRATION_PORT
    source = f"https://127.0.0.1:{port}/db/info"
    status, body = get(LOOPBACK, port, "/db/info", tls=True)
    if status == http.client.BAD_REQUEST and "datastore disabled" in body:
        yield target.of_path(Key.DATASTORE, Datastore.SQLITE, source, raw=body)
        return
    members = read_members(body) if status == http.client.OK else None
    if members is None:
        yield target.blind(Key.VOTERS, f"{_shown(status)} {body[:120]}".strip(), source)
        return
    yield target.of_path(Key.DATASTORE, Datastore.ETCD, source)
    raw = f"{members} voter{'' if members == 1 else 's'}"
    yield target.of_path(Key.VOTERS, members, source, raw=raw)


def _shown(status: int | Port) -> str:
    """What an answer was, in words."""
    return str(status.value if isinstance(status, Port) else status)


def read_members(body: str) -> int | None:
    """How many voters a member list names; None when it is none, or that of a temporary etcd."""
    try:
        document: Any = json.loads(body)
        members = document["members"]
        if not all(member.get("ID") for member in members):
            return None  # k3s and RKE2 start one on a copy of their data while they boot
        return sum(not member.get("isLearner", False) for member in members)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def get(address: object, port: int, path: str, *, tls: bool = False) -> tuple[int | Port, str]:
    """Status and body of a GET, or what the connection met."""
    host = str(address)
    client: http.client.HTTPConnection
    if tls:
        context = ssl._create_unverified_context()
        client = http.client.HTTPSConnection(host, port, timeout=HELLO_LIMIT, context=context)
    else:
        client = http.client.HTTPConnection(host, port, timeout=HELLO_LIMIT)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read(_BODY).decode("utf-8", "replace")
    except ConnectionRefusedError:
        return Port.REFUSED, ""
    except (OSError, http.client.HTTPException):
        return Port.SILENT, ""
    finally:
        client.close()


def _collector(name: str, keys: set[Key], look: Callable[[Target], Iterator[Fact]]) -> Collector:
    return Collector(name, frozenset(keys), look, limit=2 * HELLO_LIMIT, on_server=True)


COLLECTORS = (
    _collector("local API server", {Key.API_PORT, Key.READYZ}, look_at_api),
    _collector(
        "registration port",
        {Key.JOIN_PORT, Key.REGISTRATION_PORT, Key.REGISTRATION_ON_VIP},
        look_at_registration,
    ),
    _collector(
        "local etcd",
        {Key.ETCD_HEALTH, Key.ETCD_LEADER, Key.ETCD_LEARNER, Key.ETCD_SLOW},
        look_at_etcd,
    ),
    _collector("etcd member list", {Key.VOTERS, Key.DATASTORE}, look_at_members),
)
