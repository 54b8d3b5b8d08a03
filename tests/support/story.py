"""Traces made by hand for tests of the invariants: facts and turns at times in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from support.cluster import VIP, settings
from vipkeeper.core.actions import Cause, SendAdvert, State, Transition
from vipkeeper.core.events import AdvertReceived, Event, Started, Tick
from vipkeeper.core.facts import (
    AnswersChanged,
    Configured,
    DaemonChanged,
    DaemonState,
    Fact,
    FaultInjected,
    FaultKind,
    ServedChanged,
    VipChanged,
)
from vipkeeper.core.invariants.base import Invariant
from vipkeeper.core.invariants.checker import INVARIANTS, Checker
from vipkeeper.core.types import MILLISECOND, AddressState, HostView, Settings, VipView
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Role

GATEWAY: IPAddress = IPv4Address("10.10.10.1")


class Story:
    """Three servers cp1..cp3 with running daemons; nobody has the VIP."""

    def __init__(
        self, count: int = 3, *, only: type[Invariant] | None = None, **changes: Any
    ) -> None:
        self.checker = Checker(INVARIANTS if only is None else (only,))
        self.now = 0
        self.settings: dict[str, Settings] = {}
        self.counter = 0
        for own in range(count):
            one = settings(own, count, **changes)
            name = one.servers[own].name
            self.settings[name] = one
            self.fact(Configured(name, one))
            self.fact(DaemonChanged(name, DaemonState.RUNNING))
            self.turn(name, Started(self._view(), None))
            self.sends(name)

    def _view(self) -> HostView:
        vips = (VipView(VIP, AddressState.ABSENT),)
        return HostView(self.now, "eth0", True, True, vips, gateway=GATEWAY)

    def at(self, milliseconds: float) -> Story:
        """From now on it is this time."""
        self.now = int(milliseconds * MILLISECOND)
        return self

    def fact(self, *facts: Fact) -> Story:
        for fact in facts:
            self.checker.fact(self.now, fact)
        return self

    def fault(self, kind: FaultKind, server: str | None = None, *, began: bool = True) -> Story:
        return self.fact(FaultInjected(kind, server, began))

    def turn(self, server: str, event: Event, *actions: object) -> Story:
        self.checker.turn(self.now, self.now, server, event, actions)
        return self

    def enters(
        self,
        server: str,
        after: State,
        cause: Cause = Cause.HOLDER_SILENT,
        *,
        before: State | None = None,
        peer: str | None = None,
    ) -> Story:
        was = before or self.checker.situation.servers[server].state
        return self.turn(server, Tick(), Transition(was, after, cause, 1, peer))

    def holds(self, server: str) -> Story:
        """It becomes holder, has the VIP and answers."""
        self.enters(server, State.CLAIM).fact(VipChanged(server, True))
        self.fact(AnswersChanged(server, True))
        return self.enters(server, State.HOLDER)

    def drops(self, server: str) -> Story:
        """The VIP is gone from it."""
        return self.fact(AnswersChanged(server, False), VipChanged(server, False))

    def at_rest(self, holder: str = "cp1") -> Story:
        """A settled cluster, ten seconds old."""
        self.holds(holder).fact(ServedChanged(holder))
        for name in self.settings:
            if name != holder:
                self.enters(name, State.BACKUP, Cause.HOLDER_HEARD)
        self.hear_each_other()
        return self.at(self.now / MILLISECOND + 10_000)

    def sends(self, server: str) -> Story:
        """Its first advert, which shows its boot id."""
        return self.turn(server, Tick(), SendAdvert(self.advert(server), ()))

    def advert(self, server: str, role: Role = Role.BACKUP, **changes: Any) -> Advert:
        one = self.settings[server]
        self.counter += 1
        heard = tuple(Heard(1 + i, 0) for i in range(len(one.servers)))
        advert = Advert(
            sender=one.servers[one.own].address,
            boot_id=1 + one.own,
            counter=self.counter,
            epoch=1,
            role=role,
            health=Health.READY,
            standby=False,
            interval_ms=one.advert_interval // MILLISECOND,
            cluster=one.cluster,
            heard=heard,
        )
        return replace(advert, **changes)

    def hears(self, server: str, other: str, role: Role = Role.BACKUP, **changes: Any) -> Story:
        advert = self.advert(other, role, **changes)
        source = self.settings[other].servers[self.settings[other].own].address
        return self.turn(server, AdvertReceived(source, advert, self.now))

    def hear_each_other(self) -> Story:
        for one in self.settings:
            for other in self.settings:
                if one != other:
                    self.hears(one, other)
        return self

    def broken(self) -> list[str]:
        """Ids of what was broken by the end."""
        self.checker.finish(self.now)
        return [violation.invariant for violation in self.checker.violations]
