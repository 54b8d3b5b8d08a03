"""A VIP that somebody makes a permanent address of this host: it is left alone, and nothing else is lost."""

from __future__ import annotations

from support.cluster import VIP, Cluster
from vipkeeper.core.actions import AddressOperation, ChangeAddresses, Exit, Reply, State
from vipkeeper.core.events import Commanded, HostObserved, Verb
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, SECOND, AddressState, HostView, VipView


def holder() -> tuple[Cluster, Node]:
    cluster = Cluster(1)
    cluster.start(0)
    cluster.run(SECOND)
    node = cluster.hosts[0].node
    assert node is not None
    assert node.state is State.HOLDER
    return cluster, node


def seen(cluster: Cluster, state: AddressState) -> HostObserved:
    return HostObserved(HostView(cluster.now, "eth0", True, True, (VipView(VIP, state),)))


def test_a_server_that_saw_a_permanent_vip_while_releasing_can_still_release_later() -> None:
    cluster, node = holder()
    node.handle(Commanded(1, Verb.RELEASE), cluster.now)
    answered = node.handle(seen(cluster, AddressState.PERMANENT), cluster.now)
    assert [a.id for a in answered if isinstance(a, Reply) and not a.ok] == [1]
    assert cluster.states() == [State.BLOCKED]
    node.handle(Commanded(2, Verb.STANDBY_OFF), cluster.now)
    cluster.hosts[0].lease_until = None
    cluster.run(100 * MILLISECOND)
    cluster.deliver(cluster.hosts[0], seen(cluster, AddressState.ABSENT))
    cluster.run(SECOND)
    assert cluster.states() == [State.HOLDER]
    actions = node.handle(Commanded(3, Verb.RELEASE), cluster.now)
    asked = [a.operation for a in actions if isinstance(a, ChangeAddresses)]
    assert asked == [AddressOperation.REMOVE]


def test_a_permanent_vip_does_not_keep_the_daemon_from_stopping() -> None:
    cluster, node = holder()
    node.handle(Commanded(1, Verb.SHUTDOWN), cluster.now)
    actions = node.handle(seen(cluster, AddressState.PERMANENT), cluster.now)
    assert isinstance(actions[-1], Exit)
