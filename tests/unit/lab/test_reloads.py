"""What the acts of a reload write into cluster.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.cli.drill_soak import UNBUDGETED
from vipkeeper.config.load import load_text
from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab.acts_reload import slower

NEEDED = """\
vip: 10.77.0.100
servers:
  cp1: 10.77.0.11
  cp2: 10.77.0.12
key_file: /key
distribution: none
"""


@pytest.mark.parametrize("setting", ["", UNBUDGETED, "advert_interval: 50ms"])
def test_a_setting_of_the_drill_does_not_stand_beside_the_one_of_the_reload(setting: str) -> None:
    config = load_text(slower(f"{NEEDED}{setting}\n").encode(), Path("cluster.yaml"))

    assert config.advert_interval == 150 * MILLISECOND
    assert config.move_budget == 9
