"""Where the VIP is, and to which server it leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import (
    APART_MS,
    Found,
    Judgement,
    Truth,
    View,
    false,
    names,
    true,
    unknown,
    yes,
)
from vipkeeper.diagnose.vocabulary import Key, Port

WHERE = (Key.SERVERS, Key.VIP_PRESENT, Key.VIP_MAC_OWNER)
"""What `leads` reads."""


def led_to(view: View) -> dict[str, list[Fact]]:
    """The servers that the VIP leads to: they have it, answer for it, or are the only server."""
    found: dict[str, list[Fact]] = {}
    for fact in view.each(Key.VIP_PRESENT).where(yes):
        found.setdefault(fact.about, []).append(fact)
    for fact in view.of(Key.VIP_MAC_OWNER, ""):
        if isinstance(fact.value, str) and fact.value in view.servers():
            found.setdefault(fact.value, []).append(fact)
    only = view.one(Key.SERVERS)
    if only is not None and isinstance(only.value, tuple) and len(only.value) == 1:
        found.setdefault(only.value[0], []).append(only)
    return found


def leads(view: View, faulty: Iterable[Fact]) -> Judgement:
    """Whether the VIP leads to one of the servers that these facts are about."""
    servers = sorted({fact.about for fact in faulty})
    if not servers:
        return unknown("no server is known to be at fault")
    held = led_to(view)
    facts = [fact for server in sorted(held) for fact in held[server]]
    if any(server in held for server in servers):
        return true(f"the VIP leads to {', '.join(s for s in servers if s in held)}", *facts)
    if held:
        return false(f"the VIP leads to {', '.join(sorted(held))}", *facts)
    present = view.each(Key.VIP_PRESENT)
    if present.seen:
        return false("no server has the VIP", *present.facts.values())
    return unknown("to which server the VIP leads is not known", *present.blind, needs=WHERE)


def behind(
    view: View, found: Found, test: Callable[[Value], bool], text: str, not_so: str
) -> Judgement:
    """Whether a value passes on a server that the VIP leads to. Not so only when all of these were seen."""
    held = led_to(view)
    passing = [fact for fact in found.where(test) if fact.about in held]
    if passing:
        return true(f"{text}: {names(passing)}", *passing)
    seen = [found.facts[server] for server in sorted(held) if server in found.facts]
    if held and len(seen) == len(held):
        return false(f"where the VIP leads, {not_so}", *seen)
    return unknown(f"not known where the VIP leads: {text}", *found.blind)


@predicate(Key.VIP_PRESENT)
def vip_nowhere(view: View) -> Judgement:
    """No server has the VIP, and all were seen, at about the same time."""
    found = view.each(Key.VIP_PRESENT)
    judged = found.none(yes, "no server has the VIP", "a server has the VIP")
    if judged.truth is not Truth.TRUE:
        return judged
    looks = (f for s in found.facts for f in view.of(Key.VIP_PRESENT, s) if f.value is False)
    if _together(looks) < len(found.facts):
        return unknown(f"no server had the VIP, {MOVED}", *found.facts.values())
    return judged


MOVED = "but they were looked at minutes apart, and it may have moved in between"


def _together(looks: Iterable[Fact]) -> int:
    """How many servers, at most, were looked at within a short time."""
    most, first = 0, 0
    counts: Counter[str] = Counter()
    ordered = sorted(looks, key=lambda fact: fact.at)
    for fact in ordered:
        counts[fact.about] += 1
        while fact.at - ordered[first].at > APART_MS:
            gone = ordered[first].about
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        most = max(most, len(counts))
    return most


def held_at_once(view: View) -> tuple[Fact, ...]:
    """The servers that have the VIP, when some of them were seen with it at about the same time."""
    have = view.each(Key.VIP_PRESENT).where(yes)
    looks = (g for f in have for g in view.of(Key.VIP_PRESENT, f.about) if g.value is True)
    return have if _together(looks) > 1 else ()


@predicate(Key.VIP_PRESENT, Key.VIP_MACS)
def vip_stays(view: View) -> Judgement:
    """The VIP is on an interface, or somebody answers ARP for it."""
    present = view.each(Key.VIP_PRESENT)
    asked = [fact for fact in view.of(Key.VIP_MACS, "") if fact.known]
    there = [*present.where(yes), *(fact for fact in asked if fact.value)]
    if there:
        return true("the VIP is there", *there)
    if present.seen or asked:
        return false("the VIP is not there", *present.facts.values(), *asked)
    return unknown("whether the VIP is there is not known", *present.blind)


@predicate(Key.VIP_MACS)
def nobody_answers(view: View) -> Judgement:
    """A place asked for the VIP's link-layer address and got no answer."""
    facts = [fact for fact in view.of(Key.VIP_MACS, "") if fact.known]
    silent = [fact for fact in facts if fact.value == ()]
    if silent:
        return true("nobody answers ARP for the VIP", *silent)
    return false("somebody answers ARP for the VIP", *facts) if facts else unknown("nobody asked")


@predicate(Key.VIP_PORT)
def vip_refuses(view: View) -> Judgement:
    """Port 6443 of the VIP refuses: the address is there, and nobody listens."""
    facts = [fact for fact in view.of(Key.VIP_PORT, "", "6443") if fact.known]
    refusing = [fact for fact in facts if fact.value is Port.REFUSED]
    if refusing:
        return true("port 6443 of the VIP refuses connections", *refusing)
    return false("port 6443 of the VIP does not refuse", *facts) if facts else unknown("no attempt")
