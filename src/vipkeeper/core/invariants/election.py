"""S5, S6, P1, P2: rules of one server's own decisions, judged by its own clock and what it received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import AdvertReceived, Commanded
from vipkeeper.core.invariants.base import Invariant, Report, ms
from vipkeeper.core.invariants.situation import (
    Situation,
    is_holder,
    suspect_after,
)
from vipkeeper.core.invariants.subject import TRUE_RATE, ServerSituation
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.wire.types import Role

OTHERS_WAIT: Duration = 60 * MILLISECOND
"""How long a server that a resignation does not name leaves the one it does."""
ORDERLY = (
    Cause.API_DOWN, Cause.API_STALLED, Cause.API_UNREADY, Cause.PREEMPTED, Cause.HANDOVER,
    Cause.SHUTDOWN, Cause.RELEASED, Cause.STANDBY,
)  # fmt: skip
"""Why a holder that is heard gives the VIP away."""
ROUND_EVERY: Duration = 15 * MILLISECOND
ROUNDS_UNTIL_DEAF = 5
"""Four questions without any answer, and the round after them."""
ASKED = (State.SUSPECT, State.HOLDOFF, State.HELD)


class FreshHolder(Invariant):
    """S5: nobody claims while a valid advert of a holder is younger than F x I (the longer interval of
    the two).

    Not judged for a named successor: the one that named it has released.
    Blind: what other servers said they hear.
    """

    id: ClassVar[str] = "S5"

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A claim is judged by the adverts received so far."""
        if transition.after is not State.CLAIM or transition.cause is Cause.NAMED_SUCCESSOR:
            return
        own = self.situation.servers[server]
        for name, heard in own.heard.items():
            age = local - heard.received
            fresh = age < suspect_after(own.settings, heard.advert)
            if is_holder(heard.advert) and fresh:
                self.broken(
                    at, server, f"{server} claims {ms(age)} after an advert of holder {name}"
                )


class Deafness(Invariant):
    """S6: a server that heard nothing at all since it became suspicious does not claim; nor does one in
    hold-off that heard nothing in five rounds of questions of 15 ms, each as late as its timers are, while its
    daemon ran: a stalled one asks nothing, and its questions count anew only after a stall longer than I.

    Judged where the cluster has more than one server and the host has a gateway that has answered under
    this boot, as its daemon knows it. Not judged for a claim that a resignation led to: the resignation was heard.
    """

    id: ClassVar[str] = "S6"

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A claim out of a suspicion."""
        own = self.situation.servers[server]
        if transition.after is not State.CLAIM or transition.before not in ASKED:
            return
        if transition.cause in (Cause.HOLDER_RESIGNED, Cause.NAMED_SUCCESSOR):
            return
        if len(own.settings.servers) < 2 or own.gateway is None:
            return
        if own.gateway != own.gateway_proven:
            return
        rounds = ROUNDS_UNTIL_DEAF * (ROUND_EVERY + own.late * own.rate // TRUE_RATE)
        long = transition.before is not State.SUSPECT and own.quiet(local) > rounds
        if long or own.sound_at < own.suspected_at:
            deaf = ms(local - own.sound_at)
            self.broken(at, server, f"{server} claims and has heard nothing for {deaf}")


class Preemption(Invariant):
    """P1: a better-ranked server takes the VIP back only where preemption is on, and only after it was
    heard serving, without a break, for `preempt_after`; never one that says it must not be chosen.
    """

    id: ClassVar[str] = "P1"

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A holder gives way by preemption."""
        if transition.cause is not Cause.PREEMPTED or transition.after is not State.RELEASE:
            return
        own = self.situation.servers[server]
        after = own.settings.preempt_after
        if after is None:
            self.broken(at, server, f"{server} is preempted although preemption is off")
            return
        heard = own.heard.get(transition.peer or "")
        since = heard.serving_since if heard is not None else None
        if heard is None or heard.advert is None or since is None:
            self.broken(
                at, server, f"{server} is preempted by {transition.peer}, not known to serve"
            )
        elif local - since < after:
            text = (
                f"{server} is preempted by {transition.peer} after {ms(local - since)} of service"
            )
            self.broken(at, server, f"{text}, at least {ms(after)}")
        elif heard.advert.standby:
            self.broken(at, server, f"{server} is preempted by {transition.peer} in standby")


class NamedSuccessor(Invariant):
    """P2: after a resignation that names a successor, every other server that got it lets the named one
    go first: it does not claim because of it within 60 ms by its own clock. After these 60 ms the named one
    has no licence any more: it does not claim because it was named.

    Blind: a resignation that did not arrive, or that its receiver had no reason to believe.
    """

    id: ClassVar[str] = "P2"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._named_other: dict[str, tuple[Instant, str]] = {}
        self._named_it: dict[str, Instant] = {}

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """Remember the newest resignation that named another."""
        if type(event) is not AdvertReceived or event.advert.role is not Role.RESIGNED:
            return
        own = self.situation.servers[server]
        successor = event.advert.successor
        if successor == own.index:
            self._named_it[server] = event.received
        if not self._believed(own, event):
            return
        if successor is None or successor == own.index:
            self._named_other.pop(server, None)
        elif server not in self._named_other:
            name = self.situation.by_address[event.source]
            self._named_other[server] = (event.received, name)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A claim right after it."""
        if transition.after is State.BACKUP:
            self._named_other.pop(server, None)
        if transition.after is not State.CLAIM:
            return
        if transition.cause is Cause.NAMED_SUCCESSOR:
            age = local - self._named_it.get(server, local)
            if age > OTHERS_WAIT:
                text = f"{server} claims by a resignation {ms(age)} old that names it"
                self.broken(at, server, f"{text}, at most {ms(OTHERS_WAIT)}")
        if transition.cause is not Cause.HOLDER_RESIGNED:
            return
        named = self._named_other.pop(server, None)
        if named is not None and local - named[0] < OTHERS_WAIT:
            text = f"{server} claims {ms(local - named[0])} after {named[1]} named another"
            self.broken(at, server, f"{text}, at least {ms(OTHERS_WAIT)}")

    def _believed(self, own: ServerSituation, event: AdvertReceived) -> bool:
        name = self.situation.by_address.get(event.source)
        heard = own.heard.get(name) if name is not None else None
        return heard is not None and heard.advert is event.advert


class SuccessorHears(Invariant):
    """P2: who gives the VIP away in an orderly manner names only a server whose newest advert says that it
    hears the one that resigns: no other would learn of it.

    Blind: a handover that an operator forces; a deaf holder, who has no choice.
    """

    id: ClassVar[str] = "P2"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._forced: set[str] = set()

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """Remember whether the newest command was to do all that is possible."""
        if type(event) is Commanded:
            (self._forced.add if event.force else self._forced.discard)(server)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A holder lets go and names a successor."""
        if transition.after is not State.RELEASE or transition.cause not in ORDERLY:
            return
        if transition.cause is Cause.HANDOVER and server in self._forced:
            return
        own = self.situation.servers[server]
        heard = own.heard.get(transition.peer) if transition.peer is not None else None
        if heard is None or heard.advert is None or not own.boot_id:
            return
        entry = next((e for e in heard.advert.heard if e.boot_id == own.boot_id), None)
        age = entry.age_ms if entry is not None else None
        if age is None or age * MILLISECOND > suspect_after(own.settings, heard.advert):
            cause = transition.cause.value
            self.broken(
                at, server, f"{server} ({cause}) names {transition.peer}, which does not hear it"
            )
