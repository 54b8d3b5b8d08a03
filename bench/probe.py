"""What the client probe itself gets wrong: datagrams lost on an idle bridge, and how late it sends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench import results
from bench.figures import summary
from bench.started import ProgramError, boxed
from bench.targets import Finding

from vipkeeper.lab import records
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.processes import LabError, command, environment, in_namespace
from vipkeeper.lab.recorder import UDP_EVERY, UDP_PATIENCE
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.topology import INTERFACE, lan

DATAGRAMS = 500_000
PATIENCE = 60.0
"""Seconds beyond twice the time of all datagrams after which the client counts as hung."""
_AFTER = 500
"""Datagrams sent after the last one that counts, so that its answer has had time to come: a second."""
_FIRST = 500
"""Datagrams before the first one that counts: the VIP has just come."""


@dataclass
class Heard:
    """What the client wrote down."""

    sent: dict[int, int] = field(default_factory=dict)
    late_us: list[int] = field(default_factory=list)
    rtt_us: list[float] = field(default_factory=list)
    tardy: int = 0
    """Answered later than the drill would wait."""

    def take(self, record: Record, last: int) -> bool:
        """Note a record; False once the last one has come."""
        if record.kind is Kind.UDP_SENT and _FIRST < record.number <= last:
            self.sent[record.number] = record.at
            self.late_us.append(int(record.text))
        elif record.kind is Kind.UDP_ANSWERED and record.number in self.sent:
            took = record.at - self.sent.pop(record.number)
            self.rtt_us.append(took / 1000)
            self.tardy += took > UDP_PATIENCE
        return record.kind is not Kind.UDP_SENT or record.number < last + _AFTER


def measure(datagrams: int) -> dict[str, Any]:
    """So many datagrams, one each 2 ms, to a VIP that one server has all the time."""
    record = {"conditions": results.conditions()}
    found: dict[str, Any] = json.loads(boxed(lambda place: _inside(place, datagrams)))
    return record | found


def _inside(directory: Path, datagrams: int) -> bytes:
    cluster = Cluster(lan(1), directory / "cluster")
    cluster.build()
    server = next(iter(cluster.servers.values()))
    cluster.power_on(server)
    vip = str(cluster.network.vip)
    command("ip", "-n", server.name, "address", "add", f"{vip}/32", "dev", INTERFACE)
    words = in_namespace("client", sys.executable, "-m", "vipkeeper.lab.client", "--vip", vip)
    limit = PATIENCE + 2 * UDP_EVERY * (_FIRST + datagrams + _AFTER)
    heard = hear(words, datagrams, directory / "client.log", limit)
    skipped = sum(late // round(UDP_EVERY * 1e6) for late in heard.late_us)
    return json.dumps(
        {
            "datagrams": datagrams,
            "lost": len(heard.sent),
            "tardy": heard.tardy,
            "turns_left_out": skipped,
            "send_late_us": summary(heard.late_us),
            "round_trip_us": summary(round(value, 3) for value in heard.rtt_us),
        }
    ).encode()


def hear(words: Sequence[str], datagrams: int, log: Path, limit: float) -> Heard:
    """Start a client and listen until every datagram has had its time; `log` takes its stderr.

    Raises:
        ProgramError: it ended before, or that took more than `limit` seconds.
    """
    end = time.monotonic() + limit
    with (
        log.open("wb") as errors,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, env=environment()) as client,
    ):
        assert client.stdout is not None
        patience = threading.Timer(limit, client.kill)
        patience.start()
        try:
            return listen(client.stdout, datagrams)
        except LabError:
            code, said = client.wait(), log.read_text(encoding="utf-8", errors="replace")
            if time.monotonic() >= end:
                raise ProgramError.late(words, limit, said) from None
            raise ProgramError.ended(words, code, said) from None
        finally:
            patience.cancel()
            client.kill()


def listen(stream: IO[bytes], datagrams: int) -> Heard:
    """Read a client's records until every datagram has had its time.

    Raises:
        LabError: the client ended.
    """
    heard, left = Heard(), b""
    while data := stream.read(records.SIZE * 64):
        left += data
        whole = len(left) // records.SIZE * records.SIZE
        for record in records.decode(left[:whole]):
            if not heard.take(record, _FIRST + datagrams):
                return heard
        left = left[whole:]
    raise LabError("the client probe ended")


def line(found: dict[str, Any]) -> str:
    """One line for a reader."""
    late, trip = found["send_late_us"], found["round_trip_us"]
    return (
        f"lost {found['lost']} of {found['datagrams']}, answered after more than "
        f"{UDP_PATIENCE // 1_000_000} ms {found['tardy']}; sends late by "
        f"p50 {late['p50']:g}, p99 {late['p99']:g}, max {late['max']:g} us, "
        f"{found['turns_left_out']} turns left out; round trip p50 {trip['p50']:g}, "
        f"p99 {trip['p99']:g}, max {trip['max']:g} us"
    )


def finding(found: dict[str, Any] | None) -> Finding:
    """Of issue 6."""
    if not found:
        return Finding("not measured", "no run")
    words = f"{found['lost']} of {found['datagrams']}"
    if found["lost"]:
        return Finding("missed", words)
    return Finding("met" if found["datagrams"] >= DATAGRAMS else "not measured", words)


def section(found: dict[str, Any] | None) -> str:
    """Of the page."""
    if not found:
        return "## probe\n\nThe client probe itself on an idle bridge: not measured.\n"
    where = f"commit {found['conditions']['commit']}, load {found['conditions']['load']}"
    return (
        f"## probe\n\nThe client probe itself, one server with the VIP on an idle bridge ({where}); "
        f"0 of {DATAGRAMS} lost was aimed at: {finding(found).verdict}. {line(found).capitalize()}.\n"
    )
