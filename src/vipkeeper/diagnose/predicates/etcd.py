"""Quorum, members and health of etcd."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, among, false, names, true, unknown
from vipkeeper.diagnose.vocabulary import Etcd, Key, Port, Ready

PEER_PORT = "2380"
"""Where etcd's members talk to each other."""


@predicate(Key.VOTERS)
def several_voters(view: View) -> Judgement:
    """The cluster was built with more than one voting member."""
    fact = view.one(Key.VOTERS)
    if fact is None or not isinstance(fact.value, int):
        return unknown("how many etcd voters there are is not known", *view.of(Key.VOTERS))
    if fact.value > 1:
        return true(f"etcd has {fact.value} voters, so {fact.value // 2 + 1} must answer", fact)
    return false("etcd has one voter: its quorum is one", fact)


@predicate(Key.ETCD_HEALTH, Key.READYZ)
def no_leader(view: View) -> Judgement:
    """etcd, or the API server's own check of it, says that there is no leader."""
    health = view.each(Key.ETCD_HEALTH).where(among(Etcd.NO_LEADER))
    ready = view.each(Key.READYZ).where(among(Ready.ETCD_FAILED))
    if health or ready:
        return true("etcd has no leader", *health, *ready)
    fine = view.each(Key.ETCD_HEALTH).where(among(Etcd.HEALTHY))
    if fine:
        return false("etcd has a leader", *fine)
    return unknown("no etcd could be asked", *view.each(Key.ETCD_HEALTH).blind)


def _alive(view: View) -> list[Fact]:
    """What shows that a server's etcd is there, with or without a leader."""
    speaks = among(Etcd.HEALTHY, Etcd.NO_LEADER, Etcd.ALARM)
    own = view.each(Key.ETCD_HEALTH).where(speaks)
    seen = [f for f in view.of(Key.SERVER_PORT, aspect=PEER_PORT) if f.value is Port.OPEN]
    return [*own, *seen]


def _gone(view: View) -> list[Fact]:
    """What shows that a server's etcd is not there, unless somebody else sees it."""
    closed = [f for f in view.of(Key.SERVER_PORT, aspect=PEER_PORT) if f.known]
    down = [f for f in view.of(Key.SERVER_UP) if f.value is False]
    alive = {f.about for f in _alive(view)}
    return [f for f in (*closed, *down) if f.about not in alive]


@predicate(Key.VOTERS, Key.ETCD_HEALTH, Key.SERVER_UP, Key.SERVER_PORT)
def too_few_voters(view: View) -> Judgement:
    """Fewer voters are there than the quorum needs, as far as anybody can see."""
    voters = view.one(Key.VOTERS)
    if voters is None or not isinstance(voters.value, int):
        return unknown("how many etcd voters there are is not known")
    quorum = voters.value // 2 + 1
    alive, gone = _alive(view), _gone(view)
    here, away = {f.about for f in alive}, {f.about for f in gone}
    if len(here) >= quorum:
        return false(f"{len(here)} of {voters.value} voters are there: {names(alive)}", *alive)
    if voters.value - len(away) < quorum:
        text = f"{names(gone)} do not answer, and {quorum} of {voters.value} voters are needed"
        return true(text, voters, *gone)
    return unknown(f"{len(here)} of {voters.value} voters are there; nobody asked the others")


@predicate(Key.SERVER_UP, Key.SERVER_PORT, Key.ETCD_HEALTH)
def others_answer_somebody_else(view: View) -> Judgement:
    """Servers that are gone for one place answer another: the network is in parts."""
    groups = (view.of(Key.SERVER_UP), view.of(Key.SERVER_PORT, aspect=PEER_PORT))
    there = (True, Port.OPEN)
    down = [f for group in groups for f in group if f.known and f.value not in there]
    split = [
        (bad, good)
        for group in groups
        for bad in group
        for good in group
        if bad in down and good.value in there
        if bad.about == good.about and bad.vantage != good.vantage
    ]
    if split:
        facts = {f.id: f for pair in split for f in pair}
        return true(f"{names(facts.values())} answer somebody else", *facts.values())
    if len({f.vantage for f in down}) > 1:
        return false("from a second place they do not answer either", *down)
    return unknown(
        "only one place looked: a cut-off server sees the same as the last one alive",
        needs=(Key.SERVER_UP, Key.SERVER_PORT),
    )
