"""The VIPs on this host's interfaces: read, add, renew and remove them under a kernel lease.

An address is added with a whole-second lifetime (`IFA_CACHEINFO`) that only a live daemon renews. Its
preferred lifetime is 0, so the kernel never picks it as a source address; as a /32 or /128 it comes
after the server's own IPv4 addresses and brings no prefix route.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import SECOND, AddressState, Duration, HostView, Instant, VipView
from vipkeeper.errors import HostError
from vipkeeper.host.gateway import GatewayRule
from vipkeeper.host.rtnl import Command, CommandSocket
from vipkeeper.host.snapshot import Snapshot
from vipkeeper.host.tables import Known, read_neighbours, read_snapshot
from vipkeeper.wire.types import IPAddress

_GONE = frozenset({errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO, errno.EOPNOTSUPP})
"""No such address or interface, or no IPv6 there or in this kernel: nothing needs a removal."""
_READ_ATTEMPTS = 5


class Addresses:
    """All VIPs of this server; one socket for commands, which stays."""

    def __init__(
        self,
        vips: Sequence[IPAddress],
        own: IPAddress,
        interface: str | None,
        clock: Callable[[], Instant],
        gateway: GatewayRule | None = None,
    ) -> None:
        """`interface` None: for each VIP the one whose subnet holds it; `gateway` None: look for none."""
        self._vips = tuple(vips)
        self._own = own
        self._interface = interface
        self._clock = clock
        self.gateway = gateway
        """Which gateway a view names; may be changed between two views."""
        self._commands: CommandSocket | None = None
        self._used: set[tuple[IPAddress, int]] = set()
        self._snapshot = Snapshot((), ())
        self._known: Known = {}

    def open(self) -> None:
        """Connect to the kernel and read it once.

        Raises:
            HostError: the kernel cannot be read.
        """
        self._commands = CommandSocket()
        self.view()

    def close(self) -> None:
        """Forget the connection; the addresses stay as they are."""
        if self._commands is not None:
            self._commands.close()
            self._commands = None

    @property
    def snapshot(self) -> Snapshot:
        """What the last `view` read."""
        return self._snapshot

    def interface(self, vip: IPAddress) -> str | None:
        """Where this VIP belongs, as of the last view."""
        return self._interface or self._snapshot.interface_for(vip, self._vips)

    def view(self) -> HostView:
        """Read interfaces and addresses afresh.

        Raises:
            HostError: the kernel cannot be read.
        """
        read_at = self._clock()
        self._snapshot = self._read()
        names = [self.interface(vip) for vip in self._vips]
        links = [self._snapshot.link(name) for name in names]
        own = next((a for a in self._snapshot.addresses if a.address == self._own), None)
        detail = ""
        for vip, name, link in zip(self._vips, names, links, strict=True):
            if name is None:
                detail = f"no interface has a subnet that holds {vip}"
            elif link is None:
                detail = f"interface {name} does not exist"
            elif not link.up:
                detail = f"interface {name} is down or has no carrier"
        if not detail and own is None:
            detail = f"own address {self._own} is not on this host"
        return HostView(
            read_at=read_at,
            interface=None if any(link is None for link in links) else names[0],
            link_up=all(link is not None and link.up for link in links),
            own_address=own is not None,
            vips=tuple(self._vip_view(vip) for vip in self._vips),
            gateway=self._find_gateway(),
            detail=detail,
        )

    def _find_gateway(self) -> IPAddress | None:
        if self.gateway is None:
            return None
        links = {vip: self._snapshot.link(self.interface(vip)) for vip in self._vips}
        return self.gateway.find(self._snapshot, links, self._clock())

    def _vip_view(self, vip: IPAddress) -> VipView:
        found = [a for a in self._snapshot.addresses if a.address == vip]
        if not found:
            return VipView(vip, AddressState.ABSENT)
        permanent = any(address.permanent for address in found)
        state = AddressState.PERMANENT if permanent else AddressState.LEASED
        behind = True
        if isinstance(vip, IPv4Address):
            same = [a for a in self._snapshot.addresses if a.index == found[0].index]
            own = [same.index(a) for a in same if a.address == self._own]
            behind = not own or own[0] < same.index(found[0])
        return VipView(vip, state, behind)

    def _read(self) -> Snapshot:
        """All of it; a dump that changes overtook is read again, since it may miss what is there."""
        problem = ""
        for attempt in range(_READ_ATTEMPTS):
            try:
                snapshot, torn = read_snapshot(self._known)
            except OSError as error:
                problem = error.strerror or str(error)
                continue
            if not torn or attempt == _READ_ATTEMPTS - 1:
                return snapshot
        raise HostError(f"cannot read this host's interfaces and addresses: {problem}")

    def neighbours(self) -> tuple[tuple[IPAddress, bytes], ...]:
        """(address, MAC) of every neighbour entry that has a MAC; empty when it cannot be read."""
        try:
            return read_neighbours()
        except OSError:
            return ()

    def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one operation of core.actions on all VIPs together; the event loop waits meanwhile."""
        started = self._clock()
        if operation is AddressOperation.REMOVE:
            problem = self._remove_all()
            outcome = AddressOutcome.DONE if problem is None else AddressOutcome.FAILED
            return outcome, started, self._clock(), problem or ""
        if not_after is not None and started >= not_after:
            self._remove_all()
            return AddressOutcome.LAPSED, started, self._clock(), "the lease had ended before"
        problem = self._foreign()
        if problem is None:
            if operation is AddressOperation.REORDER:
                self._remove_all()
            seconds = max(1, lifetime // SECOND)
            problem = self._set_all(seconds, fresh=operation is AddressOperation.ADD)
        finished = self._clock()
        if problem is not None:
            if operation is not AddressOperation.RENEW:
                self._remove_all()
            return AddressOutcome.FAILED, started, finished, problem
        late = not_after is not None and finished >= not_after
        if late or finished >= started + lifetime:
            # replace creates an address that is gone: one that came back this late must go again.
            self._remove_all()
            return AddressOutcome.LAPSED, started, finished, "the lease ended meanwhile"
        return AddressOutcome.DONE, started, finished, ""

    def _foreign(self) -> str | None:
        vip = next((vip for vip in self._vips if self._is_permanent(vip)), None)
        return None if vip is None else f"{vip} is a permanent address of this host"

    def _set_all(self, seconds: int, *, fresh: bool) -> str | None:
        for vip in self._vips:
            link = self._snapshot.link(self.interface(vip))
            if link is None:
                return f"no interface for {vip}"
            command = Command.ADD if fresh else Command.REPLACE
            error = self._command(command, vip, link.index, seconds)
            if error is not None and error.errno == errno.EEXIST:
                # A replace would give somebody else's permanent address a lifetime: look first.
                self._snapshot = self._read()
                problem = self._foreign()
                if problem is not None:
                    return problem
                error = self._command(Command.REPLACE, vip, link.index, seconds)
            if error is not None:
                return f"{vip} on {link.name}: {error.strerror}"
            self._used.add((vip, link.index))
        return None

    def _remove_all(self) -> str | None:
        problem = None
        for vip in self._vips:
            if not self._is_permanent(vip):
                problem = self._remove(vip) or problem
        return problem

    def _remove(self, vip: IPAddress) -> str | None:
        """Wherever it is, was put, or belongs: what was read last may be older than the address."""
        link = self._snapshot.link(self.interface(vip))
        indices = {a.index for a in self._snapshot.addresses if a.address == vip}
        indices |= {index for used, index in self._used if used == vip}
        if link is not None:
            indices.add(link.index)
        problem = None
        for index in indices:
            error = self._command(Command.DELETE, vip, index)
            if error is not None and error.errno not in _GONE:
                problem = f"{vip} on interface {index}: {error.strerror}"
        if problem is None:
            self._used = {(used, index) for used, index in self._used if used != vip}
        return problem

    def _command(
        self, command: Command, vip: IPAddress, index: int, seconds: int = 0
    ) -> OSError | None:
        if self._commands is None:
            return OSError(errno.ENOTCONN, "not connected to the kernel")
        try:
            self._commands.carry_out(command, vip, index, seconds)
        except OSError as error:
            return error
        return None

    def _is_permanent(self, vip: IPAddress) -> bool:
        return any(a.address == vip and a.permanent for a in self._snapshot.addresses)
