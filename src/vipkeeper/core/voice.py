"""Builds this server's adverts: identity, counter, and to whom they go."""

from __future__ import annotations

from vipkeeper.core.actions import Action, SendAdvert
from vipkeeper.core.types import MILLISECOND, Settings
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Role


class Voice:
    """One counter for the whole run of the daemon: no two adverts of a boot id share it."""

    def __init__(self, settings: Settings, boot_id: int) -> None:
        self._boot_id = boot_id
        self.sent = 0
        self.reconfigured(settings)

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings."""
        self._settings = settings
        self._sender = settings.servers[settings.own].address
        self._interval_ms = max(1, settings.advert_interval // MILLISECOND)
        self._others = tuple(s.address for i, s in enumerate(settings.servers) if i != settings.own)

    def advert(
        self,
        role: Role,
        *,
        health: Health,
        epoch: int,
        standby: bool,
        heard: tuple[Heard, ...],
        follows: int | None,
        successor: int | None = None,
        asks: bool = False,
        planned: bool = False,
    ) -> Advert:
        """The next advert."""
        return Advert(
            sender=self._sender,
            boot_id=self._boot_id,
            counter=self.sent + 1,
            epoch=epoch,
            role=role,
            health=health,
            standby=standby,
            interval_ms=self._interval_ms,
            cluster=self._settings.cluster,
            successor=successor,
            heard=heard,
            asks=asks,
            planned=planned,
            follows=follows,
        )

    def send(self, advert: Advert, only: IPAddress | None = None) -> list[Action]:
        """To every other server, or to one of them.

        In a cluster of one there is nobody, and an action only where an advert renews a strict lease.
        """
        to = self._others if only is None else (only,)
        if not to and self._settings.strict_lease is None:
            return []
        self.sent += 1
        return [SendAdvert(advert, to)]
