"""The world of a scenario: a cluster that tells in short lines what happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from support.cluster import START, Cluster, Host
from vipkeeper.core.actions import (
    Action,
    Alarm,
    Announce,
    Cause,
    ChangeAddresses,
    Exit,
    ProbeGateway,
    ProbeServer,
    ProbeVips,
    Reply,
    SendAdvert,
    State,
    Transition,
)
from vipkeeper.core.events import AdvertRejected, CheckName, HostObserved, Outcome
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.wire.types import Advert, IPAddress, Rejection, Role

GATEWAY = IPv4Address("10.10.10.1")
STRANGER = bytes.fromhex("020000000bad")
SECOND_LOOK = 60 * MILLISECOND
"""After this the prober looks again at what has changed."""
SHOWN = ("adverts", "probes", "announcements", "kernel")
"""What is told only when a scenario asks for it."""

Seen = tuple[State, State, Cause]


@dataclass
class Tally:
    """How long nobody had the VIP, how long more than one, and how often it moved."""

    nobody: Duration = 0
    several: Duration = 0
    moves: int = 0


class Stage(Cluster):
    """Nothing is told while `muted`, but the transitions are `seen`."""

    def __init__(self, count: int = 3, **changes: object) -> None:
        super().__init__(count, **changes)
        self.neighbours_known = True
        self.lines: list[str] = []
        self.muted = False
        self.shows: dict[str, set[int]] = {}
        self.zero: Instant = START
        self.seen: set[Seen] = set()
        self.tally = Tally()
        self.supervised = False
        self.api = [Outcome.OK] * count
        self.supervisor = [Outcome.OK] * count
        self.services = set(range(count))
        self.kept: dict[tuple[int, int], Advert] = {}
        """Adverts kept for a replay, by (from, to)."""
        self.forged: set[int] = set()
        """Servers in whose name somebody without the key sends."""
        self._vips: list[tuple[IPAddress, ...]] = [()] * count
        self._holders: list[str] = []
        self._last_holder = ""
        self._tallied: Instant = START

    def tell(self, text: str, host: Host | None = None) -> None:
        """One line of the trace."""
        if not self.muted:
            who = f"{host.name}  " if host is not None else ""
            self.lines.append(f"{(self.now - self.zero) / MILLISECOND:8.1f} ms  {who}{text}")

    def mark(self) -> None:
        """Count times, outages and moves from here."""
        self.count_time()
        self.zero = self.now
        self.tally = Tally()

    def count_time(self) -> None:
        """Add the time since the last change to the tally."""
        passed = self.now - self._tallied
        self._tallied = self.now
        if not self._holders:
            self.tally.nobody += passed
        elif len(self._holders) > 1:
            self.tally.several += passed
        holders = self.holders()
        for name in holders:
            if name not in self._holders and name != self._last_holder:
                self.tally.moves += bool(self._last_holder)
                self._last_holder = name
        self._holders = holders

    def start(self, *indices: int, ready: bool = True) -> None:
        for index in indices or range(len(self.hosts)):
            super().start(index, ready=False)
            if ready and self.hosts[index].settings.checked:
                self.look(index)

    def look(self, index: int) -> None:
        """The prober looks at API server and supervisor, now and once more."""
        api, supervisor = self.api[index], self.supervisor[index]

        def once() -> None:
            if (api, supervisor) != (self.api[index], self.supervisor[index]):
                return
            self.sample(index, api)
            if self.supervised:
                self.sample(index, supervisor, CheckName.SUPERVISOR)

        once()
        self.at(self.now + SECOND_LOOK, once)

    def run_until(self, condition: Callable[[], bool], limit: Duration) -> None:
        """Let the world go on, event by event, until the condition holds or the time is over."""
        end = self.now + limit
        while not condition() and self.now < end:
            self.run(max(1, min(self.next_at() or end, end) - self.now))

    def refuse_advert(self, host: Host, source: Host) -> None:
        """An advert in the name of `source` arrives that its key does not fit."""
        self.deliver(host, AdvertRejected(source.address, Rejection.WRONG_KEY))

    def lease_began(self, host: Host) -> None:
        """Somebody else gave the VIP a lifetime."""
        self._watch_lease(host)

    def stun(self, index: int) -> None:
        super().stun(index)
        self.count_time()

    def resume(self, index: int) -> None:
        super().resume(index)
        self.count_time()

    def observe_soon(self, index: int) -> None:
        """The kernel says that interface or addresses changed; the daemon reads a fresh view."""
        host = self.hosts[index]

        def arrive() -> None:
            self.deliver(host, HostObserved(host.view(self.now, gateway=self.gateway)))

        self.at(self.now + MILLISECOND, arrive)

    def kernel_changed(self, host: Host, why: str) -> None:
        before, after = self._vips[host.index], host.has_vips(self.now)
        self._vips[host.index] = after
        self.count_time()
        for vips, text in (
            ([v for v in after if v not in before], "on"),
            ([v for v in before if v not in after], f"off ({why})"),
        ):
            if len(vips) == len(host.settings.vips):
                self.tell(f"VIP {text}", host)
            else:
                for vip in vips:
                    self.tell(f"VIP {vip} {text}", host)

    def _carry_out(self, host: Host, action: Action) -> None:
        match action:
            case Transition():
                self.seen.add((action.before, action.after, action.cause))
                self.tell(_transition(action), host)
            case Alarm():
                self.tell(f"alarm: {action.kind.value}: {action.detail}", host)
            case Reply():
                self.tell(f"{'reply' if action.ok else 'reply, not done'}: {action.text}", host)
            case Exit():
                self.tell("daemon ends", host)
            case SendAdvert() if host.index in self.shows.get("adverts", ()):
                names = [h.name for h in self.hosts if h.address in action.to]
                self.tell(
                    f"advert to {' '.join(names) or 'nobody'}: {self._advert(action.advert)}", host
                )
            case ProbeVips() if host.index in self.shows.get("probes", ()):
                self.tell("asks who has the VIP", host)
            case ProbeServer() if host.index in self.shows.get("probes", ()):
                what = "kernel and API server" if action.service else "kernel"
                self.tell(f"asks the {what} of {self.hosts[action.server].name}", host)
            case ProbeGateway() if host.index in self.shows.get("probes", ()):
                self.tell("asks the gateway", host)
            case ChangeAddresses() if host.index in self.shows.get("kernel", ()):
                self.tell(f"asks its kernel to {action.operation.value} the VIP", host)
            case Announce() if host.index in self.shows.get("announcements", ()):
                self.tell("announces", host)
            case _:
                pass
        super()._carry_out(host, action)

    def _advert(self, advert: Advert) -> str:
        names = [host.name for host in self.hosts]
        parts = [advert.role.name.lower(), f"epoch {advert.epoch}", advert.health.name.lower()]
        ages = zip(names, advert.heard, strict=True)
        heard = [f"{name} {h.age_ms} ms ago" for name, h in ages if h.age_ms is not None]
        parts.append(f"heard {', '.join(heard)}" if heard else "heard nobody")
        if advert.follows is not None:
            parts.append(f"follows {names[advert.follows]}")
        if advert.role is Role.RESIGNED:
            named = names[advert.successor] if advert.successor is not None else "nobody"
            parts.append(f"names {named}")
        parts += [word for word in ("standby", "asks", "planned") if getattr(advert, word)]
        return "; ".join(parts)

    def summary(self) -> str:
        """What every server is, in configured order."""
        return ", ".join(f"{host.name} {self.what(host)}" for host in self.hosts)

    def what(self, host: Host) -> str:
        if not host.powered:
            return "without power"
        if host.node is None:
            return "without daemon" + (", VIP on" if host.has_vip(self.now) else "")
        state = host.node.state
        return (
            f"{state.value} (epoch {host.node.claim_epoch})"
            if state is State.HOLDER
            else state.value
        )


def _transition(action: Transition) -> str:
    detail = f" ({action.detail})" if action.detail else ""
    epoch = f", epoch {action.epoch}" if action.after is State.HOLDER else ""
    about = f" [{action.peer}]" if action.peer else ""
    return (
        f"{action.before.value} -> {action.after.value}: {action.cause.value}{about}{epoch}{detail}"
    )
