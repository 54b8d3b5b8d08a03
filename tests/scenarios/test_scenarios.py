"""Every scenario does what its file says, and together they show every rule of the election."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from support.scenario.play import Played, play, rewrite
from support.scenario.text import ScenarioError, differences, read, render
from vipkeeper.core.actions import Cause, State
from vipkeeper.core.transitions import RULES, Rule

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.txt"))
GROUPS = {
    "takeover": "the holder is lost, or nobody holds yet: who claims, and when",
    "confirm": "what a suspicion asks, and what ends it",
    "holdoff": "something still answers: nobody claims",
    "deaf": "a server that hears nobody",
    "hearsay": "what other servers say of the holder",
    "conflict": "two holders, or two claims",
    "lease": "the VIP in the holder's kernel: renewed, lapsed, deleted, refused",
    "handover": "operators: handover, release, standby, SIGTERM",
    "health": "health checks and preemption",
    "budget": "servers that claim too often",
    "trust": "wrong keys, replays, another configuration",
    "host": "interface, carrier, addresses",
    "restart": "daemons and machines that come back",
    "stall": "daemons, machines and clocks that stand still or go wrong",
    "one_server": "clusters of one",
    "two_servers": "clusters of two",
    "quorum": "majorities do not count",
}
"""What the names of the files begin with, and what such a scenario shows."""
AT_LEAST = 40

UNREACHED: dict[tuple[State, State, Cause], str] = {}
"""Rules, by one transition of each, that no scenario can show, and why. None at present."""


@functools.cache
def played(path: Path) -> Played:
    return play(read(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path, request: pytest.FixtureRequest) -> None:
    try:
        if request.config.getoption("--rewrite"):
            rewrite(path)
        scenario, outputs = read(path), played(path).outputs
    except ScenarioError as error:
        pytest.fail(str(error), pytrace=False)
    if found := differences(scenario, outputs):
        pytest.fail("\n".join(found), pytrace=False)
    assert path.read_text(encoding="utf-8") == render(scenario, outputs), "not in its usual form"


def _triples(rule: Rule) -> set[tuple[State, State, Cause]]:
    return {(before, after, rule.cause) for before in rule.before for after in rule.after}


def _words(rule: Rule) -> str:
    before, after = ("/".join(s.value for s in states) for states in (rule.before, rule.after))
    return f"{before} -> {after}: {rule.cause.value}"


def test_every_rule_of_the_election_is_shown_by_a_scenario() -> None:
    seen = {t for path in FILES for t in played(path).seen}
    hidden = [rule for rule in RULES if not _triples(rule) & (seen | UNREACHED.keys())]
    assert not hidden, "\n".join(_words(rule) for rule in hidden)
    assert not seen & UNREACHED.keys(), "a scenario shows what was thought to be impossible"


def test_there_are_enough_scenarios_and_each_belongs_to_a_group() -> None:
    assert len(FILES) >= AT_LEAST
    for path in FILES:
        assert any(path.stem.startswith(f"{group}_") for group in GROUPS), path.stem
    for group in GROUPS:
        assert any(path.stem.startswith(f"{group}_") for path in FILES), group
