"""Time, settings and what the core knows of its host."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vipkeeper.wire.types import IPAddress

Instant = int
"""A point in time: nanoseconds on CLOCK_BOOTTIME of this host (never the wall clock)."""
Duration = int
"""A length of time in nanoseconds."""

MILLISECOND: Duration = 1_000_000
SECOND: Duration = 1_000_000_000
OLDEST_STAMP: Duration = SECOND
"""How far back the stamp of a received advert may lie when it is read; an older one is cut to this."""


@dataclass(frozen=True, slots=True)
class Server:
    """One control-plane server as the configuration names it."""

    name: str
    address: IPAddress


class Profile(enum.Enum):
    """How patient silence is judged: the suspect factor F times the advert interval."""

    BARE_METAL = "bare-metal"
    VM = "vm"

    @property
    def suspect_factor(self) -> int:
        """Advert intervals of silence after which a peer is suspect (protocol.md: F)."""
        return 2 if self is Profile.BARE_METAL else 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What the election needs of the configuration."""

    vips: tuple[IPAddress, ...]
    servers: tuple[Server, ...]
    """All servers in configured order; the order breaks ties in rank."""
    own: int
    """Index of this server in `servers`."""
    cluster: bytes
    """Digest of vip, servers and order (8 bytes), compared with every peer's."""
    advert_interval: Duration = 100 * MILLISECOND
    profile: Profile = Profile.BARE_METAL
    kernel_lease: Duration = 3 * SECOND
    """Lifetime L of the VIP in the kernel; whole seconds."""
    preempt_after: Duration | None = None
    """None: never. Else a better-ranked server takes the VIP back after being ready this long."""
    soft_failure_after: Duration = 4 * SECOND
    """How long the holder must be softly unready, and one and the same peer ready, before a move."""
    strict_lease: Duration | None = None
    """Lifetime of the packet filter's lease that only our own adverts renew (nftables); None: not used."""
    move_budget: int = 6
    """Claims of this server in `move_window` after which it holds back; 0: never."""
    checked: bool = True
    """False when no health checks are configured: every server then counts as ready."""

    @property
    def suspect_after(self) -> Duration:
        """Silence of the holder after which it is suspect: F x interval."""
        return self.profile.suspect_factor * self.advert_interval

    @property
    def confirm_budget(self) -> Duration:
        """B = min(80 ms, max(20 ms, 0.8 x interval)): how long evidence is gathered before a claim."""
        return min(80 * MILLISECOND, max(20 * MILLISECOND, self.advert_interval * 8 // 10))

    @property
    def unconditional_after(self) -> Duration:
        """T_L = L + 1 s: how long an ARP answer alone may delay a claim."""
        return self.kernel_lease + SECOND

    @property
    def deaf_after(self) -> Duration:
        """10 x interval without a sound of anybody, the gateway included: a holder then resigns."""
        return 10 * self.advert_interval

    @property
    def move_window(self) -> Duration:
        """How long a claim is charged to the move budget."""
        return 600 * SECOND


class AddressState(enum.Enum):
    """How the kernel of this host has the VIP."""

    ABSENT = "absent"
    LEASED = "leased"
    """Present with a running lifetime: a daemon like this one put it there."""
    PERMANENT = "permanent"
    """Present for ever: somebody else's. Never touched."""


@dataclass(frozen=True, slots=True)
class VipView:
    """One VIP as this host's kernel has it."""

    vip: IPAddress
    state: AddressState
    behind_own: bool = True
    """False when an IPv4 VIP stands before the server's own address on its interface
    (RKE2 takes the first address as node IP); always True for IPv6."""


@dataclass(frozen=True, slots=True)
class HostView:
    """What the kernel says of interface and addresses, read in one go."""

    read_at: Instant
    """Clock before the read began: anything older than this is certainly in it."""
    interface: str | None
    """The interface whose subnet holds the VIP; None when there is none."""
    link_up: bool
    """Administratively up and with carrier."""
    own_address: bool
    """This server's own address is there."""
    vips: tuple[VipView, ...]
    gateway: IPAddress | None = None
    """A next hop in the VIP's subnet, asked when nobody is heard; None: deafness cannot be told."""
    detail: str = ""
    """For humans: what is missing, in one line."""

    @property
    def usable(self) -> bool:
        """True when this host can serve a VIP and send adverts."""
        return self.interface is not None and self.link_up and self.own_address


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered in /run across a restart of the daemon under the same boot of the host."""

    epoch: int
    """The highest epoch seen; our own when we held."""
    holding: bool
    """True when the VIP on this host is ours."""
    lease_until: Instant
    """When the kernel lease ends at the earliest: start of the last good renewal + L."""
    standby: bool
    """The operator keeps this server from claiming."""
    gateway: IPAddress | None = None
    """The gateway that has answered: only then its silence says that this server is deaf."""
