"""Where an act plays: the cluster, the recorder, what was broken when, and what it came to."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab import lateness, measure
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers import SECOND, Manager
from vipkeeper.lab.measure import Change, Window
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.recorder import Recorder
from vipkeeper.report.run import Expectation, Marker, MarkerKind

HEALTHY_WITHIN = 60.0
STEADY = 0.4
"""Seconds without a change before a cluster counts as healthy."""
SERVED_WITHIN = 0.2
"""Seconds in which a TLS connection must have been served."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an act came to, from the wire and the kernels. Nanoseconds; times on the lab's clock."""

    window: Window
    outage: int
    service_outage: int
    two_holders: int
    two_kernels: int
    """The kernels of two servers had the VIP, also where a cut hides one from the wire."""
    moves: int
    changes: tuple[Change, ...]
    """Within the window."""
    left_behind: tuple[str, ...]
    """Servers without a living daemon whose kernel still has the VIP."""
    holders: frozenset[str]
    """Servers whose kernel has the VIP at the end."""
    answerers: frozenset[str]
    """Who answered the client in the last moments."""
    api_late: int | None
    """How late a stand-in's loop woke after the fault (`lateness`)."""


class Stage:
    """One act on one cluster: faults, waiting by events, and measuring."""

    def __init__(
        self,
        cluster: Cluster,
        recorder: Recorder,
        manager: Manager,
        rng: random.Random,
        seconds: float = 0.0,
    ) -> None:
        self.seconds = seconds
        """How long the act goes on, if that is for the player to say."""
        self.cluster = cluster
        self.recorder = recorder
        self.manager = manager
        self.rng = rng
        self.began = now()
        self.victim: Server | None = None
        """The server the act is about."""
        self.broken: list[Window] = []
        """Stretches in which something was broken; one that still is ends with the act."""
        self.markers: list[tuple[int, MarkerKind, str, str | None]] = []
        self.seen: dict[str, str] = {}
        """What else was looked at, by name, for the judge."""
        self.effects: list[Expectation] = []
        """What shows that the faults were there: an act whose fault had no effect has shown nothing."""
        self._subject: Server | None = None
        self._mends: list[Callable[[], None]] = []

    def begin(self) -> None:
        """The act's time starts now."""
        self.began = now()
        self.cluster.wires.begin()
        self.recorder.forget(self.began - SECOND)

    @property
    def counts_from(self) -> int:
        """From when on an outage counts: the first fault, or the beginning where there is none."""
        return self.broken[0].start if self.broken else self.began

    @property
    def holder(self) -> Server:
        """The one server whose kernel has the VIP.

        Raises:
            LabError: none has it, or several.
        """
        holding = self.recorder.holding
        if len(holding) != 1:
            raise LabError(f"expected one server with the VIP, found {sorted(holding) or 'none'}")
        return self.cluster.servers[next(iter(holding))]

    @property
    def subject(self) -> Server:
        """The server that held the VIP when the first fault was laid: that of all faults of one act.

        Raises:
            LabError: then none had it, or several.
        """
        if self._subject is None:
            self._subject = self.holder
        return self._subject

    def backup(self) -> Server:
        """A server other than the subject, by chance.

        Raises:
            LabError: as `subject`, or there is no other one.
        """
        others = self.backups()
        if not others:
            raise LabError("the cluster has one server: there is no other one to break")
        return self.rng.choice(others)

    def backups(self) -> list[Server]:
        """All servers but the subject."""
        return [server for server in self.cluster.servers.values() if server is not self.subject]

    def effect(self, text: str, found: str, *, met: bool) -> None:
        """A fault had an effect, or had none."""
        self.effects.append(Expectation(text, met, found))

    def on_undo(self, mend: Callable[[], None]) -> None:
        """How something that is broken now is mended."""
        self._mends.append(mend)

    def mend(self) -> None:
        """Mend what is broken, the last thing first.

        Raises:
            LabError: something could not be mended; the rest was.
        """
        failed: LabError | None = None
        while self._mends:
            try:
                self._mends.pop()()
            except LabError as error:
                failed = failed or error
            except OSError as error:
                failed = failed or LabError(f"what was broken cannot be mended: {error}")
        if failed is not None:
            raise failed

    def undo(self) -> None:
        """Mend what is broken, and whatever faults belong to no server; the rest of an act that failed too.

        Raises:
            LabError: something could not be mended; the rest was.
        """
        try:
            self.mend()
        finally:
            self.cluster.undo()
            wires = self.cluster.wires
            if wires.laid:
                self.effect("frames are lost, in fact", f"{wires.lost} frames", met=wires.lost > 0)
                wires.begin()

    def random_phase(self) -> None:
        """Wait a moment and a random part of the holder's longest period."""
        holding = [name in self.recorder.holding for name in self.cluster.servers]
        cycle = self.manager.cycle_ms(holding.index(True) if any(holding) else 0)
        self.recorder.watch(0.2 + self.rng.uniform(0, cycle / 1000))

    def fault(self, text: str, *servers: Server, kind: FaultKind = FaultKind.OTHER) -> None:
        """Say that something breaks now. The first fault is where outages are counted from.

        `kind`: where the ledger's facts tell all there is to it; else fewer promises can be judged.
        """
        at = now()
        self.cluster.ledger.fault(kind, text, [server.name for server in servers])
        self.broken.append(Window(at, 0))
        self.victim = self.victim or servers[0]
        for server in servers:
            self.markers.append((at, MarkerKind.FAULT, text, server.name))

    def healed(self, text: str, server: Server) -> None:
        """Say that all that was broken works again."""
        at = now()
        self.cluster.ledger.healed()
        self.broken = [window if window.end else Window(window.start, at) for window in self.broken]
        self.markers.append((at, MarkerKind.HEALED, text, server.name))

    def stop_daemon(self, server: Server, seconds: float) -> None:
        """SIGSTOP a server's daemon and all it started, and let it go on after a while."""
        assert server.daemon is not None
        text = f"daemon of {server.name} stands still for {seconds:.1f} s"
        self.fault(text, server, kind=FaultKind.STALL)
        server.daemon.signal_tree(signal.SIGSTOP)
        self.recorder.watch(seconds)
        server.daemon.signal_tree(signal.SIGCONT)
        self.healed(f"daemon of {server.name} goes on", server)

    def wait_answer(self, seconds: float, *, other_than: Server | None = None) -> bool:
        """Wait until the client is answered (by another server); whether it was in time."""
        since = now()
        unwanted = {other_than.name} if other_than else set()
        return self.recorder.wait(lambda: bool(self.recorder.answers_by(since) - unwanted), seconds)

    def wait_service(self, seconds: float) -> bool:
        """Wait until a connection, whenever it was made, gets its ServerHello from now on; whether one did in time."""
        since = now()
        return self.recorder.wait(lambda: self.recorder.last_service > since, seconds)

    def wait_gone(self, server: Server, seconds: float) -> bool:
        """Wait until the VIP has left a server's kernel; whether it did in time."""
        return self.recorder.wait(lambda: server.name not in self.recorder.holding, seconds)

    def wait_moved(
        self, server: Server, seconds: float, *, gone: bool = False, served: bool = False
    ) -> bool:
        """Wait until another server answers the client, for all together so long; whether it was in time.

        `gone`: and until the VIP has left the server's kernel; `served`: and until TLS is served after that.
        """
        end = now() + int(seconds * SECOND)
        steps: list[Callable[[float], bool]] = [
            lambda left: self.wait_answer(left, other_than=server)
        ]
        if gone:
            steps.append(lambda left: self.wait_gone(server, left))
        if served:
            steps.append(self.wait_service)
        return all(step(max(0.0, (end - now()) / SECOND)) for step in steps)

    def start_all(self) -> None:
        """Switch every server on that is off; its daemon starts when its API server is up: one that comes late moves the VIP."""
        off = [server for server in self.cluster.servers.values() if not server.powered]
        for server in off:
            self.cluster.power_on(server)
        for server in off:
            server.order_once_up("ready")
        for server in off:
            self.manager.start(server)

    def all_off(self) -> None:
        """Switch every server off."""
        self.cluster.undo()
        self.cluster.power_off(*self.cluster.servers.values())
        self.recorder.wait(lambda: not self.recorder.holding, 5.0)

    def heal(self) -> str:
        """Bring the cluster back to health; empty when it is, else what is missing."""
        self._note_ended(now())
        self.cluster.undo()
        for server in self.cluster.servers.values():
            if not server.powered:
                continue
            if server.daemon is None or not server.daemon.running:
                self.manager.start(server)
            else:
                server.daemon.signal_tree(signal.SIGCONT)
            if server.standin is None or not server.standin.running:
                self.cluster.start_standin(server)
        self.start_all()
        for server in self.cluster.servers.values():
            for order in ("ready", "supervisor ready", "etcd true"):
                server.order_once_up(order)
        # What has ended by itself would not come back: no need to wait for it.
        known = self.recorder.wait(lambda: self._healthy() or bool(self._ended()), HEALTHY_WITHIN)
        return "" if known and not self._ended() else self._illness()

    def _healthy(self) -> bool:
        recorder, at = self.recorder, now()
        steady = at - recorder.last_change > STEADY * SECOND
        answered = recorder.answers_by(at - SECOND // 10) == recorder.holding
        served = recorder.last_service > at - SERVED_WITHIN * SECOND
        if not (steady and answered and served and len(recorder.holding) == 1):
            return False
        cluster = self.cluster
        return all(
            self.manager.settled(server, cluster, recorder.holding)
            for server in cluster.servers.values()
        )

    def _illness(self) -> str:
        holding = sorted(self.recorder.holding)
        if not holding:
            missing = "no server has the VIP"
        elif len(holding) > 1:
            missing = f"{' and '.join(holding)} have the VIP"
        else:
            missing = f"{holding[0]} has the VIP, but {self._unsettled()}"
        dead = [
            f"; {self.manager.name} on {server.name} ended: {server.daemon.last_words()}"
            for server in self._ended()
            if server.daemon is not None
        ]
        return missing + "".join(dead)

    def _unsettled(self) -> str:
        """Why the cluster does not count as healthy although one server has the VIP."""
        recorder, at = self.recorder, now()
        waiting = [
            server.name
            for server in self.cluster.servers.values()
            if not self.manager.settled(server, self.cluster, recorder.holding)
        ]
        if waiting:
            return f"not every server is live and ready as {', '.join(waiting)} sees it"
        if at - recorder.last_service > SERVED_WITHIN * SECOND:
            return f"no TLS service for {(at - recorder.last_service) / SECOND:.1f} s"
        return "the cluster does not settle"

    def _ended(self) -> list[Server]:
        """The servers whose daemon is to run and does not."""
        return [
            server
            for server in self.cluster.servers.values()
            if server.daemon is not None and not server.daemon.running
        ]

    def _note_ended(self, at: int) -> None:
        """A daemon that ended by itself is told of: it is about to be started again."""
        for server in self._ended():
            assert server.daemon is not None
            self.cluster.ledger.ended(server.name, server.daemon.last_words(1), at)

    def measure(self) -> Figures:
        """End the act and measure it."""
        end = now()
        self._note_ended(end - 1)
        self.recorder.watch(0.05)  # what happened before the end is still on its way
        self.recorder.settle(end)
        recorder = self.recorder
        late = recorder.late(Window(end - SECOND, end))
        window = Window(self.began, end)
        after = Window(self.counts_from, end)
        found = recorder.changes()
        holding = measure.holders(found, end)
        return Figures(
            window=window,
            outage=measure.outage(recorder.udp, after),
            service_outage=measure.outage(recorder.tls, after),
            two_holders=measure.two_holders(recorder.answerers(), window),
            two_kernels=measure.two_kernels(found, window),
            moves=len(measure.moves(found, window)),
            changes=tuple(change for change in found if change.at in window),
            left_behind=tuple(sorted(n for n in holding if not self._alive(n))),
            holders=frozenset(holding),
            answerers=frozenset(recorder.answers_by(end - SECOND // 4 - late)),
            api_late=lateness.of_api_servers(self.cluster, after.start, self.struck()),
        )

    def struck(self) -> set[str]:
        """Servers that something broke in this act."""
        return {name for _, kind, _, name in self.markers if kind is MarkerKind.FAULT and name}

    def _alive(self, name: str) -> bool:
        daemon = self.cluster.servers[name].daemon
        return daemon is not None and daemon.running

    def marks(self, figures: Figures) -> tuple[Marker, ...]:
        """Everything worth a mark in the timeline, in order."""
        claimed = {True: MarkerKind.CLAIMED, False: MarkerKind.RELEASED}
        found: list[tuple[int, MarkerKind, str, str | None]] = [
            (c.at, claimed[c.held], f"VIP {'on' if c.held else 'off'} {c.server}", c.server)
            for c in figures.changes
        ]
        if self.broken and figures.outage:
            after = Window(self.counts_from, figures.window.end)
            longest = max(measure.gaps(self.recorder.udp, after), key=lambda gap: gap.length)
            if longest.end < figures.window.end:
                found.append(
                    (longest.end, MarkerKind.CLIENT_BACK, "the longest wait is over", None)
                )
        every = sorted([*self.markers, *found], key=lambda mark: mark[0])
        return tuple(
            Marker(max(0.0, (at - self.began) / 1e9), kind, text, server)
            for at, kind, text, server in every
        )


def healed(stage: Stage) -> str:
    """Bring the cluster back to health; why not, where that fails."""
    try:
        return stage.heal()
    except LabError as error:
        return str(error)
