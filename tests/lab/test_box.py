"""The box, whatever happens outside of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from vipkeeper.errors import HostError
from vipkeeper.lab.box import in_box, outer_pid
from vipkeeper.lab.processes import wait_for

pytestmark = pytest.mark.lab


def test_a_result_that_cannot_be_taken_ends_the_box_and_is_cleared_away_after() -> None:
    """As when the disk is full: nobody waits for the --keep of a cluster whose report is not there."""
    boxes: list[Path] = []
    cleared: list[bool] = []

    def take(data: bytes) -> None:
        boxes.append(Path("/proc") / data.decode())
        assert boxes[0].exists()
        raise HostError("no room")

    with pytest.raises(HostError, match="no room"):
        in_box(
            lambda _: str(outer_pid()).encode(),
            take,
            afterwards=signal.pause,
            finished=lambda: cleared.append(True),
        )
    assert wait_for(lambda: not boxes[0].exists(), 30.0)
    assert cleared == [True]
