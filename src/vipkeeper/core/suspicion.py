"""One suspicion: what was asked, what answered, and what that amounts to.

Silence costs nothing here: it only begins the questions. In rounds the VIP, the silent server's kernel
and API server, the other servers and the gateway are asked, and the answers are kept until the
suspicion ends in a claim or in hearing the holder (docs/protocol.md, "Confirm").
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vipkeeper.core.actions import Cause
from vipkeeper.core.events import ECHO, Channel, Sign
from vipkeeper.core.members import Member, Members
from vipkeeper.core.types import MILLISECOND, Duration, Instant, Settings

ROUND_EVERY: Duration = 15 * MILLISECOND
ROUNDS_IN_BUDGET = 5
"""A short confirm budget still has room for this many rounds."""
CONFIRM_ROUNDS = 4
"""Unanswered rounds without which nobody claims after silence."""
OTHERS_EVERY = 4
"""While the VIP answers, or the move budget is spent, only each fourth round asks more than the VIP."""
RANK_DELAY: Duration = 60 * MILLISECOND
"""How much later each next-ranked server claims."""
SERVICE_EVERY = 3
"""Each third round to the silent server asks its API server as well."""
MACS_KEPT = 8


def round_every(settings: Settings) -> Duration:
    """Time between two rounds while suspect: 15 ms, less when the confirm budget is short."""
    return min(ROUND_EVERY, settings.confirm_budget // ROUNDS_IN_BUDGET)


@dataclass(slots=True)
class Suspicion:
    """What is known since the holder fell silent, resigned, or nobody was found."""

    cause: Cause
    about: Member | None
    """The server that fell silent or resigned; None when nobody held."""
    began: Instant
    wait: Duration
    """How long evidence is gathered before a claim: B, or the grace after a resignation."""
    planned: bool = False
    """Began with a resignation that an operator asked for."""
    aside: tuple[Member, ...] = ()
    """Who is not waited for: the one that fell silent or resigned, and the successor it named."""
    resigned: Member | None = None
    """Whose resignation began it: its further copies say nothing new."""
    ahead: int | None = None
    """How many candidates outranked this server when last looked at."""
    rank_from: Instant = 0
    """When one of them was lost: the order of the rest counts from then."""
    must_ask: bool = False
    """True when who resigned is not whom this server followed: its word alone is not enough."""
    rounds: int = 0
    round_at: Instant | None = None
    """When the next round is due."""
    unanswered: int = 0
    """Rounds in a row without an answer for the VIP."""
    arp_answered: bool = False
    echo_at: Instant | None = None
    """When a living kernel last answered for the VIP."""
    signs: set[Sign] = field(default_factory=set)
    """What the silent server itself answered."""
    macs: set[bytes] = field(default_factory=set)
    """Who answered for the VIP, at most MACS_KEPT of them."""

    @property
    def asks_server(self) -> bool:
        """True when the server fell silent: then its kernel and API server say more."""
        return self.cause is Cause.HOLDER_SILENT and self.about is not None

    def restart(self, now: Instant, wait: Duration) -> None:
        """This daemon ran late: what did not answer meanwhile proves nothing, what did counts from now."""
        self.began, self.wait = now, wait
        self.rounds = self.unanswered = 0
        self.round_at = now
        self.echo_at = now if self.echo_at is not None else None

    def asked(self, now: Instant, every: Duration) -> None:
        """A round was sent."""
        self.rounds += 1
        self.unanswered += 1
        self.round_at = now + every

    def vip_answered(self, channel: Channel, mac: bytes, now: Instant) -> None:
        """Another host answered for the VIP."""
        if len(self.macs) < MACS_KEPT:
            self.macs.add(mac)
        self.unanswered = 0
        self.arp_answered = True
        if channel is ECHO:
            self.echo_at = now

    def reason_to_hold_off(self) -> Cause | None:
        """Why a claim must wait although the daemon is silent; None when nothing answered."""
        if self.arp_answered:
            return Cause.VIP_ANSWERS
        if self.signs:
            return Cause.KERNEL_ANSWERS
        return None

    def evidence(self, now: Instant) -> str:
        """For log and history: how long was asked, and who answered."""
        asked = f"{self.rounds} round{'s' * (self.rounds != 1)} in {(now - self.began) // MILLISECOND} ms"
        found = []
        if self.echo_at is not None:
            found.append("the VIP answered")
        elif self.arp_answered:
            found.append("only ARP answered for the VIP")
        if Sign.SERVICE in self.signs:
            found.append("its API server answered")
        elif Sign.KERNEL in self.signs:
            found.append("its kernel answered")
        return f"{asked}, {', '.join(found) or 'no answer'}"


def conclude_at(
    suspicion: Suspicion, members: Members, settings: Settings, now: Instant
) -> Instant:
    """The end of the confirm budget, or sooner when all others agree that the holder is silent."""
    whole = suspicion.began + suspicion.wait
    if suspicion.about is None or not suspicion.asks_server:
        return whole
    if not members.others_agree(suspicion.about, suspicion.began, now):
        return whole
    return min(whole, suspicion.began + CONFIRM_ROUNDS * round_every(settings))


def long_enough(suspicion: Suspicion, settings: Settings, ahead: int) -> Instant:
    """When whatever answered has delayed a claim for long enough: T_L, staggered by rank."""
    last_alive = suspicion.echo_at if suspicion.echo_at is not None else suspicion.began
    return last_alive + settings.unconditional_after + RANK_DELAY * ahead


def nobody_held(suspicion: Suspicion, members: Members, now: Instant) -> bool:
    """True when nothing spoke for a holder: neither an advert nor an answer."""
    if suspicion.cause is not Cause.FIRST_CLAIM or suspicion.arp_answered:
        return False
    return not members.stranger(now)
