"""keepalived, by the configuration of the kubeadm guide and by the fastest it has."""

from __future__ import annotations

import signal
from collections.abc import Set
from dataclasses import dataclass

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers.base import SECOND, Manager, Style, Variant, installed, script
from vipkeeper.lab.processes import command
from vipkeeper.lab.topology import INTERFACE

_HIGHEST = {False: 101, True: 254}
"""Priority of the first server: the guide's, and the one that makes VRRP's skew time smallest."""
_GUIDES_CHECK = ("exec curl -sfk --max-time 2 https://localhost:6443/healthz -o /dev/null",)
_CHECK = (
    "code=$(curl -sk --max-time 1 -o /dev/null -w '%{http_code}' https://127.0.0.1:6443/readyz)",
    'case "$code" in 2??|401|403) exit 0 ;; esac',
    "exit 1",
)
"""What an API server says by which it serves; whoever refuses by name does, as RKE2's without a certificate."""
_BEST_GLOBALS = """\
  vrrp_rt_priority 50
  vrrp_no_swap
  vrrp_garp_master_refresh 5
  vrrp_higher_prio_send_advert true
"""


@dataclass(frozen=True, slots=True)
class _Check:
    """A `vrrp_script`."""

    interval: int
    """Seconds, whole ones: keepalived 2.2.7 knows no others."""
    fall: int
    rise: int
    within: int
    """Seconds that one takes at most: curl's own limit."""
    weight: int
    """Added to the priority of a server whose check fails; 0: the server is in FAULT and yields at once."""

    @property
    def settles(self) -> int:
        """Nanoseconds, from when both the daemon runs and the API server is ready, until it has passed as often as it must.

        One that is under way then may yet fail, at its limit, and counts at once where it is the daemon's first,
        whatever `fall` says; the last one that must pass may take as long.
        """
        return (self.within + self.rise * self.interval + self.within) * SECOND


_GUIDE = _Check(interval=3, fall=10, rise=2, within=2, weight=-2)
_FAST = _Check(interval=1, fall=1, rise=1, within=1, weight=0)
_LOWERS = _Check(interval=1, fall=1, rise=1, within=1, weight=-100)


class Keepalived(Manager):
    """keepalived of the distribution. bench/README.md says where each of its settings comes from."""

    name = "keepalived"
    program = "keepalived"
    source = "apt-get install keepalived"
    variants = (
        Variant(Style.BEST, "VRRPv3, unicast, real-time priority, no delays, no preemption"),
        Variant(Style.WEIGHTED, "the same; preempts, and a failed check lowers the priority"),
        Variant(Style.HASTY, "the best; two missed adverts are silence"),
        Variant(Style.BEST_V2, "the best by VRRPv2, adverts every second", 1000),
        Variant(Style.DEFAULT, "the kubeadm guide: VRRPv2, adverts every second", 1000),
        Variant(Style.DEFAULT_V3, "the kubeadm guide by VRRPv3, adverts every second", 1000),
    )

    @classmethod
    def missing(cls) -> str:
        """Its checks need curl."""
        if reason := super().missing():
            return reason
        return "" if installed("curl") else "curl is not installed (apt-get install curl)"

    @property
    def _guided(self) -> bool:
        return self.variant.style in (Style.DEFAULT, Style.DEFAULT_V3)

    @property
    def _preempts(self) -> bool:
        return self._guided or self.variant.style is Style.WEIGHTED

    @property
    def _check(self) -> _Check:
        if self._guided:
            return _GUIDE
        return _LOWERS if self.variant.style is Style.WEIGHTED else _FAST

    def cycle_ms(self, place: int) -> int:
        """Of its adverts or its checks."""
        del place
        return max(self.interval_ms, self._check.interval * 1000)

    def version(self) -> str:
        """Of the program."""
        done = command("sh", "-c", "keepalived --version 2>&1")
        return done.split()[1].removeprefix("v") if done.split() else "?"

    def prepare(self, cluster: Cluster) -> None:
        """A keepalived.conf for each server and one check script."""
        self.demand()
        script(cluster, "check-api", "#!/bin/sh", *(_GUIDES_CHECK if self._guided else _CHECK))
        for place, server in enumerate(cluster.servers.values()):
            (server.directory / "keepalived.conf").write_text(
                self.configuration(cluster, server, place)
            )

    def configuration(self, cluster: Cluster, server: Server, place: int) -> str:
        """The keepalived.conf of a server; `place`: 0 for the one that comes first."""
        check, style = self._check, self.variant.style
        version = 2 if style in (Style.DEFAULT, Style.BEST_V2) else 3
        master = self._guided and place == 0
        return f"""\
global_defs {{
  script_user root
  enable_script_security
{"" if self._guided else _BEST_GLOBALS}}}
vrrp_script api {{
  script "{cluster.directory}/check-api"
  interval {check.interval}
  timeout {check.interval}
  rise {check.rise}
  fall {check.fall}
  weight {check.weight}
}}
vrrp_instance VIP {{
  version {version}
  state {"MASTER" if master else "BACKUP"}
  interface {INTERFACE}
  virtual_router_id 51
  priority {_HIGHEST[not self._guided] - place}
  advert_int {self.interval_ms / 1000:g}
{self._instance(cluster, server)}  virtual_ipaddress {{
    {cluster.network.vip}/32 dev {INTERFACE}
  }}
  track_script {{
    api
  }}
}}
"""

    def _instance(self, cluster: Cluster, server: Server) -> str:
        """The lines of the instance that differ by style."""
        if self._guided:
            secret = "  authentication {\n    auth_type PASS\n    auth_pass 42\n  }\n"
            return secret if self.variant.style is Style.DEFAULT else ""
        lines = [f"  unicast_src_ip {server.machine.address.ip}"]
        peers = [m.address.ip for m in cluster.network.servers if m is not server.machine]
        if peers:
            lines += ["  unicast_peer {", *(f"    {peer}" for peer in peers), "  }"]
        if not self._preempts:
            lines.append("  nopreempt")
        if self.variant.style is Style.HASTY:
            lines.append("  down_timer_adverts 2")
        return "".join(f"{line}\n" for line in lines)

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
        """Its check counts as passed and, where it preempts, the first server has taken the VIP back."""
        assert server.daemon is not None
        if server.ready_since is None:
            return False
        began = max(server.daemon.started, server.ready_since)
        back = not self._preempts or next(iter(cluster.servers)) in holding
        return back and now() - began > self._check.settles

    def hand_over(self, server: Server) -> None:
        """A planned stop: SIGTERM makes it send priority 0, the nearest thing it has."""
        assert server.daemon is not None
        server.daemon.send_signal(signal.SIGTERM)
