"""Who has the VIP, and who says so."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, among, false, names, true, unknown, yes
from vipkeeper.diagnose.predicates.logs import LOG_KEYS, messages
from vipkeeper.diagnose.predicates.vip import MOVED, held_at_once
from vipkeeper.diagnose.vocabulary import Key, Port, Process

DEAD = among(Process.STOPPED, Process.FAILED, Process.ABSENT)
_SILENT = among(Process.STOPPED, Process.FAILED, Process.ABSENT, Process.FROZEN)
CLAIMS = (Key.MANAGER_HOLDS, Key.MANAGER_STATE, Key.LEASE_HOLDER, Key.LEASE_FRESH)
"""What `claims` reads."""


def holders(view: View) -> tuple[Fact, ...]:
    """The servers that have the VIP on an interface."""
    return view.each(Key.VIP_PRESENT).where(yes)


def claims(view: View, server: str) -> tuple[bool | None, tuple[Fact, ...]]:
    """Whether the manager of a server takes itself for the holder, and the facts that say so.

    A dead manager claims nothing, nor does one that is stopped by a signal, whatever it said last; else its
    own word counts, and without it a Lease that is renewed.
    """
    state, own = view.one(Key.MANAGER_STATE, server), view.one(Key.MANAGER_HOLDS, server)
    if state is not None and state.value is not None and _SILENT(state.value):
        return False, (state,)
    by_lease, lease = _leased(view, server)
    if own is None:
        return by_lease, lease
    return own.value is True, (own, *lease) if own.value is by_lease else (own,)


def _leased(view: View, server: str) -> tuple[bool | None, tuple[Fact, ...]]:
    """Whether a Lease that is renewed names the server."""
    lease, fresh = view.one(Key.LEASE_HOLDER), view.one(Key.LEASE_FRESH)
    if lease is None or fresh is None or fresh.value is not True:
        return None, ()
    return lease.value == server, (lease, fresh)


@predicate(Key.VIP_PRESENT)
def several_have_it(view: View) -> Judgement:
    """Two servers or more have the VIP on an interface."""
    have, found = holders(view), view.each(Key.VIP_PRESENT)
    if held_at_once(view):
        return true(f"{names(have)} have the VIP", *have)
    if len(have) > 1:
        return unknown(f"{names(have)} had the VIP, {MOVED}", *have)
    if found.seen:
        return false("one server at most has the VIP", *found.facts.values())
    return unknown(f"not known whether several have the VIP ({found.coverage})", *found.blind)


@predicate(Key.VIP_PRESENT)
def one_has_it(view: View) -> Judgement:
    """Exactly one server has the VIP on an interface."""
    have, found = holders(view), view.each(Key.VIP_PRESENT)
    if found.seen and len(have) == 1:
        return true(f"only {names(have)} has the VIP", *have)
    if found.seen or len(have) > 1:
        return false(f"{len(have) or 'no'} servers have the VIP", *found.facts.values())
    return unknown(f"not known who has the VIP ({found.coverage})", *found.blind)


@predicate(Key.VIP_PRESENT, *CLAIMS)
def several_claim_it(view: View) -> Judgement:
    """Two servers or more have the VIP, and their managers mean to hold it."""
    said = {f.about: claims(view, f.about) for f in holders(view)}
    claiming = [fact for claim, facts in said.values() if claim for fact in facts]
    if sum(claim is True for claim, _ in said.values()) > 1:
        return true("each of them means to be the holder", *claiming)
    if view.each(Key.VIP_PRESENT).seen and all(claim is not None for claim, _ in said.values()):
        return false(
            "one of them at most means to be the holder",
            *(fact for _, facts in said.values() for fact in facts),
        )
    return unknown("not known who of them means to be the holder", needs=(Key.MANAGER_HOLDS,))


@predicate(Key.VIP_PRESENT, *CLAIMS)
def one_claims_it(view: View) -> Judgement:
    """Some server has the VIP, and its manager means to hold it."""
    return _claimed(view, True, "has the VIP and means to hold it")


@predicate(Key.VIP_PRESENT, *CLAIMS)
def one_only_has_it(view: View) -> Judgement:
    """Some server has the VIP, and its manager is dead or does not mean to hold it."""
    return _claimed(view, False, "has the VIP without meaning to hold it")


def _claimed(view: View, wanted: bool, text: str) -> Judgement:
    """Some server that has the VIP says so, or says not so."""
    said = {f.about: claims(view, f.about) for f in holders(view)}
    met = {server: facts for server, (claim, facts) in said.items() if claim is wanted}
    if met:
        cited = (fact for facts in met.values() for fact in facts)
        return true(f"{', '.join(sorted(met))} {text}", *cited)
    if view.each(Key.VIP_PRESENT).seen and all(claim is not None for claim, _ in said.values()):
        cited = (fact for _, facts in said.values() for fact in facts)
        return false(f"no server {text}", *cited)
    return unknown(f"not known whether a server {text}", needs=(Key.VIP_PRESENT, Key.MANAGER_HOLDS))


def no_holder(view: View) -> Judgement | None:
    """The answer to every question about who has the VIP when it is known that nobody has it."""
    found = view.each(Key.VIP_PRESENT)
    if found.seen and not found.where(yes):
        return false("no server has the VIP", *found.facts.values())
    return None


def _heard(view: View) -> list[Fact]:
    """How the servers that have the VIP see each other: for each pair the best of the last looks."""
    have = [f.about for f in holders(view)]
    best: dict[tuple[str, str], Fact] = {}
    for server in have:
        for key, port in ((Key.SERVER_UP, ""), (Key.SERVER_PORT, "6443")):
            looks = {f.vantage: f for f in view.of(key, server, port) if f.known}
            for place, fact in looks.items():
                if (
                    place in have
                    and place != server
                    and ((place, server) not in best or _is_heard(fact))
                ):
                    best[place, server] = fact
    return list(best.values())


def _is_heard(fact: Fact) -> bool:
    return fact.value in (True, Port.OPEN, Port.REFUSED)


@predicate(Key.VIP_PRESENT, Key.SERVER_UP, Key.SERVER_PORT)
def holders_hear_each_other(view: View) -> Judgement:
    """The servers that have the VIP answer each other."""
    looks = _heard(view)
    deaf = [fact for fact in looks if not _is_heard(fact)]
    if deaf:
        return false("the servers that have the VIP do not hear each other", *deaf)
    if looks:
        return true("the servers that have the VIP answer each other", *looks)
    return unknown("nobody asked one holder from the other", needs=(Key.SERVER_UP, Key.SERVER_PORT))


@predicate(Key.VIP_PRESENT, Key.SERVER_UP, Key.SERVER_PORT)
def holders_deaf(view: View) -> Judgement:
    """Some server that has the VIP does not hear another one that has it."""
    looks = _heard(view)
    deaf = [fact for fact in looks if not _is_heard(fact)]
    if deaf:
        return true("the servers that have the VIP do not hear each other", *deaf)
    if looks:
        return false("the servers that have the VIP answer each other", *looks)
    return unknown("nobody asked one holder from the other", needs=(Key.SERVER_UP, Key.SERVER_PORT))


@predicate(Key.MANAGER_STATE)
def no_manager_there(view: View) -> Judgement:
    """Nothing that would hold the VIP is on any server."""
    found = view.each(Key.MANAGER_STATE)
    absent = found.where(among(Process.ABSENT))
    if found.seen and len(absent) == len(found.subjects):
        return true("nothing that holds a VIP runs on any server", *absent)
    there = found.where(lambda state: state is not Process.ABSENT)
    if there:
        return false(f"something that holds a VIP is on {names(there)}", *there)
    return unknown(f"not known whether something holds the VIP ({found.coverage})", *found.blind)


@predicate(Key.VIP_PRESENT, Key.MANAGER_HOLDS)
def claimed_and_not_there(view: View) -> Judgement:
    """A manager says that it holds the VIP, and its server does not have it."""
    held, found = view.each(Key.MANAGER_HOLDS), view.each(Key.VIP_PRESENT)
    says = held.where(yes)
    lacking = [
        found.facts[f.about]
        for f in says
        if f.about in found.facts and found.facts[f.about].value is False
    ]
    if lacking:
        told = [held.facts[f.about] for f in lacking]
        return true(f"{names(lacking)} means to hold the VIP and does not have it", *told, *lacking)
    if held.seen and all(f.about in found.facts for f in says):
        return false("who means to hold the VIP has it", *says, *found.facts.values())
    return unknown("not known whether who means to hold the VIP has it", *held.blind)


@predicate(Key.VIP_PRESENT, Key.REGISTRATION_ON_VIP, Key.REGISTRATION_PORT)
def holder_listens_elsewhere(view: View) -> Judgement:
    """9345 listens on the holder's own address, and not on the VIP."""
    have = [f.about for f in holders(view)]
    own = view.each(Key.REGISTRATION_PORT, among=have).where(among(Port.OPEN))
    listening = {fact.about for fact in own}
    vip = view.each(Key.REGISTRATION_ON_VIP, among=have)
    closed = [f for f in vip.facts.values() if f.value is False and f.about in listening]
    if closed:
        return true(f"9345 listens on {names(closed)}, and not on the VIP", *own, *closed)
    shut = view.each(Key.REGISTRATION_PORT, among=have).where(lambda port: port is not Port.OPEN)
    either = [*vip.where(yes), *shut]
    if have and {f.about for f in either} >= set(have):
        return false("9345 listens on the VIP as on every address, or nowhere", *either)
    return no_holder(view) or unknown(
        "not known where 9345 listens", needs=(Key.REGISTRATION_ON_VIP, Key.REGISTRATION_PORT)
    )


@predicate(Key.VIP, Key.VIP_PRESENT, *LOG_KEYS)
def it_was_there_before(view: View) -> Judgement:
    """An earlier look, or a log that says of the VIP that it went, shows it where it is not now."""
    vip = view.value(Key.VIP)
    told = [f for f in messages(view, "vip-taken-off") if vip in f.raw.replace("/", " ").split()]
    last = view.each(Key.VIP_PRESENT).facts
    earlier = [
        fact
        for server, now in last.items()
        if now.value is False
        for fact in view.of(Key.VIP_PRESENT, server)
        if fact.value is True and fact.at < now.at
    ]
    if told or earlier:
        return true(f"{names((*told, *earlier))} had the VIP before", *told, *earlier)
    read = view.each(Key.LOGS_READ)
    if read.seen and len(read.where(yes)) == len(read.subjects):
        return false("no server is known to have had the VIP", *read.facts.values())
    return unknown("not known whether the VIP was there before", needs=LOG_KEYS)
