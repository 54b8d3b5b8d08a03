"""Builds this server's adverts: identity, counter, and to whom they go."""

from __future__ import annotations

from vipkeeper.core.actions import Action, SendAdvert
from vipkeeper.core.types import MILLISECOND, Settings
from vipkeeper.wire.types import Advert, Health, Heard, Role


class Voice:
    """One counter for the whole run of the daemon: no two adverts of a boot id share it."""

    def __init__(self, settings: Settings, boot_id: int) -> None:
        self._settings = settings
        self._boot_id = boot_id
        self.sent = 0

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings."""
        self._settings = settings

    def advert(
        self,
        role: Role,
        *,
        health: Health,
        epoch: int,
        standby: bool,
        successor: int | None,
        heard: tuple[Heard, ...],
    ) -> Advert:
        """The next advert."""
        settings = self._settings
        return Advert(
            sender=settings.servers[settings.own].address,
            boot_id=self._boot_id,
            counter=self.sent + 1,
            epoch=epoch,
            role=role,
            health=health,
            standby=standby,
            interval_ms=max(1, settings.advert_interval // MILLISECOND),
            cluster=settings.cluster,
            successor=successor,
            heard=heard,
        )

    def send(self, advert: Advert) -> list[Action]:
        """To every other server. In a cluster of one only where it renews the strict lease."""
        settings = self._settings
        to = tuple(s.address for i, s in enumerate(settings.servers) if i != settings.own)
        if not to and settings.strict_lease is None:
            return []
        self.sent += 1
        return [SendAdvert(advert, to)]
