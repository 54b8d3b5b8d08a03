"""Plays a scenario: carries its commands out and gives what they printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.cluster import VIP
from support.scenario.stage import GATEWAY, Seen, Stage
from support.scenario.text import Block, Command, Scenario, ScenarioError, read, render
from support.scenario.verbs import VERBS
from support.scenario.words import UnfulfilledError, WordError, Words, duration
from vipkeeper.core.types import Profile

NOTHING = "nothing happens"
"""Printed where time passed and there is nothing to tell: that is often what a scenario shows."""
SETTINGS_VERB = "cluster"
_YES_NO = {"yes": True, "no": False}

SETTINGS: dict[str, tuple[str, Callable[[str], object]]] = {
    "interval": ("advert_interval", duration),
    "lease": ("kernel_lease", duration),
    "strict-lease": ("strict_lease", duration),
    "preempt": ("preempt_after", duration),
    "soft": ("soft_failure_after", duration),
    "profile": ("profile", Profile),
    "budget": ("move_budget", int),
    "checks": ("checked", _YES_NO.__getitem__),
    "vips": ("vips", lambda word: tuple(VIP + n for n in range(int(word)))),
}
"""Words of the `cluster` line that are settings of the election."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    outputs: tuple[tuple[str, ...], ...]
    """One for each block."""
    seen: frozenset[Seen]


def play(scenario: Scenario) -> Played:
    """Carry out all of it.

    Raises:
        ScenarioError: a command cannot be read or carried out, or an `expect` does not hold.
    """
    stage, blocks = _stage(scenario)
    outputs = []
    for block in scenario.blocks:
        for command in block.commands if block in blocks else ():
            try:
                _do(stage, command)
            except WordError as error:
                message = f"{scenario.name}:{command.line}: {command.text}: {error}"
                raise ScenarioError("\n".join([message, *stage.lines])) from error
        if not stage.lines and any(c.text.split()[0] == "run" for c in block.commands):
            stage.lines.append(NOTHING)
        outputs.append(tuple(stage.lines))
        stage.lines.clear()
    return Played(tuple(outputs), frozenset(stage.seen))


def rewrite(path: Path) -> None:
    """Write what a scenario prints now into its file. Its `expect` lines must hold all the same."""
    scenario = read(path)
    path.write_text(render(scenario, play(scenario).outputs), encoding="utf-8")


def _stage(scenario: Scenario) -> tuple[Stage, list[Block]]:
    """The stage as the `cluster` line wants it, and the blocks that are to be played."""
    first = next((b for b in scenario.blocks if b.commands), None)
    if first is None:
        raise ScenarioError(f"{scenario.name}:1: has no commands")
    command = first.commands[0]
    word, *rest = command.text.split()
    if word != SETTINGS_VERB:
        return Stage(), list(scenario.blocks)
    if len(first.commands) > 1:
        line = first.commands[1].line
        raise ScenarioError(f"{scenario.name}:{line}: the {SETTINGS_VERB} line stands alone")
    where = f"{scenario.name}:{command.line}: cannot read '{command.text}'"
    try:
        return _configured(rest), [b for b in scenario.blocks if b is not first]
    except (WordError, ValueError, KeyError) as error:
        raise ScenarioError(f"{where}: {error}") from error


def _configured(words: list[str]) -> Stage:
    count, gateway, supervised = 3, False, False
    changes: dict[str, object] = {}
    for word in words:
        name, _, value = word.partition("=")
        match name:
            case "servers":
                count = int(value)
            case "gateway":
                gateway = _YES_NO[value]
            case "supervisor":
                supervised = _YES_NO[value]
            case _ if name in SETTINGS:
                field, convert = SETTINGS[name]
                changes[field] = convert(value)
            case _:
                known = ", ".join(["servers", "gateway", "supervisor", *SETTINGS])
                raise WordError(f"'{name}' is no setting (there are {known})")
    stage = Stage(count, **changes)
    stage.gateway = GATEWAY if gateway else None
    stage.supervised = supervised
    return stage


def _do(stage: Stage, command: Command) -> None:
    word, *rest = command.text.split()
    known = VERBS.get(word)
    if known is None:
        raise WordError(f"there is no verb '{word}'")
    words = Words(rest, [host.name for host in stage.hosts])
    try:
        known.do(stage, words)
        words.end()
    except UnfulfilledError:
        raise
    except WordError as error:
        raise WordError(f"{error} (usage: {known.usage})") from error
