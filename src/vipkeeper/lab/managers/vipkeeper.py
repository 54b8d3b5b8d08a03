"""vipkeeper itself, by its own command line."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Set
from datetime import datetime
from pathlib import Path
from typing import Any

from vipkeeper import __version__
from vipkeeper.config.load import ConfigError, load_text
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers.base import Manager, Style, Variant
from vipkeeper.lab.processes import command
from vipkeeper.lab.topology import Topology
from vipkeeper.lab.traces import TRACE

OWN_KEYS = frozenset({"vip", "servers", "distribution", "key_file"})
"""Of cluster.yaml, besides the interval: the lab writes them itself."""
ASKED_FOR = 0.5
"""Seconds that the lab waits for an answer where none may come: it records nothing meanwhile."""


class Vipkeeper(Manager):
    """The daemon of this program, by its own command line."""

    name = "vipkeeper"
    variants = (Variant(Style.DEFAULT, "cluster.yaml with what it must say and nothing else"),)
    traced = True

    def version(self) -> str:
        """Of the program."""
        return __version__

    def mistakes(self, network: Topology) -> list[str]:
        """What the daemon would say of its cluster.yaml."""
        try:
            load_text(self._configuration(network, Path("/key")).encode(), Path("cluster.yaml"))
        except ConfigError as error:
            return [problem.message for problem in error.problems]
        return []

    def prepare(self, cluster: Cluster) -> None:
        """One cluster.yaml and one key for all."""
        key = cluster.directory / "key"
        key.write_text(f"{'5a' * 32}\n")
        key.chmod(0o600)
        (cluster.directory / "cluster.yaml").write_text(self._configuration(cluster.network, key))

    def _configuration(self, network: Topology, key: Path) -> str:
        servers = "".join(
            f"  {machine.name}: {machine.address.ip}\n" for machine in network.servers
        )
        more = "".join(f"{line}\n" for line in self.settings)
        return (
            f"vip: {network.vip}\nservers:\n{servers}distribution: rke2\n"
            f"key_file: {key}\nadvert_interval: {self.interval_ms}ms\n{more}"
        )

    def start(self, server: Server) -> None:
        """Start keeper and prober."""
        directory = server.directory.parent
        trace = ("--trace", str(server.directory / TRACE)) if self.traced else ()
        server.daemon = server.start(
            "vipkeeper",
            *(sys.executable, "-m", "vipkeeper", "run"),
            *("--config", str(directory / "cluster.yaml"), "--run-dir", str(server.run_dir)),
            *("--state-dir", str(server.state_dir)),
            *trace,
        )

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """It knows a holder, and every server that has power is live and ready."""
        status = _status(server.run_dir / "control.sock")
        if status is None or status.get("holder") is None:
            return False
        powered = {name for name, other in cluster.servers.items() if other.powered}
        ready = {
            row["name"]
            for row in status["servers"]
            if row["health"] == "ready" and row["live"]
        }  # fmt: skip
        return powered <= ready

    def answers(self, server: Server) -> bool:
        """Whether it answers at its control socket."""
        return _status(server.run_dir / "control.sock", ASKED_FOR) is not None

    def hand_over(self, server: Server) -> None:
        """By the verb an operator uses."""
        words = ("handover", "--run-dir", str(server.run_dir))
        command(sys.executable, "-m", "vipkeeper", *words)


def wall_clock(server: Server) -> float | None:
    """The wall clock of a server's daemon, seconds since 1970; None while it says nothing."""
    status = _status(server.run_dir / "control.sock")
    return None if status is None else datetime.fromisoformat(status["at"]).timestamp()


def refused(server: Server) -> tuple[int, dict[str, int]] | None:
    """The pid of a server's daemon, and how many adverts it has refused, by reason; None while it says nothing."""
    status = _status(server.run_dir / "control.sock")
    return None if status is None else (status["daemon"]["pid"], status["rejected"])


def _status(path: Path, patience: float = 2.0) -> dict[str, Any] | None:
    """What the daemon says over its control socket (docs/operations.md); None while it says nothing."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(patience)
            connection.connect(str(path))
            connection.sendall(b'{"verb": "status"}\n')
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except (OSError, ValueError):
        return None
    result = answer.get("result")
    return result if isinstance(result, dict) else None
