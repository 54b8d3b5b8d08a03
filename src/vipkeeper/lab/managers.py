"""What holds the VIP in the lab: vipkeeper itself, keepalived beside it, or nobody (the lab's own tests)."""

from __future__ import annotations

import abc
import json
import shutil
import signal
import socket
import sys
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from vipkeeper import __version__
from vipkeeper.config.load import ConfigError, load_text
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.processes import SYSTEM_PATH, LabError, command
from vipkeeper.lab.topology import INTERFACE, Topology
from vipkeeper.lab.traces import TRACE

SECOND = 1_000_000_000


class Manager(abc.ABC):
    """Runs a daemon on every server. Its word is used to wait, never to judge."""

    name: str

    def __init__(self, interval_ms: int, settings: Sequence[str] = ()) -> None:
        """`interval_ms`: time between two adverts, milliseconds; `settings`: more lines of cluster.yaml."""
        self.interval_ms = interval_ms
        self.settings = tuple(settings)

    @abc.abstractmethod
    def version(self) -> str:
        """Of the program, for the report."""

    def mistakes(self, network: Topology) -> list[str]:
        """What is wrong with the configuration it would write, a line each; asked before anything is built."""
        del network
        return []

    @abc.abstractmethod
    def prepare(self, cluster: Cluster) -> None:
        """Write the configuration of every server; once for a cluster."""

    @abc.abstractmethod
    def start(self, server: Server) -> None:
        """Start the daemon; it becomes `server.daemon`."""

    @abc.abstractmethod
    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """Whether the daemon has heard all it needs to decide well: peers, health.

        `holding`: the servers whose kernel has the VIP.
        """

    @abc.abstractmethod
    def hand_over(self, server: Server) -> None:
        """Ask the holder to give the VIP to another server, in its most graceful way."""


class Vipkeeper(Manager):
    """The daemon of this program, by its own command line."""

    name = "vipkeeper"
    traced = True
    """Whether it writes a trace."""

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

    def hand_over(self, server: Server) -> None:
        """By the verb an operator uses."""
        words = ("handover", "--run-dir", str(server.run_dir))
        command(sys.executable, "-m", "vipkeeper", *words)


def _status(path: Path) -> dict[str, Any] | None:
    """What the daemon says over its control socket (docs/operations.md); None while it says nothing."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2.0)
            connection.connect(str(path))
            connection.sendall(b'{"verb": "status"}\n')
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except (OSError, ValueError):
        return None
    result = answer.get("result")
    return result if isinstance(result, dict) else None


class Keepalived(Manager):
    """keepalived with its best settings: VRRPv3, unicast peers, real-time priority, no delays.

    Priorities near 254 make its skew time small; the API server is checked by a script whose failure
    lowers the priority, so that the VIP never leaves all servers at once.
    """

    name = "keepalived"

    def version(self) -> str:
        """Of the program."""
        done = command("sh", "-c", "keepalived --version 2>&1")
        return done.split()[1].removeprefix("v") if done.split() else "?"

    def prepare(self, cluster: Cluster) -> None:
        """A keepalived.conf for each server and one check script."""
        if shutil.which("keepalived", path=SYSTEM_PATH) is None:
            raise LabError(
                "--manager keepalived: keepalived is not installed (apt-get install keepalived)"
            )
        check = cluster.directory / "check-api"
        check.write_text("#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/6443\n")
        check.chmod(0o755)
        for place, server in enumerate(cluster.servers.values()):
            (server.directory / "keepalived.conf").write_text(
                self._configuration(cluster, server, 254 - place)
            )

    def _configuration(self, cluster: Cluster, server: Server, priority: int) -> str:
        peers = [str(m.address.ip) for m in cluster.network.servers if m is not server.machine]
        listed = "".join(f"    {peer}\n" for peer in peers)
        unicast = f"  unicast_peer {{\n{listed}  }}\n" if peers else ""
        return f"""\
global_defs {{
  script_user root
  vrrp_rt_priority 50
  vrrp_no_swap
  vrrp_garp_master_delay 0
  vrrp_garp_master_refresh 5
  vrrp_higher_prio_send_advert true
}}
vrrp_script api {{
  script "{cluster.directory}/check-api"
  interval 1
  timeout 1
  rise 1
  fall 1
  weight -100
}}
vrrp_instance VIP {{
  version 3
  state BACKUP
  interface {INTERFACE}
  virtual_router_id 51
  priority {priority}
  advert_int {self.interval_ms / 1000:g}
  unicast_src_ip {server.machine.address.ip}
{unicast}  virtual_ipaddress {{
    {cluster.network.vip}/32 dev {INTERFACE}
  }}
  track_script {{
    api
  }}
}}
"""

    def start(self, server: Server) -> None:
        """Start the daemon."""
        server.daemon = server.start(
            "keepalived",
            *("keepalived", "--dont-fork", "--log-console", "--no-syslog", "--vrrp"),
            *("--use-file", str(server.directory / "keepalived.conf")),
            *("--pid", str(server.run_dir / "keepalived.pid")),
            *("--vrrp_pid", str(server.run_dir / "vrrp.pid")),
        )

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """The server of the highest priority has taken the VIP back, and checks have run twice."""
        assert server.daemon is not None
        rested = now() - server.daemon.started > 2 * SECOND
        return rested and next(iter(cluster.servers)) in holding

    def hand_over(self, server: Server) -> None:
        """A planned stop: SIGTERM makes it send priority 0, the nearest thing it has."""
        assert server.daemon is not None
        server.daemon.send_signal(signal.SIGTERM)


class Manual(Manager):
    """Nobody: a test puts the VIP where it wants it."""

    name = "manual"

    def version(self) -> str:
        """Of the program."""
        return __version__

    def prepare(self, cluster: Cluster) -> None:
        """Nothing to write."""

    def start(self, server: Server) -> None:
        """A process that does nothing."""
        server.daemon = server.start("manual", "sleep", "infinity")

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """Always."""
        return True

    def hand_over(self, server: Server) -> None:
        """Not possible."""
        raise LabError("nobody manages the VIP here")


MANAGERS: dict[str, type[Manager]] = {
    manager.name: manager for manager in (Vipkeeper, Keepalived, Manual)
}
