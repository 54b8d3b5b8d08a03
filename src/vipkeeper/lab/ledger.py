"""What the lab itself knows of a cluster while an act is played: power, wires, signals, faults, as facts.

Kernels' addresses, answers and the client's view are the recorder's to know; `promises` adds them.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence

from vipkeeper.core.facts import (
    CLIENT,
    GATEWAY,
    LOST_ALL,
    AnswersChanged,
    ApiChanged,
    ApiState,
    Configured,
    DaemonChanged,
    DaemonState,
    Disturber,
    DisturberChanged,
    Escaped,
    Fact,
    FaultInjected,
    FaultKind,
    Healed,
    PowerChanged,
    VipChanged,
    WireChanged,
)
from vipkeeper.lab.kernel import now
from vipkeeper.lab.topology import Topology
from vipkeeper.lab.wires import ALWAYS, Fault

FATAL = frozenset({
    signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
})  # fmt: skip
"""Signals after which a daemon is dead at once, with nothing cleaned up."""
HARMLESS = frozenset({signal.SIGSTOP, signal.SIGCONT, signal.SIGHUP})
"""Signals of which no daemon ends."""
API = {
    FaultKind.API_REFUSES: ApiState.REFUSING,
    FaultKind.API_UNREADY: ApiState.UNREADY,
    FaultKind.API_HANGS: ApiState.HANGING,
    FaultKind.API_FROZEN: ApiState.FROZEN,
}

Wire = tuple[str, str]


class Ledger:
    """Facts in order of time, from `begin` on; what was before is forgotten."""

    def __init__(self, network: Topology) -> None:
        self.told: list[tuple[int, Fact]] = []
        self.configured: dict[str, Configured] = {}
        """The newest settings that each daemon has said in its trace, whatever became of the file."""
        self.listener: Callable[[int, Fact], None] | None = None
        """Hears every fact too; for it nothing ends with an act."""
        self._servers = [server.name for server in network.servers]
        self._ends = {name: name for name in self._servers}
        self._ends |= {network.router.name: GATEWAY, network.client.name: CLIENT}
        self._faults: Sequence[Fault] = ()
        self._closed: set[str] = set()
        self._unknown: set[str] = set()
        self._wires: dict[Wire, WireChanged] = {}
        self._open: list[FaultInjected] = []
        self._stalled: set[str] = set()
        self._apis: dict[str, ApiState] = {}
        self._excused: set[str] = set()

    def begin(self) -> None:
        """An act begins, in a healthy cluster; wires that are not whole are told again."""
        if self._open:
            self.healed()
        for name, state in list(self._apis.items()):
            if state is not ApiState.READY:
                self.tell(ApiChanged(name, ApiState.READY))
        self._excused.clear()
        self.told.clear()
        self._wires.clear()
        self._look(now())

    def tell(self, fact: Fact, at: int | None = None) -> None:
        """This is true from now on, or from an instant a moment ago."""
        when = now() if at is None else at
        if isinstance(fact, ApiChanged):
            self._apis[fact.server] = fact.state
        self.told.append((when, fact))
        if self.listener is not None:
            self.listener(when, fact)

    def fault(self, kind: FaultKind, text: str, servers: Iterable[str]) -> None:
        """Something breaks now. Of `OTHER` the facts say no more than that; nothing is known of the wires of
        these servers then, their daemons may end of it, and the cluster is not at rest.
        """
        names = list(servers)
        if kind is FaultKind.OTHER:
            self._excused.update(names)
        self._break(kind, text, names)

    def _break(self, kind: FaultKind, text: str, names: Sequence[str]) -> None:
        for name in names:
            self._open.append(FaultInjected(kind, name, True, text))
            self.tell(self._open[-1])
            if kind in API:
                self.tell(ApiChanged(name, API[kind]))
        if kind is FaultKind.OTHER:
            self.tell(DisturberChanged(Disturber.OTHER, None, on=True))
            self._unknown.update(names)
            self._look(now())

    def changing(self, text: str) -> None:
        """The lab changes any server in ways that it does not tell, until the next act begins."""
        self._break(FaultKind.OTHER, text, self._servers)

    def ended(self, server: str, words: str, at: int) -> None:
        """A daemon was found to have ended; what the lab did to it since the act began excuses that."""
        if server not in self._excused:
            self._excused.add(server)
            self.tell(Escaped(server, f"the daemon ended by itself: {words}"), at)

    def healed(self) -> None:
        """Nothing that was laid lasts any more."""
        for fault in self._open:
            self.tell(FaultInjected(fault.kind, fault.server, False, fault.detail))
            if fault.kind in API and fault.server is not None:
                self.tell(ApiChanged(fault.server, ApiState.READY))
        if any(fault.kind is FaultKind.OTHER for fault in self._open):
            self.tell(DisturberChanged(Disturber.OTHER, None, on=False))
            self._unknown.clear()
            self._look(now())
        self._open.clear()
        self.tell(Healed())

    def powered(self, server: str, *, on: bool) -> None:
        """A machine gets or loses power."""
        self.tell(PowerChanged(server, on))
        if not on:
            self._excused.add(server)
            self._stalled.discard(server)
            self.tell(VipChanged(server, False))
            self.tell(AnswersChanged(server, False))
            self.tell(DaemonChanged(server, DaemonState.DEAD))

    def signalled(self, server: str, number: signal.Signals) -> None:
        """The daemon of a server has got a signal."""
        if number not in HARMLESS:
            self._excused.add(server)
        if number in FATAL:
            self._stalled.discard(server)
            self.tell(DaemonChanged(server, DaemonState.DEAD))
        elif number is signal.SIGSTOP:
            self._stalled.add(server)
            self.tell(DaemonChanged(server, DaemonState.STALLED))
        elif number is signal.SIGCONT and server in self._stalled:
            self._stalled.discard(server)
            self.tell(DaemonChanged(server, DaemonState.RUNNING))

    def wires(self, faults: Sequence[Fault], began: int) -> None:
        """These faults are in force on the bridge; the change to them began at an instant."""
        self._faults = tuple(faults)
        self._look(began)

    def port(self, server: str, *, open: bool) -> None:
        """The switch forwards for a server, or does not."""
        (self._closed.discard if open else self._closed.add)(server)
        self._look(now())

    def _look(self, began: int) -> None:
        """Tell each wire that is another one now: a worse one since the change began, a better one from now."""
        found = self._now()
        at = now()
        whole = dict.fromkeys((*found, *self._wires))
        for wire in whole:
            old = self._wires.get(wire, WireChanged(*wire, 0, 0))
            new = found.get(wire, WireChanged(*wire, 0, 0))
            if new != old:
                worse = (new.bursts, new.lost) > (old.bursts, old.lost)
                self.tell(new, began if worse else at)
        self._wires = found

    def _now(self) -> dict[Wire, WireChanged]:
        """Every wire on which something is lost, or may be."""
        found = {}
        for source, one in self._ends.items():
            for target, other in self._ends.items():
                lost = self._lost(source, target)
                unknown = bool({source, target} & self._unknown)
                if one != other and (lost or unknown):
                    found[(one, other)] = WireChanged(one, other, lost, 0, bursts=unknown)
        return found

    def _lost(self, source: str, target: str) -> int:
        """Thousandths."""
        if {source, target} & self._closed:
            return LOST_ALL
        most = 0
        for fault in self._faults:
            if fault.multicast or source not in fault.senders or target not in fault.receivers:
                continue
            share = LOST_ALL * fault.percent // ALWAYS
            most = max(most, share // fault.every)
        return most
