"""The drill's story where no namespaces can be made: same acts, virtual time."""

from __future__ import annotations

from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab.acts import STORY
from vipkeeper.report.run import ActResult, MarkerKind, Verdict
from vipkeeper.sim.story import SCENES, play_story

TAKEOVERS = {"power-off", "api-dead", "handover", "daemon-killed", "daemon-frozen", "two-gone"}


def test_every_act_of_the_story_is_played_and_shows_what_it_is_about() -> None:
    acts = [(act.name, act.title, act.story) for act in STORY]
    told: list[ActResult] = []
    results = play_story(acts, interval=100 * MILLISECOND, seed=7, done=told.append)
    assert [result.name for result in results] == [act.name for act in STORY]
    assert list(results) == told
    assert [r.reason for r in results if r.verdict is not Verdict.PASSED] == []
    for result in results:
        assert result.moves == (1 if result.name in TAKEOVERS else 0), result.name
        struck = any(marker.kind is MarkerKind.FAULT for marker in result.markers)
        assert struck == bool(SCENES[result.name].faults), result.name


def test_scenes_are_those_of_the_story() -> None:
    assert set(SCENES) == {act.name for act in STORY}
