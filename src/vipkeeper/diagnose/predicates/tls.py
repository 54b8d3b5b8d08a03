"""Certificates, and the clocks they are judged by."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, false, names, true, unknown
from vipkeeper.diagnose.predicates.logs import LOG_KEYS, messages
from vipkeeper.diagnose.predicates.network import PORTS, by_place
from vipkeeper.diagnose.vocabulary import Hello, Key

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
JUDGED = (Hello.VALID, Hello.NAME_MISSING, Hello.EXPIRED, Hello.NOT_YET_VALID)
"""What a handshake says of a certificate that is this cluster's own, when the CA was at hand."""


def _on_vip(view: View) -> list[Fact]:
    """The last handshake of every place with every port of the VIP."""
    return [f for port in PORTS for f in by_place(view.of(Key.VIP_HELLO, "", port)).values()]


def _on_servers(view: View) -> list[Fact]:
    """The last handshake with every server, under its own address."""
    latest = {
        (f.about, f.aspect): f
        for p in PORTS
        for f in view.of(Key.SERVER_HELLO, aspect=p)
        if f.known
    }
    return list(latest.values())


@predicate(Key.VIP_HELLO)
def name_missing(view: View) -> Judgement:
    """The certificate on the VIP does not name the VIP."""
    looks = _on_vip(view)
    met = [fact for fact in looks if fact.value is Hello.NAME_MISSING]
    if met:
        return true("the certificate on the VIP does not name the VIP", *met)
    if any(fact.value in (Hello.VALID, Hello.UNVERIFIED) for fact in looks):
        return false("the certificate on the VIP names the VIP", *looks)
    return unknown("nobody got a certificate from the VIP", *looks)


@predicate(Key.VIP_HELLO, Key.SERVER_HELLO)
def expired(view: View) -> Judgement:
    """A certificate that clients meet has expired."""
    looks = [*_on_vip(view), *_on_servers(view)]
    met = [fact for fact in looks if fact.value is Hello.EXPIRED]
    if met:
        return true("a certificate of the control plane has expired", *met)
    if any(fact.value in (*JUDGED, Hello.UNVERIFIED) for fact in looks):
        return false("no certificate that was seen has expired", *looks)
    return unknown("nobody got a certificate", *looks)


@predicate(Key.VIP_HELLO, *LOG_KEYS)
def not_yet_valid(view: View) -> Judgement:
    """A certificate begins in the future, for a client or in a server's log."""
    looks = _on_vip(view)
    met = [fact for fact in looks if fact.value is Hello.NOT_YET_VALID]
    told = messages(view, "certificate-not-yet-valid")
    if met or told:
        return true("a certificate of the control plane is not yet valid", *met, *told)
    if any(fact.value in (*JUDGED, Hello.UNVERIFIED) for fact in looks):
        return false("the certificate on the VIP is not from the future", *looks)
    return unknown("nobody got a certificate", *looks)


@predicate(Key.VIP_HELLO)
def other_authority(view: View) -> Judgement:
    """The certificate on the VIP is signed by somebody else than this cluster's CA."""
    looks = _on_vip(view)
    met = [fact for fact in looks if fact.value is Hello.OTHER_AUTHORITY]
    if met:
        return true("another CA than this cluster's signed the certificate on the VIP", *met)
    if any(fact.value in JUDGED for fact in looks):
        return false("this cluster's CA signed the certificate on the VIP", *looks)
    return unknown("not known who signed the certificate on the VIP", *looks)


@predicate(Key.SERVER_HELLO)
def some_server_has_our_authority(view: View) -> Judgement:
    """The CA that was used to judge is the one of a server, so it is the right one."""
    looks = _on_servers(view)
    ours = [fact for fact in looks if fact.value in JUDGED]
    if ours:
        return true(f"this cluster's CA signed the certificate of {names(ours)}", *ours)
    if looks and all(fact.value is Hello.OTHER_AUTHORITY for fact in looks):
        return false("no server's certificate is signed by that CA: the client's is old", *looks)
    return unknown("not known whether the CA at hand is this cluster's")


def _offsets(view: View) -> dict[str, list[Fact]]:
    """The last offset of each server by each place that looked: every place measures by its own clock."""
    latest = {(f.vantage, f.about): f for f in view.of(Key.CLOCK_OFFSET, None) if f.known}
    places: dict[str, list[Fact]] = {}
    for (place, _), fact in latest.items():
        places.setdefault(place, []).append(fact)
    return places


def _most_agree(server: str, offsets: list[Fact]) -> bool:
    """Whether most who judged a server's clock find it far off: a clock that is wrong finds all others so."""
    judged = [fact for fact in offsets if fact.about == server]
    return 2 * sum(_apart(fact, DAY_MS) for fact in judged) > len(judged)


def _apart(fact: Fact, limit: int) -> bool:
    return isinstance(fact.value, int) and abs(fact.value) > limit


@predicate(Key.CLOCK_OFFSET)
def clocks_apart(view: View) -> Judgement:
    """The clock of some server is more than a minute away from the one who asks, or from another's."""
    places = _offsets(view)
    offsets = [fact for place in sorted(places) for fact in places[place]]
    for place in sorted(places):
        values = [fact.value for fact in places[place] if isinstance(fact.value, int)]
        if max(*values, 0) - min(*values, 0) > MINUTE_MS:
            return true("clocks differ by more than a minute", *places[place])
    if view.each(Key.CLOCK_OFFSET).seen:
        return false("all clocks agree within a minute", *offsets)
    return unknown("not known whether the clocks agree")


@predicate(Key.CLOCK_OFFSET)
def clock_days_off(view: View) -> Judgement:
    """A clock is off by more than a day, so that 'expired' may be a matter of the clock."""
    offsets = [fact for facts in _offsets(view).values() for fact in facts]
    far = [f for f in offsets if _apart(f, DAY_MS) and _most_agree(f.about, offsets)]
    if far:
        return true(f"the clock of {names(far)} differs by more than a day", *far)
    if offsets:
        return false("the clocks agree within a day", *offsets)
    return unknown("not known whether the clocks agree")
