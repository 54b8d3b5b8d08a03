"""Acts of API servers: dead, frozen, slow, unready, or not what listens there at all."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import PATIENCE, Act, Group
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import BUDGET, QUIET, SETTLED, UNSEEN, moves
from vipkeeper.lab.must import MOVED as LEAVES
from vipkeeper.lab.processes import Process
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage

ETCD_ELECTION = 10.0
"""Seconds for which an election of etcd can make every API server unready."""
FLAP = 1.0


def _become(order: str, text: str, kind: FaultKind = FaultKind.OTHER) -> Callable[[Stage], Mend]:
    """The holder's API server does what the order says, and is ready again in the end."""

    def begin(stage: Stage) -> Mend:
        server = stage.subject
        stage.fault(f"API server of {server.name} {text}", server, kind=kind)
        server.order(order)
        return lambda: server.order("ready")

    return begin


def _until_moved(stage: Stage) -> None:
    """At once where the API server stands still; a soft failure lasts 4 s before it moves anything."""
    stage.wait_moved(stage.subject, PATIENCE, gone=True, served=True)
    stage.recorder.watch(stage.seconds)


def _port_taken(stage: Stage) -> Mend:
    server = stage.subject
    assert server.standin is not None
    stage.fault(f"another program listens at the API server's port of {server.name}", server)
    server.standin.signal_tree(signal.SIGKILL)
    words = (sys.executable, "-m", "http.server", "6443")
    other = server.run("other", *words)
    return lambda: _served_again(stage, server, other)


def _served_again(stage: Stage, server: Server, other: Process) -> None:
    other.signal_tree(signal.SIGKILL)
    stage.cluster.start_standin(server)


def _killed(stage: Stage) -> Mend:
    server = stage.subject
    assert server.standin is not None
    stage.fault(f"API server of {server.name} dies", server, kind=FaultKind.API_REFUSES)
    server.standin.signal_tree(signal.SIGKILL)
    return lambda: stage.cluster.start_standin(server)


def _all_unready(stage: Stage) -> Mend:
    servers = stage.cluster.servers.values()
    text = "all API servers are unready, etcd has no leader"
    stage.fault(text, stage.subject, *stage.backups(), kind=FaultKind.API_UNREADY)

    def all_become(*orders: str) -> None:
        for server in servers:
            for order in orders if server.powered else ():
                server.order_once_up(order)

    all_become("unready", "etcd false")
    return lambda: all_become("ready", "etcd true")


def _flapping(stage: Stage) -> None:
    left = stage.seconds
    while left > 0:
        for order in ("unready", "ready"):
            stage.subject.order(order)
            stage.recorder.watch(FLAP / 2)
        left -= FLAP


API = (Whose.HOLDER, Part.API)
GIVES_WAY = (LEAVES, *SETTLED)

SERVICE: tuple[Act, ...] = (
    scenario(
        "api-frozen",
        "The holder's API server hangs",
        "Connections are made, by the kernel, and nothing is ever said, not even in a handshake. After 2 s without an "
        "answer the VIP moves.",
        Group.SERVICE,
        (46,),
        Fault(*API, _become("frozen", "hangs", FaultKind.API_FROZEN), _until_moved),
        GIVES_WAY,
        1.0,
    ),
    scenario(
        "api-unready",
        "The holder's API server answers 500",
        "It is there and says that it is not ready: 4 s of grace, then the VIP moves to a ready one.",
        Group.SERVICE,
        (46,),
        Fault(*API, _become("unready", "answers 500", FaultKind.API_UNREADY), _until_moved),
        GIVES_WAY,
        1.0,
        Extras(smoke=True),
    ),
    scenario(
        "api-slow",
        "The holder's API server takes 5 s for each answer",
        "Longer than a check waits, but it shakes hands. That is a soft failure: 4 s of grace, then the VIP moves to a "
        "ready one.",
        Group.SERVICE,
        (46,),
        Fault(
            *API, _become("slow 5", "takes 5 s for each answer", FaultKind.API_HANGS), _until_moved
        ),
        GIVES_WAY,
        1.0,
    ),
    scenario(
        "api-unauthorized",
        "The holder's API server answers 401",
        "As RKE2 and k3s answer a check that has no certificate. Whoever refuses by name, serves.",
        Group.SERVICE,
        (46,),
        Fault(*API, _become("unauthorized", "answers 401")),
        UNSEEN,
        6.0,
    ),
    scenario(
        "api-expired",
        "The certificate of the holder's API server has expired",
        "Clients complain, on every server soon, and a move mends nothing: the VIP stays.",
        Group.SERVICE,
        (46,),
        Fault(*API, _become("expired", "shows an expired certificate")),
        UNSEEN,
        6.0,
    ),
    scenario(
        "api-port-taken",
        "Another program listens at the API server's port",
        "The API server is gone and something that speaks plain HTTP has its port. A connection is accepted, and it is not "
        "TLS that answers.",
        Group.SERVICE,
        (46,),
        Fault(*API, _port_taken, _until_moved),
        GIVES_WAY,
        1.0,
    ),
    scenario(
        "api-killed",
        "The holder's API server is killed and comes back",
        "Refused connections move the VIP at once. When it is back, nothing moves again.",
        Group.SERVICE,
        (46,),
        Fault(*API, _killed, _until_moved),
        GIVES_WAY,
        1.0,
    ),
    scenario(
        "all-unready",
        "All API servers are unready for 10 s",
        "An election of etcd takes the quorum from everybody at once. There is nowhere better: nothing moves.",
        Group.SERVICE,
        (47,),
        Fault(Whose.ALL, Part.API, _all_unready),
        UNSEEN,
        ETCD_ELECTION,
        Extras(smoke=True),
    ),
    scenario(
        "health-flaps",
        "The holder's API server is ready and unready in turn",
        "Half a second each. It never fails for as long as it takes to move.",
        Group.SERVICE,
        (48,),
        Fault(*API, _become("unready", "is unready and ready in turn"), _flapping),
        (moves(BUDGET), *QUIET[1:]),
        12.0,
    ),
)
"""Played by name."""
