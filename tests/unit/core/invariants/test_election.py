"""S5, S6, P1, P2, A1: rules of a server's own decisions."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from support.cluster import VIP
from support.story import Story
from vipkeeper.core.actions import Announce, Cause, State
from vipkeeper.core.events import (
    Channel,
    Event,
    GatewayAnswered,
    HostObserved,
    ServerAnswered,
    Sign,
    VipAnswered,
)
from vipkeeper.core.facts import DaemonChanged, DaemonState, Escaped
from vipkeeper.core.invariants.election import (
    Deafness,
    FreshHolder,
    NamedSuccessor,
    Preemption,
    SuccessorHears,
)
from vipkeeper.core.invariants.robust import Robust
from vipkeeper.core.types import SECOND, AddressState, HostView, VipView
from vipkeeper.wire.types import Health, Heard, Role


def claim_after(milliseconds: float, role: Role = Role.HOLDER, **changes: Any) -> list[str]:
    story = Story(only=FreshHolder).at(1000).hears("cp2", "cp1", role, **changes)
    story.at(1000 + milliseconds).enters("cp2", State.SUSPECT).enters("cp2", State.CLAIM)
    return story.broken()


def test_s5_a_claim_against_a_fresh_holder() -> None:
    assert claim_after(190) == ["S5"]


def test_s5_a_claim_after_silence() -> None:
    assert claim_after(200) == []


def test_s5_patience_follows_the_holders_own_interval() -> None:
    assert claim_after(900, interval_ms=500) == ["S5"]


def test_s5_only_a_holder_counts() -> None:
    assert claim_after(10, Role.BACKUP) == []


def test_s5_a_run_that_has_not_proven_itself_does_not_count() -> None:
    assert claim_after(10, heard=(Heard(0, None),) * 3) == []


def test_s5_a_replayed_advert_is_not_fresh() -> None:
    story = Story(only=FreshHolder).at(1000).hears("cp2", "cp1", Role.HOLDER, counter=50)
    story.at(2000).hears("cp2", "cp1", Role.HOLDER, counter=50)
    assert story.at(2010).enters("cp2", State.CLAIM).broken() == []


def test_s5_an_earlier_run_of_the_sender_is_over() -> None:
    story = Story(only=FreshHolder).at(1000).hears("cp2", "cp1", Role.HOLDER, boot_id=70)
    story.at(2000).hears("cp2", "cp1", Role.BACKUP, boot_id=71)
    story.at(3000).hears("cp2", "cp1", Role.HOLDER, boot_id=70)
    assert story.at(3010).enters("cp2", State.CLAIM).broken() == []


def test_s5_a_named_successor_claims_at_once() -> None:
    story = Story(only=FreshHolder).at(1000).hears("cp2", "cp1", Role.HOLDER)
    story.at(1010).enters("cp2", State.CLAIM, Cause.NAMED_SUCCESSOR)
    assert story.broken() == []


def suspicion(story: Story, *heard: Event, proven: bool = True) -> list[str]:
    story.at(1000).hears("cp2", "cp1", Role.HOLDER)
    if proven:
        story.turn("cp2", GatewayAnswered())
    story.at(2000).enters("cp2", State.SUSPECT).at(2050)
    for event in heard:
        story.turn("cp2", event)
    return story.at(2080).enters("cp2", State.CLAIM).broken()


def test_s6_a_deaf_server_claims() -> None:
    assert suspicion(Story(only=Deafness)) == ["S6"]


def test_s6_silence_of_a_gateway_that_never_answered_means_nothing() -> None:
    assert suspicion(Story(only=Deafness), proven=False) == []


@pytest.mark.parametrize(
    "sound",
    [
        GatewayAnswered(),
        VipAnswered(VIP, b"\2\0\0\0\0\1", Channel.ARP),
        ServerAnswered(0, Sign.KERNEL),
    ],
)
def test_s6_any_answer_shows_that_it_hears(sound: Event) -> None:
    assert suspicion(Story(only=Deafness), sound) == []


def test_s6_alone_nobody_is_deaf() -> None:
    story = Story(1, only=Deafness)
    story.at(2000).enters("cp1", State.SUSPECT).at(2080).enters("cp1", State.CLAIM)
    assert story.broken() == []


def test_s6_without_a_gateway_deafness_is_unknown() -> None:
    view = HostView(0, "eth0", True, True, (VipView(VIP, AddressState.ABSENT),))
    assert suspicion(Story(only=Deafness).turn("cp2", HostObserved(view))) == []


def preempted(story: Story, peer: str = "cp1") -> list[str]:
    return story.enters("cp3", State.RELEASE, Cause.PREEMPTED, peer=peer).broken()


def serving(story: Story, start: int, end: int, **changes: Any) -> Story:
    for at in range(start, end, 100):
        story.at(at).hears("cp3", "cp1", **changes)
    return story


def test_p1_preemption_that_is_off() -> None:
    assert preempted(serving(Story(only=Preemption), 1000, 20_000)) == ["P1"]


def test_p1_too_early_and_in_time() -> None:
    early = serving(Story(only=Preemption, preempt_after=5 * SECOND), 1000, 5000)
    assert preempted(early) == ["P1"]
    late = serving(Story(only=Preemption, preempt_after=5 * SECOND), 1000, 6200)
    assert preempted(late) == []


def test_p1_a_break_in_its_health_counts_anew() -> None:
    story = serving(Story(only=Preemption, preempt_after=5 * SECOND), 1000, 5000)
    story.hears("cp3", "cp1", health=Health.UNREADY)
    assert preempted(serving(story, 5100, 7000)) == ["P1"]


def test_p1_never_to_a_server_in_standby() -> None:
    story = serving(Story(only=Preemption, preempt_after=SECOND), 1000, 5000, standby=True)
    assert preempted(story) == ["P1"]


def resigned(milliseconds: float, successor: int | None) -> list[str]:
    story = Story(only=NamedSuccessor).at(1000).hears("cp2", "cp1", Role.HOLDER)
    story.at(1100).hears("cp2", "cp1", Role.RESIGNED, successor=successor)
    story.enters("cp2", State.SUSPECT, Cause.HOLDER_RESIGNED)
    story.at(1100 + milliseconds).enters("cp2", State.CLAIM, Cause.HOLDER_RESIGNED)
    return story.broken()


def test_p2_another_goes_before_the_named_one() -> None:
    assert resigned(30, successor=2) == ["P2"]


def test_p2_the_named_one_had_its_time() -> None:
    assert resigned(61, successor=2) == []


def test_p2_nobody_was_named() -> None:
    assert resigned(0, successor=None) == []


def test_p2_three_copies_do_not_begin_the_wait_anew() -> None:
    story = Story(only=NamedSuccessor).at(1000).hears("cp2", "cp1", Role.HOLDER)
    story.at(1100).hears("cp2", "cp1", Role.RESIGNED, successor=2)
    story.at(1130).hears("cp2", "cp1", Role.RESIGNED, successor=2)
    story.at(1165).enters("cp2", State.CLAIM, Cause.HOLDER_RESIGNED)
    assert story.broken() == []


def test_a1_an_exception_leaves_a_node() -> None:
    assert Story(only=Robust).fact(Escaped("cp1", "ValueError")).broken() == ["A1"]


def test_a1_one_event_leads_to_much_work() -> None:
    story = Story(only=Robust)
    assert story.turn("cp1", GatewayAnswered(), *[Announce()] * 24).broken() == []
    assert story.turn("cp1", GatewayAnswered(), *[Announce()] * 25).broken() == ["A1"]


def test_an_advert_of_a_stranger_is_no_sign_of_a_holder() -> None:
    story = Story(only=FreshHolder).at(1000)
    story.hears("cp2", "cp1", Role.HOLDER, sender=IPv4Address("10.10.10.99"))
    assert story.at(1010).enters("cp2", State.CLAIM).broken() == []


def in_holdoff(milliseconds: float, *, stalled: bool = False) -> list[str]:
    """cp2 claims out of hold-off so long after the last answer; in the end its daemon may stall for 350 ms."""
    story = Story(only=Deafness).turn("cp2", GatewayAnswered()).at(2000)
    story.enters("cp2", State.SUSPECT).at(2010).turn("cp2", VipAnswered(VIP, b"1", Channel.ECHO))
    story.enters("cp2", State.HOLDOFF).at(3000).turn("cp2", GatewayAnswered())
    if stalled:
        story.at(2650 + milliseconds).fact(DaemonChanged("cp2", DaemonState.STALLED))
        story.at(3000 + milliseconds).fact(DaemonChanged("cp2", DaemonState.RUNNING))
    return story.at(3000 + milliseconds).enters("cp2", State.CLAIM).broken()


def test_s6_a_server_falls_deaf_in_holdoff_and_claims() -> None:
    assert in_holdoff(180) == ["S6"]


def test_s6_a_server_in_holdoff_still_hears_its_gateway() -> None:
    assert in_holdoff(60) == []


def test_s6_a_stalled_daemon_asks_nothing_meanwhile() -> None:
    assert in_holdoff(410, stalled=True) == []
    assert in_holdoff(530, stalled=True) == ["S6"]


def named(milliseconds: float) -> list[str]:
    """cp2 claims as the named successor so long after it received the resignation."""
    story = Story(only=NamedSuccessor).at(1000).hears("cp2", "cp1", Role.HOLDER)
    story.at(1100).hears("cp2", "cp1", Role.RESIGNED, successor=1)
    return story.at(1100 + milliseconds).enters("cp2", State.CLAIM, Cause.NAMED_SUCCESSOR).broken()


def test_p2_a_named_successor_claims_by_an_old_resignation() -> None:
    assert named(61) == ["P2"]


def test_p2_a_named_successor_claims_in_its_time() -> None:
    assert named(50) == []


def test_p2_an_overtaken_copy_of_a_resignation_begins_nothing_anew() -> None:
    story = Story(only=NamedSuccessor).at(1000).hears("cp3", "cp1", Role.HOLDER)
    story.at(1100).hears("cp3", "cp1", Role.RESIGNED, successor=1, counter=101)
    story.at(1130).hears("cp3", "cp1", Role.RESIGNED, successor=1, counter=100)
    story.at(1159).hears("cp3", "cp1", Role.RESIGNED, successor=1, counter=102)
    assert story.at(1160).enters("cp3", State.CLAIM, Cause.HOLDER_RESIGNED).broken() == []
    story = Story(only=NamedSuccessor).at(1000).hears("cp3", "cp1", Role.HOLDER)
    story.at(1100).hears("cp3", "cp1", Role.RESIGNED, successor=1)
    assert story.at(1159).enters("cp3", State.CLAIM, Cause.HOLDER_RESIGNED).broken() == ["P2"]


def names(age_ms: int | None, cause: Cause = Cause.HANDOVER, boot_id: int = 1) -> list[str]:
    """cp1 names cp2, which says that it heard this run of cp1 so long ago."""
    heard = (Heard(boot_id, age_ms), Heard(0, None), Heard(0, None))
    story = Story(only=SuccessorHears).at(900).hears("cp1", "cp2")
    story.at(1000).holds("cp1").hears("cp1", "cp2", heard=heard)
    return story.enters("cp1", State.RELEASE, cause, peer="cp2").broken()


@pytest.mark.parametrize(("age_ms", "boot_id"), [(201, 1), (None, 1), (0, 77)])
def test_p2_a_successor_that_does_not_hear_the_one_that_names_it(
    age_ms: int | None, boot_id: int
) -> None:
    assert names(age_ms, boot_id=boot_id) == ["P2"]


def test_p2_a_successor_that_hears() -> None:
    assert names(200) == []


def test_p2_a_deaf_holder_has_no_choice() -> None:
    assert names(None, Cause.DEAF) == []
