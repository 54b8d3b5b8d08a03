"""rke2-server, k3s or the kubelet: stopped, starting, restarting."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
    STARTING_S,
    Judgement,
    Truth,
    View,
    among,
    false,
    names,
    true,
    unknown,
)
from vipkeeper.diagnose.predicates.vip import WHERE, behind, leads
from vipkeeper.diagnose.vocabulary import Key, Process

_STOPPED = among(Process.STOPPED, Process.FAILED)


@predicate(Key.SUPERVISOR)
def supervisor_stopped(view: View) -> Judgement:
    """The supervisor of some server is stopped."""
    return view.each(Key.SUPERVISOR).some(
        _STOPPED, "the supervisor is stopped", "every supervisor runs"
    )


@predicate(Key.SUPERVISOR, *WHERE)
def vip_leads_to_stopped(view: View) -> Judgement:
    """The VIP leads to a server whose supervisor is stopped."""
    return leads(view, view.each(Key.SUPERVISOR).where(_STOPPED))


@predicate(Key.SUPERVISOR, *WHERE)
def stopped_behind_vip(view: View) -> Judgement:
    """The supervisor of a server that the VIP leads to is stopped."""
    states = view.each(Key.SUPERVISOR)
    return behind(
        view, states, _STOPPED, "the supervisor is stopped", "the supervisor is not stopped"
    )


@predicate(Key.SUPERVISOR, *WHERE)
def not_up_behind_vip(view: View) -> Judgement:
    """The supervisor of a server that the VIP leads to is stopped, or has not come up yet."""
    states = view.each(Key.SUPERVISOR)
    return behind(
        view,
        states,
        lambda value: value is not Process.RUNNING,
        "the supervisor is not up",
        "the supervisor is up",
    )


@predicate(Key.SUPERVISOR, *WHERE)
def restarts_behind_vip(view: View) -> Judgement:
    """The supervisor of a server that the VIP leads to ends and is started again."""
    states, restarts = view.each(Key.SUPERVISOR), among(Process.RESTARTING)
    return behind(
        view, states, restarts, "the supervisor restarts", "the supervisor does not restart"
    )


def young(view: View) -> tuple[Fact, ...]:
    """What shows which supervisors are starting and began moments ago."""
    found: list[Fact] = []
    for fact in view.each(Key.SUPERVISOR).where(among(Process.STARTING)):
        age = view.one(Key.SUPERVISOR_AGE, fact.about)
        if age is not None and isinstance(age.value, int) and age.value <= STARTING_S:
            found += [fact, age]
    return tuple(found)


@predicate(Key.SUPERVISOR, Key.SUPERVISOR_AGE)
def started_moments_ago(view: View) -> Judgement:
    """The supervisor of some server is starting, and not for long."""
    found = young(view)
    if found:
        return true(f"the supervisor is starting: {names(found)}", *found)
    states, ages = view.each(Key.SUPERVISOR), view.each(Key.SUPERVISOR_AGE)
    starting = states.where(among(Process.STARTING))
    if all(fact.about in ages.facts for fact in starting) and states.seen:
        return false("no supervisor was started moments ago", *states.facts.values())
    return unknown("since when the supervisors run is not known", *states.blind, *ages.blind)


@predicate(Key.SUPERVISOR, Key.SUPERVISOR_AGE, *WHERE)
def vip_leads_to_starting(view: View) -> Judgement:
    """The VIP leads to a server that is starting."""
    return leads(view, young(view))


@predicate(Key.SUPERVISOR, Key.SUPERVISOR_AGE, *WHERE)
def starting_behind_vip(view: View) -> Judgement:
    """A server that the VIP leads to was started moments ago."""
    states, recent = view.each(Key.SUPERVISOR), {fact.about for fact in young(view)}
    starts = among(Process.STARTING)
    judged = behind(
        view, states, starts, "the supervisor is starting", "the supervisor is not starting"
    )
    if judged.truth is not Truth.TRUE:
        return judged
    starting = [fact for fact in judged.facts if fact.about in recent]
    if starting:
        return judged
    ages = [f for fact in judged.facts if (f := view.one(Key.SUPERVISOR_AGE, fact.about))]
    if len(ages) == len(judged.facts):
        return false("it has been starting for long", *ages)
    return unknown("since when it is starting is not known", *judged.facts)
