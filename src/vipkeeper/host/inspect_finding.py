"""What a judgement about this host looks like, and what it is judged against."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vipkeeper.wire.types import IPAddress


class Verdict(enum.Enum):
    """How good or bad a finding is."""

    OK = "ok"
    INFO = "info"
    """Worth knowing, nothing to mend."""
    UNKNOWN = "unknown"
    """Could not be looked at; never counts as bad."""
    WARNING = "warning"
    """The daemon runs, but something will go less well than it could."""
    PROBLEM = "problem"
    """The daemon cannot do its work."""


class Group(enum.Enum):
    """Under which heading a finding stands."""

    CONFIGURATION = "configuration"
    PERMISSIONS = "permissions"
    KERNEL = "kernel"
    NETWORK = "network"
    OTHERS = "other programs on this host"
    CONTROL_PLANE = "control plane"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    group: Group
    name: str
    verdict: Verdict
    text: str
    """What was found."""
    meaning: str = ""
    fix: str = ""
    of_own_configuration: bool = False
    """Whether what is wrong is the configuration and not the host."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration says of this host."""

    vips: tuple[IPAddress, ...]
    own: IPAddress | None
    """This server's address; None when no address of this host is in `servers`."""
    port: int
    """UDP port of the adverts."""
    distribution: str
    bare_metal: bool
    """True when the profile is for real machines."""
    interface: str | None
    """The interface the VIP belongs on, by name or by subnet; None when there is none."""
    servers: int = 1
    """How many there are; one alone is never deaf."""
    gateway: str = "auto"
    """The configuration key: an address, `auto` or `none`."""
    strict: bool = False
    """True with `kernel_lease: strict`."""
