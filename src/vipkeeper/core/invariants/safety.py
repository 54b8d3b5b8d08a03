"""S1 to S4: who has the VIP, seen from the wire and the kernels."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Sequence
from typing import ClassVar

from vipkeeper.core.actions import AddressOperation, ChangeAddresses, State
from vipkeeper.core.events import AddressesDone, AddressOutcome, Started
from vipkeeper.core.facts import DaemonState, Fact
from vipkeeper.core.invariants.base import Invariant, Report, Stretch, ms
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.subject import ServerSituation
from vipkeeper.core.types import MILLISECOND, Duration, Instant

KERNEL_LATE: Duration = 220 * MILLISECOND
"""By how much a kernel removes an expired address late."""
LAPSE_LATE: Duration = 520 * MILLISECOND
"""By how much a kernel ends a lease late: it rounds up by HZ/4 (net/ipv4/devinet.c, ADDRCONF_TIMER_FUZZ), and with
HZ=250 its timers of seconds come 256 ms late at most (kernel/time/timer.c). 318 ms were seen."""
SLACK: Duration = 5 * MILLISECOND
WITNESS_INTERVALS = 10
ACTIVE = (State.CLAIM, State.HOLDER, State.RELEASE)
"""States in which a node may have the VIP."""

Pair = tuple[str, str]


class _Pairs(Invariant, abc.ABC):
    """Two servers that both answer for the VIP, under a condition, for too long."""

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._stretches: dict[Pair, Stretch] = {}

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        for pair, stretch in self._stretches.items():
            self._judge(at, pair, stretch)

    def changed(self, at: Instant, fact: Fact) -> None:
        """See whether two answer now."""
        self._update(at)

    def _look(self, at: Instant) -> None:
        for pair, stretch in self._stretches.items():
            self._judge(at, pair, stretch)
        self._update(at)

    def _update(self, at: Instant) -> None:
        situation = self.situation
        if not situation.several and not self._stretches:
            return
        answering = [s for s in situation.answering() if not situation.has_own_key(s)]
        pairs = {(a.name, b.name): (a, b) for a, b in itertools.combinations(answering, 2)}
        for pair in [p for p in self._stretches if p not in pairs]:
            del self._stretches[pair]
        for pair, (a, b) in pairs.items():
            stretch = self._stretches.setdefault(pair, Stretch())
            stretch.update(at, self.applies(a, b), self.limit(at, a, b))

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        for pair, stretch in self._stretches.items():
            self._judge(at, pair, stretch)

    @abc.abstractmethod
    def applies(self, a: ServerSituation, b: ServerSituation) -> bool:
        """The promise is about these two as things are now."""

    @abc.abstractmethod
    def limit(self, at: Instant, a: ServerSituation, b: ServerSituation) -> Duration:
        """How long both may answer."""

    def _judge(self, at: Instant, pair: Pair, stretch: Stretch) -> None:
        lasted = stretch.exceeded(at)
        if lasted is not None:
            text = f"both answer for the VIP for {ms(lasted)}, at most {ms(stretch.limit)}"
            self.broken(at, pair[0], f"{pair[0]} and {pair[1]} {text}")


class TwoOnWorkingWires(_Pairs):
    """S1: two servers whose wires work in both directions do not both answer for the VIP, whatever pauses
    and kills happen to their daemons.

    Bound: the kernel lease L (with a strict lease: that one) on the slower clock, plus 520 ms by which a
    kernel ends a lease late, plus twice the lateness of timers and kernel. It counts from when
    both answer, both wires are clear and neither machine is stunned.
    Blind: a wire that loses some packets counts as not working; servers with different keys, who obey
    each other never.
    """

    id: ClassVar[str] = "S1"

    def applies(self, a: ServerSituation, b: ServerSituation) -> bool:
        """Both wires are clear; who answers is neither stunned nor off."""
        return self.situation.is_clear(a.name, b.name) and self.situation.is_clear(b.name, a.name)

    def limit(self, at: Instant, a: ServerSituation, b: ServerSituation) -> Duration:
        """The longer of the two leases."""
        return max(self._lease(a), self._lease(b)) + 2 * self.situation.latest(a, b) + SLACK

    def _lease(self, server: ServerSituation) -> Duration:
        settings = server.settings
        if settings.strict_lease is not None:
            return server.stretched(settings.strict_lease)
        return server.stretched(settings.kernel_lease + LAPSE_LATE)


class TwoOnOneDirection(_Pairs):
    """S2: of two servers that both hold the VIP one gives way when at least one direction works.

    Bound: (F + 3) x I after the later of: the claim, the direction working, both daemons running, both
    runs proven to each other. One that cannot be heard first learns that its own adverts have become
    older than F x I, then is told so three times. Plus delays and lateness.
    Blind: runs that have not proven themselves to each other; a wrong key; wires with some loss.
    """

    id: ClassVar[str] = "S2"

    def applies(self, a: ServerSituation, b: ServerSituation) -> bool:
        """Both hold, run, know each other's run, and one hears the other."""
        both = a.state is State.HOLDER and b.state is State.HOLDER and a.runs and b.runs
        if not both or a.refuses or b.refuses or not self._proven(a, b):
            return False
        return self.situation.is_clear(a.name, b.name) or self.situation.is_clear(b.name, a.name)

    def limit(self, at: Instant, a: ServerSituation, b: ServerSituation) -> Duration:
        """By the slower clock."""
        intervals = a.settings.profile.suspect_factor + 3
        interval = max(s.stretched(s.settings.advert_interval) for s in (a, b))
        delays = 4 * self.situation.longest_delay + 4 * self.situation.latest(a, b)
        return intervals * interval + delays + SLACK

    def transition(self, at: Instant, local: Instant, server: str, transition: object) -> None:
        """The states are part of the condition."""
        self._look(at)

    def turn(self, at: Instant, server: str, event: object, actions: object) -> None:
        """An advert may have proven a run."""
        if self._stretches:
            self._look(at)

    def _proven(self, a: ServerSituation, b: ServerSituation) -> bool:
        return _knows(a, b) and _knows(b, a)


class TwoWithWitness(_Pairs):
    """S2: of two servers that both hold the VIP and cannot hear each other one gives way when a third that
    is fit hears and is heard by both.

    Bound: 10 x I on the slowest clock after the later of: the claim, the three hearing each other. The
    third learns of both within I, and the one that it does not follow is told so six times. Plus delays.
    Blind: runs that have not proven themselves to each other; a wrong key; wires with some loss.
    """

    id: ClassVar[str] = "S2"

    def applies(self, a: ServerSituation, b: ServerSituation) -> bool:
        """Both hold and run, and somebody follows who hears both."""
        both = a.state is State.HOLDER and b.state is State.HOLDER
        if not both or not a.fit_itself or not b.fit_itself:
            return False
        return any(self._hears_both(c, a, b) for c in self.situation.servers.values())

    def _hears_both(self, c: ServerSituation, a: ServerSituation, b: ServerSituation) -> bool:
        if c.state is not State.BACKUP or not c.fit_itself or self.situation.has_own_key(c):
            return False
        return all(self._hear_each_other(c, one) for one in (a, b))

    def _hear_each_other(self, one: ServerSituation, other: ServerSituation) -> bool:
        situation = self.situation
        clear = situation.is_clear(one.name, other.name) and situation.is_clear(
            other.name, one.name
        )
        return clear and _knows(one, other) and _knows(other, one)

    def limit(self, at: Instant, a: ServerSituation, b: ServerSituation) -> Duration:
        """By the slowest clock."""
        situation = self.situation
        interval = situation.slowest(a.settings.advert_interval)
        return WITNESS_INTERVALS * interval + 4 * situation.longest_delay + SLACK

    def transition(self, at: Instant, local: Instant, server: str, transition: object) -> None:
        """The states are part of the condition."""
        self._look(at)

    def turn(self, at: Instant, server: str, event: object, actions: object) -> None:
        """An advert may have proven a run."""
        if self._stretches:
            self._look(at)


def _knows(one: ServerSituation, other: ServerSituation) -> bool:
    heard = one.heard.get(other.name)
    return heard is not None and bool(other.boot_id) and heard.proven == other.boot_id


class _Each(Invariant, abc.ABC):
    """One condition a server that may hold only so long."""

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._stretches: dict[str, Stretch] = {}

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        for name, stretch in self._stretches.items():
            self._judge(at, name, stretch)

    def changed(self, at: Instant, fact: Fact) -> None:
        """Look at every server again."""
        self._look(at)

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        for name, stretch in self._stretches.items():
            self._judge(at, name, stretch)

    def _look(self, at: Instant) -> None:
        for name, server in self.situation.servers.items():
            bad = self.bad(server)
            if bad or name in self._stretches:
                stretch = self._stretches.setdefault(name, Stretch())
                stretch.update(at, bad, self.limit(server))
                if not bad:
                    del self._stretches[name]

    @abc.abstractmethod
    def bad(self, server: ServerSituation) -> bool:
        """The condition."""

    @abc.abstractmethod
    def limit(self, server: ServerSituation) -> Duration:
        """How long it may hold."""

    @abc.abstractmethod
    def says(self, server: ServerSituation) -> str:
        """What is wrong."""

    def _judge(self, at: Instant, name: str, stretch: Stretch) -> None:
        lasted = stretch.exceeded(at)
        if lasted is not None:
            server = self.situation.servers[name]
            text = f"{name} {self.says(server)} for {ms(lasted)}, at most {ms(stretch.limit)}"
            self.broken(at, name, text)


class LeftBehind(_Each):
    """S3: nothing of the VIP stays on a server whose daemon is gone or stopped.

    Bound: L + 0.52 s on the server's clock, and its lateness, after the daemon was killed, or while it is
    stalled; 0 after it ended by itself.
    Blind: routes and rules of the packet filter, which facts do not carry; a stunned machine.
    """

    id: ClassVar[str] = "S3"

    def bad(self, server: ServerSituation) -> bool:
        """The VIP is here and nobody is in charge of it."""
        alive = server.power and not server.stunned
        return alive and server.vip and server.daemon is not DaemonState.RUNNING

    def limit(self, server: ServerSituation) -> Duration:
        """0 for one that cleaned up."""
        if server.daemon is DaemonState.STOPPED:
            return 0
        lease = server.settings.kernel_lease + LAPSE_LATE
        return server.stretched(lease) + server.late + SLACK

    def says(self, server: ServerSituation) -> str:
        """What is wrong."""
        return f"has the VIP with its daemon {server.daemon.value}"


class AnswersOnlyAsHolder(_Each):
    """S4: a server whose daemon runs answers for the VIP only while it claims, holds or releases it.

    Bound: 0.22 s (a kernel removes late) plus twice its lateness; L where the kernel refuses changes.
    With a strict lease it does not answer longer than that lease, and its lateness, after its last advert either.
    Blind: the strict part is judged when something changes, not at each instant.
    """

    id: ClassVar[str] = "S4"

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge the strict lease too."""
        super().before(at, fact)
        for server in self.situation.servers.values():
            strict = server.settings.strict_lease
            if strict is None or not server.answers or server.stunned:
                continue
            silent = at - max(server.advert_at, server.changed_at)
            limit = server.stretched(strict) + server.late + SLACK
            if silent > limit:
                text = f"answers {ms(silent)} after its last advert, at most {ms(limit)}"
                self.broken(at, server.name, f"{server.name} {text}")

    def transition(self, at: Instant, local: Instant, server: str, transition: object) -> None:
        """The state is part of the condition."""
        for name, stretch in self._stretches.items():
            self._judge(at, name, stretch)
        self._look(at)

    def bad(self, server: ServerSituation) -> bool:
        """It answers and does not hold."""
        return server.answers and server.runs and server.state not in ACTIVE

    def limit(self, server: ServerSituation) -> Duration:
        """More where changes of addresses fail."""
        base = server.settings.kernel_lease if server.refuses else 0
        return server.stretched(base + KERNEL_LATE) + 2 * server.late + SLACK

    def says(self, server: ServerSituation) -> str:
        """What is wrong."""
        return f"answers for the VIP in state {server.state.value}"


class RenewedInTime(Invariant):
    """S4: a holder does not ask its kernel to renew a lease that has run out by the holder's own clock, nor
    to put the VIP back then: it has lost the VIP, and another may have it.
    """

    id: ClassVar[str] = "S4"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._ordered: dict[str, ChangeAddresses] = {}
        self._until: dict[str, Instant] = {}

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """The kernel's answer begins a lease; a start knows the one before it."""
        if type(event) is Started:
            self._ordered.pop(server, None)
            self._until.pop(server, None)
            if event.record is not None and event.record.holding:
                self._until[server] = event.record.lease_until
        elif type(event) is AddressesDone and event.outcome is AddressOutcome.DONE:
            order = self._ordered.get(server)
            if order is not None and order.id == event.id:
                self._until[server] = event.started + order.lifetime

    def ordered(self, at: Instant, local: Instant, server: str, action: ChangeAddresses) -> None:
        """A renewal is judged by the lease before it."""
        self._ordered[server] = action
        operation = action.operation
        until = self._until.get(server)
        if operation in (AddressOperation.ADD, AddressOperation.REMOVE):
            self._until.pop(server, None)
        holds = self.situation.servers[server].state is State.HOLDER
        if operation is AddressOperation.REMOVE or until is None or not holds:
            return
        if local >= until:
            text = f"{server} renews its lease {ms(local - until)} after it ran out"
            self.broken(at, server, text)
