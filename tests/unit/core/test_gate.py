"""What a server that stands still amounts to, among the other things that a health check finds."""

from __future__ import annotations

import pytest

from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.gate import HARD_CONFIRMED_AFTER, Gate
from vipkeeper.wire.types import Health

OK, SOFT, HARD, UNKNOWN, STALLED = (
    *(Outcome.OK, Outcome.SOFT, Outcome.HARD, Outcome.UNKNOWN, Outcome.STALLED),
)


def gate(*outcomes: Outcome, check: CheckName = CheckName.API) -> Gate:
    """A server that was ready, and then these samples of one check, far enough apart to confirm a refusal."""
    made = Gate(checked=True)
    for name in (CheckName.API, CheckName.SUPERVISOR):
        made.sample(name, OK, "", 0)
    for number, outcome in enumerate(outcomes, 1):
        made.sample(check, outcome, "", number * HARD_CONFIRMED_AFTER)
    return made


@pytest.mark.parametrize(
    ("outcomes", "health", "refused", "stalled"),
    [
        ((STALLED,), Health.UNREADY, False, True),
        ((STALLED, OK), Health.UNREADY, False, True),
        ((STALLED, OK, OK), Health.READY, False, False),
        ((STALLED, SOFT), Health.UNREADY, False, False),
        ((STALLED, HARD), Health.UNREADY, False, True),
        ((STALLED, HARD, HARD), Health.UNREADY, True, False),
        ((HARD, STALLED, HARD), Health.UNREADY, False, True),
        ((STALLED, UNKNOWN), Health.UNKNOWN, False, False),
        ((SOFT,), Health.UNREADY, False, False),
        ((HARD, HARD), Health.UNREADY, True, False),
    ],
)
def test_a_stalled_api_server(
    outcomes: tuple[Outcome, ...], health: Health, refused: bool, stalled: bool
) -> None:
    judged = gate(*outcomes)
    assert (judged.health, judged.refused, judged.stalled) == (health, refused, stalled)


def test_a_stalled_supervisor_leaves_the_api_server_in_charge() -> None:
    judged = gate(STALLED, check=CheckName.SUPERVISOR)
    assert judged.health is Health.API_ONLY
    assert not judged.stalled
