"""Whether the API of a server that has something wrong is down, and whether it is frozen."""

from __future__ import annotations

from collections.abc import Iterable

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, among, false, names, true, unknown, yes
from vipkeeper.diagnose.predicates.api import (
    API,
    CONTAINER,
    SIGNS,
    lasting_down,
    not_serving,
    serving,
)
from vipkeeper.diagnose.predicates.logs import messages
from vipkeeper.diagnose.predicates.supervisor import young
from vipkeeper.diagnose.predicates.vip import WHERE, leads
from vipkeeper.diagnose.vocabulary import Hello, Key, Port, Process, Ready


def down_at(view: View, faulty: Iterable[Fact]) -> Judgement:
    """Whether the API of one of the servers that these facts are about is down."""
    servers = {fact.about for fact in faulty}
    down = [fact for fact in not_serving(view) if fact.about in servers]
    if down:
        return true(f"the API does not serve: {names(down)}", *down)
    alive = [fact for fact in serving(view) if fact.about in servers]
    if alive:
        return false(f"the API serves all the same: {names(alive)}", *alive)
    return unknown("whether its API serves is not known", needs=SIGNS)


@predicate(*SIGNS, Key.DISK_FULL)
def api_of_full_disk_down(view: View) -> Judgement:
    """The API of the server whose disk is full does not serve."""
    return down_at(view, view.each(Key.DISK_FULL).where(yes))


@predicate(*SIGNS, Key.LOG)
def api_of_changed_down(view: View) -> Judgement:
    """The API of the server whose address changed does not serve."""
    return down_at(view, messages(view, "member-address-changed"))


@predicate(*SIGNS, Key.LOG)
def api_of_removed_down(view: View) -> Judgement:
    """The API of the server that was removed does not serve."""
    return down_at(view, messages(view, "etcd-member-removed", "etcd-tombstone"))


@predicate(*SIGNS, Key.SUPERVISOR, Key.SUPERVISOR_AGE)
def api_of_starting_serves(view: View) -> Judgement:
    """The API of the server that is starting serves already."""
    judged = down_at(view, young(view))
    return Judgement(~judged.truth, judged.text, judged.facts, judged.needs)


def _host_down(view: View) -> tuple[Fact, ...]:
    """What shows that the only server does not answer at all, from wherever."""
    looks = [f for f in view.of(Key.SERVER_UP) if f.known and f.about in view.servers()]
    return tuple(looks) if looks and not any(f.value for f in looks) else ()


@predicate(*SIGNS, Key.SERVER_UP)
def only_api_down(view: View) -> Judgement:
    """The control plane of the only server, or its host, is down."""
    down, host = not_serving(view), _host_down(view)
    if down or host:
        return true("the control plane does not serve", *down, *host)
    alive = serving(view)
    if alive:
        return false(f"the API serves: {names(alive)}", *alive)
    return unknown("the control plane was not asked")


@predicate(*SIGNS, Key.SERVER_UP, Key.CONTAINER)
def only_looked_once(view: View) -> Judgement:
    """It may be a restart, which passes; a host that answers nobody is no such case."""
    host = _host_down(view)
    if host:
        return false("the host itself does not answer", *host)
    lasts = lasting_down(view)
    if lasts:
        return false("more than one look shows the same", *lasts)
    return unknown("one look is no finding: a restart passes", *not_serving(view))


@predicate(*SIGNS, Key.SERVER_UP, Key.GATEWAY)
def asker_alone_saw_it(view: View) -> Judgement:
    """Only one place looked, and that place may have no network itself."""
    down = [*not_serving(view), *_host_down(view)]
    heard = [fact for fact in down if fact.key is not Key.SERVER_UP]
    if heard:
        return false("the server answers, and what it says is that", *heard)
    places = {fact.vantage for fact in down}
    if len(places) > 1:
        return false("more than one place says so", *down)
    gateways = [f for f in view.of(Key.GATEWAY) if f.value is False and f.vantage in places]
    if gateways:
        return true("the place that asks has no network", *gateways)
    return unknown("only one place looked, and its way may be cut", *down, needs=(Key.SERVER_UP,))


@predicate(Key.VIP_PORT, Key.VIP_HELLO)
def vip_connects_silently(view: View) -> Judgement:
    """From one place TCP to the VIP connects, and TLS gets no answer."""
    ports = {f.vantage: f for f in view.of(Key.VIP_PORT, "", API) if f.known}
    hellos = {f.vantage: f for f in view.of(Key.VIP_HELLO, "", API) if f.known}
    open_ = [place for place, fact in ports.items() if fact.value is Port.OPEN]
    both = [p for p in sorted(open_) if p in hellos and hellos[p].value is Hello.NO_ANSWER]
    if both:
        facts = [fact for place in both for fact in (ports[place], hellos[place])]
        return true("the VIP takes connections and says nothing", *facts)
    if hellos:
        return false("the VIP answers, or does not connect", *hellos.values())
    return unknown("nobody tried TLS on the VIP")


def _silent(view: View) -> tuple[Fact, ...]:
    """What shows which servers take connections and say nothing, or are stopped by a signal."""
    frozen = [*view.each(Key.CONTAINER, CONTAINER).where(among(Process.FROZEN))]
    frozen += view.each(Key.SUPERVISOR).where(among(Process.FROZEN))
    frozen += view.each(Key.READYZ).where(among(Ready.NO_ANSWER))
    hellos = [f for s in view.servers() if (f := view.one(Key.SERVER_HELLO, s, API)) is not None]
    return (*frozen, *(fact for fact in hellos if fact.value is Hello.NO_ANSWER))


_SILENCE = (Key.CONTAINER, Key.SUPERVISOR, Key.READYZ, Key.SERVER_HELLO)


@predicate(*_SILENCE)
def server_is_silent(view: View) -> Judgement:
    """On its own address, too, a server takes connections and says nothing."""
    silent = _silent(view)
    if silent:
        return true(f"the server itself does nothing: {names(silent)}", *silent)
    ready = view.each(Key.READYZ)
    if ready.seen:
        return false("every server answers on its own address", *ready.facts.values())
    return unknown("no server was asked on its own address", *ready.blind)


@predicate(*_SILENCE, *WHERE)
def vip_leads_to_silent(view: View) -> Judgement:
    """The VIP leads to the server that says nothing."""
    return leads(view, _silent(view))
