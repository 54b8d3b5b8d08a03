"""Acts of strangers and clocks: adverts with another key, old, or of random bytes; false ARP; a wall clock that is wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab import refused
from vipkeeper.lab.act import PATIENCE, Act, Group, Runs
from vipkeeper.lab.acts_addresses import answers_beside
from vipkeeper.lab.acts_links import HANDS_OVER
from vipkeeper.lab.acts_process import restart, start_anew
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers.vipkeeper import wall_clock
from vipkeeper.lab.must import MOVED, NOTHING_LEFT, ONE, SETTLED, UNMOVED, UNSEEN, moves, waits
from vipkeeper.lab.needs import FAKETIME, KEEPALIVED, faketime
from vipkeeper.lab.processes import LabError, Process, wait_for
from vipkeeper.lab.rogue import READY, Manner
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import INTERFACE, LAN
from vipkeeper.wire.types import Rejection

HOUR = 3600
_BEGINS_WITHIN = 10.0
_CAPTURED_FOR = 2.0
_SLACK = 5
"""Seconds by which a wall clock may be off beside what it was set to: a process asked, another answered."""


def stranger(stage: Stage, manner: Manner, *words: str, where: str | None = None) -> Process:
    """Start a rogue program, by default on the router."""
    network = stage.cluster.network
    machine = where or network.router.name
    log = stage.cluster.directory / f"rogue-{manner.value}.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "vipkeeper.lab.rogue", manner.value]
    command += ["--vip", str(network.vip), "--source", str(network.router.address.ip)]
    command += ["--seed", str(stage.rng.random()), *words]
    command += ["--servers", *(str(server.address.ip) for server in network.servers)]
    process = Process(machine, command, log)
    if not wait_for(lambda: READY in process.last_words(), _BEGINS_WITHIN):
        raise LabError(f"the stranger does not begin: {process.last_words()}")
    return process


def sends(
    manner: Manner, text: str, *words: str, reasons: Collection[Rejection] = ()
) -> Callable[[Stage], Mend]:
    """A stranger that sends until it is ended. `reasons`: for which the daemons must refuse it."""

    def begin(stage: Stage) -> Mend:
        before = refused.look(stage) if reasons else {}
        stage.fault(text, stage.subject)
        process = stranger(stage, manner, *words)

        def mend() -> None:
            end(stage, process)
            if reasons:
                refused.show(stage, before, reasons)

        return mend

    return begin


def end(stage: Stage, process: Process) -> None:
    """End a stranger, which must have sent until now."""
    lived = process.running
    process.terminate()
    said = process.last_words(1)
    stage.effect("the stranger sends to the end", said, met=lived and not said.endswith(" 0 times"))


def captured(stage: Stage, server: Server) -> Path:
    """A file of the adverts that come from a server and to it for a while.

    Raises:
        LabError: there were none.
    """
    file = stage.cluster.directory / f"{server.name}.capture"
    file.unlink(missing_ok=True)
    words = ("--file", str(file), "--seconds", str(_CAPTURED_FOR))
    port = ("--interface", stage.cluster.port(server))
    stranger(stage, Manner.CAPTURE, *words, *port, where=LAN)
    stage.recorder.wait(file.exists, _CAPTURED_FOR + _BEGINS_WITHIN)
    if not file.exists() or not file.stat().st_size:
        raise LabError(f"no adverts of {server.name} were captured")
    return file


def _capture_and_move(stage: Stage) -> Mend:
    """Capture the holder's adverts, let the VIP move, then say again what the old holder said."""
    old = stage.subject
    file = captured(stage, old)
    stage.fault(f"the VIP leaves {old.name}; its old adverts are sent again", old)
    stage.manager.hand_over(old)
    stage.wait_answer(PATIENCE, other_than=old)
    before = refused.look(stage)
    process = stranger(stage, Manner.REPLAY, "--file", str(file), "--every", "0.2")

    def mend() -> None:
        end(stage, process)
        refused.show(stage, before, refused.REPLAYED)

    return mend


def _wrong_key(stage: Stage) -> Mend:
    """One backup with another key: bound over the file it reads, in its own mount namespace."""
    server = stage.backup()
    key = stage.cluster.directory / "key"
    other = stage.cluster.directory / "other-key"
    other.write_text(f"{'a5' * 32}\n")
    other.chmod(0o600)
    bind = 'mount --bind "$1" "$0" && shift && exec "$@"'
    before = server.wrapper
    server.wrapper = (*before, "sh", "-c", bind, str(key), str(other))
    counted = refused.look(stage)
    stage.fault(f"{server.name} is started with another key", server)
    restart(stage, server)

    def mend() -> None:
        refused.show(stage, counted, refused.FORGED)
        settled = stage.manager.settled(stage.subject, stage.cluster, stage.recorder.holding)
        found = "believed" if settled else "not believed"
        stage.effect(f"{server.name} is not believed", found, met=not settled)
        server.wrapper = before
        restart(stage, server)

    return mend


def _offset(server: Server) -> Path:
    return server.state_dir / "wall-clock"


def _clocks(stage: Stage) -> None:
    """Start all daemons anew, each with a wall clock of its own; other clocks are the kernel's."""
    library = faketime()
    assert library is not None

    def wrapper(server: Server) -> tuple[str, ...]:
        _offset(server).write_text("+0\n")
        return (
            "env",
            f"LD_PRELOAD={library}",
            f"FAKETIME_TIMESTAMP_FILE={_offset(server)}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        )

    start_anew(stage, wrapper)


def _clock_right(stage: Stage, server: Server, wrong_by: int) -> None:
    """Put a clock right that was wrong by so many seconds, as its daemon says itself."""
    at = wall_clock(server)
    off = round(at - time.time()) if at is not None else 0
    stage.effect(
        "the daemon's wall clock is wrong", f"by {off:+d} s", met=abs(off - wrong_by) < _SLACK
    )
    _offset(server).write_text("+0\n")


def _step(seconds: int, which: Callable[[Stage], Server]) -> Callable[[Stage], Mend]:
    def begin(stage: Stage) -> Mend:
        server = which(stage)
        text = f"the wall clock of {server.name} steps by {seconds:+d} s"
        stage.fault(text, server, kind=FaultKind.WALL_STEP)
        _offset(server).write_text(f"{seconds:+d}\n")
        return lambda: _clock_right(stage, server, seconds)

    return begin


def _skewed_reboot(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses power", server, kind=FaultKind.POWER_OFF)
    stage.cluster.power_off(server)
    stage.wait_answer(PATIENCE, other_than=server)
    _offset(server).write_text(f"{-HOUR:+d}\n")
    stage.cluster.power_on(server)
    stage.manager.start(server)
    return lambda: _clock_right(stage, server, -HOUR)


_KEEPALIVED = """\
vrrp_instance VIP {{
  version {version}
  state BACKUP
  interface {interface}
  virtual_router_id 51
  priority 254
  advert_int {interval}
  virtual_ipaddress {{
    {vip}/32 dev {interface}
  }}
}}
"""


def _keepalived(version: int, interval: float) -> Callable[[Stage], Mend]:
    """A keepalived on the router, for the same VIP, that hears nobody and so becomes master."""

    def begin(stage: Stage) -> Mend:
        network, folder = stage.cluster.network, stage.cluster.directory
        router = network.router
        file = folder / "stranger.conf"
        file.write_text(
            _KEEPALIVED.format(
                version=version, interface=INTERFACE, interval=interval, vip=network.vip
            )
        )
        stage.fault(f"keepalived is started on {router.name} for the same VIP", stage.subject)
        words = ["keepalived", "--dont-fork", "--log-console", "--no-syslog", "--vrrp"]
        words += ["--use-file", str(file), "--pid", str(folder / "stranger.pid")]
        words += ["--vrrp_pid", str(folder / "stranger-vrrp.pid")]
        process = Process(router.name, words, folder / "stranger.log")
        began = now()

        def mend() -> None:
            answers_beside(stage, began)
            process.terminate()

        return mend

    return begin


STRANGER = (Whose.LAN, Part.STRANGER)
CLOCKS = Extras(managers=Runs.VIPKEEPER, needs=(FAKETIME,), prepare=_clocks)


STRANGERS: tuple[Act, ...] = (
    scenario(
        "clock-ahead",
        "The holder's wall clock steps an hour ahead",
        "And an hour back later. Leases and silence are measured by a clock that nobody sets: nothing moves.",
        Group.STRANGERS,
        (49,),
        Fault(Whose.HOLDER, Part.DAEMON, _step(HOUR, lambda stage: stage.subject)),
        UNSEEN,
        5.0,
        CLOCKS,
    ),
    scenario(
        "clock-behind",
        "A backup's wall clock steps an hour back",
        "And an hour ahead later. What it heard has not become old or new by that.",
        Group.STRANGERS,
        (49,),
        Fault(Whose.BACKUP, Part.DAEMON, _step(-HOUR, Stage.backup)),
        UNSEEN,
        5.0,
        CLOCKS,
    ),
    scenario(
        "reboot-skewed",
        "The holder loses power and comes back with a wrong clock",
        "An hour slow, as after an empty battery. Its new start is believed all the same, and takes nothing.",
        Group.STRANGERS,
        (49,),
        Fault(Whose.HOLDER, Part.POWER, _skewed_reboot),
        (MOVED, moves(1), *SETTLED),
        5.0,
        CLOCKS,
    ),
    scenario(
        "wrong-key",
        "A backup has another key",
        "Its adverts are not believed and it believes none. It asks whether the VIP answers, and that it does.",
        Group.STRANGERS,
        (49,),
        Fault(Whose.BACKUP, Part.DAEMON, _wrong_key),
        UNSEEN,
        8.0,
        Extras(managers=Runs.VIPKEEPER, spoils=True, smoke=True),
    ),
    scenario(
        "adverts-replayed",
        "Old adverts of the last holder are sent again",
        "They were captured before the VIP moved and carry the right key. They are older than what has been heard.",
        Group.STRANGERS,
        (49,),
        Fault(Whose.HOLDER, Part.STRANGER, _capture_and_move, also=(*HANDS_OVER, Part.LINK)),
        (MOVED, moves(1), *SETTLED),
        4.0,
        Extras(managers=Runs.VIPKEEPER),
    ),
    scenario(
        "adverts-random",
        "Random bytes arrive where adverts do",
        "Twenty times a second to each server. They are dropped, and nothing ends because of them.",
        Group.STRANGERS,
        (49,),
        Fault(
            *STRANGER,
            sends(Manner.RANDOM, "random bytes to the port of adverts", reasons=refused.RANDOM),
        ),
        UNSEEN,
        4.0,
    ),
    scenario(
        "vrrp-strangers",
        "VRRP adverts of priority 255 and 0",
        "Versions 2 and 3 in turn, for the same VIP, by multicast and to each server: a holder that must be obeyed, and one that "
        "resigns. They are of no group of ours.",
        Group.STRANGERS,
        (49,),
        Fault(*STRANGER, sends(Manner.VRRP, "VRRP adverts of priority 255 and 0")),
        UNSEEN,
        5.0,
    ),
    scenario(
        "keepalived-beside",
        "A keepalived that was forgotten claims the VIP as well",
        "VRRPv3, the same VIP, on a machine that is no server. It hears no VRRP and becomes master; the holder keeps the VIP, "
        "announces it again and raises an alarm, until the other one is ended.",
        Group.STRANGERS,
        (50,),
        Fault(*STRANGER, _keepalived(3, 0.1)),
        (moves(0), ONE, NOTHING_LEFT),
        4.0,
        Extras(managers=Runs.VIPKEEPER, needs=(KEEPALIVED,), after=4.0, deceives=True),
    ),
    scenario(
        "garp-spoofed",
        "Somebody announces the VIP at another MAC",
        "Gratuitous ARP every 50 ms. Whoever can send on the segment can do that; the holder raises an alarm, announces again, "
        "and the client is back when it ends.",
        Group.STRANGERS,
        (49,),
        Fault(*STRANGER, sends(Manner.GARP, "gratuitous ARP for the VIP from the router")),
        (UNMOVED, ONE, waits(8)),
        4.0,
        Extras(after=4.0),
    ),
)
"""Played by name."""
