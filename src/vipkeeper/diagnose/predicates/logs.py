"""Messages in the logs, by their codes."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import Judgement, View, false, names, true, unknown, yes
from vipkeeper.diagnose.vocabulary import Key

LOG_KEYS = (Key.LOG, Key.LOGS_READ)
"""What `message` reads."""


def messages(view: View, *codes: str) -> tuple[Fact, ...]:
    """The facts that say that one of these messages is in the logs of a server."""
    met: list[Fact] = []
    for code in codes:
        about = sorted({fact.about for fact in view.of(Key.LOG, aspect=code)})
        met += view.each(Key.LOG, code, about).where(yes)
    return tuple(met)


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
