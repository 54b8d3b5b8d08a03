"""API servers: which serve, which are dead, and whether that lasts."""

from __future__ import annotations

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
from vipkeeper.diagnose.predicates.vip import WHERE, behind, leads
from vipkeeper.diagnose.vocabulary import Key, Port, Process, Ready

API = "6443"
CONTAINER = "kube-apiserver"
SIGNS = (Key.API_PORT, Key.READYZ, Key.SERVER_PORT, Key.SERVER_READYZ)
"""What `signs` reads."""
_SERVES = among(Ready.OK, Ready.UNAUTHORIZED)
_DEAD = among(Port.REFUSED, Ready.REFUSED, Ready.NOT_READY)
_ILL = among(Ready.ETCD_FAILED, Ready.CHECKS_FAILED, Ready.NO_ANSWER)


def signs(view: View, server: str) -> tuple[Fact, ...]:
    """All samples of a server's API, seen by itself and from elsewhere, the oldest first."""
    found = [*view.of(Key.API_PORT, server), *view.of(Key.READYZ, server)]
    found += view.of(Key.SERVER_PORT, server, API)
    found += view.of(Key.SERVER_READYZ, server)
    return tuple(sorted((f for f in found if f.known), key=lambda fact: fact.at))


def _does(fact: Fact, test: object) -> bool:
    return callable(test) and fact.value is not None and bool(test(fact.value))


def _down(view: View, server: str, *, dead: bool) -> tuple[Fact, ...]:
    """What shows that a server's API is down, unless it served later.

    At the same time the server's own word counts, and a port that refuses elsewhere does not: a firewall refuses, too.
    """
    seen = signs(view, server)
    bad = [f for f in seen if _does(f, _DEAD) or (not dead and _does(f, _ILL))]
    good = max((f.at for f in seen if _does(f, _SERVES)), default=-1)
    last = max((f.at for f in bad), default=-1)
    own = any(f.at == last and f.key is not Key.SERVER_PORT for f in bad)
    return tuple(bad) if last > good or (own and last == good) else ()


def dead(view: View) -> tuple[Fact, ...]:
    """What shows which API servers do not run."""
    return tuple(fact for server in view.servers() for fact in _down(view, server, dead=True))


def not_serving(view: View) -> tuple[Fact, ...]:
    """What shows which API servers do not run, or say that they cannot serve."""
    return tuple(fact for server in view.servers() for fact in _down(view, server, dead=False))


def serving(view: View) -> tuple[Fact, ...]:
    """What shows which API servers serve."""
    down = {fact.about for fact in not_serving(view)}
    seen = (fact for server in view.servers() for fact in signs(view, server))
    return tuple(fact for fact in seen if _does(fact, _SERVES) and fact.about not in down)


@predicate(*SIGNS)
def api_dead(view: View) -> Judgement:
    """The API server of some server does not run."""
    found = dead(view)
    if found:
        return true(f"the API server does not run: {names(found)}", *found)
    alive = serving(view)
    if alive:
        return false(f"the API server runs: {names(alive)}", *alive)
    return unknown("no API server was asked")


@predicate(*SIGNS, *WHERE)
def vip_leads_to_dead_api(view: View) -> Judgement:
    """The VIP leads to a server whose API server does not run."""
    return leads(view, dead(view))


@predicate(*SIGNS)
def api_serves_somewhere(view: View) -> Judgement:
    """Some API server serves, asked on the server's own address."""
    alive, down = serving(view), not_serving(view)
    if alive:
        return true(f"the API serves on the servers themselves: {names(alive)}", *alive)
    if {f.about for f in down} >= set(view.servers()) and down:
        return false("no API server serves", *down)
    return unknown("no API server was asked on its own address")


def lasting_down(view: View) -> tuple[Fact, ...]:
    """What shows that an API that is down is so for more than a moment. Reads the container, too."""
    down = not_serving(view)
    for server in sorted({fact.about for fact in down}):
        failed = view.one(Key.CONTAINER, server, CONTAINER)
        if failed is not None and failed.value is Process.FAILED:
            return (failed,)
        own = [fact for fact in down if fact.about == server]
        served = max((f.at for f in signs(view, server) if _does(f, _SERVES)), default=-1)
        since = [fact for fact in own if fact.at > served]
        apart = far_apart(since)
        if apart:
            return apart
    return ()


@predicate(*SIGNS, Key.CONTAINER)
def api_down_for_a_moment(view: View) -> Judgement:
    """What was seen may be a restart or an election, which passes."""
    lasts = lasting_down(view)
    if lasts:
        return false("more than one look shows the same", *lasts)
    return unknown("one look is no finding: a restart of the API server passes", *not_serving(view))


@predicate(Key.CONTAINER)
def api_restarts(view: View) -> Judgement:
    """The API server's container is started again and again."""
    return view.each(Key.CONTAINER, CONTAINER).some(
        among(Process.RESTARTING),
        "the API server is restarted again and again",
        "no API server is restarted",
    )


@predicate(Key.CONTAINER, *WHERE)
def vip_leads_to_restarting_api(view: View) -> Judgement:
    """The VIP leads to a server whose API server is restarted again and again."""
    return leads(view, view.each(Key.CONTAINER, CONTAINER).where(among(Process.RESTARTING)))


@predicate(Key.CONTAINER, *WHERE)
def api_restarts_behind_vip(view: View) -> Judgement:
    """The API server that the VIP leads to is started again and again."""
    restarts = among(Process.RESTARTING)
    text = "the API server is restarted again and again"
    not_so = "the API server is not restarted again and again"
    return behind(view, view.each(Key.CONTAINER, CONTAINER), restarts, text, not_so)
