"""The values that travel in our adverts."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

IPAddress = IPv4Address | IPv6Address
"""An address of either family."""


class Role(enum.IntEnum):
    """What the sender of an advert is doing."""

    LISTENING = 0
    """Started, has not yet heard enough to take part."""
    BACKUP = 1
    """Watches the holder and may take over."""
    HOLDER = 2
    """Holds the VIP."""
    RESIGNED = 3
    """Has just released the VIP; `Advert.successor` may name who is to claim it."""


class Health(enum.IntEnum):
    """How well a server can serve the control plane, best last.

    Health is a rank and never an eligibility: an unready server may hold the VIP when none is better.
    """

    UNREADY = 0
    """The API server refuses, fails or does not answer."""
    UNKNOWN = 1
    """Nothing is known (no sample yet, or the prober is gone). Never causes a move."""
    API_ONLY = 2
    """The API server is ready; the supervisor (RKE2: port 9345) is not."""
    READY = 3
    """The API server is ready, and the supervisor where the distribution has one."""

    @property
    def serves(self) -> bool:
        """True when the API server is known to be ready."""
        return self in SERVING


SERVING = (Health.READY, Health.API_ONLY)
"""For those who ask at each advert: `Health.serves` without the call."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the sender last heard from one server, directly and not through others."""

    boot_id: int
    """The boot id of that server's last accepted advert; 0 when never heard."""
    age_ms: int | None
    """Milliseconds since then when this advert was sent; None when never heard or 65535 ms or more."""


@dataclass(frozen=True, slots=True)
class Advert:
    """One advert: who the sender is, what it does, how well it is, and whom it hears."""

    sender: IPAddress
    """The sender's own server address; must equal the datagram's source."""
    boot_id: int
    """Random 64-bit number, new at every start of the daemon, never 0."""
    counter: int
    """Grows by at least one with every advert of one boot id (replay protection), 64 bits."""
    epoch: int
    """The highest epoch the sender knows; a holder's own epoch, 64 bits."""
    role: Role
    health: Health
    standby: bool
    """True when the sender must not be chosen (operator's standby, or no usable interface)."""
    interval_ms: int
    """The sender's advert interval, 1 to 65535 milliseconds."""
    cluster: bytes
    """Digest of vip, servers and their order, 8 bytes; a difference is an alarm."""
    successor: int | None = None
    """Index in the configured order of the server that shall claim next, 0 to 254."""
    heard: tuple[Heard, ...] = ()
    """One entry for each configured server in order (own entry included), at most 64."""
    asks: bool = False
    """True when the sender suspects the holder: whoever gets this answers at once with its own advert."""
    planned: bool = False
    """In a resignation: an operator asked for it. Such a move is not charged to the move budget."""
    follows: int | None = None
    """Index of the server whose newest advert of a holder the sender got directly; None: nobody's.
    Only with this is a `Heard` entry evidence that a *holder* lives."""


class Rejection(enum.Enum):
    """Why bytes from the network were not accepted as an advert."""

    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    BAD_MAGIC = "not an advert"
    UNKNOWN_VERSION = "unknown wire version"
    BAD_LENGTH = "length does not fit its contents"
    WRONG_KEY = "authentication failed"
    BAD_FIELD = "field out of range"
    WRONG_SOURCE = "source is not the sender it names"
    UNKNOWN_SENDER = "sender is not in servers"
    REPLAYED = "counter not newer than the last one"
