"""How late the stand-ins of API servers woke: what one waits for a processor, its clients see as an outage."""

from __future__ import annotations

from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.kernel import now
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.standin_control import how_late

PATIENCE = 2.0
"""Seconds in which a stand-in must say how late it was; one that does not is as late as that."""


def of_api_servers(cluster: Cluster, since: int) -> int | None:
    """Nanoseconds by which a stand-in that runs woke late since an instant, at worst; None where none runs.

    One that an act stops or holds up is late by that; one that was killed takes what it knew along.
    """
    found: list[int] = []
    for server in cluster.servers.values():
        if server.standin is None or not server.standin.running:
            continue
        asked = now()
        try:
            found.append(how_late(server.control, since, timeout=PATIENCE))
        except LabError:
            found.append(now() - asked)
        except OSError:  # it has only just been started, or has ended meanwhile
            continue
    return max(found, default=None)
