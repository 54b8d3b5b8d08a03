"""How late the stand-ins of API servers woke: what one waits for a processor, its clients see as an outage."""

from __future__ import annotations

from collections.abc import Collection

from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window, joined
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.standin_control import how_late, stretches

PATIENCE = 2.0
"""Seconds in which a stand-in must say how late it was; one that does not is as late as that."""
MOMENT = 100_000_000
"""Nanoseconds in which nobody is served between two waits: the kernel gives a starved program 50 ms of each second."""


def of_api_servers(cluster: Cluster, since: int, struck: Collection[str]) -> int | None:
    """Nanoseconds by which a stand-in that runs woke late since an instant, at worst; None where none runs.

    `struck`: servers that something broke, whose stand-ins may be late by that.
    """
    found: list[int] = []
    for server in cluster.servers.values():
        if server.name in struck or server.standin is None or not server.standin.running:
            continue
        asked = now()
        try:
            found.append(how_late(server.control, since, timeout=PATIENCE))
        except LabError:
            found.append(now() - asked)
        except OSError:  # it has only just been started, or has ended meanwhile
            continue
    return max(found, default=None)


def starved(cluster: Cluster, since: int, longer: int, struck: Collection[str] = ()) -> set[Window]:
    """Stretches, longer than so many nanoseconds, in which a stand-in that runs waited for a processor.

    Of the wakes since an instant. `struck`: servers that something broke; not of their stand-ins.

    Raises:
        LabError: a stand-in does not answer, however long it is waited for: nobody knows when it was late.
    """
    found: set[Window] = set()
    for server in cluster.servers.values():
        if server.name in struck or server.standin is None or not server.standin.running:
            continue
        try:
            waited = joined((Window(*one) for one in stretches(server.control, since)), MOMENT)
        except OSError:  # it has only just been started, or has ended meanwhile
            continue
        found.update(one for one in waited if one.length > longer)
    return found
