"""Peers in vipkeeper's place: each variant elects one server, and gives the VIP away when it must."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vipkeeper.lab.acts import ACTS
from vipkeeper.lab.box import in_box
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.managers import MANAGERS, Style

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
VARIANTS = [
    ("keepalived", Style.BEST),
    ("keepalived", Style.DEFAULT),
    ("ucarp", Style.BEST),
    ("ucarp", Style.DEFAULT),
    ("kube-vip", Style.BEST),
]


def playing(manager: str, style: Style, *names: str) -> Callable[[Path], bytes]:
    """Plays acts in the box; what is measured of each."""

    def work(directory: Path) -> bytes:
        acts = tuple(act for act in ACTS if act.name in names)
        seed = random.Random(manager + style).randrange(1000)
        drill = Drill(Plan(acts, manager=manager, seed=seed, style=style), directory, Progress())
        drill.play()
        drill.stop_measuring()
        found = [
            {"name": act.name, "reason": act.reason, "length": act.length, "moves": act.moves}
            | {"held": sum(bool(lane.held) for lane in act.lanes)}
            | {"variant": drill.report().conditions["variant"]}
            for act in drill.results
        ]
        return json.dumps(found).encode()

    return work


@pytest.mark.parametrize(("manager", "style"), VARIANTS)
def test_variant_elects_one_server_and_moves_from_a_dead_one(manager: str, style: Style) -> None:
    if reason := MANAGERS[manager].missing():
        pytest.skip(reason)
    taken: list[list[dict[str, Any]]] = []
    in_box(playing(manager, style, "answer", "power-off"), lambda d: taken.append(json.loads(d)))
    still, moved = taken[0]
    assert still["variant"] == style
    assert still["reason"] == ""
    assert still["held"] == 1
    assert moved["length"] > 0, moved["reason"]
    assert moved["moves"] >= 1, moved["reason"]
