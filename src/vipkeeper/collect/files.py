"""What this host's own files say: the VIP, the servers, and lint's findings as facts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from vipkeeper.collect.bundle import Text
from vipkeeper.collect.target import ServerAddress, now
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.lint.facts import Given, host_of
from vipkeeper.lint.load import live_inputs, load
from vipkeeper.lint.run import Outcome, Selection, run
from vipkeeper.lint.scope import as_address
from vipkeeper.wire.types import IPAddress


@dataclass(frozen=True, slots=True)
class Files:
    """What was read from files."""

    vips: tuple[IPAddress, ...]
    servers: tuple[ServerAddress, ...]
    complete: bool
    """Whether these are all servers."""
    outcome: Outcome

    def facts(self, own: str) -> Iterator[Fact]:
        """lint's findings, and where this server joins: `why` holds the servers' words against each other."""
        for finding in self.outcome.findings:
            source = str(finding.span)
            yield Fact(Key.LINT, True, "", own, finding.code, now(), source, raw=finding.message)
        for server in self.outcome.cluster.control_plane:
            value = server.settings.value("server")
            host = "" if value is None else host_of(value.text) or value.text
            joined = str(as_address(host) or host)
            source = str(value.span) if value is not None else "no `server` in the files"
            yield Fact(Key.JOINS, joined, own, own, "", now(), source)

    def texts(self) -> Iterator[Text]:
        """The files themselves."""
        for name, source in self.outcome.cluster.sources.items():
            yield Text(name, source.text.encode(errors="replace"))


def read(given: Given, root: Path = Path("/")) -> Files:
    """Judge the usual files of this host, which is called as it calls itself: bundles of several are read together."""
    inputs = [replace(entry, name=socket.gethostname()) for entry in live_inputs(root)]
    cluster = load(inputs, given)
    known = cluster.facts
    servers = tuple(
        ServerAddress(server.name, server.address)
        for server in known.servers
        if server.address is not None
    )
    vips = tuple(vip.address for vip in known.vips)
    return Files(vips, servers, known.complete, run(cluster, date.today(), Selection()))
