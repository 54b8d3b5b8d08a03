"""What a soak takes for broken, and what for the host's fault."""

from __future__ import annotations

from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab.soak import moved_for_nothing


def test_a_move_counts_against_the_cluster_unless_the_host_stood_still() -> None:
    assert moved_for_nothing(1, 900 * MILLISECOND)
    assert not moved_for_nothing(1, 5000 * MILLISECOND)
    assert not moved_for_nothing(0, 0)
