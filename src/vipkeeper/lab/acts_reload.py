"""Acts in which all daemons are given other settings while the VIP is held."""

from __future__ import annotations

import signal
from collections.abc import Callable

from vipkeeper.lab.act import Act, Group
from vipkeeper.lab.acts_process import VIPKEEPER, daemon_of
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import UNSEEN
from vipkeeper.lab.scenario import scenario
from vipkeeper.lab.stage import Stage

TAKEN, REFUSED = "configuration reloaded", "reload refused"
"""What a daemon says of a reload."""


def _reloaded(
    change: Callable[[str], str], what: str, answer: str = TAKEN
) -> Callable[[Stage], Mend]:
    """Another cluster.yaml for all, and SIGHUP; the old one and SIGHUP in the end. Every daemon must answer so."""

    def begin(stage: Stage) -> Mend:
        path = stage.cluster.directory / "cluster.yaml"
        before = path.read_text()

        def put(text: str) -> None:
            path.write_text(text)
            for server in stage.cluster.servers.values():
                if server.daemon is not None:
                    server.daemon.send_signal(signal.SIGHUP)

        daemons = [daemon_of(server) for server in stage.cluster.servers.values()]
        read = {daemon: daemon.log.stat().st_size for daemon in daemons}
        stage.fault(f"all daemons reload: {what}", stage.subject)
        put(change(before))

        def mend() -> None:
            said = sum(
                answer.encode() in daemon.log.read_bytes()[size:] for daemon, size in read.items()
            )
            stage.effect(f"'{answer}'", f"said by {said} of {len(read)}", met=said == len(read))
            put(before)

        return mend

    return begin


def slower(text: str) -> str:
    """A cluster.yaml with another interval and budget, whatever it had for them."""
    ours = {"advert_interval": "150ms", "move_budget": "9"}
    lines = [line for line in text.splitlines() if line.partition(":")[0] not in ours]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in ours.items())]) + "\n"


def _reversed(text: str) -> str:
    lines = text.splitlines()
    servers = [line for line in lines if line.startswith("  cp")]
    first = lines.index(servers[0])
    rest = [line for line in lines if line not in servers]
    return "\n".join([*rest[:first], *servers[::-1], *rest[first:]]) + "\n"


def _broken(text: str) -> str:
    return text + "\tvip: [\n"


def _another_vip(text: str) -> str:
    return text.replace("10.77.0.100", "10.77.0.101")


RELOADS: tuple[Act, ...] = (
    scenario(
        "reload-settings",
        "A reload changes interval and budget",
        "SIGHUP on all servers; the old settings come back after a while.",
        Group.DAEMON,
        (14,),
        Fault(Whose.ALL, Part.DAEMON, _reloaded(slower, "150 ms, another budget")),
        UNSEEN,
        3.0,
        VIPKEEPER,
    ),
    scenario(
        "reload-order",
        "A reload turns the order of servers round",
        "The holder is no longer of the rank that it had. Order breaks ties and takes nothing away.",
        Group.DAEMON,
        (14,),
        Fault(Whose.ALL, Part.DAEMON, _reloaded(_reversed, "servers in another order")),
        UNSEEN,
        3.0,
        VIPKEEPER,
    ),
    scenario(
        "reload-vip",
        "A reload would change the VIP",
        "That needs a restart: the reload is refused, and the VIP that is held stays.",
        Group.DAEMON,
        (14,),
        Fault(Whose.ALL, Part.DAEMON, _reloaded(_another_vip, "another VIP", REFUSED)),
        UNSEEN,
        3.0,
        VIPKEEPER,
    ),
    scenario(
        "reload-broken",
        "A reload reads a broken file",
        "What runs goes on, and says what is wrong with the file.",
        Group.DAEMON,
        (14,),
        Fault(Whose.ALL, Part.DAEMON, _reloaded(_broken, "a broken file", REFUSED)),
        UNSEEN,
        3.0,
        VIPKEEPER,
    ),
)
"""Played by name."""
