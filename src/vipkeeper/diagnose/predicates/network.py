"""The way from a client to the VIP: ARP, neighbours, links, filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
    Found,
    Judgement,
    Truth,
    View,
    false,
    far_apart,
    names,
    true,
    unknown,
    yes,
)
from vipkeeper.diagnose.predicates.holders import holders, no_holder
from vipkeeper.diagnose.vocabulary import Key, Port

STRANGER = "none"
"""The owner of an answering address that no server has."""
PORTS = ("6443", "9345")
"""What a VIP must carry on RKE2; on k3s the first is all there is."""
VRRP_MACS = ("00:00:5e:00:01:", "00:00:5e:00:02:")
"""RFC 9568 section 7.3: addresses of a virtual router, which say nothing of the host behind."""


def by_place(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The last known fact of each place that looked."""
    return {fact.vantage: fact for fact in facts if fact.known}


def _last_looks(facts: Iterable[Fact]) -> list[Fact]:
    """What each place saw at its last look; an address that answered is a fact of its own."""
    known = [fact for fact in facts if fact.known]
    newest = {place: fact.at for place, fact in by_place(known).items()}
    return [fact for fact in known if fact.at == newest[fact.vantage]]


@predicate(Key.VIP_MAC_OWNER, Key.VIP_MACS, Key.VIP_ON_LINK, Key.SERVERS)
def stranger_answers(view: View) -> Judgement:
    """A host answers ARP for the VIP that is none of the servers."""
    looks = _last_looks(view.of(Key.VIP_MAC_OWNER))
    virtual = {p for p, f in by_place(view.of(Key.VIP_MACS)).items() if _virtual(f)}
    looks = [fact for fact in looks if fact.vantage not in _routed(view) | virtual]
    strange = [fact for fact in looks if fact.value == STRANGER]
    if strange and view.one(Key.SERVERS) is not None:
        return true("the address that answers for the VIP is no server's", *strange)
    if looks and not strange:
        return false("a server's own address answers for the VIP", *looks)
    nobody = [f for f in by_place(view.of(Key.VIP_MACS)).values() if f.value == ()]
    if nobody:
        return false("nobody answers for the VIP", *nobody)
    return unknown(
        "not known whose address answers for the VIP", needs=(Key.VIP_MAC_OWNER, Key.VIP_MACS)
    )


def _routed(view: View) -> set[str]:
    """Places behind a router: what answers ARP there is the router, or nobody."""
    return {p for p, f in by_place(view.of(Key.VIP_ON_LINK)).items() if f.value is False}


def _virtual(fact: Fact) -> bool:
    macs = fact.value if isinstance(fact.value, tuple) else ()
    return any(mac.lower().startswith(VRRP_MACS) for mac in macs)


@predicate(Key.VIP_MACS, Key.VIP_PRESENT, Key.VIP_ON_LINK)
def nobody_hears_it(view: View) -> Judgement:
    """From other hosts, nobody answers ARP for the VIP, at every look for longer than a move takes."""
    no_judge = {fact.about for fact in holders(view)} | _routed(view)
    looks = [f for f in view.of(Key.VIP_MACS) if f.known and f.vantage not in no_judge]
    heard = [fact for fact in looks if fact.value != ()]
    if heard:
        return false("somebody answers ARP for the VIP", *heard)
    if far_apart(looks):
        return true("nobody answers ARP for the VIP, at two looks more than 10 s apart", *looks)
    return unknown("one look is no finding: the VIP may be on its way", *looks)


@predicate(Key.VIP_PRESENT, Key.SERVER_UP, Key.SERVER_PORT)
def holder_itself_is_heard(view: View) -> Judgement:
    """Another place reaches the server that has the VIP under the server's own address."""
    have = {fact.about for fact in holders(view)}
    looks = [
        fact
        for key, port in ((Key.SERVER_UP, ""), (Key.SERVER_PORT, "6443"))
        for fact in view.of(key, aspect=port)
        if fact.known and fact.about in have and fact.vantage not in have
    ]
    heard = [f for f in looks if f.value in (True, Port.OPEN, Port.REFUSED)]
    if heard:
        return true(f"{names(heard)} answers under its own address", *heard)
    if looks:
        return false("who has the VIP does not answer under its own address either", *looks)
    return unknown("nobody asked the holder's own address", needs=(Key.SERVER_UP,))


@predicate(Key.VIP_PRESENT, Key.VIP_FILTERED, Key.VIP_PORT)
def holder_filters(view: View) -> Judgement:
    """A rule on the server that has the VIP drops a port that nobody gets an answer from."""
    have = [fact.about for fact in holders(view)]
    met: list[Fact] = []
    clear: list[Fact] = []
    for port in PORTS:
        filtered = view.each(Key.VIP_FILTERED, port, have)
        closed = [f for f in by_place(view.of(Key.VIP_PORT, "", port)).values() if _shut(f)]
        if closed:
            met += filtered.where(yes)
        clear += [f for f in filtered.facts.values() if f.value is False]
    if met:
        ports = " and ".join(sorted({fact.aspect for fact in met}))
        return true(f"a rule on {names(met)} drops port {ports} of the VIP", *met)
    if have and len(clear) == len(have) * len(PORTS):
        return false("no rule on the holder drops the VIP's ports", *clear)
    return no_holder(view) or unknown(
        "not known whether a rule drops the VIP", needs=(Key.VIP_FILTERED, Key.VIP_PORT)
    )


def _shut(fact: Fact) -> bool:
    return fact.known and fact.value is not Port.OPEN


@predicate(Key.VIP_PRESENT, Key.VIP_PORT)
def vip_port_open(view: View) -> Judgement:
    """From some place that does not have the VIP itself its API port takes connections."""
    have = {fact.about for fact in holders(view)}
    looks = {
        place: fact
        for place, fact in by_place(view.of(Key.VIP_PORT, "", "6443")).items()
        if place not in have
    }
    open_ = [fact for fact in looks.values() if fact.value is Port.OPEN]
    if open_:
        return true("port 6443 of the VIP takes connections", *open_)
    if looks:
        return false("port 6443 of the VIP takes no connections", *looks.values())
    return unknown("nobody asked port 6443 of the VIP")


@predicate(Key.VIP_STALE)
def neighbour_is_stale(view: View) -> Judgement:
    """The neighbour table of some place names another address than answers."""
    looks = by_place(view.of(Key.VIP_STALE))
    stale = [fact for fact in looks.values() if fact.value is True]
    if stale:
        places = ", ".join(sorted(f.vantage or "here" for f in stale))
        return true(f"the neighbour table of {places} names the wrong host for the VIP", *stale)
    if looks:
        return false("no neighbour table names a wrong host for the VIP", *looks.values())
    return unknown("nobody read a neighbour table before asking")


@predicate(Key.VIP_STALE, Key.VIP_PORT)
def stale_place_gets_no_answer(view: View) -> Judgement:
    """The place with the wrong neighbour gets no answer from the VIP."""
    stale = [f for f in by_place(view.of(Key.VIP_STALE)).values() if f.value is True]
    ports = by_place(view.of(Key.VIP_PORT, "", "6443"))
    asked = [ports[f.vantage] for f in stale if f.vantage in ports]
    shut = [fact for fact in asked if _shut(fact)]
    if shut:
        return true("it gets no answer from the VIP", *shut)
    if asked:
        return false("it is answered all the same", *asked)
    return unknown("nobody asked the VIP from there", needs=(Key.VIP_STALE, Key.VIP_PORT))


@predicate(Key.VIP_CAPTURED)
def captured(view: View) -> Judgement:
    """kube-proxy or the CNI of some node takes packets that go to the VIP."""
    latest = {fact.about: fact for fact in view.of(Key.VIP_CAPTURED) if fact.known}
    met = [fact for fact in latest.values() if fact.value is True]
    if met:
        return true(f"on {names(met)} packets to the VIP go elsewhere", *met)
    if latest:
        return false("no node that was looked at takes packets to the VIP", *latest.values())
    return unknown("nobody looked at the rules of kube-proxy and the CNI")


@predicate(Key.VIP_CAPTURED, Key.VIP_PORT)
def capturing_node_gets_no_answer(view: View) -> Judgement:
    """The node that captures the VIP gets no answer from it."""
    taken = {f.about for f in view.of(Key.VIP_CAPTURED) if f.value is True}
    asked = [
        fact
        for port in PORTS
        for place, fact in by_place(view.of(Key.VIP_PORT, "", port)).items()
        if place in taken
    ]
    shut = [fact for fact in asked if _shut(fact)]
    if shut:
        return true("from there the VIP does not answer", *shut)
    if asked:
        return false("from there the VIP answers", *asked)
    return unknown("nobody asked the VIP from there", needs=(Key.VIP_CAPTURED, Key.VIP_PORT))


@predicate(Key.VIP_SUBNET)
def vip_in_no_subnet(view: View) -> Judgement:
    """No server has an interface in a subnet of the VIP."""
    return view.each(Key.VIP_SUBNET).none(
        yes, "the VIP is in no subnet of the servers", "the VIP is in a subnet"
    )


@predicate(Key.VIP, Key.VIP_DAD_FAILED)
def dad_failed(view: View) -> Judgement:
    """IPv6 found the VIP on another host and left it unused."""
    vip = view.one(Key.VIP)
    if vip is not None and ":" not in str(vip.value):
        return false("the VIP is no IPv6 address", vip)
    return view.each(Key.VIP_DAD_FAILED).some(
        yes, "IPv6 found the VIP elsewhere and does not use it", "no server found the VIP elsewhere"
    )


@predicate(Key.VIP_PRESENT, Key.VIP_DAD_FAILED)
def another_server_uses_it(view: View) -> Judgement:
    """A server has the VIP in a state in which it can be used."""
    marks = view.each(Key.VIP_DAD_FAILED)
    return _fit_holder(view, marks, lambda failed: failed is False, "has the VIP and uses it")


def _fit_holder(view: View, marks: Found, fit: Callable[[Value], bool], text: str) -> Judgement:
    """A server that has the VIP has a mark that is fit. False when every server was seen."""
    found = view.each(Key.VIP_PRESENT)
    good = {fact.about for fact in marks.where(fit)}
    met = [fact for fact in found.where(yes) if fact.about in good]
    if met:
        return true(f"{names(met)} {text}", *met)
    if found.seen and all(fact.about in marks.facts for fact in found.where(yes)):
        return false(f"no server {text}", *found.facts.values())
    return unknown(f"not known who else has the VIP ({found.coverage})", *found.blind)


def _judge_holder(
    view: View, key: Key, test: Callable[[Value], bool], so: str, not_so: str
) -> Judgement:
    """What a key says of the servers that have the VIP; where they are known, only it needs a probe."""
    judged = view.each(key, among=[fact.about for fact in holders(view)]).some(test, so, not_so)
    if judged.truth is Truth.UNKNOWN and holders(view):
        return replace(judged, needs=frozenset({key}))
    return no_holder(view) or judged


@predicate(Key.VIP_PRESENT, Key.LINK_UP)
def holder_link_down(view: View) -> Judgement:
    """The server that has the VIP has it on an interface that is down."""
    so, not_so = "the interface with the VIP is down", "the interface with the VIP is up"
    return _judge_holder(view, Key.LINK_UP, lambda up: up is False, so, not_so)


@predicate(Key.VIP_PRESENT, Key.LINK_UP)
def another_server_is_linked(view: View) -> Judgement:
    """A server has the VIP on an interface that is up."""
    text = "has the VIP on an interface that is up"
    return _fit_holder(view, view.each(Key.LINK_UP), yes, text)


@predicate(Key.VIP_PRESENT, Key.ARP_IGNORED)
def holder_ignores_arp(view: View) -> Judgement:
    """The kernel of the server that has the VIP does not answer ARP for it."""
    so, not_so = "the kernel does not answer ARP for the VIP", "the kernel answers ARP for the VIP"
    return _judge_holder(view, Key.ARP_IGNORED, yes, so, not_so)


@predicate(Key.DEFAULT_ROUTE)
def no_default_route(view: View) -> Judgement:
    """Some server has no default route."""
    return view.each(Key.DEFAULT_ROUTE).some(
        lambda there: there is False, "no default route", "every server has a default route"
    )


@predicate(Key.VIP_ROUTE)
def no_route_to_vip(view: View) -> Judgement:
    """Some place that asks has no route to the VIP."""
    looks = by_place(view.of(Key.VIP_ROUTE))
    without = [fact for fact in looks.values() if fact.value is False]
    if without:
        return true(f"{_places(without)} has no route to the VIP", *without)
    if looks:
        return false("whoever asks has a route to the VIP", *looks.values())
    return unknown("nobody asked for the route to the VIP")


@predicate(Key.GATEWAY, Key.SERVERS)
def gateway_silent(view: View) -> Judgement:
    """A place that is no server does not reach its gateway."""
    looks = {p: f for p, f in by_place(view.of(Key.GATEWAY)).items() if p not in view.servers()}
    silent = [fact for fact in looks.values() if fact.value is False]
    if silent and view.one(Key.SERVERS) is not None:
        return true(f"{_places(silent)} does not reach its gateway", *silent)
    if looks and not silent:
        return false("the gateway answers whoever asks", *looks.values())
    return unknown("nobody asked the gateway", needs=(Key.GATEWAY,))


@predicate(Key.GATEWAY, Key.SERVER_UP)
def no_server_answers_there(view: View) -> Judgement:
    """No server answers the place that does not reach its gateway."""
    lost = {p for p, f in by_place(view.of(Key.GATEWAY)).items() if f.value is False}
    lost -= set(view.servers())
    looks = [f for f in view.of(Key.SERVER_UP) if f.known and f.vantage in lost]
    up = [fact for fact in looks if fact.value is True]
    if up:
        return false(f"{names(up)} answers there", *up)
    servers = view.each(Key.SERVER_UP)
    if servers.complete and {f.about for f in looks} >= set(servers.subjects) and looks:
        return true("no server answers there", *looks)
    return unknown("not every server was asked from there", needs=(Key.GATEWAY, Key.SERVER_UP))


@predicate(Key.GATEWAY, Key.SERVER_UP, Key.VIP_PORT)
def silent_elsewhere_too(view: View) -> Judgement:
    """A place that is known to have a network gets no answer from the VIP either."""
    gateways = by_place(view.of(Key.GATEWAY))
    linked = {place for place, fact in gateways.items() if fact.value is True}
    linked |= {fact.vantage for fact in view.of(Key.SERVER_UP) if fact.value is True}
    ports = by_place(view.of(Key.VIP_PORT, "", "6443"))
    shut = [fact for place, fact in ports.items() if place in linked and _shut(fact)]
    if shut:
        return true(f"{_places(shut)} gets no answer from the VIP either", *shut)
    open_ = [fact for fact in ports.values() if not _shut(fact)]
    if open_:
        return false(f"{_places(open_)} reaches the VIP", *open_)
    return unknown("no place that has a network asked the VIP", needs=(Key.VIP_PORT,))


def _places(facts: Iterable[Fact]) -> str:
    return ", ".join(sorted({fact.vantage or "the place that asks" for fact in facts}))
