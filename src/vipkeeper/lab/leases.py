"""How long a VIP stays in the kernel of a server whose daemon is gone, as that daemon was configured. Seconds."""

from __future__ import annotations

from vipkeeper.core.claim import RENEWALS_PER_LEASE
from vipkeeper.core.types import SECOND
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.processes import NothingShownError
from vipkeeper.lab.stage import Stage

LEASE = 3 * SECOND
"""The default kernel lease, nanoseconds: the longest a server may keep a VIP that it cannot know it has lost."""
BEYOND = 4.0
"""Seconds more than a lease after which nobody waits for its end any longer."""
MARGIN = 0.25
"""Seconds of a lease in which a daemon that has begun to speak renews it."""
START = 0.5
"""Seconds that a daemon needs until it speaks, on a host that has nothing else to do."""


def lease(stage: Stage, server: Server) -> float:
    """The kernel lease that a server's daemon says it has; the default one where it says nothing."""
    known = stage.cluster.ledger.configured.get(server.name)
    return (known.settings.kernel_lease if known is not None else LEASE) / SECOND


def longest(stage: Stage) -> float:
    """The longest of all servers' leases."""
    return max(lease(stage, server) for server in stage.cluster.servers.values())


def patience(stage: Stage, server: Server) -> float:
    """How long an act waits for the VIP to leave by itself."""
    return lease(stage, server) + BEYOND


def surely(stage: Stage, server: Server) -> float:
    """How long after its daemon's death the next one can still be the one that renews the lease."""
    whole = lease(stage, server)
    return whole - whole / RENEWALS_PER_LEASE - MARGIN


def demand_time(stage: Stage, server: Server, after: float) -> None:
    """Raise NothingShownError where no daemon can be back in time that is started so long after its predecessor's death."""
    left = surely(stage, server) - after
    if left < START:
        raise NothingShownError(
            f"a kernel lease of {lease(stage, server):g} s has {max(0.0, left):.1f} s left "
            f"{after:g} s after the daemon's death; its next start takes {START:g} s"
        )
