"""What is meant to hold the VIP: kube-vip, keepalived or vipkeeper, and its Lease."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, among, false, names, true, unknown, yes
from vipkeeper.diagnose.predicates.logs import LOG_KEYS, message
from vipkeeper.diagnose.vocabulary import Key, Manager, Process

LAPSED = (
    "lease-renew-failed",
    "kube-vip-lost-leadership",
    "lease-timeout",
    "lease-api-deadline",
)
"""Codes of messages of a manager that could not renew its Lease."""
LEASE_MS = 30_000
"""Longer than a takeover by Lease lasts: kube-vip with its default timers needs at most 22 s."""
_ENDED = among(Process.STOPPED, Process.FAILED)
_NOT_LEADING = among(Process.STOPPED, Process.FAILED, Process.ABSENT, Process.RESTARTING)


@predicate(Key.MANAGER, Key.MANAGER_STATE)
def no_manager(view: View) -> Judgement:
    """Nothing that would hold the VIP is installed or scheduled on any server."""
    fact, states = view.one(Key.MANAGER), view.each(Key.MANAGER_STATE)
    none = fact is not None and fact.value is Manager.NONE
    absent = states.where(among(Process.ABSENT))
    if len(states.facts) > len(absent):
        return false("a server has what holds the VIP", *states.facts.values())
    if states.seen or none:
        facts = (*((fact,) if fact is not None and none else ()), *absent)
        return true("nothing is there that would hold the VIP", *facts)
    return unknown(f"not known on all servers ({states.coverage})", *states.blind)


@predicate(Key.MANAGER_STATE, Key.VIP_PRESENT)
def dead_manager_left_vip(view: View) -> Judgement:
    """On one server the manager is dead and the VIP is there."""
    states, present = view.each(Key.MANAGER_STATE), view.each(Key.VIP_PRESENT)
    ended = {fact.about: fact for fact in states.where(_ENDED)}
    left = [fact for fact in present.where(yes) if fact.about in ended]
    if left:
        text = f"what held the VIP is dead and the VIP is still there: {names(left)}"
        return true(text, *left, *(ended[fact.about] for fact in left))
    holders = present.where(yes)
    judged = [states.facts[fact.about] for fact in holders if fact.about in states.facts]
    if present.seen and len(judged) == len(holders):
        return false("no VIP is without its manager", *present.facts.values(), *judged)
    return unknown("whether a dead manager left the VIP is not known", *states.blind)


@predicate(Key.MANAGER_STATE)
def manager_restarts(view: View) -> Judgement:
    """On some server the manager ends again and again."""
    return view.each(Key.MANAGER_STATE).some(
        among(Process.RESTARTING),
        "what should hold the VIP ends again and again",
        "no manager restarts",
    )


@predicate(Key.MANAGER_STATE)
def manager_runs_somewhere(view: View) -> Judgement:
    """On some server the manager runs and stays up."""
    return view.each(Key.MANAGER_STATE).some(
        among(Process.RUNNING), "the manager runs", "no manager runs"
    )


@predicate(Key.MANAGER, Key.MANAGER_STANDBY)
def all_on_standby(view: View) -> Judgement:
    """Every server was told not to claim. Only vipkeeper can be told so."""
    named = [fact for fact in view.of(Key.MANAGER, None) if fact.known]
    if named and all(fact.value is not Manager.VIPKEEPER for fact in named):
        return false("what holds the VIP knows no standby", *named)
    found = view.each(Key.MANAGER_STANDBY)
    return found.none(
        among(False), "every server was told not to claim the VIP", "a server may claim the VIP"
    )


@predicate(Key.ADVERTS_REFUSED)
def adverts_refused(view: View) -> Judgement:
    """vipkeeper of some server refuses another one's adverts, since they are made with another key."""
    return view.each(Key.ADVERTS_REFUSED).some(
        yes,
        "adverts of another server are refused for their key",
        "no adverts are refused for their key",
    )


@predicate(Key.MANAGER)
def manager_needs_no_lease(view: View) -> Judgement:
    """Who holds the VIP is not decided by a Lease."""
    known = [fact for fact in view.of(Key.MANAGER, None) if fact.known]
    named = [fact for fact in known if fact.value is not Manager.NONE]
    by_lease = [fact for fact in named if fact.value is Manager.KUBE_VIP]
    if by_lease:
        return false("kube-vip holds the VIP by a Lease", *by_lease)
    if named:
        return true("the VIP does not depend on a Lease", *named)
    return unknown("what holds the VIP is not known", *view.of(Key.MANAGER, None))


@predicate(Key.MANAGER, *LOG_KEYS)
def lease_was_lost(view: View) -> Judgement:
    """Who holds the VIP is decided by a Lease, and it could not be renewed in time."""
    named = [f for f in view.of(Key.MANAGER, None) if f.known and f.value is not Manager.NONE]
    if named and all(fact.value is not Manager.KUBE_VIP for fact in named):
        return false("the VIP does not depend on a Lease", *named)
    return message(view, "a Lease could not be renewed in time", *LAPSED)


LEADING = (Key.LEASE_HOLDER, Key.LEASE_FRESH, Key.MANAGER_STATE, Key.MANAGER_HOLDS)
"""What `leading` reads."""


def leading(view: View) -> dict[str, tuple[Fact, ...]]:
    """Servers whose manager runs and leads, by its own word or by a Lease that it renews."""
    holder, fresh = view.one(Key.LEASE_HOLDER), view.one(Key.LEASE_FRESH)
    found: dict[str, tuple[Fact, ...]] = {}
    for state in view.each(Key.MANAGER_STATE).where(among(Process.RUNNING)):
        says = view.one(Key.MANAGER_HOLDS, state.about)
        facts = [says] if says is not None and says.value is True else []
        if holder and fresh and holder.value == state.about and fresh.value is True:
            facts += [holder, fresh]
        if facts:
            found[state.about] = (state, *facts)
    return found


@predicate(*LEADING)
def a_manager_leads(view: View) -> Judgement:
    """A manager runs and leads."""
    found = leading(view)
    if found:
        facts = [fact for server in sorted(found) for fact in found[server]]
        return true(f"the manager runs and leads: {', '.join(sorted(found))}", *facts)
    states, says = view.each(Key.MANAGER_STATE), view.each(Key.MANAGER_HOLDS)
    if states.seen and (says.seen or not states.where(among(Process.RUNNING))):
        return false("no manager leads", *states.facts.values(), *says.facts.values())
    holder, fresh = view.one(Key.LEASE_HOLDER), view.one(Key.LEASE_FRESH)
    if holder is not None and fresh is not None and states.seen:
        return false("nobody whose manager runs holds the Lease", holder, fresh)
    return unknown("whether a manager leads is not known", *states.blind)


@predicate(*LEADING, Key.VIP_PRESENT)
def leader_has_no_vip(view: View) -> Judgement:
    """The server whose manager leads does not have the VIP."""
    found = leading(view)
    present = [f for s in sorted(found) if (f := view.one(Key.VIP_PRESENT, s)) is not None]
    without = [fact for fact in present if fact.value is False]
    if without:
        return true(f"it leads and does not have the VIP: {names(without)}", *without)
    if present:
        return false("the one that leads has the VIP", *present)
    return unknown("no manager is known to lead")


@predicate(Key.LEASE_HOLDER, Key.SERVERS, Key.VIP_PRESENT)
def lease_holder_has_no_vip(view: View) -> Judgement:
    """The Lease names a holder that does not have the VIP."""
    holder = view.one(Key.LEASE_HOLDER)
    if holder is None or not isinstance(holder.value, str):
        return unknown("who holds the Lease is not known", *view.of(Key.LEASE_HOLDER))
    if not holder.value:
        return false("nobody holds the Lease", holder)
    named = view.one(Key.SERVERS)
    if named is not None and isinstance(named.value, tuple) and holder.value not in named.value:
        return true(f"the Lease names {holder.value}, which is no server", holder, named)
    present = view.one(Key.VIP_PRESENT, holder.value)
    if present is None:
        return unknown(f"whether {holder.value} has the VIP is not known", holder)
    if present.value is True:
        return false(f"{holder.value} holds the Lease and has the VIP", holder, present)
    return true(f"the Lease names {holder.value}, which does not have the VIP", holder, present)


@predicate(Key.LEASE_HOLDER)
def lease_changes_hands(view: View) -> Judgement:
    """The Lease may be on its way to another holder, which takes up to 22 s."""
    known = [fact for fact in view.of(Key.LEASE_HOLDER, "") if fact.known]
    if known and len({fact.value for fact in known[-2:]}) > 1:
        return true("the Lease changed hands moments ago", *known[-2:])
    if known and known[-1].at - known[0].at >= LEASE_MS:
        return false("two looks more than 30 s apart show the same holder", known[0], known[-1])
    return unknown("one look does not tell a stuck Lease from a takeover under way", *known)


@predicate(Key.LEASE_HOLDER, Key.MANAGER_STATE, Key.SERVERS)
def lease_holder_cannot_lead(view: View) -> Judgement:
    """The manager on the server that the Lease names does not run."""
    holder = view.one(Key.LEASE_HOLDER)
    if holder is None or not isinstance(holder.value, str):
        return unknown("who holds the Lease is not known", *view.of(Key.LEASE_HOLDER))
    named = view.one(Key.SERVERS)
    if named is not None and isinstance(named.value, tuple) and holder.value not in named.value:
        return true(f"{holder.value} is no server of this cluster", holder, named)
    state = view.one(Key.MANAGER_STATE, holder.value)
    if state is None:
        return unknown(f"the manager on {holder.value} was not seen", holder)
    if state.value is not None and _NOT_LEADING(state.value):
        return true(f"the manager on {holder.value} does not run", holder, state)
    return false(f"the manager on {holder.value} runs", holder, state)
