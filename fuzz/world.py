"""One real node, an imagined kernel, and the oracle: what must hold whatever happens to it."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field

from fuzz.weight import weight
from vipkeeper.core import trace
from vipkeeper.core.actions import (
    Action,
    AddressOperation,
    ChangeAddresses,
    Exit,
    ProbeGateway,
    ProbeServer,
    ReadNeighbours,
    Reply,
    SaveRecord,
    SendAdvert,
    State,
    Transition,
)
from vipkeeper.core.events import (
    AddressesDone,
    AddressOutcome,
    Commanded,
    Event,
    GatewayAnswered,
    NeighboursRead,
    Tick,
)
from vipkeeper.core.node import Node
from vipkeeper.core.snapshot import status
from vipkeeper.core.types import MILLISECOND, SECOND, AddressState, Instant, Settings
from vipkeeper.daemon.protocol import DaemonFacts, status_to_json
from vipkeeper.wire.advert import decode, encode
from vipkeeper.wire.types import IPAddress, Role

KEY = bytes(range(32))
START: Instant = 1_000 * SECOND
ACTIONS_PER_EVENT = 40
EVENTS_PER_EVENT = 16
"""Events that may follow from one: results of its actions and of theirs."""
TICKS_AT_ONCE = 16
"""Ticks without time passing after which a node counts as a busy loop."""
TICKS_PER_MS = 1
TICKS_IN_ALL = 600
"""After these an input ends, so that none takes long."""
LIVE_AT_MOST = 5 * SECOND
"""Of a longer time the daemon runs at the begin only, and is frozen for the rest."""
LOOKED_AT = 40
"""Actions and adverts of an input that are also written to a trace, encoded and decoded."""
MOST_WEIGHT = 4000
_FACTS = DaemonFacts("0", 1, "c", "eth0", "", 0, 0.0)


@dataclass(slots=True)
class Kernel:
    """The addresses of this host, and how it answers."""

    lease_until: Instant | None = None
    permanent: bool = False
    outcomes: deque[AddressOutcome] = field(default_factory=deque)
    """The next answers; DONE when there are none."""
    takes: int = 300_000
    """Nanoseconds an operation takes."""

    def state(self, now: Instant) -> AddressState:
        """How the VIP is here."""
        if self.permanent:
            return AddressState.PERMANENT
        there = self.lease_until is not None and now < self.lease_until
        return AddressState.LEASED if there else AddressState.ABSENT


class World:
    """Carries out what the node asks for, and checks every step. Its time only goes forward."""

    def __init__(self, settings: Settings, boot_id: int, story: list[str] | None = None) -> None:
        """`story` is given the trace of what happens."""
        self.now: Instant = START
        self.node = Node(settings, boot_id)
        self.settings = settings
        self.kernel = Kernel()
        self.macs: tuple[tuple[IPAddress, bytes], ...] = ()
        self.story = story
        self.gateway_answers = False
        self.exited = False
        self.asked: set[int] = set()
        """Requests of an operator that have no answer yet."""
        self._ids = itertools.count(1)
        self._ticks = 0
        self._most_ticks = TICKS_IN_ALL
        self._looked_at = 0
        self._state = State.STOPPED
        self._counter = -1
        self._epoch = 0
        self._operation = 0

    def command(self) -> int:
        """The id of a new request."""
        return next(self._ids)

    @property
    def over(self) -> bool:
        """The daemon has ended, or has run for long enough."""
        return self.exited or self._ticks > self._most_ticks

    def extend(self, ticks: int) -> None:
        """Give what follows its own ticks."""
        self._most_ticks = self._ticks + ticks

    def feed(self, event: Event) -> None:
        """One event and all that follows from it, as the driver does it: results before anything else."""
        pending: deque[Event] = deque([event])
        for _ in range(EVENTS_PER_EVENT):
            if not pending:
                return
            current = pending.popleft()
            if isinstance(current, Commanded):
                self.asked.add(current.id)
            at = self.now
            if not isinstance(current, Tick):
                self._tell(at, current)
            actions = self.node.handle(current, at)
            assert len(actions) <= ACTIONS_PER_EVENT, f"{len(actions)} actions for {current}"
            self._judge_node(current)
            for action in actions:
                pending.extend(self._carry_out(action, at))
        assert not pending, f"no end of events after {event}"

    def sleep(self, duration: int, *, frozen: bool = False) -> None:
        """Let time pass; the deadlines in it get their ticks, unless the daemon is frozen."""
        end = self.now + duration
        most = self._ticks + duration // MILLISECOND * TICKS_PER_MS + 4 * TICKS_AT_ONCE
        live = self.now if frozen else min(end, self.now + LIVE_AT_MOST)
        while not frozen and not self.over:
            deadline = self.node.deadline()
            if deadline is None or deadline > live:
                break
            self.now = max(self.now, deadline)
            self.tick()
            assert self._ticks <= most, f"{self._ticks} ticks in {duration} ns"
        self.now = max(self.now, end)

    def tick(self) -> None:
        """Send ticks until the deadline lies ahead."""
        before = self.now
        for _ in range(TICKS_AT_ONCE):
            self._ticks += 1
            self.feed(Tick())
            deadline = self.node.deadline()
            if self.exited or deadline is None or deadline > self.now or self.now > before:
                return
        raise AssertionError(f"busy loop in {self.node.state}: the deadline stays behind")

    def settle(self) -> None:
        """What must hold at the end, or at any time."""
        assert weight(self.node) <= MOST_WEIGHT, f"the node holds {weight(self.node)} values"
        status_to_json(status(self.node, self.now), _FACTS)

    def _tell(self, at: Instant, item: Event | Action) -> None:
        if self.story is not None:
            self.story.append(trace.line(at - START, item))
        elif self._looked_at <= LOOKED_AT:
            trace.line(at, item)

    def _judge_node(self, event: Event) -> None:
        node = self.node
        deadline = node.deadline()
        assert deadline is None or type(deadline) is int
        assert (deadline is None) == (node.state is State.STOPPED), node.state
        assert node.epoch >= self._epoch, "the epoch went backwards"
        self._epoch = node.epoch
        if node.state is State.HOLDER:
            until = node.claim.lease_until
            assert until is not None, f"holder without a lease after {event}"
            assert self.now < until, f"holder with a lapsed lease after {event}"

    def _carry_out(self, action: Action, at: Instant) -> list[Event]:
        self._looked_at += 1
        self._tell(at, action)
        assert not self.exited, f"{action} after Exit"
        match action:
            case SendAdvert():
                self._sent(action, at)
            case ChangeAddresses():
                return [self._change(action)]
            case ReadNeighbours():
                return [NeighboursRead(self.macs)]
            case ProbeServer():
                assert 0 <= action.server < len(self.settings.servers)
                assert action.server != self.settings.own
            case ProbeGateway() if self.gateway_answers:
                return [GatewayAnswered()]
            case SaveRecord():
                assert 0 <= action.record.epoch < 2**64
                assert 0 <= action.record.lease_until < 2**63
            case Transition():
                assert action.before is self._state, f"{action} after {self._state}"
                self._state = action.after
            case Reply():
                assert action.id in self.asked, f"an answer nobody waits for: {action}"
                assert action.text
                assert "\n" not in action.text
                self.asked.discard(action.id)
            case Exit():
                self.exited = True
                assert self.node.state is State.STOPPED
            case _:
                pass
        return []

    def _sent(self, action: SendAdvert, at: Instant) -> None:
        advert = action.advert
        if self._looked_at <= LOOKED_AT:
            found = decode(encode(advert, KEY), (KEY,))
            assert found == advert, "an advert does not survive the wire"
        assert advert.counter > self._counter, "a counter was used twice"
        self._counter = advert.counter
        servers = {server.address for server in self.settings.servers}
        assert len(set(action.to)) == len(action.to) <= len(servers)
        assert set(action.to) <= servers - {self.settings.servers[self.settings.own].address}
        if advert.role is Role.HOLDER and self.node.state is State.HOLDER:
            until = self.node.claim.lease_until
            assert until is not None
            assert at < until, "an advert of a holder whose lease has lapsed"

    def _change(self, action: ChangeAddresses) -> AddressesDone:
        assert action.id > self._operation, "an id of an address action was used twice"
        self._operation = action.id
        started = self.now
        self.now += self.kernel.takes
        outcome = self.kernel.outcomes.popleft() if self.kernel.outcomes else AddressOutcome.DONE
        if action.not_after is not None and self.now >= action.not_after:
            outcome = AddressOutcome.LAPSED
        if outcome is AddressOutcome.LAPSED and action.not_after is None:
            outcome = AddressOutcome.FAILED
        if outcome is AddressOutcome.DONE:
            removed = action.operation is AddressOperation.REMOVE
            assert removed or action.lifetime > 0
            self.kernel.lease_until = None if removed else self.now + action.lifetime
        elif outcome is AddressOutcome.LAPSED:
            self.kernel.lease_until = None
        detail = "" if outcome is AddressOutcome.DONE else "refused"
        return AddressesDone(action.id, outcome, started, self.now, detail)
