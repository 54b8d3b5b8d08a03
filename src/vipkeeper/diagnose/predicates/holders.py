"""Who has the VIP, and who says so."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, among, false, names, true, unknown, yes
from vipkeeper.diagnose.vocabulary import Key, Port, Process

DEAD = among(Process.STOPPED, Process.FAILED, Process.ABSENT)
CLAIMS = (Key.MANAGER_HOLDS, Key.MANAGER_STATE, Key.LEASE_HOLDER, Key.LEASE_FRESH)
"""What `claims` reads."""


def holders(view: View) -> tuple[Fact, ...]:
    """The servers that have the VIP on an interface."""
    return view.each(Key.VIP_PRESENT).where(yes)


def claims(view: View, server: str) -> tuple[bool | None, tuple[Fact, ...]]:
    """Whether the manager of a server takes itself for the holder, and the facts that say so.

    A dead manager claims nothing; else its own word counts, and without it a Lease that is renewed.
    """
    state, own = view.one(Key.MANAGER_STATE, server), view.one(Key.MANAGER_HOLDS, server)
    if state is not None and state.value is not None and DEAD(state.value):
        return False, (state,)
    if own is not None:
        return own.value is True, (own,)
    lease, fresh = view.one(Key.LEASE_HOLDER), view.one(Key.LEASE_FRESH)
    if lease is not None and fresh is not None and fresh.value is True:
        return lease.value == server, (lease, fresh)
    return None, ()


@predicate(Key.VIP_PRESENT)
def several_have_it(view: View) -> Judgement:
    """Two servers or more have the VIP on an interface."""
    have, found = holders(view), view.each(Key.VIP_PRESENT)
    if len(have) > 1:
        return true(f"{names(have)} have the VIP", *have)
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
        return false(f"{len(have)} servers have the VIP", *found.facts.values())
    return unknown(f"not known who has the VIP ({found.coverage})", *found.blind)


@predicate(Key.VIP_PRESENT)
def nobody_has_it(view: View) -> Judgement:
    """No server has the VIP on an interface."""
    return view.each(Key.VIP_PRESENT).none(
        yes, "no server has the VIP", "the VIP is on an interface"
    )


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
def one_claims_another_only_has_it(view: View) -> Judgement:
    """One server holds the VIP; another one has it, and its manager does not mean to."""
    said = {f.about: claims(view, f.about) for f in holders(view)}
    keeping = {server for server, (claim, _) in said.items() if claim}
    left = {server for server, (claim, _) in said.items() if claim is False}
    facts = tuple(fact for _, found in said.values() for fact in found)
    if keeping and left:
        text = f"{', '.join(sorted(keeping))} holds the VIP, {', '.join(sorted(left))} only has it"
        return true(text, *facts)
    if view.each(Key.VIP_PRESENT).seen and all(claim is not None for claim, _ in said.values()):
        return false("nobody has the VIP beside a holder without meaning to", *facts)
    return unknown("not known who of them means to be the holder", needs=(Key.MANAGER_HOLDS,))


def _heard(view: View) -> list[Fact]:
    """How the servers that have the VIP see each other: each one's latest look at each other."""
    have = [f.about for f in holders(view)]
    latest: dict[tuple[str, str], Fact] = {}
    for server in have:
        for fact in (*view.of(Key.SERVER_UP, server), *view.of(Key.SERVER_PORT, server, "6443")):
            if fact.known and fact.vantage in have and fact.vantage != server:
                before = latest.get((fact.vantage, server))
                if before is None or before.value is not True:
                    latest[fact.vantage, server] = fact
    return list(latest.values())


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
