"""The life of the VIP on this host: adding, held under a kernel lease, removing.

The lease end known here is never later than the kernel's: it counts from the clock read *before* the
renewal was sent. A lease that has run out is a demotion, whatever the kernel still shows.
"""

from __future__ import annotations

import enum

from vipkeeper.core.actions import Action, AddressOperation, ChangeAddresses, ProbeVips
from vipkeeper.core.events import AddressesDone, AddressOutcome
from vipkeeper.core.types import MILLISECOND, Duration, Instant

RENEWALS_PER_LEASE = 4
"""A daemon may stand still for three quarters of the lease: 2.25 s at the default."""
RETRY_AFTER: Duration = 100 * MILLISECOND
RESTORE_PROBES = 3
RESTORE_PROBE_EVERY: Duration = 15 * MILLISECOND


class Phase(enum.Enum):
    """Where the VIP is in its life on this host."""

    ABSENT = "absent"
    ADDING = "adding"
    HELD = "held"
    RESTORING = "restoring"
    """Deleted by somebody else; the wire is asked before it is put back."""
    REMOVING = "removing"


ABSENT, HELD, RESTORING = Phase.ABSENT, Phase.HELD, Phase.RESTORING


class ClaimResult(enum.Enum):
    """What the node must know of a change here."""

    HELD = "held"
    RESTORED = "restored"
    GONE = "gone"
    FAILED = "failed"
    LAPSED = "lapsed"


class Claim:
    """All VIPs together on this host. Emits address actions, takes their results."""

    def __init__(self, lifetime: Duration) -> None:
        self.lifetime = lifetime
        self.phase = Phase.ABSENT
        self.lease_until: Instant | None = None
        """End of the kernel lease; None when the VIP is not here."""
        self.strict_until: Instant | None = None
        """End of the packet filter's lease, which only our adverts renew; None when there is none."""
        self.changed_at: Instant = 0
        """When the kernel last confirmed a change; older views of the host say nothing."""
        self._id = 0
        self._renew_at: Instant | None = None
        self._retry_at: Instant | None = None
        self._probes_left = 0
        self._probe_at: Instant | None = None

    @property
    def held(self) -> bool:
        """True while the VIP is here under a running lease, or is being put back."""
        return self.phase is HELD or self.phase is RESTORING

    def deadline(self) -> Instant | None:
        """When `tick` (or `lapsed`) must be asked again."""
        if self.phase is ABSENT:
            return None
        times = [self._retry_at, self._probe_at]
        if self.held:
            times += [self._renew_at, self.lease_until]
        return min([t for t in times if t is not None], default=None)

    def acquire(self) -> list[Action]:
        """Put the VIP here."""
        self._forget_timers()
        self.phase = Phase.ADDING
        self.lease_until = self.strict_until = None
        return [self._change(AddressOperation.ADD)]

    def adopt(self, lease_until: Instant) -> list[Action]:
        """The VIP is here from an earlier run of this daemon: renew it at once."""
        self._forget_timers()
        self.phase = Phase.HELD
        self.lease_until = lease_until
        return [self._change(AddressOperation.RENEW)]

    def release(self) -> list[Action]:
        """Take the VIP away. The result GONE (or the end of the lease) says when it is certain."""
        self._forget_timers()
        self.phase = Phase.REMOVING
        return [self._change(AddressOperation.REMOVE)]

    def abandon(self) -> None:
        """The address is somebody else's now (made permanent): leave it alone."""
        self._gone()

    def reorder(self) -> list[Action]:
        """An own address came back behind the VIP: let it come first again."""
        if self.phase is not Phase.HELD:
            return []
        return [self._change(AddressOperation.REORDER)]

    def missing(self, now: Instant) -> list[Action]:
        """A fresh view of the host lacks the VIP: ask the wire, then put it back."""
        if self.phase is not Phase.HELD:
            return []
        self.phase = Phase.RESTORING
        self._probes_left = RESTORE_PROBES - 1
        self._probe_at = now + RESTORE_PROBE_EVERY
        self._renew_at = None
        return [ProbeVips()]

    def lapsed(self, now: Instant) -> bool:
        """True when a lease of a held VIP has run out. The caller then releases."""
        if not self.held:
            return False
        lease, strict = self.lease_until, self.strict_until
        return (lease is not None and now >= lease) or (strict is not None and now >= strict)

    def advert_sent(self, now: Instant, strict_lease: Duration | None) -> None:
        """An advert of the holder leaves: it renews the packet filter's lease, where there is one."""
        if self.held:
            self.strict_until = now + strict_lease if strict_lease is not None else None

    def tick(self, now: Instant) -> list[Action]:
        """Renew, retry or go on with putting back, whatever is due."""
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            return [self._change(AddressOperation.REMOVE)]
        if self._probe_at is not None and now >= self._probe_at:
            return self._restore_step(now)
        if self.phase is HELD and self._renew_at is not None and now >= self._renew_at:
            self._renew_at = None
            return [self._change(AddressOperation.RENEW)]
        return []

    def done(self, event: AddressesDone) -> ClaimResult | None:
        """Take the result of the newest action; results of older ones say nothing any more."""
        if event.id != self._id:
            return None
        self.changed_at = event.finished
        match self.phase:
            case Phase.ADDING | Phase.RESTORING:
                return self._added(event)
            case Phase.HELD:
                return self._renewed(event)
            case Phase.REMOVING:
                return self._removed(event)
            case Phase.ABSENT:
                return None

    def _added(self, event: AddressesDone) -> ClaimResult:
        restored = self.phase is Phase.RESTORING
        if event.outcome is AddressOutcome.DONE:
            self._lease_from(event.started)
            self.phase = Phase.HELD
            return ClaimResult.RESTORED if restored else ClaimResult.HELD
        self._gone()
        return ClaimResult.LAPSED if event.outcome is AddressOutcome.LAPSED else ClaimResult.FAILED

    def _renewed(self, event: AddressesDone) -> ClaimResult | None:
        if event.outcome is AddressOutcome.DONE:
            self._lease_from(event.started)
            return None
        if event.outcome is AddressOutcome.LAPSED:
            self._gone()
            return ClaimResult.LAPSED
        self._renew_at = event.finished + RETRY_AFTER
        return None

    def _removed(self, event: AddressesDone) -> ClaimResult | None:
        lease_over = self.lease_until is None or event.finished >= self.lease_until
        if event.outcome is AddressOutcome.FAILED and not lease_over:
            self._retry_at = event.finished + RETRY_AFTER
            return None
        self._gone()
        return ClaimResult.GONE

    def _restore_step(self, now: Instant) -> list[Action]:
        if self._probes_left > 0:
            self._probes_left -= 1
            self._probe_at = now + RESTORE_PROBE_EVERY
            return [ProbeVips()]
        self._probe_at = None
        return [self._change(AddressOperation.ADD)]

    def _lease_from(self, started: Instant) -> None:
        self.lease_until = started + self.lifetime
        self._renew_at = started + self.lifetime // RENEWALS_PER_LEASE

    def _gone(self) -> None:
        self._forget_timers()
        self.phase = Phase.ABSENT
        self.lease_until = None
        self.strict_until = None

    def _forget_timers(self) -> None:
        self._renew_at = self._retry_at = self._probe_at = None

    def _change(self, operation: AddressOperation) -> ChangeAddresses:
        self._id += 1
        renewing = operation in (AddressOperation.RENEW, AddressOperation.REORDER)
        not_after = self.lease_until if renewing or self.phase is Phase.RESTORING else None
        return ChangeAddresses(self._id, operation, self.lifetime, not_after)
