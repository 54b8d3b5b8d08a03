"""Quorum, members and health of etcd."""

from __future__ import annotations

from collections.abc import Iterable

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
    LASTING_MS,
    Judgement,
    Truth,
    View,
    among,
    false,
    names,
    true,
    unknown,
    yes,
)
from vipkeeper.diagnose.predicates.logs import judged, with_message
from vipkeeper.diagnose.predicates.vip import WHERE, leads
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Port, Process, Ready

PEER_PORT = "2380"
"""Where etcd's members talk to each other."""
_SPEAKS = among(Etcd.HEALTHY, Etcd.NO_LEADER, Etcd.NO_SPACE, Etcd.ALARM)


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
    fine += view.each(Key.READYZ).where(among(Ready.OK))
    if fine:
        return false("etcd has a leader", *fine)
    return unknown("no etcd could be asked", *view.each(Key.ETCD_HEALTH).blind)


def _alive(view: View) -> list[Fact]:
    """What shows that a server's etcd is there, with or without a leader."""
    own = view.each(Key.ETCD_HEALTH).where(_SPEAKS)
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
    facts = (*view.of(Key.SERVER_UP), *view.of(Key.SERVER_PORT, aspect=PEER_PORT))
    up = {f.about: f for f in facts if f.value in (True, Port.OPEN)}
    down = [f for f in facts if f.known and f.value not in (True, Port.OPEN)]
    both = [f for f in down if f.about in up]
    if both:
        return true(f"{names(both)} answer somebody else", *both, *(up[f.about] for f in both))
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
    return false(f"etcd has {voters} voters", fact)


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
    fine = view.each(Key.ETCD_HEALTH).where(among(Etcd.HEALTHY))
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
    if since and since[-1].at - since[0].at >= LASTING_MS:
        return true("two looks more than 10 s apart found no leader", since[0], since[-1])
    return unknown("one look does not tell an election from a lost quorum", *gone)


def _cut_off(view: View) -> dict[str, list[Fact]]:
    """Servers without a leader that reach none of the others, with what they tried."""
    found = {}
    for fact in view.each(Key.ETCD_HEALTH).where(among(Etcd.NO_LEADER)):
        tried = [f for f in view.of(Key.SERVER_UP) if f.vantage == fact.about and f.known]
        tried += view.of(Key.SERVER_PORT, aspect=PEER_PORT)
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
    return unknown("no server is known to be without a leader", *health.blind)


@predicate(Key.ETCD_HEALTH, Key.READYZ, Key.SERVER_READYZ)
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
    return unknown("whether the others have a leader is not known", *health.blind)


LEARNER_S = 120
"""A learner that keeps up is promoted within 15 s of the leader's next look; this is far longer."""


def _learners(view: View) -> tuple[Fact, ...]:
    return view.each(Key.ETCD_LEARNER).where(yes)


@predicate(Key.ETCD_LEARNER)
def a_learner(view: View) -> Judgement:
    """Some server's etcd is a learner."""
    return view.each(Key.ETCD_LEARNER).some(yes, "etcd is a learner", "no etcd is a learner")


@predicate(Key.ETCD_LEARNER, *WHERE)
def vip_leads_to_learner(view: View) -> Judgement:
    """The VIP leads to a server whose etcd is a learner."""
    return leads(view, _learners(view))


@predicate(Key.ETCD_LEARNER, Key.SUPERVISOR_AGE, Key.LOG)
def learner_for_a_moment(view: View) -> Judgement:
    """The learner joined moments ago and will be promoted."""
    stalled = [*view.of(Key.LOG, None, "learner-stalled")]
    if any(fact.value for fact in stalled):
        return false("a log says that the learner is stalled", *stalled)
    ages = [f for l in _learners(view) if (f := view.one(Key.SUPERVISOR_AGE, l.about)) is not None]
    old = [fact for fact in ages if isinstance(fact.value, int) and fact.value > LEARNER_S]
    if old:
        return false("its supervisor runs for longer than a promotion takes", *old)
    if ages:
        return true("it joined moments ago", *ages)
    return unknown("since when it is a learner is not known")


@predicate(Key.ETCD_HEALTH, Key.LOG)
def out_of_space(view: View) -> Judgement:
    """etcd has raised its NOSPACE alarm."""
    health = view.each(Key.ETCD_HEALTH)
    raised = health.where(among(Etcd.NO_SPACE))
    if raised:
        said = with_message(view, "etcd-no-space")
        return true(f"etcd is out of space: {names(raised)}", *raised, *said)
    fine = health.where(among(Etcd.HEALTHY))
    if fine:
        return false("etcd is healthy, so no alarm is raised", *fine)
    return unknown("no etcd could be asked for alarms", *health.blind)


_ENDED = among(Process.STOPPED, Process.FAILED, Process.RESTARTING, Process.ABSENT)


def etcd_gone(view: View) -> tuple[Fact, ...]:
    """What shows which servers' etcd does not run."""
    found = [*view.each(Key.CONTAINER, "etcd").where(_ENDED)]
    found += view.each(Key.ETCD_HEALTH).where(among(Etcd.REFUSED))
    running = names_of(view.each(Key.ETCD_HEALTH).where(_SPEAKS))
    return tuple(fact for fact in found if fact.about not in running)


@predicate(Key.CONTAINER, Key.ETCD_HEALTH)
def etcd_down(view: View) -> Judgement:
    """The etcd of some server does not run."""
    gone = etcd_gone(view)
    if gone:
        return true(f"etcd does not run: {names(gone)}", *gone)
    health = view.each(Key.ETCD_HEALTH)
    if health.seen:
        return false("every etcd runs", *health.facts.values())
    return unknown(f"whether etcd runs is not known ({health.coverage})", *health.blind)


@predicate(Key.CONTAINER, Key.ETCD_HEALTH, *WHERE)
def vip_leads_to_dead_etcd(view: View) -> Judgement:
    """The VIP leads to a server whose etcd does not run."""
    return leads(view, etcd_gone(view))


@predicate(Key.CONTAINER, Key.ETCD_HEALTH)
def etcd_down_for_a_moment(view: View) -> Judgement:
    """It may be a restart of etcd, which passes."""
    gone = etcd_gone(view)
    steady = [f for f in gone if f.value in (Process.FAILED, Process.RESTARTING, Process.ABSENT)]
    if steady:
        return false("its container fails", *steady)
    for server in sorted(names_of(gone)):
        lasts = view.lasting(Key.ETCD_HEALTH, server, among(Etcd.REFUSED))
        if lasts.truth is Truth.TRUE:
            return false("two looks more than 10 s apart show the same", *lasts.facts)
    return unknown("one look does not tell a restart from an etcd that stays down", *gone)


@predicate(Key.DATASTORE)
def datastore_external(view: View) -> Judgement:
    """The cluster keeps its state in an external database."""
    fact = view.one(Key.DATASTORE)
    if fact is None:
        return unknown("where the cluster keeps its state is not known", *view.of(Key.DATASTORE))
    if fact.value is Datastore.EXTERNAL:
        return true("the datastore is an external database", fact)
    return false("the datastore is not external", fact)


@predicate(Key.READYZ, Key.SERVER_READYZ, Key.LOG, Key.LOGS_READ)
def datastore_fails(view: View) -> Judgement:
    """API servers, or their log, say that the datastore does not answer."""
    said = with_message(view, "datastore-unreachable")
    ready = [*view.each(Key.READYZ).facts.values()]
    ready += [f for s in view.servers() if (f := view.one(Key.SERVER_READYZ, s)) is not None]
    failed = [fact for fact in ready if fact.value is Ready.ETCD_FAILED]
    fine = [fact for fact in ready if fact.value is Ready.OK]
    if fine:
        return false("an API server reaches the datastore", *fine)
    if failed or said:
        return true("the datastore does not answer", *failed, *said)
    return judged(view, "the datastore does not answer", "datastore-unreachable")


@predicate(Key.ETCD_HEALTH, Key.READYZ, Key.CONTAINER, Key.DATASTORE)
def datastore_ill(view: View) -> Judgement:
    """The datastore is the deeper cause: no leader, not running, or not answering."""
    failed = view.each(Key.READYZ).where(among(Ready.ETCD_FAILED))
    ill = view.each(Key.ETCD_HEALTH).where(among(Etcd.NO_LEADER, Etcd.NO_SPACE, Etcd.ALARM))
    gone = etcd_gone(view)
    if ill or failed or gone:
        return true("the datastore is ill, and the API server with it", *ill, *failed, *gone)
    fine = view.each(Key.ETCD_HEALTH).where(among(Etcd.HEALTHY))
    kept = view.one(Key.DATASTORE)
    if fine:
        return false(f"etcd is healthy: {names(fine)}", *fine)
    if kept is not None and kept.value is Datastore.SQLITE:
        return false("the datastore is a file of the server itself", kept)
    return unknown("how the datastore is was not seen", *view.each(Key.ETCD_HEALTH).blind)


@predicate(Key.DISK_FULL)
def disk_full(view: View) -> Judgement:
    """The disk with the datastore is full on some server."""
    return view.each(Key.DISK_FULL).some(yes, "the disk is full", "no disk is full")


@predicate(Key.DISK_FULL, *WHERE)
def vip_leads_to_full_disk(view: View) -> Judgement:
    """The VIP leads to a server whose disk is full."""
    return leads(view, view.each(Key.DISK_FULL).where(yes))


@predicate(Key.ETCD_SLOW)
def etcd_slow(view: View) -> Judgement:
    """Writes of some etcd take longer than 100 ms."""
    return view.each(Key.ETCD_SLOW).some(yes, "etcd writes slowly", "every etcd writes fast")
