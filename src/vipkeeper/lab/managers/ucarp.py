"""ucarp: CARP in user space, which has no check of the API server and no interval below a second."""

from __future__ import annotations

import signal
from collections.abc import Set
from dataclasses import dataclass

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers.base import SECOND, Manager, Style, Variant, script
from vipkeeper.lab.processes import command
from vipkeeper.lab.topology import INTERFACE


@dataclass(frozen=True, slots=True)
class _Timing:
    """Its options that say how fast it is."""

    dead_ratio: int
    """Intervals without an advert after which the master counts as dead."""
    real_time: bool


_TIMING = {
    Style.DEFAULT: _Timing(dead_ratio=3, real_time=False),
    Style.BEST: _Timing(dead_ratio=2, real_time=True),
}
_SKEW, _LARGEST_SKEW = 100, 255
"""256ths of a second by which each further server waits longer than the one before. A backup looks at its
timer only once an interval (carp.c's poll), so that closer ones take the VIP together."""


def _skew(place: int) -> int:
    return min(_LARGEST_SKEW, _SKEW * place)


class Ucarp(Manager):
    """ucarp of the distribution. bench/README.md says where each of its settings comes from."""

    name = "ucarp"
    program = "ucarp"
    source = "apt-get install ucarp"
    variants = (
        Variant(
            Style.BEST, "advbase 1, dead ratio 2, skews 0, 100 and 200, real-time priority", 1000
        ),
        Variant(Style.DEFAULT, "advbase 1, dead ratio 3, skews 0, 100 and 200", 1000),
    )

    def cycle_ms(self, place: int) -> int:
        """Of its adverts: a server adds its skew to its own too."""
        return self.interval_ms + 1000 * _skew(place) // 256

    def version(self) -> str:
        """Of the program."""
        words = command("ucarp", "--help").split()
        return words[1] if len(words) > 1 else "?"

    def prepare(self, cluster: Cluster) -> None:
        """The scripts that put the VIP on a server and take it off, and each server's command line."""
        self.demand()
        vip = f"{cluster.network.vip}/32"
        up = script(cluster, "vip-up", "#!/bin/sh", f'ip address add {vip} dev "$1"')
        down = script(cluster, "vip-down", "#!/bin/sh", f'ip address del {vip} dev "$1"')
        self._words = {
            server.name: self.words(server, place, str(cluster.network.vip), up, down)
            for place, server in enumerate(cluster.servers.values())
        }

    def words(self, server: Server, place: int, vip: str, up: str, down: str) -> list[str]:
        """The command line of a server; `place`: 0 for the one that waits least."""
        timing = _TIMING[self.variant.style]
        return [
            *(("chrt", "--fifo", "50") if timing.real_time else ()),
            *("ucarp", f"--interface={INTERFACE}", f"--srcip={server.machine.address.ip}"),
            *("--vhid=51", "--pass=lab", f"--addr={vip}", "--shutdown", "--facility=none"),
            *(f"--advbase={self.interval_ms // 1000}", f"--deadratio={timing.dead_ratio}"),
            f"--advskew={_skew(place)}",
            *(f"--upscript={up}", f"--downscript={down}"),
        ]

    def start(self, server: Server) -> None:
        """Start the daemon."""
        server.daemon = server.start("ucarp", *self._words[server.name])

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """An advert of the longest interval has had time to come twice."""
        assert server.daemon is not None
        return now() - server.daemon.started > 2 * 2 * SECOND

    def hand_over(self, server: Server) -> None:
        """SIGUSR2: it becomes a backup and keeps silent for three seconds."""
        assert server.daemon is not None
        server.daemon.send_signal(signal.SIGUSR2)
