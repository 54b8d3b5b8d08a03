"""What ails a datastore whose quorum is there: learners, space, a full disk, etcd that does not run."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
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
from vipkeeper.diagnose.predicates.etcd import SPEAKS, names_of
from vipkeeper.diagnose.predicates.logs import lately, logged_lately, messages
from vipkeeper.diagnose.predicates.vip import WHERE, behind, leads, led_to
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Process, Ready

AWAY = ("datastore-unreachable",)
"""Codes of messages that say that an external datastore does not answer."""
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
    ages = [f for one in _learners(view) if (f := view.one(Key.SUPERVISOR_AGE, one.about))]
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
        said = messages(view, "etcd-no-space")
        return true(f"etcd is out of space: {names(raised)}", *raised, *said)
    fine = health.where(among(Etcd.HEALTHY))
    if fine:
        return false("etcd is healthy, so no alarm is raised", *fine)
    return unknown("no etcd could be asked for alarms", *health.blind)


_WITHOUT_ETCD = (Ready.ETCD_FAILED, Ready.REFUSED, Ready.NOT_READY, Ready.NO_ANSWER)
"""What an API server says or does that has lost its datastore."""
_ENDED = among(Process.STOPPED, Process.FAILED, Process.RESTARTING)


def etcd_gone(view: View) -> tuple[Fact, ...]:
    """What shows which servers' etcd does not run."""
    found = [*view.each(Key.CONTAINER, "etcd").where(_ENDED)]
    found += view.each(Key.ETCD_HEALTH).where(among(Etcd.REFUSED))
    running = names_of(view.each(Key.ETCD_HEALTH).where(SPEAKS))
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
    steady = [f for f in gone if f.value in (Process.FAILED, Process.RESTARTING)]
    if steady:
        return false("its container fails", *steady)
    for server in sorted(names_of(gone)):
        lasts = view.lasting(Key.ETCD_HEALTH, server, among(Etcd.REFUSED))
        if lasts.truth is Truth.TRUE:
            return false("two looks more than 10 s apart show the same", *lasts.facts)
    return unknown("one look does not tell a restart from an etcd that stays down", *gone)


@predicate(Key.CONTAINER, Key.ETCD_HEALTH, Key.ETCD_DATA, Key.READYZ, *WHERE)
def etcd_is_elsewhere(view: View) -> Judgement:
    """The server behind the VIP has no etcd of its own (`disable-etcd`) and needs none."""
    held = led_to(view)
    gone = {fact.about: fact for fact in etcd_gone(view) if fact.about in held}
    seen = {server: view.one(Key.READYZ, server) for server in gone}
    served = [f for f in seen.values() if f is not None and f.value is Ready.OK]
    if served:
        return true("its API server reaches etcd all the same", *served)
    data = view.each(Key.ETCD_DATA, among=gone)
    kept = {fact.about: fact for fact in data.where(yes)}
    ended = {fact.about: fact for fact in view.each(Key.CONTAINER, "etcd").where(_ENDED)}
    fails = {s: f for s, f in seen.items() if f is not None and f.value in _WITHOUT_ETCD}
    proofs = {**fails, **ended, **kept}
    if gone and set(gone) <= set(proofs):
        return false("an etcd belongs to this server", *(proofs[server] for server in sorted(gone)))
    return unknown("not known whether an etcd belongs to this server", needs=(Key.ETCD_DATA,))


@predicate(Key.DATASTORE, Key.VOTERS)
def datastore_external(view: View) -> Judgement:
    """The cluster keeps its state in an external database, not in an etcd whose members it knows."""
    fact, voters = view.one(Key.DATASTORE), view.one(Key.VOTERS)
    if fact is None and voters is not None:
        return false("the datastore is etcd", voters)
    if fact is None:
        return unknown("where the cluster keeps its state is not known", *view.of(Key.DATASTORE))
    if fact.value is Datastore.EXTERNAL:
        return true("the datastore is an external database", fact)
    return false("the datastore is not external", fact)


@predicate(Key.DATASTORE, Key.VOTERS)
def datastore_not_etcd(view: View) -> Judgement:
    """The cluster does not keep its state in etcd, so no etcd is missing."""
    fact, voters = view.one(Key.DATASTORE), view.one(Key.VOTERS)
    if fact is not None and fact.value is not Datastore.ETCD:
        return true("the datastore is not etcd", fact)
    known = [f for f in (fact, voters) if f is not None]
    if known:
        return false("the datastore is etcd", *known)
    return unknown("where the cluster keeps its state is not known", *view.of(Key.DATASTORE))


away = logged_lately("away", "the datastore does not answer", *AWAY)


@predicate(Key.READYZ, Key.SERVER_READYZ, Key.LOG, Key.LOGS_READ)
def datastore_fails(view: View) -> Judgement:
    """API servers, or their log, say that the datastore does not answer."""
    said = lately(view, *AWAY)
    ready = [*view.each(Key.READYZ).facts.values()]
    ready += [f for s in view.servers() if (f := view.one(Key.SERVER_READYZ, s)) is not None]
    failed = [fact for fact in ready if fact.value is Ready.ETCD_FAILED]
    fine = [fact for fact in ready if fact.value is Ready.OK]
    if fine:
        return false("an API server reaches the datastore", *fine)
    if failed or said:
        return true("the datastore does not answer", *failed, *said)
    return away.judge(view)


@predicate(Key.ETCD_HEALTH, Key.READYZ, Key.CONTAINER, Key.DATASTORE, *WHERE)
def datastore_ill_behind_vip(view: View) -> Judgement:
    """Where the VIP leads the datastore is the deeper cause: no leader, not running, not answering."""
    ill = among(*(word for word in Etcd if word is not Etcd.HEALTHY))
    kept, held = view.one(Key.DATASTORE), led_to(view)
    failed = view.each(Key.READYZ).where(among(Ready.ETCD_FAILED))
    failed += etcd_gone(view)
    here = [fact for fact in failed if fact.about in held]
    if here:
        return true("the datastore is ill, and the API server with it", *here)
    if kept is not None and kept.value is Datastore.SQLITE:
        return false("the datastore is a file of the server itself", kept)
    return behind(view, view.each(Key.ETCD_HEALTH), ill, "etcd is ill", "etcd is well")


@predicate(Key.DISK_FULL)
def disk_full(view: View) -> Judgement:
    """The disk with the datastore is full on some server."""
    return view.each(Key.DISK_FULL).some(yes, "the disk is full", "no disk is full")


@predicate(Key.DISK_FULL, *WHERE)
def vip_leads_to_full_disk(view: View) -> Judgement:
    """The VIP leads to a server whose disk is full."""
    return leads(view, view.each(Key.DISK_FULL).where(yes))


@predicate(Key.ETCD_HEALTH)
def etcd_fails_for_slowness(view: View) -> Judgement:
    """Some etcd has a leader and is too slow for its own health check."""
    return view.each(Key.ETCD_HEALTH).some(
        among(Etcd.SLOW),
        "etcd is too slow for its own health check",
        "no etcd is too slow for its own health check",
    )


@predicate(Key.ETCD_SLOW, Key.LOG)
def etcd_slow(view: View) -> Judgement:
    """Writes of some etcd take longer than 100 ms by its metrics since it started, or a second by its log of late."""
    said = messages(view, "etcd-slow-fsync")
    if said:
        return true(f"etcd writes slowly: {names(said)}", *said)
    return view.each(Key.ETCD_SLOW).some(yes, "etcd writes slowly", "every etcd writes fast")
