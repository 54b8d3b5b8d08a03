"""kube-vip in ARP mode with its election by etcd: the one it can be run with without a whole Kubernetes.

Options and the meaning of the lease as in kube-vip's cmd/kube-vip.go and pkg/etcd/election.go; the etcd
election takes flags only, the rate of gratuitous ARP only the environment.
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Set
from dataclasses import dataclass

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers.base import SECOND, Manager, Style, Variant, installed
from vipkeeper.lab.processes import Process, command
from vipkeeper.lab.topology import INTERFACE, Machine

_CLIENT, _PEER = 2379, 2380
"""etcd's ports."""
_VERSION = re.compile(r"Version:\s*(\S+)")

_KEPT = (
    "trap 'kill $child; wait $child; exit 0' TERM; "
    "while :; do {} & child=$!; wait $child; sleep 1; done"
)
"""Keeps a program running until SIGTERM, which it hands on."""


@dataclass(frozen=True, slots=True)
class _Timing:
    """Its own timers in seconds, that of its gratuitous ARP and etcd's in milliseconds."""

    lease: int
    renew: int
    retry: int
    arp_ms: int
    heartbeat_ms: int
    election_ms: int


_TIMING = {
    # The guide's 5/3/1 and the 3 s of kube-vip's ticker; RKE2's etcd waits longer than etcd's own default.
    Style.DEFAULT: _Timing(5, 3, 1, 3000, 500, 5000),
    # etcd grants no lease below 1.5 election times (2 s by its default); 500 ms is the shortest rate taken.
    Style.BEST: _Timing(2, 1, 1, 500, 100, 1000),
}


class KubeVip(Manager):
    """kube-vip where a program of that name is on the PATH, beside Debian's etcd on each server."""

    name = "kube-vip"
    program = "kube-vip"
    source = "put a release of kube-vip on the PATH"
    variants = (
        Variant(Style.BEST, "etcd election, lease 2 s, gratuitous ARP every 500 ms", 1000),
        Variant(Style.DEFAULT, "etcd election, lease 5 s, RKE2's timers of etcd", 1000),
    )

    @classmethod
    def missing(cls) -> str:
        """It needs etcd as well."""
        if reason := super().missing():
            return reason
        return "" if installed("etcd") else "etcd is not installed (apt-get install etcd-server)"

    @property
    def _timing(self) -> _Timing:
        return _TIMING[self.variant.style]

    def cycle_ms(self, place: int) -> int:
        """Of its renewals, its retries or its gratuitous ARP."""
        del place
        timing = self._timing
        return max(1000 * timing.renew, 1000 * timing.retry, timing.arp_ms)

    def version(self) -> str:
        """Of the program."""
        found = _VERSION.search(command("kube-vip", "version"))
        return found[1].removeprefix("v") if found else "?"

    def prepare(self, cluster: Cluster) -> None:
        """Each server's command lines; what etcd has stored of an older cluster is not there."""
        self.demand()
        vip, machines = str(cluster.network.vip), cluster.network.servers
        self._etcd: dict[str, Process] = {}
        self._members = {
            server.name: self.member(server, machines) for server in cluster.servers.values()
        }
        self._words = {
            server.name: self.words(server.machine, vip, machines)
            for server in cluster.servers.values()
        }

    def member(self, server: Server, machines: tuple[Machine, ...]) -> list[str]:
        """The command line of a server's etcd."""
        address = server.machine.address.ip
        peers = ",".join(f"{m.name}=http://{m.address.ip}:{_PEER}" for m in machines)
        mine = f"http://{address}:{_CLIENT}"
        return [
            *("etcd", "--name", server.name, "--data-dir", str(server.state_dir / "etcd")),
            *("--listen-client-urls", f"http://127.0.0.1:{_CLIENT},{mine}"),
            *("--advertise-client-urls", mine),
            *("--listen-peer-urls", f"http://{address}:{_PEER}"),
            *("--initial-advertise-peer-urls", f"http://{address}:{_PEER}"),
            *("--initial-cluster", peers, "--initial-cluster-token", "lab"),
            *("--heartbeat-interval", str(self._timing.heartbeat_ms)),
            *("--election-timeout", str(self._timing.election_ms)),
        ]

    def words(self, machine: Machine, vip: str, machines: tuple[Machine, ...]) -> list[str]:
        """The command line of a server's kube-vip."""
        timing = self._timing
        endpoints = ",".join(f"http://{m.address.ip}:{_CLIENT}" for m in machines)
        return [
            *("env", f"vip_arpRate={timing.arp_ms}", "kube-vip", "manager"),
            *("--arp", "--controlplane", "--leaderElection", "--leaderElectionType", "etcd"),
            *("--etcdEndpoints", endpoints, "--address", vip, "--vipSubnet", "32"),
            *("--interface", INTERFACE, "--nodeName", machine.name),
            *("--leaseDuration", str(timing.lease), "--leaseRenewDuration", str(timing.renew)),
            *("--leaseRetry", str(timing.retry), "--prometheusHTTPServer", ""),
        ]

    def start(self, server: Server) -> None:
        """Start the server's etcd unless it runs, and kube-vip."""
        etcd = self._etcd.get(server.name)
        if etcd is None or not etcd.running:
            self._etcd[server.name] = server.start("etcd", *self._members[server.name])
        # kubelet starts a container again that has ended, and so it does on a lost lease.
        kept = _KEPT.format(shlex.join(self._words[server.name]))
        server.daemon = server.start("kube-vip", "sh", "-c", kept)

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """It has had time to join the election."""
        assert server.daemon is not None
        return now() - server.daemon.started > self._timing.lease * SECOND

    def hand_over(self, server: Server) -> None:
        """SIGTERM: it resigns."""
        assert server.daemon is not None
        server.daemon.send_signal(signal.SIGTERM)
