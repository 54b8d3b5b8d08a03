"""What of a client's view goes into a report."""

from __future__ import annotations

import pytest

from vipkeeper.lab import drill
from vipkeeper.lab.measure import Attempts, Window

MS = 1_000_000


def asked(every: int, until: int, lost: set[int]) -> Attempts:
    """A question each so many milliseconds, answered after one, but for those made at these times."""
    attempts = Attempts(every * MS, 20 * MS)
    for number, at in enumerate(range(0, until, every)):
        attempts.started[number] = at * MS
        if at not in lost:
            attempts.answered[number] = (at + 1) * MS
    return attempts


@pytest.mark.parametrize(
    ("lost", "listed"),
    [
        ({500, 520}, [(0.5, 0.541)]),  # short, and the longest of all
        ({500, 520, 700}, [(0.5, 0.541)]),
        ({100, 120, 700}, [(0.7, 0.721)]),  # what was before the fault is not its outage
        (set(range(100, 300, 20)), [(0.1, 0.301)]),  # a long one is listed wherever it is
        (set(range(500, 700, 20)) | {800}, [(0.5, 0.701)]),
        (set(), []),
    ],
)
def test_the_outage_itself_is_listed_however_short(
    lost: set[int], listed: list[tuple[float, float]]
) -> None:
    client = drill._client(asked(20, 1000, lost), Window(0, 1000 * MS), 400 * MS)
    assert [(gap.start, gap.end) for gap in client.gaps] == listed
    assert client.lost == len(lost)
