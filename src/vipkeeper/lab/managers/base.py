"""What every program that holds the VIP in the lab can be asked, vipkeeper and its peers alike."""

from __future__ import annotations

import abc
import enum
import shutil
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import ClassVar

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.processes import LabError, environment
from vipkeeper.lab.topology import Topology

SECOND = 1_000_000_000
CHECK_MS = 1000
"""Milliseconds between two checks of the API server, unless a manager's settings say otherwise."""


class Style(enum.StrEnum):
    """Which of a manager's ways to be set up is meant."""

    DEFAULT = "default"
    """As its own documentation or its packager recommends it."""
    DEFAULT_V3 = "default-v3"
    """The same by VRRP version 3."""
    BEST = "best"
    """As fast and as steady as its settings allow."""
    BEST_V2 = "best-v2"
    """The same by VRRP version 2, whose intervals are whole seconds."""
    WEIGHTED = "weighted"
    """As best, but a failed check lowers the priority, so that the VIP never leaves all servers."""
    HASTY = "hasty"
    """As best, but two missed adverts are silence instead of three."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to set a manager up."""

    style: Style
    what: str
    """For a reader, one line."""
    interval_ms: int | None = None
    """Milliseconds between two adverts where the style fixes them; None: as asked."""


class Manager(abc.ABC):
    """Runs a daemon on every server. Its word is used to wait, never to judge."""

    name: ClassVar[str]
    variants: ClassVar[tuple[Variant, ...]]
    """The first one is taken when none is named."""
    program: ClassVar[str] = ""
    """What must be on the PATH; empty: nothing but this package."""
    traced: bool = False
    """Whether its daemons write a trace (docs/trace.md)."""
    source: ClassVar[str] = ""
    """How to get the program, for the message that it is missing."""

    def __init__(
        self, interval_ms: int, settings: Sequence[str] = (), style: Style | None = None
    ) -> None:
        """`interval_ms`: time between two adverts, milliseconds; `settings`: more lines of cluster.yaml.

        Raises:
            LabError: the manager has no such style.
        """
        self.variant = self.find(style)
        self.interval_ms = self.variant.interval_ms or interval_ms
        self.settings = tuple(settings)

    @classmethod
    def find(cls, style: Style | None) -> Variant:
        """The variant of a style; the first one for None.

        Raises:
            LabError: the manager has no such style.
        """
        for variant in cls.variants:
            if style in (None, variant.style):
                return variant
        known = ", ".join(variant.style for variant in cls.variants)
        raise LabError(f"{cls.name} has no variant '{style}'; it has {known}")

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be played here, one line; empty when it can."""
        if not cls.program or installed(cls.program):
            return ""
        return f"{cls.program} is not installed ({cls.source})"

    def cycle_ms(self, place: int) -> int:
        """The longest of the holder's periods, milliseconds: a fault comes at a random phase of it.

        `place`: the holder's among the servers, 0 for the first.
        """
        del place
        return max(self.interval_ms, CHECK_MS)

    @abc.abstractmethod
    def version(self) -> str:
        """Of the program, for the report."""

    def mistakes(self, network: Topology) -> list[str]:
        """What is wrong with the configuration it would write, a line each; asked before anything is built."""
        del network
        return []

    @abc.abstractmethod
    def prepare(self, cluster: Cluster) -> None:
        """Write the configuration of every server; once for a cluster."""

    @abc.abstractmethod
    def start(self, server: Server) -> None:
        """Start the daemon; it becomes `server.daemon`."""

    @abc.abstractmethod
    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """Whether the daemon has heard all it needs to decide well: peers, health.

        `holding`: the servers whose kernel has the VIP.
        """

    @abc.abstractmethod
    def hand_over(self, server: Server) -> None:
        """Ask the holder to give the VIP to another server, in its most graceful way."""

    def answers(self, server: Server) -> bool | None:
        """Whether an operator can ask the daemon; None: it has nobody to be asked by."""
        del server
        return None

    def demand(self) -> None:
        """Raise LabError where the program is missing."""
        if reason := self.missing():
            raise LabError(f"--manager {self.name}: {reason}")


def installed(program: str) -> bool:
    """Whether the lab would find a program."""
    return shutil.which(program, path=environment()["PATH"]) is not None


def script(cluster: Cluster, name: str, *lines: str) -> str:
    """Write an executable of these lines, the interpreter first, for all servers; its path."""
    path = cluster.directory / name
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o755)
    return str(path)
