"""L1 to L3, H1: somebody serves, and it is the right one."""

from __future__ import annotations

import pytest

from support.story import Story
from vipkeeper.core.actions import Cause, State
from vipkeeper.core.events import GatewayAnswered
from vipkeeper.core.facts import (
    CLIENT,
    ApiChanged,
    ApiState,
    DaemonChanged,
    DaemonState,
    FaultKind,
    Healed,
    PowerChanged,
    ServedChanged,
    WireChanged,
)
from vipkeeper.core.invariants.clients import ClientCatchesUp, ClientLearns
from vipkeeper.core.invariants.liveness import (
    FailStatic,
    Health,
    OneAfterHeal,
    SomebodyServes,
    claim_bound,
    single_bound,
)
from vipkeeper.core.types import MILLISECOND, SECOND, Profile
from vipkeeper.sim.faults import settings_for


def outage(kind: FaultKind, milliseconds: float, server: str = "cp1") -> list[str]:
    """A fault strikes in a cluster at rest; the client is served again after so long."""
    story = Story(only=SomebodyServes).turn("cp1", GatewayAnswered()).at(1000).at_rest()
    story.fault(kind, server).fact(ServedChanged(None))
    story.at(11_000 + milliseconds).fact(ServedChanged("cp2"))
    return story.broken()


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (FaultKind.POWER_OFF, 200 + 80),
        (FaultKind.STUN, 200 + 80),
        (FaultKind.TX_CUT, 200 + 80),
        (FaultKind.RX_CUT, 1000 + 300),
        (FaultKind.KILL, 180 + 120 + 80),
        (FaultKind.SHUTDOWN, 5),
    ],
)
def test_l1_each_kind_of_fault_has_its_bound(kind: FaultKind, bound: int) -> None:
    assert outage(kind, bound + 30) == []
    assert outage(kind, bound + 45) == ["L1"]


def test_l1_a_fault_elsewhere_has_no_such_bound() -> None:
    assert outage(FaultKind.POWER_OFF, 1000, server="cp2") == []


def test_l1_a_holder_whose_gateway_never_answered_cannot_know_that_it_is_deaf() -> None:
    story = Story(only=SomebodyServes).at(1000).at_rest()
    story.fault(FaultKind.RX_CUT, "cp1").fact(ServedChanged(None))
    assert story.at(30_000).broken() == []


def test_l1_nobody_left_to_serve() -> None:
    story = Story(2, only=SomebodyServes).at(1000).at_rest()
    story.fault(FaultKind.POWER_OFF, "cp2").fact(PowerChanged("cp2", False)).at(20_000)
    story.fault(FaultKind.POWER_OFF, "cp1").fact(PowerChanged("cp1", False)).drops("cp1")
    assert story.fact(ServedChanged(None)).at(60_000).broken() == []


def test_l1_nobody_answers_although_nothing_is_wrong() -> None:
    assert Story(only=SomebodyServes).at(60_000).broken() == ["L1"]
    assert Story(only=SomebodyServes).at(1000).at_rest().at(60_000).broken() == []


def test_l1_is_not_about_a_cluster_in_pieces() -> None:
    story = Story(only=SomebodyServes).fact(WireChanged("cp1", "cp2", 1000, 0))
    assert story.at(60_000).broken() == []


def lets_go(others: ApiState) -> list[str]:
    story = Story(only=FailStatic).at(1000).at_rest().at(20_000)
    story.fact(*(ApiChanged(name, others) for name in ("cp2", "cp3")))
    story.at(40_000).fact(ApiChanged("cp1", ApiState.REFUSING))
    return story.enters("cp1", State.RELEASE, Cause.API_DOWN).broken()


def test_l2_a_holder_lets_go_for_nobody() -> None:
    assert lets_go(ApiState.UNREADY) == ["L2"]


def test_l2_a_holder_gives_to_a_ready_server() -> None:
    assert lets_go(ApiState.READY) == []


def healed(story: Story, milliseconds: float) -> Story:
    return story.fact(Healed()).at(story.now / 1e6 + milliseconds)


def test_l3_two_after_the_bound() -> None:
    story = Story(only=OneAfterHeal).at(1000).holds("cp1").holds("cp2")
    assert healed(story, 1200).broken() == ["L3"]


def test_l3_one_in_time() -> None:
    story = Story(only=OneAfterHeal).at(1000).holds("cp1").holds("cp2")
    assert healed(story, 900).drops("cp1").at(60_000).broken() == []


def test_l3_nobody_may_take_longer() -> None:
    assert healed(Story(only=OneAfterHeal), 4000).holds("cp1").at(60_000).broken() == []
    assert healed(Story(only=OneAfterHeal), 20_000).holds("cp1").broken() == ["L3"]


def test_l3_the_one_must_stay() -> None:
    story = healed(Story(only=OneAfterHeal).at(1000).holds("cp1"), 20_000).drops("cp1")
    assert story.at(40_000).broken() == ["L3"]


def test_l3_a_cluster_of_the_dead() -> None:
    story = Story(2, only=OneAfterHeal)
    story.fact(*(DaemonChanged(name, DaemonState.DEAD) for name in ("cp1", "cp2")))
    assert healed(story, 60_000).broken() == []


def api_fails(state: ApiState, milliseconds: float, *others: ApiChanged) -> list[str]:
    story = Story(only=Health).at(1000).at_rest().at(20_000).fact(*others)
    story.at(40_000).fact(ApiChanged("cp1", state)).at(40_000 + milliseconds)
    return story.drops("cp1").broken()


def test_h1_a_dead_api_server_keeps_the_vip() -> None:
    assert api_fails(ApiState.REFUSING, 300) == ["H1"]
    assert api_fails(ApiState.REFUSING, 250) == []


def test_h1_an_unready_one_has_longer() -> None:
    assert api_fails(ApiState.UNREADY, 9000) == []
    assert api_fails(ApiState.UNREADY, 11_000) == ["H1"]


def test_h1_a_frozen_one_has_three_seconds_longer_than_a_dead_one() -> None:
    assert api_fails(ApiState.FROZEN, 3250) == []
    assert api_fails(ApiState.FROZEN, 3300) == ["H1"]


def test_h1_one_that_hung_before_it_froze_has_the_rest_of_its_question_on_top() -> None:
    def story(milliseconds: float, *between: ApiState) -> list[str]:
        story = Story(only=Health).at(1000).at_rest().at(40_000)
        for state in (ApiState.HANGING, *between, ApiState.FROZEN):
            story.fact(ApiChanged("cp1", state)).at(42_000)
        return story.at(42_000 + milliseconds).drops("cp1").broken()

    assert story(4500) == []
    assert story(4550) == ["H1"]
    assert story(3300, ApiState.UNREADY) == ["H1"]


def test_h1_a_frozen_one_that_dies_and_freezes_again_is_counted_from_then() -> None:
    def story(milliseconds: float) -> list[str]:
        story = Story(only=Health).at(1000).at_rest().at(40_000)
        story.fact(ApiChanged("cp1", ApiState.FROZEN)).at(42_000)
        story.fact(ApiChanged("cp1", ApiState.REFUSING)).at(42_040)
        story.fact(ApiChanged("cp1", ApiState.FROZEN)).at(42_040 + milliseconds)
        return story.drops("cp1").broken()

    assert story(3250) == []
    assert story(3300) == ["H1"]


def test_h1_an_unready_one_that_dies_has_as_long_as_a_dead_one() -> None:
    def story(milliseconds: float) -> list[str]:
        story = Story(only=Health).at(1000).at_rest().at(40_000)
        story.fact(ApiChanged("cp1", ApiState.UNREADY)).at(42_000)
        story.fact(ApiChanged("cp1", ApiState.REFUSING)).at(42_000 + milliseconds)
        return story.drops("cp1").broken()

    assert story(300) == ["H1"]
    assert story(250) == []


def test_h1_counts_from_when_the_last_ready_one_is_known() -> None:
    def story(milliseconds: float) -> list[str]:
        story = Story(only=Health).at(1000).at_rest().at(40_000)
        story.fact(ApiChanged("cp3", ApiState.UNREADY)).at(59_000)
        story.fact(ApiChanged("cp3", ApiState.READY)).at(60_000)
        story.fact(ApiChanged("cp1", ApiState.REFUSING)).at(60_100)
        story.fact(ApiChanged("cp2", ApiState.UNREADY)).at(60_000 + milliseconds)
        return story.drops("cp1").broken()

    assert story(5_200) == []
    assert story(5_300) == ["H1"]


def test_h1_nobody_is_better() -> None:
    others = [ApiChanged(name, ApiState.UNREADY) for name in ("cp2", "cp3")]
    assert api_fails(ApiState.REFUSING, 60_000, *others) == []


def test_h1_a_lost_prober_excuses_until_every_loss_is_over() -> None:
    def story(endings: int) -> list[str]:
        story = Story(only=Health).at(1000).at_rest()
        for began in (True, True, *[False] * endings):
            story.fault(FaultKind.PROBER_LOST, "cp1", began=began)
        story.at(40_000).fact(ApiChanged("cp1", ApiState.REFUSING)).at(50_000)
        return story.drops("cp1").broken()

    assert story(endings=1) == []
    assert story(endings=2) == ["H1"]


def learned(milliseconds: float, story: Story) -> list[str]:
    """cp2 claims and the client is served by it after so long."""
    story.at(1000).holds("cp2").at(1000 + milliseconds).fact(ServedChanged("cp2"))
    return story.at(5000).drops("cp2").broken()


def test_l1_a_client_learns_of_a_claim_at_once() -> None:
    assert learned(30, Story(only=ClientLearns)) == []
    assert learned(50, Story(only=ClientLearns)) == ["L1"]


def test_l1_a_client_cannot_learn_over_a_broken_wire() -> None:
    story = Story(only=ClientLearns).fact(WireChanged("cp2", CLIENT, 100, 0))
    assert learned(3000, story) == []


def test_l1_a_client_that_another_holder_answers_needs_not_learn() -> None:
    assert learned(3000, Story(only=ClientLearns).holds("cp1").fact(ServedChanged("cp1"))) == []
    hidden = Story(only=ClientLearns).holds("cp1").fact(WireChanged("cp1", CLIENT, 1000, 0))
    assert learned(3000, hidden) == ["L1"]


def caught_up(milliseconds: float, story: Story) -> list[str]:
    """cp1 holds, and the client is not served for so long."""
    story.at(1000).at_rest().fact(ServedChanged(None)).at(11_000 + milliseconds)
    return story.fact(ServedChanged("cp1")).at(60_000).drops("cp1").broken()


def test_l1_a_client_is_served_at_last_when_nothing_is_wrong() -> None:
    assert caught_up(3000, Story(only=ClientCatchesUp)) == []
    assert caught_up(3100, Story(only=ClientCatchesUp)) == ["L1"]


def test_l1_a_holder_that_is_alone_refreshes_nothing_unless_it_is_ready() -> None:
    def alone(api: ApiState) -> Story:
        off = (PowerChanged(name, False) for name in ("cp2", "cp3"))
        return Story(only=ClientCatchesUp).fact(*off, ApiChanged("cp1", api))

    assert caught_up(20_000, alone(ApiState.UNREADY)) == []
    assert caught_up(20_000, alone(ApiState.READY)) == ["L1"]
    assert caught_up(9000, alone(ApiState.READY)) == [], "it may just have become ready"


def test_l1_nobody_owes_a_client_anything_while_two_hold_or_a_wire_is_broken() -> None:
    assert caught_up(9000, Story(only=ClientCatchesUp).holds("cp2")) == []
    assert (
        caught_up(9000, Story(only=ClientCatchesUp).fact(WireChanged("cp2", CLIENT, 100, 0))) == []
    )


def test_l3_begins_when_what_was_on_its_way_has_arrived() -> None:
    slow = (
        WireChanged(f"cp{a}", f"cp{b}", 0, 400_000_000)
        for a in (1, 2, 3)
        for b in (1, 2, 3)
        if a != b
    )
    story = Story(only=OneAfterHeal).at(1000).holds("cp1").holds("cp2").fact(*slow).fact(Healed())
    story.at(1400).fact(
        *(WireChanged(f"cp{a}", f"cp{b}", 0, 0) for a in (1, 2, 3) for b in (1, 2, 3) if a != b)
    )
    assert story.at(60_000).broken() == ["L3"]


def test_l1_a_lease_that_ends_before_anybody_suspects_adds_what_it_lacks() -> None:
    """Adverts each second are missed after three; a lease of two may have had three quarters of it left."""
    settings = settings_for(2, advert_interval=SECOND, profile=Profile.VM, kernel_lease=2 * SECOND)[
        0
    ]
    usual = settings_for(2)[0]
    assert single_bound(FaultKind.KILL, settings) == claim_bound(settings) - 1500 * MILLISECOND
    assert single_bound(FaultKind.KILL, usual) == 380 * MILLISECOND
