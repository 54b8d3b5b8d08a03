"""Quorum, members and health of etcd."""

from __future__ import annotations

from collections.abc import Iterable

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
    Judgement,
    View,
    among,
    false,
    far_apart,
    names,
    true,
    unknown,
)
from vipkeeper.diagnose.vocabulary import Etcd, Key, Port, Ready

PEER_PORT = "2380"
"""Where etcd's members talk to each other."""
SPEAKS = among(Etcd.HEALTHY, Etcd.NO_LEADER, Etcd.NO_SPACE, Etcd.ALARM, Etcd.SLOW)
"""A test: etcd runs, whatever it says."""


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
    slow = names_of(view.each(Key.ETCD_HEALTH).where(among(Etcd.SLOW)))
    failed = view.each(Key.READYZ).where(among(Ready.ETCD_FAILED))
    ready = [fact for fact in failed if fact.about not in slow]
    if health or ready:
        return true("etcd has no leader", *health, *ready)
    fine = view.each(Key.ETCD_HEALTH).where(among(Etcd.HEALTHY, Etcd.SLOW))
    fine += view.each(Key.READYZ).where(among(Ready.OK))
    if fine:
        return false("etcd has a leader", *fine)
    return unknown("no etcd could be asked", *view.each(Key.ETCD_HEALTH).blind)


def _alive(view: View) -> list[Fact]:
    """What shows that a server's etcd is there, with or without a leader."""
    own = view.each(Key.ETCD_HEALTH).where(SPEAKS)
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
    places: dict[str, set[str]] = {}
    for fact in down:
        places.setdefault(fact.about, set()).add(fact.vantage)
    if places and all(len(seen_from) > 1 for seen_from in places.values()):
        return false("from a second place they do not answer either", *down)
    return unknown(
        "only one place looked: a cut-off server sees the same as the last one alive",
        needs=(Key.SERVER_UP, Key.SERVER_PORT),
    )


def _voters(view: View) -> tuple[Fact | None, int]:
    fact = view.one(Key.VOTERS)
    return fact, fact.value if fact is not None and isinstance(fact.value, int) else 0


@predicate(Key.VOTERS, Key.SERVERS)
def only_one_server(view: View) -> Judgement:
    """The cluster was built with one server: its quorum is one, and nobody can take over."""
    fact, voters = _voters(view)
    named = view.one(Key.SERVERS)
    servers = len(named.value) if named is not None and isinstance(named.value, tuple) else 0
    facts = [f for f in (fact, named) if f is not None]
    if voters > 1 or servers > 1:
        return false("the cluster has more than one server", *facts)
    if voters == 1 or servers == 1:
        return true("the cluster has one server", *facts)
    return unknown("how many servers the cluster has is not known", *view.of(Key.VOTERS))


@predicate(Key.VOTERS)
def two_voters(view: View) -> Judgement:
    """The cluster has two voting members."""
    fact, voters = _voters(view)
    if fact is None:
        return unknown("how many etcd voters there are is not known", *view.of(Key.VOTERS))
    if voters == 2:
        return true("etcd has two voters, and its quorum is two", fact)
    return false(f"etcd has {voters} voter{'' if voters == 1 else 's'}", fact)


@predicate(Key.VOTERS, Key.ETCD_HEALTH, Key.SERVER_PORT)
def enough_voters_there(view: View) -> Judgement:
    """As many voters are there as the quorum needs, so that they can elect a leader."""
    fact, voters = _voters(view)
    alive = _alive(view)
    if fact is None:
        return unknown("how many etcd voters there are is not known")
    if len(names_of(alive)) >= voters // 2 + 1:
        return true(f"{len(names_of(alive))} of {voters} voters are there", fact, *alive)
    return unknown(f"{len(names_of(alive))} of {voters} voters were seen", *alive)


def names_of(facts: Iterable[Fact]) -> set[str]:
    """The servers that facts are about."""
    return {fact.about for fact in facts}


def _samples(view: View) -> list[Fact]:
    """All looks at etcd's leader, the oldest first, of servers that saw none at some time."""
    found: list[Fact] = []
    for server in view.servers():
        own = [f for f in view.of(Key.ETCD_HEALTH, server) if f.known]
        if not any(f.value is Etcd.SLOW for f in own):  # its API server waits for it in vain, too
            own += [f for f in view.of(Key.READYZ, server) if f.known]
        if any(f.value in (Etcd.NO_LEADER, Ready.ETCD_FAILED) for f in own):
            found += own
    return sorted(found, key=lambda fact: fact.at)


@predicate(Key.ETCD_HEALTH, Key.READYZ)
def leaderless_at_a_time(view: View) -> Judgement:
    """In one sample at least etcd had no leader."""
    samples = _samples(view)
    if samples:
        return true(f"etcd had no leader: {names(samples)}", *samples)
    fine = view.each(Key.ETCD_HEALTH).where(among(Etcd.HEALTHY, Etcd.SLOW))
    if fine:
        return false("etcd had a leader each time", *fine)
    return unknown("no etcd could be asked", *view.each(Key.ETCD_HEALTH).blind)


@predicate(Key.ETCD_HEALTH, Key.READYZ)
def leaderless_for_long(view: View) -> Judgement:
    """etcd has no leader for longer than an election lasts. Not so when a later look found one."""
    samples = _samples(view)
    gone = [f for f in samples if f.value in (Etcd.NO_LEADER, Ready.ETCD_FAILED)]
    back = [f for f in samples if f.value in (Etcd.HEALTHY, Ready.OK)]
    if gone and back and back[-1].at > gone[-1].at:
        return false("a later look found a leader", back[-1])
    since = [f for f in gone if not back or f.at > back[-1].at]
    apart = far_apart(since)
    if apart:
        return true("two looks more than 10 s apart found no leader", *apart)
    return unknown("one look does not tell an election from a lost quorum", *gone)


def _cut_off(view: View) -> dict[str, list[Fact]]:
    """Servers without a leader that reach none of the others, with what they tried."""
    found = {}
    for fact in view.each(Key.ETCD_HEALTH).where(among(Etcd.NO_LEADER)):
        tried = (*view.of(Key.SERVER_UP), *view.of(Key.SERVER_PORT, aspect=PEER_PORT))
        own = [f for f in tried if f.vantage == fact.about and f.about != fact.about and f.known]
        if own and not any(f.value in (True, Port.OPEN) for f in own):
            found[fact.about] = own
    return found


@predicate(Key.ETCD_HEALTH, Key.SERVER_UP, Key.SERVER_PORT)
def reaches_no_other(view: View) -> Judgement:
    """A server without a leader reaches none of the others."""
    cut = _cut_off(view)
    if cut:
        facts = [fact for server in sorted(cut) for fact in cut[server]]
        return true(f"{', '.join(sorted(cut))} reaches no other server", *facts)
    health = view.each(Key.ETCD_HEALTH)
    if health.where(among(Etcd.NO_LEADER)):
        looks = [f for f in view.of(Key.SERVER_UP) if f.value is True and f.vantage in health.facts]
        if looks:
            return false("it reaches the other servers", *looks)
        return unknown("whether it reaches the others is not known")
    fine = health.where(among(Etcd.HEALTHY))
    if fine:
        return false("no server that was asked is without a leader", *fine)
    return unknown("no server is known to be without a leader", *health.blind)


def _others_down(view: View, lost: set[str]) -> list[Fact]:
    """What shows that every other server is down for a place that is not the one without a leader."""
    others = [server for server in view.servers() if server not in lost]
    looks = [f for f in view.of(Key.SERVER_UP) if f.known and f.vantage not in lost]
    up, down = (names_of(f for f in looks if bool(f.value) is word) for word in (True, False))
    complete = view.each(Key.SERVER_UP).complete
    return looks if complete and others and not up and set(others) <= down else []


@predicate(Key.ETCD_HEALTH, Key.READYZ, Key.SERVER_READYZ, Key.SERVER_UP)
def others_go_on(view: View) -> Judgement:
    """While one server has no leader, others serve: etcd's majority is there without it."""
    health, ready = view.each(Key.ETCD_HEALTH), view.each(Key.READYZ)
    lost = names_of(health.where(among(Etcd.NO_LEADER)))
    fine = [*health.where(among(Etcd.HEALTHY)), *ready.where(among(Ready.OK))]
    for server in view.servers():
        latest = view.one(Key.SERVER_READYZ, server)
        if latest is not None and latest.value is Ready.OK:
            fine.append(latest)
    others = [fact for fact in fine if fact.about not in lost]
    if others:
        return true(f"others have a leader: {names(others)}", *others)
    if health.seen:
        return false("no server has a leader", *health.facts.values())
    down = _others_down(view, lost)
    if lost and down:
        return false(f"from elsewhere, too, the others are down: {names(down)}", *down)
    return unknown("whether the others have a leader is not known", *health.blind)
