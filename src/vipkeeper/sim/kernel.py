"""A server's kernel: the VIP with its lifetime, the packet filter of a strict lease, what it answers."""

from __future__ import annotations

from vipkeeper.core.actions import AddressOperation, ChangeAddresses
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import MILLISECOND, AddressState, Duration, Instant

LATEST_EXPIRY: Duration = 200 * MILLISECOND
"""By how much a kernel removes an expired address late (measured on Linux: 20 to 220 ms)."""


class Kernel:
    """All times are those of the server's own clock."""

    def __init__(self, strict_lease: Duration | None) -> None:
        self.vip_until: Instant | None = None
        """When the lifetime ends; None: no VIP here."""
        self.lingers: Duration = 0
        """How much later than that the VIP is really removed."""
        self.filter_until: Instant = 0
        """When the packet filter begins to drop the VIP's traffic; renewed by every advert of a holder."""
        self.leaving = False
        """The daemon wants the VIP gone: nothing renews the packet filter's lease."""
        self._strict = strict_lease

    @property
    def has_vip(self) -> bool:
        """True until it is really removed."""
        return self.vip_until is not None

    def state(self) -> AddressState:
        """As the daemon reads it."""
        return AddressState.LEASED if self.has_vip else AddressState.ABSENT

    def advert_left(self, now: Instant) -> None:
        """An advert of this server as holder went out."""
        if self._strict is not None and not self.leaving:
            self.filter_until = now + self._strict

    def filtered(self, now: Instant) -> bool:
        """True while the packet filter drops the VIP's traffic."""
        return self._strict is not None and now >= self.filter_until

    def expired(self, now: Instant) -> bool:
        """Remove the VIP if its time has come; True when it was removed now."""
        if self.vip_until is None or now < self.vip_until + self.lingers:
            return False
        self.vip_until = None
        return True

    def apply(
        self, action: ChangeAddresses, started: Instant, now: Instant, *, refuses: bool
    ) -> bool:
        """The system calls of one operation; True when the kernel did it."""
        if action.not_after is not None and started >= action.not_after:
            self.vip_until = None
            return True
        if action.operation is AddressOperation.REMOVE:
            self.leaving = True
            if not refuses:
                self.vip_until = None
            return not refuses
        if refuses:
            if action.operation is not AddressOperation.RENEW:
                self.vip_until = None
            return False
        self.vip_until = now + action.lifetime
        self.leaving = self.leaving and action.operation is not AddressOperation.ADD
        return True

    def judge(
        self, action: ChangeAddresses, started: Instant, finished: Instant, *, done: bool
    ) -> AddressOutcome:
        """The look at the clock after the system calls, as `host.netlink` takes it."""
        removing = action.operation is AddressOperation.REMOVE
        not_after = action.not_after
        if not removing and not_after is not None and started >= not_after:
            return AddressOutcome.LAPSED
        if not done:
            return AddressOutcome.FAILED
        late = not_after is not None and finished >= not_after
        if not removing and (late or finished >= started + action.lifetime):
            self.vip_until = None
            return AddressOutcome.LAPSED
        return AddressOutcome.DONE
