"""How long a VIP stays in the kernel of a server whose daemon is gone, as that daemon was configured. Seconds."""

from __future__ import annotations

from vipkeeper.core.claim import RENEWALS_PER_LEASE
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.must import LEASE
from vipkeeper.lab.stage import Stage

SECOND = 1_000_000_000
BEYOND = 4.0
"""Seconds more than a lease after which nobody waits for its end any longer."""
MARGIN = 0.25
"""Seconds of a lease in which a daemon that has begun to speak renews it."""


def lease(stage: Stage, server: Server) -> float:
    """The kernel lease that a server's daemon says it has; the default one where it says nothing."""
    known = stage.cluster.ledger.configured.get(server.name)
    return (known.settings.kernel_lease if known is not None else LEASE) / SECOND


def patience(stage: Stage, server: Server) -> float:
    """How long an act waits for the VIP to leave by itself."""
    return lease(stage, server) + BEYOND


def surely(stage: Stage, server: Server) -> float:
    """How long after its daemon's death the next one can still be the one that renews the lease."""
    whole = lease(stage, server)
    return whole - whole / RENEWALS_PER_LEASE - MARGIN
