"""F1 to F3, C1: moves have a reason."""

from __future__ import annotations

from typing import Any

from support.story import Story
from vipkeeper.core.actions import Cause, State
from vipkeeper.core.facts import (
    ApiChanged,
    ApiState,
    DaemonChanged,
    DaemonState,
    FaultKind,
    PowerChanged,
    WallClockStepped,
    WireChanged,
)
from vipkeeper.core.invariants.moves import (
    MoveBudget,
    MovesPerFault,
    NoMoveWithoutCause,
    WallClock,
)
from vipkeeper.core.types import SECOND
from vipkeeper.wire.types import Role


def moved(story: Story, *holders: str) -> list[str]:
    """cp1 loses power in a cluster at rest; then these hold, one after the other."""
    story.fault(FaultKind.POWER_OFF, "cp1").fact(PowerChanged("cp1", False)).drops("cp1")
    at = story.now // 1_000_000
    for number, holder in enumerate(holders):
        story.at(at + 300 * (number + 1)).holds(holder)
        story.at(at + 300 * (number + 1) + 100).enters(holder, State.RELEASE).drops(holder)
    return story.broken()


def test_f1_two_moves_for_one_fault() -> None:
    assert moved(Story(only=MovesPerFault).at(1000).at_rest(), "cp2", "cp3") == ["F1"]


def test_f1_one_move_for_one_fault() -> None:
    assert moved(Story(only=MovesPerFault).at(1000).at_rest(), "cp2") == []


def test_f1_preemption_may_move_it_once_more() -> None:
    story = Story(only=MovesPerFault, preempt_after=SECOND).at(1000).at_rest()
    assert moved(story, "cp2", "cp3") == []
    story = Story(only=MovesPerFault, preempt_after=SECOND).at(1000).at_rest()
    assert moved(story, "cp2", "cp3", "cp2") == ["F1"]


def test_f1_a_cluster_not_at_rest_is_not_judged() -> None:
    story = Story(only=MovesPerFault).at(1000).at_rest()
    story.enters("cp2", State.SUSPECT).at(12_000)
    assert moved(story, "cp2", "cp3") == []


def stalled(milliseconds: float, **changes: Any) -> list[str]:
    """The holder's daemon is stalled for so long, then it finds its lease gone."""
    story = Story(only=NoMoveWithoutCause, **changes).at(1000).at_rest()
    story.fault(FaultKind.STALL, "cp1").fact(DaemonChanged("cp1", DaemonState.STALLED))
    story.at(11_000 + milliseconds).fact(DaemonChanged("cp1", DaemonState.RUNNING))
    return story.enters("cp1", State.RELEASE, Cause.LEASE_LAPSED).broken()


def test_f2_a_short_stall_costs_the_vip() -> None:
    assert stalled(1900) == ["F2"]


def test_f2_a_long_stall_may() -> None:
    assert stalled(2100) == []


def test_f2_a_strict_lease_is_shorter() -> None:
    assert stalled(150, strict_lease=400_000_000) == ["F2"]
    assert stalled(250, strict_lease=400_000_000) == []


def lossy(lost: int, *, bursts: bool = False) -> list[str]:
    story = Story(only=NoMoveWithoutCause).at(1000).at_rest()
    story.fault(FaultKind.LOSS).fact(WireChanged("cp1", "cp2", lost, 0, bursts))
    return story.at(12_000).enters("cp2", State.CLAIM).broken()


def test_f2_a_claim_under_loss() -> None:
    assert lossy(200) == ["F2"]


def test_f2_more_loss_or_bursts_may_move_it() -> None:
    assert lossy(400) == []
    assert lossy(100, bursts=True) == []


def test_f2_another_fault_ends_the_quiet() -> None:
    story = Story(only=NoMoveWithoutCause).at(1000).at_rest().fault(FaultKind.LOSS)
    story.at(12_000).fault(FaultKind.HANDOVER, "cp1")
    story.enters("cp1", State.RELEASE, Cause.HANDOVER)
    assert story.broken() == []


def claims(count: int, every: int = 1000, **changes: Any) -> Story:
    story = Story(only=MoveBudget, **changes)
    for number in range(count):
        story.at(1000 + number * every).enters("cp1", State.CLAIM, before=State.SUSPECT)
    return story


def test_f3_more_claims_than_the_budget() -> None:
    assert claims(7).broken() == ["F3"]
    assert claims(6).broken() == []


def test_f3_claims_age() -> None:
    assert claims(7, every=100_000).broken() == []


def test_f3_a_claim_out_of_held_is_allowed() -> None:
    story = claims(6).at(9000).enters("cp1", State.CLAIM, before=State.HELD)
    assert story.broken() == []


def test_f3_no_budget_no_limit() -> None:
    assert claims(20, move_budget=0).broken() == []


def test_f3_what_an_operator_asked_for_is_not_counted() -> None:
    story = claims(6).at(8000).hears("cp1", "cp2", Role.RESIGNED, successor=0, planned=True)
    assert story.enters("cp1", State.CLAIM, Cause.NAMED_SUCCESSOR).broken() == []
    story = claims(6).at(8000).hears("cp1", "cp2", Role.RESIGNED)
    assert story.enters("cp1", State.CLAIM, Cause.HOLDER_RESIGNED).broken() == ["F3"]


def test_f3_a_holder_may_name_one_whose_budget_it_cannot_know_to_be_spent() -> None:
    story = claims(6).at(8000).hears("cp1", "cp2", Role.RESIGNED, successor=0)
    assert story.enters("cp1", State.CLAIM, Cause.NAMED_SUCCESSOR).broken() == []


def stepped(story: Story) -> Story:
    return story.fault(FaultKind.WALL_STEP, "cp1").fact(WallClockStepped("cp1", 3600 * SECOND))


def test_c1_something_happens_after_a_step() -> None:
    story = stepped(Story(only=WallClock).at(1000).at_rest())
    assert story.at(12_000).enters("cp2", State.SUSPECT).broken() == ["C1"]


def test_c1_after_another_fault_it_may() -> None:
    story = stepped(Story(only=WallClock).at(1000).at_rest()).fault(FaultKind.KILL, "cp1")
    assert story.at(12_000).enters("cp2", State.SUSPECT).broken() == []


def test_f2_an_unready_holder_may_let_go_whatever_else_is_light() -> None:
    story = Story(only=NoMoveWithoutCause).at(1000).at_rest()
    story.fact(ApiChanged("cp1", ApiState.UNREADY)).at(16_000).fault(FaultKind.DUPLICATION)
    story.at(16_100).enters("cp1", State.RELEASE, Cause.API_UNREADY)
    assert story.broken() == []


def test_c1_preemption_may_be_due() -> None:
    story = stepped(Story(only=WallClock, preempt_after=20 * SECOND).at(1000).at_rest())
    assert story.at(12_000).enters("cp1", State.RELEASE, Cause.PREEMPTED).broken() == []


def test_a_cluster_with_a_failed_api_server_is_not_at_rest_yet() -> None:
    story = Story(only=WallClock).at(1000).at_rest().fact(ApiChanged("cp1", ApiState.UNREADY))
    story = stepped(story.at(15_000)).at(15_100)
    assert story.enters("cp1", State.RELEASE, Cause.API_UNREADY).broken() == []
