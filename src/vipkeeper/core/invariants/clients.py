"""L1 as a client sees it: its neighbour table has the MAC of the server that holds the VIP."""

from __future__ import annotations

from typing import ClassVar

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.announcer import REFRESH_EVERY
from vipkeeper.core.facts import CLIENT, ApiState, Disturber, Fact
from vipkeeper.core.invariants.base import SCHEDULING, Invariant, Report, Stretch, ms
from vipkeeper.core.invariants.liveness import PROBER_LAG
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.types import Duration, Instant


class ClientLearns(Invariant):
    """L1: a client learns of a claim at once: it is served by the new holder within J, delays and lateness.

    Judged from a claim of a fit server whose wires to and from the client are clear, while they stay so and
    no other server that the client reaches answers; whatever is wrong elsewhere.
    Blind: where a stranger, or a fabric that answers for the dead, tells the client otherwise.
    """

    id: ClassVar[str] = "L1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._holder: str | None = None
        self._unserved = Stretch()

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        self._judge(at)

    def changed(self, at: Instant, fact: Fact) -> None:
        """Until it is served, or something else explains it."""
        if self._holder is not None and not self._owed(self._holder):
            self._stop(at)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A claim has succeeded, or its holder lets go."""
        self._judge(at)
        if server == self._holder:
            self._stop(at)
        if transition.after is not State.HOLDER or transition.cause is Cause.ADOPTED:
            return
        if self._owed(server):
            self._holder = server
            own = self.situation.servers[server]
            limit = SCHEDULING + 6 * self.situation.longest_delay + own.late
            limit += self.situation.patience
            self._unserved.update(at, True, limit)

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        self._judge(at)

    def _stop(self, at: Instant) -> None:
        self._holder = None
        self._unserved.update(at, False, 0)

    def _owed(self, name: str) -> bool:
        """The client is not served, and only this server's announcement is missing."""
        situation = self.situation
        own = situation.servers[name]
        if situation.served is not None or not own.answers or not own.fit_itself:
            return False
        if situation.is_on(Disturber.STRANGER, Disturber.FABRIC):
            return False
        clear = situation.is_clear(name, CLIENT) and situation.is_clear(CLIENT, name)
        return clear and all(
            situation.is_cut(other.name, CLIENT) or situation.is_cut(CLIENT, other.name)
            for other in situation.answering()
            if other is not own
        )

    def _judge(self, at: Instant) -> None:
        lasted = self._unserved.exceeded(at)
        if lasted is not None:
            text = f"the client does not learn of the claim of {self._holder} for {ms(lasted)}"
            self.broken(at, self._holder, f"{text}, at most {ms(self._unserved.limit)}")


class ClientCatchesUp(Invariant):
    """L1: once nothing is wrong any more and one server holds the VIP, a client is served by it, whatever it was
    told before.

    Bound: the holder's refresh, and J. A client asks anew by itself only when its entry has gone stale: after half
    a minute and more.
    Blind: a holder that is alone and unready refreshes nothing, and learns late that it is ready again.
    """

    id: ClassVar[str] = "L1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._unserved = Stretch()

    def before(self, at: Instant, fact: Fact) -> None:
        """Judge what lasted until now."""
        self._judge(at)

    def changed(self, at: Instant, fact: Fact) -> None:
        """Look again."""
        self._look(at)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """Another one may hold it."""
        self._judge(at)
        self._look(at)

    def _look(self, at: Instant) -> None:
        situation = self.situation
        unserved = situation.served is None and situation.calm_since is not None
        if unserved:
            unserved = [server.state for server in situation.answering()] == [State.HOLDER]
        if unserved and self._alone():
            unserved = situation.answering()[0].api is ApiState.READY
        limit = self._limit() if unserved else 0
        self._unserved.update(at, unserved, limit)

    def _alone(self) -> bool:
        return sum(not server.gone for server in self.situation.servers.values()) <= 1

    def _limit(self) -> Duration:
        situation = self.situation
        late = situation.latest(*situation.answering()) + situation.patience
        late += PROBER_LAG if self._alone() else 0
        return situation.slowest(REFRESH_EVERY) + SCHEDULING + 6 * situation.longest_delay + late

    def finish(self, at: Instant) -> None:
        """Judge what lasts until the end."""
        self._judge(at)

    def _judge(self, at: Instant) -> None:
        lasted = self._unserved.exceeded(at)
        if lasted is not None:
            text = f"one server holds the VIP, nothing is wrong, and the client is not served for {ms(lasted)}"
            self.broken(at, None, f"{text}, at most {ms(self._unserved.limit)}")
