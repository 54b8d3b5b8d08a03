"""L1 to L3, H1: somebody serves, and it is the right one."""

from __future__ import annotations

from typing import ClassVar

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.claim import RENEWALS_PER_LEASE
from vipkeeper.core.facts import ApiChanged, ApiState, Fact, FaultInjected, FaultKind, Healed
from vipkeeper.core.invariants.base import SCHEDULING, Invariant, Report, Stretch, ms
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.subject import ServerSituation
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant, Settings

GRACEFUL: Duration = 5 * MILLISECOND
RANK_DELAY: Duration = 60 * MILLISECOND
STOPPED_AFTER: Duration = 12 * 15 * MILLISECOND
"""Unanswered questions until a VIP that answered counts as stopped."""
HARD: Duration = 250 * MILLISECOND
STALLED: Duration = 3 * SECOND
"""An API server that stands still is known this late: a second until it is asked, 2 s without a handshake."""
HUNG: Duration = 1250 * MILLISECOND
"""Later where it hung before: a question that saw a handshake waits its 3 s, and 0.25 s later comes the next."""
PROBER_LAG: Duration = 6 * SECOND
"""A failure by time-out is known this late; readiness after a failure earlier than that."""
HARD_FAULTS = frozenset({
    FaultKind.POWER_OFF, FaultKind.STUN, FaultKind.LINK_DOWN, FaultKind.SILENT_PORT,
    FaultKind.TX_CUT,
})  # fmt: skip
"""Kinds after which nothing of the holder is heard any more."""
DAEMON_FAULTS = frozenset({FaultKind.KILL, FaultKind.STALL})
"""Kinds that leave the kernel answering until its lease ends."""
GRACEFUL_FAULTS = frozenset({FaultKind.SHUTDOWN, FaultKind.HANDOVER, FaultKind.RELEASE})


def claim_bound(settings: Settings) -> Duration:
    """F x I + B: from the last advert to the claim of the best-ranked follower."""
    return settings.suspect_after + settings.confirm_budget


def any_bound(settings: Settings) -> Duration:
    """From any state of a cluster with nothing wrong any more to a holder: T_L, the questions after it,
    one more suspicion, and every rank's turn."""
    ranks = RANK_DELAY * len(settings.servers)
    return settings.unconditional_after + STOPPED_AFTER + 2 * claim_bound(settings) + 4 * ranks


class SomebodyServes(Invariant):
    """L1: where some server is fit and connected, somebody serves.

    After one fault in a cluster at rest, as the client sees it:
    power off, stun, link, port or sending side cut: F x I + B + J;
    receiving side cut, where a gateway has answered: 10 x I + J, and three intervals until the holder knows;
    daemon killed or stalled: 12 x 15 ms + J and 60 ms a rank, after the lease has run out; where that is before
    the others suspect, F x I + B less what the lease had left;
    terminated, handed over, released: 5 ms + J; J is 30 ms, delays and lateness.
    In any other case, as the wires see it (some server answers): T_L + 12 x 15 ms + 2 (F x I + B) + ranks,
    counted from when nothing is wrong with any server that is not gone.
    Blind: a client behind a broken wire; what happens while several things are wrong at once.
    """

    id: ClassVar[str] = "L1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self.worst: Duration = 0
        """The longest time the client was not served after one fault, for statistics."""
        self._nobody = Stretch()
        self._unserved = Stretch()
        self._fault: FaultInjected | None = None
        self._limit: Duration = 0

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now; a fault in a cluster at rest gets a bound of its own."""
        self._judge(at)
        if isinstance(fact, FaultInjected):
            self._fault = None
            holder = self.situation.settled(at)
            if fact.began and holder is not None:
                self._single(fact, holder)

    def _single(self, fact: FaultInjected, holder: ServerSituation) -> None:
        situation = self.situation
        if fact.server != holder.name or next(situation.candidates(holder.name), None) is None:
            return
        if fact.kind is FaultKind.RX_CUT and holder.gateway_proven is None:
            return
        bound = single_bound(fact.kind, holder.settings)
        if bound is not None:
            self._fault = fact
            self._limit = situation.slowest(bound) + 6 * situation.longest_delay
            self._limit += SCHEDULING + situation.patience

    def changed(self, at: Instant, fact: Fact) -> None:
        """Look again."""
        situation = self.situation
        single = self._fault is not None and situation.served is None
        self._unserved.update(at, single, self._limit)
        nobody = situation.calm_since is not None and not situation.answering()
        if nobody:
            nobody = any(
                situation.fit(s) and s.state is not State.STANDBY
                for s in situation.servers.values()
            )
        limit = situation.slowest(any_bound(situation.settings)) if nobody else 0
        self._nobody.update(at, nobody, limit + SCHEDULING + situation.patience)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """An operator's standby is no outage."""
        if State.STANDBY in (transition.before, transition.after):
            self._judge(at)
            self._nobody.update(at, False, 0)

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        self._judge(at)

    def _judge(self, at: Instant) -> None:
        if self._unserved.since is not None:
            self.worst = max(self.worst, at - self._unserved.since)
        lasted = self._unserved.exceeded(at)
        if lasted is not None and self._fault is not None:
            fault = f"{self._fault.kind.value} of {self._fault.server}"
            text = f"the client is not served for {ms(lasted)} after {fault}"
            self.broken(at, self._fault.server, f"{text}, at most {ms(self._unserved.limit)}")
        lasted = self._nobody.exceeded(at)
        if lasted is not None:
            text = f"nobody answers for the VIP for {ms(lasted)} with nothing wrong"
            self.broken(at, None, f"{text}, at most {ms(self._nobody.limit)}")


def lease_left(settings: Settings) -> Duration:
    """How long a daemon that dies leaves the VIP answering at least: its lease less the time between renewals."""
    if settings.strict_lease is not None:
        return settings.strict_lease - settings.advert_interval
    return settings.kernel_lease - settings.kernel_lease // RENEWALS_PER_LEASE


def single_bound(kind: FaultKind, settings: Settings) -> Duration | None:
    """How long a client may go without service after this fault strikes a holder at rest."""
    if kind in HARD_FAULTS:
        return claim_bound(settings)
    if kind in DAEMON_FAULTS:
        stopped = STOPPED_AFTER + 2 * RANK_DELAY + settings.confirm_budget
        return max(stopped, claim_bound(settings) - lease_left(settings))
    if kind in GRACEFUL_FAULTS:
        return GRACEFUL
    if kind is FaultKind.RX_CUT:
        return settings.deaf_after + 3 * settings.advert_interval
    return None


class FailStatic(Invariant):
    """L2: a holder does not give the VIP away for health while no other server's API server serves.

    Judged at the moment it lets go: some other running server's API server must have been ready within
    the suspect time plus 6 s (what its prober and its adverts may lag behind).
    """

    id: ClassVar[str] = "L2"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._ready_at: dict[str, Instant] = {}

    def before(self, at: Instant, fact: Fact) -> None:
        """Remember until when each was ready."""
        for name, server in self.situation.servers.items():
            if server.runs and server.api is ApiState.READY:
                self._ready_at[name] = at

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A holder lets go."""
        causes = (Cause.API_DOWN, Cause.API_STALLED, Cause.API_UNREADY, Cause.PEER_READY)
        if transition.after is not State.RELEASE or transition.cause not in causes:
            return
        own = self.situation.servers[server]
        lag = self.situation.slowest(own.settings.suspect_after + PROBER_LAG)
        for name, other in self.situation.servers.items():
            if name == server:
                continue
            if other.runs and other.api is ApiState.READY:
                return
            if name in self._ready_at and at - self._ready_at[name] <= lag:
                return
        cause = transition.cause.value
        self.broken(at, server, f"{server} gives the VIP away ({cause}), and nobody else serves")


class OneAfterHeal(Invariant):
    """L3: after everything is healed exactly one server answers, and stays the only one.

    Bound: 10 x I + J where somebody answered at the moment of healing, else the general bound of L1; both
    from when what was on its way then has arrived.
    After it none or two answer for no longer than J (preemption still moves the VIP). Judged until the
    end of the trace or the next fault. What is dead stays dead: with no server left that could serve
    nothing is judged.
    """

    id: ClassVar[str] = "L3"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._healed = False
        self._from: Instant | None = None
        self._wrong = Stretch()

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        self._judge(at)
        if isinstance(fact, FaultInjected):
            self._healed, self._from = False, None

    def changed(self, at: Instant, fact: Fact) -> None:
        """The clock begins with the healing, or when after it some server could serve."""
        self._healed |= isinstance(fact, Healed)
        if self._healed and self._from is None:
            self._from = self._settled_by(at)
        if self._from is None:
            self._wrong.update(at, False, 0)
            return
        wrong = len(self.situation.answering()) != 1
        since = self._wrong.since if self._wrong.since is not None else at
        limit = max(0, self._from - since) + 2 * SCHEDULING + self.situation.patience
        self._wrong.update(at, wrong, limit)

    def _settled_by(self, at: Instant) -> Instant | None:
        situation = self.situation
        settings = situation.settings
        alive = [s for s in situation.servers.values() if not s.gone]
        if not any(situation.fit(server) and server.state is not State.STANDBY for server in alive):
            return None
        holders = [s for s in alive if s.answers and s.state is State.HOLDER]
        tight = bool(holders) and len(holders) == len(situation.answering())
        bound = 10 * settings.advert_interval if tight else any_bound(settings)
        return at + situation.slowest(bound) + situation.longest_delay

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        self._judge(at)

    def _judge(self, at: Instant) -> None:
        lasted = self._wrong.exceeded(at)
        if lasted is None:
            return
        names = [server.name for server in self.situation.answering()]
        who = " and ".join(names) or "nobody"
        text = f"healed, and {who} answers for the VIP for {ms(lasted)}"
        self.broken(at, None, f"{text}, at most {ms(self._wrong.limit)}")


class Health(Invariant):
    """H1: where the holder's API server has failed and another server's is ready, the VIP goes there.

    Bound: 250 ms + J after a hard failure (refused), 3 s more where it is frozen and the host surely has
    processors to spare, `soft_failure_after` plus 6 s of the prober's lag after a soft one. Judged while nothing else is wrong, and for a server ready for
    6 s at least.
    Blind: times in which any prober is lost.
    """

    id: ClassVar[str] = "H1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._stretch = Stretch()
        self._probers_lost = 0

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        self._judge(at)
        if isinstance(fact, FaultInjected) and fact.kind is FaultKind.PROBER_LOST:
            self._probers_lost += 1 if fact.began else -1

    def changed(self, at: Instant, fact: Fact) -> None:
        """Look again."""
        situation = self.situation
        holders = situation.answering()
        if situation.calm_since is None or len(holders) != 1 or self._probers_lost:
            self._stretch.update(at, False, 0)
            return
        holder = holders[0]
        failed = holder.api is not ApiState.READY and holder.state is State.HOLDER
        better = [s for s in situation.candidates(holder.name) if s.api is ApiState.READY]
        if not failed or not better:
            self._stretch.update(at, False, 0)
            return
        if isinstance(fact, ApiChanged) and fact.server == holder.name and self._restarted(holder):
            self._stretch.update(at, False, 0)
        known = min(max(s.api_since, s.changed_at) for s in better) + PROBER_LAG
        since = self._stretch.since if self._stretch.since is not None else at
        wait = max(0, known - since)
        limit = situation.slowest(self._bound(holder)) + SCHEDULING + situation.patience + wait
        self._stretch.update(at, True, limit)

    @staticmethod
    def _restarted(holder: ServerSituation) -> bool:
        """It was gone, which is seen at once; that the next process is frozen is another failure."""
        return holder.api_before is ApiState.REFUSING and holder.api is ApiState.FROZEN

    def _bound(self, holder: ServerSituation) -> Duration:
        if holder.api is ApiState.REFUSING:
            return HARD
        # A real host may lack processors, which no fact tells; then a prober accuses nobody of standing still.
        if holder.api is ApiState.FROZEN and not self.situation.patience:
            return HARD + STALLED + (HUNG if holder.api_before is ApiState.HANGING else 0)
        return holder.settings.soft_failure_after + PROBER_LAG

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        self._judge(at)

    def _judge(self, at: Instant) -> None:
        lasted = self._stretch.exceeded(at)
        if lasted is not None:
            holders = self.situation.answering()
            name = holders[0].name if holders else None
            text = f"the VIP stays for {ms(lasted)} at {name}, whose API server has failed"
            self.broken(at, name, f"{text}, at most {ms(self._stretch.limit)}")
