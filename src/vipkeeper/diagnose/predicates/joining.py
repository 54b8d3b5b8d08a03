"""Servers that do not come up, and what they need for it."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Predicate, predicate
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
from vipkeeper.diagnose.predicates.files import found_in_files
from vipkeeper.diagnose.predicates.logs import LOG_KEYS, messages
from vipkeeper.diagnose.vocabulary import Key, Port, Process, Ready

ENDS = among(Process.RESTARTING, Process.FAILED)
WAITS = among(Process.STARTING, Process.RESTARTING, Process.FAILED)


@predicate(Key.SUPERVISOR)
def supervisor_ends(view: View) -> Judgement:
    """The supervisor of some server ends again and again, or failed."""
    return view.each(Key.SUPERVISOR).some(
        ENDS, "the supervisor ends again and again", "no supervisor ends by itself"
    )


@predicate(Key.SUPERVISOR)
def supervisor_not_up(view: View) -> Judgement:
    """The supervisor of some server waits, ends again and again, or failed."""
    return view.each(Key.SUPERVISOR).some(
        WAITS, "the supervisor does not come up", "every supervisor runs or was stopped"
    )


@predicate(Key.ETCD_DATA)
def no_server_was_in_a_cluster(view: View) -> Judgement:
    """No server has data of etcd: nobody could let another one join."""
    return view.each(Key.ETCD_DATA).none(
        yes, "no server has data of a cluster", "a server has data of a cluster"
    )


@predicate(Key.JOINS, Key.VIP, Key.LINT)
def every_server_joins(view: View) -> Judgement:
    """Every server joins through the VIP, by lint over all files or by the files of each server held together."""
    text = "every server has `server` set, the first one too"
    linted = found_in_files(view, text, "VK108", "VK603")
    if linted.truth is Truth.TRUE:
        return linted
    joins, vip = view.each(Key.JOINS), view.one(Key.VIP)
    first = joins.where(among(""))
    if first:
        return false(f"{names(first)} joins nobody, and so starts the cluster", *first)
    if (
        vip is not None
        and joins.seen
        and len(joins.where(among(str(vip.value)))) == len(joins.facts)
    ):
        return true(f"{text}, and it is the VIP", *joins.facts.values())
    if joins.facts:
        return unknown(f"{text}? ({joins.coverage})", *joins.facts.values())
    return linted


@predicate(Key.READYZ, Key.SERVER_READYZ)
def some_server_serves(view: View) -> Judgement:
    """The API of some server answers, on the server itself or as another place sees it."""
    fine = among(Ready.OK, Ready.UNAUTHORIZED)
    own = view.each(Key.READYZ)
    seen = [f for s in view.servers() if (f := view.one(Key.SERVER_READYZ, s)) is not None]
    met = (*own.where(fine), *(f for f in seen if f.value in (Ready.OK, Ready.UNAUTHORIZED)))
    if met:
        return true(f"the API answers on {names(met)}", *met)
    known = {*own.facts, *(f.about for f in seen)}
    if own.complete and own.subjects and known == set(own.subjects):
        return false("the API answers on no server", *own.facts.values(), *seen)
    return unknown("not known whether the API answers on some server", *own.blind)


@predicate(Key.VIP_PORT)
def registration_open_on_vip(view: View) -> Judgement:
    """Port 9345 of the VIP takes connections: servers can join through it."""
    facts = [f for f in view.of(Key.VIP_PORT, "", "9345") if f.known]
    if not facts:
        return unknown("nobody asked port 9345 of the VIP")
    if facts[-1].value is Port.OPEN:
        return true("port 9345 of the VIP takes connections", facts[-1])
    return false("port 9345 of the VIP takes no connections", facts[-1])


def joined_before(*codes: str) -> Predicate:
    """The predicate that `server` is not read: what does not start has been in the cluster before.

    A server with data of etcd starts from it, and what joining would meet is only a warning. The
    messages of `codes` are fatal, so a server that logs one of them was joining.
    """

    def judge(view: View) -> Judgement:
        told = messages(view, *codes)
        if told:
            return false(f"{names(told)}: the server itself says that it was joining", *told)
        ends = [f.about for f in view.each(Key.SUPERVISOR).where(ENDS)]
        data = view.each(Key.ETCD_DATA, among=ends)
        if ends and len(data.facts) == len(ends):
            fresh = [f for f in data.facts.values() if f.value is False]
            if fresh:
                return false(f"{names(fresh)}: no data of a cluster yet", *fresh)
            return true("what does not start has been in a cluster", *data.facts.values())
        return unknown(
            "not known whether the server has joined before", needs=(Key.ETCD_DATA, Key.LOG)
        )

    return Predicate("joined_before", frozenset({Key.SUPERVISOR, Key.ETCD_DATA, *LOG_KEYS}), judge)


@predicate(Key.VIP_IS_NODE_IP)
def vip_is_node_ip(view: View) -> Judgement:
    """Some node has the VIP as its own address."""
    return view.each(Key.VIP_IS_NODE_IP).some(
        yes, "the node's own address is the VIP", "every node has an address of its own"
    )
