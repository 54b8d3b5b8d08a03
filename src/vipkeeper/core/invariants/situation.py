"""The world as the facts of a trace tell it, and the nodes as their events and actions do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vipkeeper.core.actions import SendAdvert, State, Transition
from vipkeeper.core.events import (
    AdvertReceived,
    AdvertRejected,
    ForeignClaimSeen,
    GatewayAnswered,
    HostObserved,
    Reconfigured,
    ServerAnswered,
    Started,
    VipAnswered,
)
from vipkeeper.core.facts import (
    CLIENT,
    GATEWAY,
    LOST_ALL,
    AnswersChanged,
    ApiChanged,
    ApiState,
    ClockChanged,
    Configured,
    DaemonChanged,
    Disturber,
    DisturberChanged,
    Fact,
    FaultInjected,
    HostChanged,
    LinkChanged,
    PowerChanged,
    ServedChanged,
    StateKnown,
    StunChanged,
    VipChanged,
    WireChanged,
)
from vipkeeper.core.invariants.subject import FIT_LATENESS, Heard, ServerSituation
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant, Settings
from vipkeeper.wire.types import SERVING, Advert, Role

CLEAR_DELAY: Duration = 5 * MILLISECOND
"""A wire that takes longer than this is not clear."""
USUAL_DELAY: Duration = MILLISECOND
HEALTH_SETTLES: Duration = 12_000 * MILLISECOND
"""A failed API server may move the VIP this long after the last news: a time-out, the delay of a soft
failure, and what probers lag behind."""
SOUNDS = (
    AdvertRejected, VipAnswered, ServerAnswered, GatewayAnswered, ForeignClaimSeen,
)  # fmt: skip
"""Whatever arrives from the network besides adverts."""


class Situation:
    """Facts and turns in, in order; the predicates read."""

    def __init__(self, patience: Duration = 0, rest: Duration | None = None) -> None:
        """`patience`, `rest`: as `Checker` says."""
        self.patience = patience
        self._rest = rest
        self.servers: dict[str, ServerSituation] = {}
        self.by_address: dict[object, str] = {}
        self._sources: list[tuple[object, str]] = []
        self.lost: dict[tuple[str, str], int] = {}
        """Thousandths lost on a wire that is not clear; bursts and long delays count as all."""
        self.delay: dict[tuple[str, str], Duration] = {}
        self.bursts: dict[tuple[str, str], bool] = {}
        self._unclear: set[tuple[str, str]] = set()
        self.disturbers: dict[tuple[Disturber, str | None], bool] = {}
        self.served: str | None = None
        self.served_since: Instant = 0
        self.changed_at: Instant = 0
        """When anything but addresses, answers and the client's view last changed."""
        self.moved_at: Instant = 0
        """When a node last changed its state."""
        self.health_at: Instant = 0
        """When anything last changed that health may follow: API servers, probers, daemons."""
        self.calm_since: Instant | None = None
        self.moves = 0
        """Times a node became holder that was not the last one."""
        self.several = False
        """More than one server answers."""
        self._last_holder: str | None = None

    def take(self, at: Instant, fact: Fact) -> None:
        """A fact changes the situation."""
        if self._quiet(at, fact):
            return
        self.changed_at = at
        if isinstance(fact, ApiChanged | DaemonChanged | FaultInjected):
            self.health_at = at
        self._loud(at, fact)
        calm = self._calm()
        if not calm:
            self.calm_since = None
        elif self.calm_since is None:
            self.calm_since = at

    def _quiet(self, at: Instant, fact: Fact) -> bool:
        """Facts that tell what came of it, and disturb nobody."""
        match fact:
            case VipChanged(server, present):
                self.servers[server].vip = present
            case AnswersChanged(server, answers):
                self.servers[server].answers = answers
                self.several = len(self.answering()) > 1
            case ServedChanged(server):
                self.served = server
                self.served_since = at
            case _:
                return False
        return True

    def _loud(self, at: Instant, fact: Fact) -> None:
        match fact:
            case Configured(server, settings):
                self._configured(server, settings)
            case WireChanged(source, target, lost, delay, bursts):
                wire = (source, target)
                self.lost[wire], self.delay[wire], self.bursts[wire] = lost, delay, bursts
                clear = delay <= CLEAR_DELAY and not bursts and lost == 0
                (self._unclear.discard if clear else self._unclear.add)(wire)
            case DisturberChanged(disturber, about, on):
                self.disturbers[(disturber, about)] = on
            case _:
                self._server(at, fact)

    def _configured(self, name: str, settings: Settings) -> None:
        """What is true of a server's machine outlives a new start, or new settings, of its daemon."""
        server = self.servers.get(name)
        if server is None:
            server = self.servers[name] = ServerSituation(name, settings.own, settings)
            server.fit_lateness = FIT_LATENESS + self.patience
        server.index, server.settings = settings.own, settings
        self.by_address |= {one.address: one.name for one in settings.servers}
        self._sources = list(self.by_address.items())

    def _server(self, at: Instant, fact: Fact) -> None:
        name = getattr(fact, "server", None)
        server = self.servers.get(name) if isinstance(name, str) else None
        if server is None:
            return
        server.changed_at = at
        server.count_stall(at)
        match fact:
            case StateKnown(_, state):
                server.state = state
            case PowerChanged(_, on):
                server.power = on
            case StunChanged(_, on):
                server.stunned = on
            case DaemonChanged(_, daemon):
                server.daemon = daemon
                if server.gone:
                    server.state, server.state_since = State.STOPPED, at
                    server.boot_id = 0
            case LinkChanged(_, up):
                server.link = up
            case ApiChanged(_, api):
                server.api_before, server.api, server.api_since = server.api, api, at
            case HostChanged(_, late, refuses):
                server.late, server.refuses = late, refuses
            case ClockChanged(_, rate):
                server.rate = rate
            case _:
                pass

    def turn(self, local: Instant, name: str, event: Any) -> None:
        """A node took an event that is neither an advert nor a tick."""
        server = self.servers[name]
        kind = type(event)
        if kind in SOUNDS:
            server.sound(local)
        if kind is GatewayAnswered:
            server.gateway_proven = server.gateway
        elif kind is Started:
            server.heard.clear()
            server.boot_id = 0
            server.sound(local)
            server.gateway = event.host.gateway
            server.gateway_proven = event.record.gateway if event.record is not None else None
        elif kind is HostObserved:
            server.gateway = event.host.gateway
        elif kind is Reconfigured:
            self._configured(name, event.settings)

    def transition(self, at: Instant, local: Instant, name: str, transition: Transition) -> None:
        """A node changed its state."""
        server = self.servers[name]
        server.state, server.state_since = transition.after, at
        if transition.after is State.SUSPECT:
            server.suspected_at = local
        elif transition.after is State.HOLDER:
            self.moves += self._last_holder not in (None, name)
            self._last_holder = name
        self.moved_at = at

    def sent(self, at: Instant, name: str, action: SendAdvert) -> None:
        """A node sent an advert."""
        server = self.servers[name]
        server.boot_id = action.advert.boot_id
        server.standby = action.advert.standby
        server.advert_at = at

    def advert(self, local: Instant, hearer: str, event: AdvertReceived) -> None:
        """A node took an advert. It counts when the node must have accepted it: proven, and newer than the
        last."""
        server = self.servers[hearer]
        server.sound(local)
        advert = event.advert
        name = self._named(event.source)
        if name is None or name == hearer:
            return
        if event.source is not advert.sender and event.source != advert.sender:
            return
        heard = server.heard.get(name)
        if heard is None:
            heard = server.heard[name] = Heard()
        if advert.boot_id != heard.proven:
            if advert.boot_id in heard.over:
                return
            own = advert.heard[server.index] if server.index < len(advert.heard) else None
            if own is None or not server.boot_id or own.boot_id != server.boot_id:
                return
            heard.over.add(heard.proven)
            heard.proven = advert.boot_id
        elif heard.advert is not None and advert.counter <= heard.advert.counter:
            return
        if advert.health not in SERVING:
            heard.serving_since = None
        elif heard.serving_since is None:
            heard.serving_since = event.received
        else:
            gap = event.received - heard.received
            usual = server.settings.advert_interval
            if gap > 2 * usual and gap > suspect_after(server.settings, heard.advert):
                heard.serving_since = event.received
        heard.advert = advert
        heard.received = event.received

    def _named(self, source: object) -> str | None:
        """Mostly the very object of the settings, and an address is slow to hash."""
        for address, name in self._sources:
            if address is source:
                return name
        return self.by_address.get(source)

    # What the predicates ask

    def is_clear(self, source: str, target: str) -> bool:
        """Nothing is lost or late on this wire."""
        return (source, target) not in self._unclear

    def is_cut(self, source: str, target: str) -> bool:
        """Nothing arrives on this wire."""
        return self.lost.get((source, target), 0) >= LOST_ALL

    def is_on(self, *disturbers: Disturber) -> bool:
        """One of these is there, wherever."""
        return any(on and which[0] in disturbers for which, on in self.disturbers.items())

    def has_own_key(self, server: ServerSituation) -> bool:
        """Its key is another than everybody's: it obeys nobody and nobody obeys it."""
        return self.disturbers.get((Disturber.WRONG_KEY, server.name), False)

    def fit(self, server: ServerSituation) -> bool:
        """Nothing is wrong with it, nor with its wires to client, gateway and every other running one."""
        if not server.fit_itself:
            return False
        ends = [CLIENT, GATEWAY]
        ends += [o.name for o in self.servers.values() if o is not server and not o.gone]
        return all(
            self.is_clear(server.name, end) and self.is_clear(end, server.name) for end in ends
        )

    def _calm(self) -> bool:
        """Every server is fit or gone, and nothing else disturbs."""
        if any(on for on in self.disturbers.values()):
            return False
        return all(server.gone or self.fit(server) for server in self.servers.values())

    def answering(self) -> list[ServerSituation]:
        """The servers that answer ARP for the VIP."""
        return [server for server in self.servers.values() if server.answers]

    def settled(self, at: Instant) -> ServerSituation | None:
        """The one holder of a cluster in which nothing has happened for a while; else None.

        The client is served by it, every other running server follows or stands by.
        """
        settings = self.settings
        quiet_for = self._rest
        if quiet_for is None:
            quiet_for = max(3 * SECOND, 20 * settings.advert_interval)
        last = max(self.changed_at, self.moved_at, self.served_since)
        if self.calm_since is None or at - last < quiet_for:
            return None
        failed = any(s.api is not ApiState.READY for s in self.servers.values() if not s.gone)
        if failed and at - self.health_at < HEALTH_SETTLES:
            return None
        holders = self.answering()
        if len(holders) != 1 or holders[0].state is not State.HOLDER:
            return None
        if self.served != holders[0].name:
            return None
        resting = (State.BACKUP, State.STANDBY)
        for server in self.servers.values():
            if server is holders[0]:
                continue
            if server.gone and server.vip:
                return None
            if not server.gone and server.state not in resting:
                return None
        return holders[0]

    def candidates(self, besides: str | None) -> Iterator[ServerSituation]:
        """Fit servers that would claim."""
        for server in self.servers.values():
            able = server.state is State.BACKUP and not server.standby and self.fit(server)
            if able and server.name != besides:
                yield server

    @property
    def settings(self) -> Settings:
        """Of any server; what predicates read of it is the same everywhere."""
        return next(iter(self.servers.values())).settings

    @property
    def longest_delay(self) -> Duration:
        """The most that a packet takes on any wire that is not cut."""
        found = (d for wire, d in self.delay.items() if self.lost.get(wire, 0) < LOST_ALL)
        return max(found, default=USUAL_DELAY)

    def slowest(self, duration: Duration) -> Duration:
        """The longest true time any clock of the cluster takes to count a duration."""
        return max((s.stretched(duration) for s in self.servers.values()), default=duration)

    def latest(self, *servers: ServerSituation) -> Duration:
        """The most by which timers and kernels of these are late."""
        return max(server.late for server in servers)


def suspect_after(settings: Settings, advert: Advert | None) -> Duration:
    """Silence that counts: by the longer interval of the two, at most 5 s."""
    own = settings.advert_interval
    theirs = advert.interval_ms * MILLISECOND if advert is not None else own
    return settings.profile.suspect_factor * min(max(own, theirs), 5_000 * MILLISECOND)


def is_holder(advert: Advert | None) -> bool:
    """The sender said that it holds."""
    return advert is not None and advert.role is Role.HOLDER
