"""Messages in the logs, by their codes."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import Judgement, Truth, View, false, names, true, unknown, yes
from vipkeeper.diagnose.vocabulary import Key

LOG_KEYS = (Key.LOG, Key.LOGS_READ)
"""What `message` reads."""
STILL_MS = 360_000
"""Longer than the kubelet waits between two starts of a container that ends at once: 5 minutes."""


def messages(view: View, *codes: str) -> tuple[Fact, ...]:
    """The facts that say that one of these messages is in the logs of a server."""
    met: list[Fact] = []
    for code in codes:
        about = sorted({fact.about for fact in view.of(Key.LOG, aspect=code)})
        met += view.each(Key.LOG, code, about).where(yes)
    return tuple(met)


def lately(view: View, *codes: str) -> tuple[Fact, ...]:
    """Those that were last said at about the time at which the server's logs were read.

    Logs go back an hour. What was said as something started, and got over, is not so any more.
    """
    return tuple(fact for fact in messages(view, *codes) if _is_late(view, fact))


def _is_late(view: View, said: Fact) -> bool:
    read = [fact for fact in view.of(Key.LOGS_READ, said.about) if fact.at]
    return not read or not said.at or read[-1].at - said.at <= STILL_MS


def message(view: View, text: str, *codes: str) -> Judgement:
    """One of these messages is in the logs. False only when the logs of all servers were read."""
    met = messages(view, *codes)
    if met:
        return true(f"{names(met)}: {text}", *met)
    read = view.each(Key.LOGS_READ)
    if read.seen and len(read.where(yes)) == len(read.subjects):
        return false(f"no server's logs say: {text}", *read.facts.values())
    return unknown(f"not all logs were read for: {text}", *read.blind)


def logged(name: str, text: str, *codes: str) -> Predicate:
    """The predicate that one of these messages is in the logs."""
    return Predicate(name, frozenset(LOG_KEYS), lambda view: message(view, text, *codes))


def logged_lately(name: str, text: str, *codes: str) -> Predicate:
    """The predicate that one of these messages goes on being said. Not so when it was only said long ago."""

    def judge(view: View) -> Judgement:
        met = lately(view, *codes)
        if met:
            return true(f"{names(met)}: {text}", *met)
        judged = message(view, text, *codes)
        if judged.truth is not Truth.TRUE:
            return judged
        read = view.each(Key.LOGS_READ)
        if read.seen and len(read.where(yes)) == len(read.subjects):
            return false(f"no log has said so for minutes: {text}", *judged.facts)
        return unknown(f"not all logs were read for: {text}", *read.blind)

    return Predicate(name, frozenset(LOG_KEYS), judge)
