"""Nobody: for the lab's own tests and the measurement of its probes."""

from __future__ import annotations

from collections.abc import Set

from vipkeeper import __version__
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers.base import Manager, Style, Variant
from vipkeeper.lab.processes import LabError


class Manual(Manager):
    """Nobody: a test puts the VIP where it wants it."""

    name = "manual"
    variants = (Variant(Style.DEFAULT, "nobody"),)

    def version(self) -> str:
        """Of the program."""
        return __version__

    def prepare(self, cluster: Cluster) -> None:
        """Nothing to write."""

    def start(self, server: Server) -> None:
        """A process that does nothing."""
        server.daemon = server.start("manual", "sleep", "infinity")

    def settled(self, server: Server, cluster: Cluster, holding: Set[str]) -> bool:
        """Always."""
        return True

    def hand_over(self, server: Server) -> None:
        """Not possible."""
        raise LabError("nobody manages the VIP here")
