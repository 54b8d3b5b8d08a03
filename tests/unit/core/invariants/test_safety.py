"""S1 to S4: each trips on a trace that breaks it, and keeps silent on the one beside it that does not."""

from __future__ import annotations

from support.story import Story
from vipkeeper.core.actions import AddressOperation, Cause, ChangeAddresses, SendAdvert, State
from vipkeeper.core.events import AddressesDone, AddressOutcome, Tick
from vipkeeper.core.facts import (
    AnswersChanged,
    ClockChanged,
    DaemonChanged,
    DaemonState,
    Disturber,
    DisturberChanged,
    HostChanged,
    StunChanged,
    VipChanged,
    WireChanged,
)
from vipkeeper.core.invariants.safety import (
    AnswersOnlyAsHolder,
    LeftBehind,
    RenewedInTime,
    TwoOnOneDirection,
    TwoOnWorkingWires,
    TwoWithWitness,
)
from vipkeeper.core.types import MILLISECOND, SECOND

STRICT = 400 * MILLISECOND


def two_for(milliseconds: float, story: Story) -> list[str]:
    """cp1 and cp2 both hold for so long."""
    story.at(1000).holds("cp1").at(2000).holds("cp2")
    return story.at(2000 + milliseconds).drops("cp1").at(20_000).broken()


def test_s1_two_answer_longer_than_the_lease() -> None:
    assert two_for(3600, Story(only=TwoOnWorkingWires)) == ["S1"]


def test_s1_two_answer_while_the_lease_of_one_runs_out() -> None:
    assert two_for(3100, Story(only=TwoOnWorkingWires)) == []


def test_s1_two_that_never_part_are_found_at_the_end() -> None:
    story = Story(only=TwoOnWorkingWires).at(1000).holds("cp1").holds("cp2")
    assert story.at(60_000).broken() == ["S1"]


def test_s1_a_strict_lease_is_shorter() -> None:
    assert two_for(500, Story(only=TwoOnWorkingWires, strict_lease=STRICT)) == ["S1"]
    assert two_for(390, Story(only=TwoOnWorkingWires, strict_lease=STRICT)) == []


def test_s1_a_cut_wire_in_one_direction_excuses() -> None:
    story = Story(only=TwoOnWorkingWires).fact(WireChanged("cp2", "cp1", 1000, 0))
    assert two_for(10_000, story) == []


def test_s1_s2_servers_with_different_keys_obey_each_other_never() -> None:
    for promise in (TwoOnWorkingWires, TwoOnOneDirection):
        story = Story(only=promise).hear_each_other()
        story.fact(DisturberChanged(Disturber.WRONG_KEY, "cp2", True))
        assert two_for(10_000, story) == []


def test_s1_counts_from_when_the_wires_work() -> None:
    story = Story(only=TwoOnWorkingWires).fact(WireChanged("cp2", "cp1", 1000, 0))
    story.at(1000).holds("cp1").at(2000).holds("cp2")
    story.at(12_000).fact(WireChanged("cp2", "cp1", 0, 0))
    assert story.at(14_000).drops("cp1").broken() == []


def test_s1_a_late_server_gets_twice_its_lateness() -> None:
    story = Story(only=TwoOnWorkingWires).fact(HostChanged("cp1", SECOND, False))
    assert two_for(5000, story) == []


def test_s2_two_running_holders_that_hear_each_other() -> None:
    assert two_for(600, Story(only=TwoOnOneDirection).hear_each_other()) == ["S2"]


def test_s2_one_gives_way_in_time() -> None:
    assert two_for(450, Story(only=TwoOnOneDirection).hear_each_other()) == []


def test_s2_one_direction_is_enough() -> None:
    story = Story(only=TwoOnOneDirection).hear_each_other()
    assert two_for(600, story.fact(WireChanged("cp2", "cp1", 1000, 0))) == ["S2"]


def test_s2_no_direction_works() -> None:
    story = Story(only=TwoOnOneDirection).hear_each_other()
    story.fact(WireChanged("cp2", "cp1", 1000, 0), WireChanged("cp1", "cp2", 1000, 0))
    assert two_for(600, story) == []


def test_s2_runs_that_have_not_proven_themselves() -> None:
    assert two_for(600, Story(only=TwoOnOneDirection)) == []


def test_s2_a_stalled_daemon_cannot_give_way() -> None:
    story = Story(only=TwoOnOneDirection).hear_each_other()
    assert two_for(600, story.fact(DaemonChanged("cp1", DaemonState.STALLED))) == []


def test_s2_counts_from_the_proof() -> None:
    story = Story(only=TwoOnOneDirection).at(1000).holds("cp1").at(2000).holds("cp2")
    story.at(10_000).hear_each_other()
    assert story.at(10_300).drops("cp1").broken() == []
    story = Story(only=TwoOnOneDirection).at(1000).holds("cp1").at(2000).holds("cp2")
    story.at(10_000).hear_each_other()
    assert story.at(11_000).drops("cp1").broken() == ["S2"]


def test_s3_a_killed_daemon_leaves_the_vip_no_longer_than_its_lease() -> None:
    story = Story(only=LeftBehind).at(1000).holds("cp1")
    story.at(2000).fact(DaemonChanged("cp1", DaemonState.DEAD))
    assert story.at(5500).drops("cp1").broken() == []
    story = Story(only=LeftBehind).at(1000).holds("cp1")
    story.at(2000).fact(DaemonChanged("cp1", DaemonState.DEAD))
    assert story.at(5600).drops("cp1").broken() == ["S3"]


def test_s3_a_late_kernel_is_waited_for() -> None:
    story = Story(only=LeftBehind).fact(HostChanged("cp1", SECOND, False)).at(1000).holds("cp1")
    story.at(2000).fact(DaemonChanged("cp1", DaemonState.DEAD))
    assert story.at(6200).drops("cp1").broken() == []


def test_s3_a_clock_that_was_slow_for_a_while_has_counted_less() -> None:
    def killed() -> Story:
        story = Story(only=LeftBehind).at(1000).holds("cp1")
        story.at(2000).fact(DaemonChanged("cp1", DaemonState.DEAD), ClockChanged("cp1", 500))
        return story.at(3000).fact(ClockChanged("cp1", 1000))

    assert killed().at(5700).drops("cp1").broken() == []
    assert killed().at(8500).drops("cp1").broken() == ["S3"]


def test_s3_a_terminated_daemon_leaves_nothing() -> None:
    story = Story(only=LeftBehind).at(1000).holds("cp1")
    story.at(2000).fact(DaemonChanged("cp1", DaemonState.STOPPED))
    assert story.at(2001).drops("cp1").broken() == ["S3"]
    story = Story(only=LeftBehind).at(1000).holds("cp1").at(2000).drops("cp1")
    assert story.fact(DaemonChanged("cp1", DaemonState.STOPPED)).at(9000).broken() == []


def test_s3_the_clock_of_a_stunned_machine_stands_still() -> None:
    story = Story(only=LeftBehind).at(1000).holds("cp1")
    story.at(2000).fact(DaemonChanged("cp1", DaemonState.DEAD), StunChanged("cp1", True))
    assert story.at(60_000).broken() == []


def test_s4_a_running_server_that_follows_does_not_answer() -> None:
    story = Story(only=AnswersOnlyAsHolder).at(1000).holds("cp1")
    story.at(2000).enters("cp1", State.BACKUP, Cause.HOLDER_HEARD)
    assert story.at(2300).drops("cp1").broken() == ["S4"]


def test_s4_the_kernel_may_be_late() -> None:
    story = Story(only=AnswersOnlyAsHolder).at(1000).holds("cp1")
    story.at(2000).enters("cp1", State.LISTEN, Cause.LEASE_LAPSED)
    assert story.at(2200).drops("cp1").broken() == []


def test_s4_a_strict_server_is_silent_when_its_adverts_are() -> None:
    story = Story(only=AnswersOnlyAsHolder, strict_lease=STRICT).at(1000).holds("cp1").sends("cp1")
    assert story.at(1500).drops("cp1").broken() == ["S4"]
    story = Story(only=AnswersOnlyAsHolder, strict_lease=STRICT).at(1000).holds("cp1")
    story.turn("cp1", Tick(), SendAdvert(story.advert("cp1"), ()))
    assert story.at(1390).drops("cp1").broken() == []


def test_s4_a_strict_server_that_is_late_is_waited_for() -> None:
    late = HostChanged("cp1", SECOND, False)
    story = Story(only=AnswersOnlyAsHolder, strict_lease=STRICT).fact(late)
    assert story.at(1000).holds("cp1").sends("cp1").at(2300).drops("cp1").broken() == []


def test_an_address_that_nobody_answers_for_is_no_second_holder() -> None:
    story = Story(only=TwoOnWorkingWires).at(1000).holds("cp1").fact(VipChanged("cp2", True))
    story.fact(AnswersChanged("cp2", False))
    assert story.at(60_000).broken() == []


def two_in_two_halves(milliseconds: float, *cut: tuple[str, str]) -> list[str]:
    """cp1 and cp2 both hold for so long and cannot hear each other; cp3 follows."""
    story = Story(only=TwoWithWitness).hear_each_other().enters("cp3", State.BACKUP)
    for source, target in (("cp1", "cp2"), ("cp2", "cp1"), *cut):
        story.fact(WireChanged(source, target, 1000, 0))
    return two_for(milliseconds, story)


def test_s2_a_third_server_hears_both_holders() -> None:
    assert two_in_two_halves(1100) == ["S2"]


def test_s2_the_third_server_is_heeded_in_time() -> None:
    assert two_in_two_halves(950) == []


def test_s2_the_third_server_does_not_hear_both() -> None:
    assert two_in_two_halves(5000, ("cp2", "cp3")) == []


def order(number: int, operation: AddressOperation) -> ChangeAddresses:
    return ChangeAddresses(number, operation, 3 * SECOND)


def ordered(milliseconds: float, operation: AddressOperation, state: State = State.HOLDER) -> bool:
    """True when the order breaks S4 that a server gives so long after its lease of 3 s began."""
    story = Story(only=RenewedInTime).at(1000).enters("cp1", State.CLAIM)
    story.turn("cp1", Tick(), order(1, AddressOperation.ADD)).enters("cp1", State.HOLDER)
    done = AddressesDone(1, AddressOutcome.DONE, story.now, story.now)
    story.turn("cp1", done).enters("cp1", state)
    story.at(1000 + milliseconds).turn("cp1", Tick(), order(2, operation))
    return story.broken() == ["S4"]


def test_s4_a_lapsed_lease_is_renewed_or_the_vip_put_back() -> None:
    assert ordered(3000, AddressOperation.RENEW)
    assert ordered(3000, AddressOperation.ADD)


def test_s4_a_lease_is_renewed_in_time() -> None:
    assert not ordered(2999, AddressOperation.RENEW)


def test_s4_a_lapsed_lease_is_given_up_and_claimed_anew() -> None:
    assert not ordered(3000, AddressOperation.REMOVE)
    assert not ordered(9000, AddressOperation.ADD, State.CLAIM)
