"""The time of a line of a log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.diagnose.logtime import Reference, when


def ms(*fields: int) -> int:
    return int(datetime(*fields, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


TAKEN = Reference(ms(2026, 11, 27, 12), timedelta(hours=1))
AT = ms(2026, 11, 27, 1, 43, 33)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-27T01:43:33.123456789Z stderr F x", AT + 123),
        ('time="2026-11-27T02:43:33+01:00" level=info', AT),
        ('{"level":"warn","ts":"2026-11-27T01:43:33.5-0000"}', AT + 500),
        ("2026-11-27 02:43:33 a local time", AT),
        ("Nov 27 02:43:33 cp1 rke2[9]: x", AT),
        ('Nov 27 02:43:33 cp1 rke2[9]: time="2020-01-01T00:00:00Z"', AT),
        ("[Fri Nov 27 02:43:33 2026] e1000: Link is Down", AT),
        ("Fri Nov 27 02:43:33 2026: (VI_1) Entering MASTER STATE", AT),
        ("E1127 02:43:33.250000       1 leaderelection.go:330] x", AT + 250),
        ("Dec 31 23:59:59 cp1 x: the year before", ms(2025, 12, 31, 22, 59, 59)),
        ("Nov 28 00:30:00 cp1 x: a clock a little ahead", ms(2026, 11, 27, 23, 30)),
        ("nothing here", 0),
        ("Feb 31 02:43:33 no such day", 0),
        ("2026-11-27T25:61:61Z no such time", 0),
    ],
)
def test_a_line_says_when(line: str, expected: int) -> None:
    assert when(line, TAKEN) == expected


def test_without_a_zone_a_local_time_is_unknown() -> None:
    assert when("Nov 27 02:43:33 cp1 x", Reference(TAKEN.at)) == 0
    assert when("Nov 27 02:43:33 cp1 x", Reference(0, timedelta())) == 0
    assert when("2026-11-27T01:43:33Z", Reference(0)) == AT


@given(st.text(alphabet="0123456789-:TZ+ .,INovDec[]", max_size=60))
def test_any_line_has_a_time_or_none(line: str) -> None:
    assert when(line, TAKEN) >= 0
