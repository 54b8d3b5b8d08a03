"""Every change of state there is, as data: from where, to where, why, and when.

docs/protocol.md draws its table and its diagram from this, the simulator and the tests refuse a
transition that is not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vipkeeper.core.actions import Cause, State

LISTEN, BACKUP, SUSPECT, HOLDOFF = State.LISTEN, State.BACKUP, State.SUSPECT, State.HOLDOFF
DEAF, HELD, CLAIM, HOLDER = State.DEAF, State.HELD, State.CLAIM, State.HOLDER
RELEASE, STANDBY, BLOCKED, STOPPED = State.RELEASE, State.STANDBY, State.BLOCKED, State.STOPPED
"""Short names. What is asked at each event uses them: Python 3.11 looks a member up in its enum slowly."""

WAITING = (LISTEN, BACKUP, SUSPECT, HOLDOFF, DEAF, HELD)
"""States in which the election's waiting side decides. Tuples: an enum's hash is Python code."""
ASKING = (SUSPECT, HOLDOFF, HELD)
"""States in which a suspicion is looked into."""
ANEW = (LISTEN, STANDBY, BLOCKED)
"""Begin anew: blocked if the host is not usable, else standby if an operator said so, else listen."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From any of `before` to one of `after`, for `cause`, when this is so."""

    before: tuple[State, ...]
    after: tuple[State, ...]
    cause: Cause
    when: str


_SUSPICIONS = (Cause.FIRST_CLAIM, Cause.HOLDER_SILENT, Cause.HOLDER_RESIGNED)
_CLAIMS = (*_SUSPICIONS, Cause.LEASE_LAPSED_ELSEWHERE, Cause.UNCONDITIONAL, Cause.NAMED_SUCCESSOR)

_STARTING = (
    Rule(
        (STOPPED,),
        (HOLDER,),
        Cause.ADOPTED,
        "the VIP is here with a lifetime, the record of this boot says it is ours and its lease runs, "
        "the host is usable, no standby",
    ),
    Rule(
        (STOPPED,), (RELEASE,), Cause.STARTED, "the VIP is here with a lifetime, and that is not so"
    ),
    Rule((STOPPED,), ANEW, Cause.STARTED, "the VIP is not here"),
)

_WATCHING = (
    Rule((LISTEN,), (SUSPECT,), Cause.FIRST_CLAIM, "the suspect time is over, no holder was heard"),
    Rule((BACKUP,), (SUSPECT,), Cause.FIRST_CLAIM, "nobody appeared in the time set for it"),
    Rule(
        WAITING,
        (BACKUP,),
        Cause.HOLDER_HEARD,
        "a holder advertises; of several the newest epoch, then the best rank",
    ),
    Rule(
        WAITING,
        (BACKUP,),
        Cause.HOLDER_VOUCHED,
        "another server says that it heard a holder itself within the suspect time, and after this "
        "server did",
    ),
    Rule(
        (BACKUP,),
        (SUSPECT,),
        Cause.HOLDER_SILENT,
        "neither this server nor another one heard the followed holder for the suspect time",
    ),
    Rule(
        (BACKUP, *ASKING),
        (SUSPECT,),
        Cause.HOLDER_RESIGNED,
        "the holder resigns and names another (claim 60 ms later) or nobody (claim at once), or "
        "advertises that it no longer holds",
    ),
    Rule((BACKUP, *ASKING), (CLAIM,), Cause.NAMED_SUCCESSOR, "a resignation names this server"),
)

_CONFIRMING = (
    Rule(
        (SUSPECT,),
        (HOLDOFF,),
        Cause.VIP_ANSWERS,
        "a unicast echo or SYN to the answering MAC was answered; at the end of the confirm also when "
        "only ARP was",
    ),
    Rule(
        (SUSPECT,),
        (HOLDOFF,),
        Cause.KERNEL_ANSWERS,
        "the confirm is over, and the silent holder's own address answered",
    ),
    Rule(
        (SUSPECT,),
        (HOLDOFF,),
        Cause.STRANGER_HEARD,
        "the confirm is over, and a listed server sent adverts with another key, or of a start that "
        "has not proven itself",
    ),
    Rule(
        ASKING,
        (DEAF,),
        Cause.DEAF,
        "a claim would be due, but nothing at all was heard meanwhile, and the gateway is silent too",
    ),
    Rule(
        (SUSPECT, HOLDOFF),
        (HELD,),
        Cause.BUDGET_SPENT,
        "a claim would be due, but this server has claimed too often in ten minutes",
    ),
    *(
        Rule(
            (SUSPECT,), (CLAIM,), cause, "the confirm and the rank delay are over, nothing answered"
        )
        for cause in _SUSPICIONS
    ),
    Rule(
        (HOLDOFF,),
        (CLAIM,),
        Cause.LEASE_LAPSED_ELSEWHERE,
        "the VIP had answered, but 12 rounds (4 more for each candidate ahead) in a row got no answer, "
        "and no untrusted advert came for the suspect time",
    ),
    *(
        Rule((HOLDOFF,), (CLAIM,), cause, "the same, where the VIP had never answered")
        for cause in _SUSPICIONS
    ),
    Rule(
        (HOLDOFF,),
        (CLAIM,),
        Cause.UNCONDITIONAL,
        "T_L and the rank delay since the last echo, or since the suspicion when there was none",
    ),
    *(
        Rule((HELD,), (CLAIM,), cause, "nobody answered for the VIP for T_L")
        for cause in _SUSPICIONS
    ),
    Rule(
        (DEAF,),
        (LISTEN,),
        Cause.HEARS_AGAIN,
        "anything is heard: an advert, an answer, the gateway",
    ),
)

_HOLDING = (
    *(Rule((CLAIM,), (HOLDER,), cause, "the kernel has the VIP") for cause in _CLAIMS),
    Rule(
        (CLAIM, HOLDER),
        (BACKUP,),
        Cause.ADDRESS_FAILED,
        "the kernel refused the VIP, also when putting it back",
    ),
    Rule((CLAIM, HOLDER), (RELEASE,), Cause.NEWER_EPOCH, "another holder advertises a newer epoch"),
    Rule(
        (CLAIM, HOLDER),
        (RELEASE,),
        Cause.BETTER_RANK,
        "another holder advertises the same epoch and has a better rank",
    ),
    Rule(
        (CLAIM, HOLDER),
        (RELEASE,),
        Cause.UNHEARD,
        "another holder sent three adverts in a row that do not hear this server",
    ),
    Rule(
        (CLAIM, HOLDER),
        (RELEASE,),
        Cause.WITNESSED,
        "a server that hears this one sent six adverts in a row that follow another holder",
    ),
    Rule(
        (CLAIM, HOLDER),
        (RELEASE,),
        Cause.PEER_READY,
        "heard nobody before, is unready, and now hears a server that serves (as a holder, or as a "
        "candidate)",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.API_DOWN,
        "the API server refused twice, and a candidate serves",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.API_STALLED,
        "the API server neither answered nor shook hands for 2 s, and a candidate serves",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.API_UNREADY,
        "unready for 4 s, and one and the same candidate ready for 4 s",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.PREEMPTED,
        "`preempt: true` and a better-ranked candidate served for `preempt_delay`",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.DEAF,
        "nobody is heard for ten intervals, and the gateway does not answer; the best of those heard "
        "last is named as successor",
    ),
    Rule(
        (CLAIM, HOLDER),
        (RELEASE, *ANEW),
        Cause.LEASE_LAPSED,
        "the lease has run out, whatever the kernel still shows (without `release` when the kernel's "
        "side says so first: the address is gone then)",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.ADDRESS_LOST,
        "the VIP was deleted, and another holder is heard or answers a probe",
    ),
    Rule(
        (HOLDER,),
        (RELEASE,),
        Cause.FOREIGN_HOLDER,
        "unready, hears nobody, and another MAC claims the VIP unasked",
    ),
)

_HOST = (
    Rule((CLAIM, HOLDER), (RELEASE,), Cause.LINK_LOST, "interface, carrier or own address gone"),
    Rule(
        (*WAITING, STANDBY), (BLOCKED,), Cause.LINK_LOST, "interface, carrier or own address gone"
    ),
    Rule((BLOCKED,), ANEW, Cause.LINK_BACK, "the host is usable again"),
    Rule(
        tuple(state for state in State if state is not BLOCKED),
        (BLOCKED,),
        Cause.FOREIGN_ADDRESS,
        "the VIP is here without a lifetime: it is left alone",
    ),
)

_OPERATOR = (
    Rule((HOLDER,), (RELEASE,), Cause.HANDOVER, "an operator asks"),
    *(
        Rule((CLAIM, HOLDER), (RELEASE,), cause, "an operator asks")
        for cause in (Cause.RELEASED, Cause.STANDBY)
    ),
    *(
        Rule(WAITING, (STANDBY,), cause, "an operator asks")
        for cause in (Cause.RELEASED, Cause.STANDBY)
    ),
    Rule((STANDBY,), ANEW, Cause.STANDBY, "an operator says `standby off`"),
    Rule((CLAIM, HOLDER), (RELEASE,), Cause.SHUTDOWN, "SIGTERM or SIGINT"),
    Rule((*WAITING, STANDBY, BLOCKED), (STOPPED,), Cause.SHUTDOWN, "SIGTERM or SIGINT"),
)


def _gone(causes: Iterable[Cause], after: tuple[State, ...]) -> Iterable[Rule]:
    return (Rule((RELEASE,), after, cause, "the VIP is certainly gone") for cause in causes)


_LEAVING = (
    *_gone(
        (
            Cause.NEWER_EPOCH,
            Cause.BETTER_RANK,
            Cause.UNHEARD,
            Cause.WITNESSED,
            Cause.PEER_READY,
            Cause.API_DOWN,
            Cause.API_STALLED,
            Cause.API_UNREADY,
            Cause.PREEMPTED,
            Cause.HANDOVER,
            Cause.ADDRESS_LOST,
            Cause.FOREIGN_HOLDER,
        ),
        (BACKUP, *ANEW),
    ),
    *_gone((Cause.STARTED, Cause.LEASE_LAPSED, Cause.LINK_LOST), ANEW),
    *_gone((Cause.RELEASED, Cause.STANDBY), ANEW),
    *_gone((Cause.DEAF,), (DEAF,)),
    *_gone((Cause.SHUTDOWN,), (STOPPED,)),
)

ELECTION: tuple[Rule, ...] = (*_WATCHING, *_CONFIRMING, *_HOLDING, *_LEAVING)
"""What the servers decide among themselves: the rules of the diagram."""
RULES: tuple[Rule, ...] = (*_STARTING, *ELECTION, *_HOST, *_OPERATOR)

_ALLOWED = frozenset(
    (before, after, rule.cause) for rule in RULES for before in rule.before for after in rule.after
)


def allowed(before: State, after: State, cause: Cause) -> bool:
    """True when the table has this transition."""
    return (before, after, cause) in _ALLOWED
