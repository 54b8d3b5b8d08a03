"""What a seed decides: the cluster, its settings, and a schedule of faults as plain data."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from ipaddress import IPv4Address

from vipkeeper.core.facts import FaultKind
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant, Profile, Server, Settings
from vipkeeper.wire.advert import cluster_digest

VIP = IPv4Address("10.10.10.100")
INTERVALS_MS = (20, 50, 100, 100, 200, 200, 500, 1000)
SETTLE: Duration = 10 * SECOND
"""No fault before this: the cluster elects its first holder."""
SHORTEST: Duration = 60 * SECOND
USUAL_INTERVAL: Duration = 100 * MILLISECOND
"""Clusters with shorter intervals are watched for less long: they have as many events."""
QUIET: Duration = 60 * SECOND
"""How long the healed cluster is watched."""

MOST_FAULTS = 100_000
"""In one run."""

DRAWN = frozenset(FaultKind) - {FaultKind.OTHER}
"""What the simulator can do."""
ON_ONE = DRAWN - {
    FaultKind.CUT, FaultKind.PARTITION, FaultKind.ALL_UNREADY, FaultKind.GATEWAY_DOWN,
    FaultKind.STRANGER, FaultKind.LOSS, FaultKind.BURSTS, FaultKind.DELAY, FaultKind.DUPLICATION,
    FaultKind.REORDERING, FaultKind.CORRUPTION,
}  # fmt: skip
"""Kinds that strike one server."""
ON_WIRES = frozenset({
    FaultKind.LOSS, FaultKind.BURSTS, FaultKind.DELAY, FaultKind.DUPLICATION,
    FaultKind.REORDERING, FaultKind.CORRUPTION,
})  # fmt: skip
"""Kinds that strike all wires of one server, or all wires there are."""
IN_A_HAT = sorted(DRAWN - {FaultKind.API_FROZEN}, key=lambda kind: kind.name)
"""Of these a seed draws some; half of the API servers that hang are then frozen."""
FOR_EVER = frozenset({FaultKind.POWER_OFF, FaultKind.KILL, FaultKind.SHUTDOWN})
"""Kinds that may last: a dead server stays dead."""
INSTANT = frozenset({
    FaultKind.HANDOVER, FaultKind.WALL_STEP, FaultKind.ADDRESS_DELETED,
})  # fmt: skip
"""Kinds without an end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the schedule."""

    at: Instant
    kind: FaultKind
    server: int | None = None
    """Index; None: all, or none in particular."""
    other: int | None = None
    """Index of the other end of a cut; None for other kinds."""
    duration: Duration = 0
    """0: for ever, or no end at all."""
    amount: int = 0
    """Thousandths, nanoseconds or a bit mask, as the kind needs."""

    def text(self, names: tuple[str, ...]) -> str:
        """For humans: `12.345 s  machine stunned cp1 for 0.350 s`."""
        where = f" {names[self.server]}" if self.server is not None else ""
        if self.other is not None:
            where += f" > {names[self.other]}"
        length = f" for {self.duration / SECOND:.3f} s" if self.duration else ""
        amount = f" ({self.amount})" if self.amount else ""
        return f"{self.at / SECOND:9.3f} s  {self.kind.value}{where}{length}{amount}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a run; the same plan gives the same trace."""

    seed: int
    noise: int
    """Seed of delays, losses and latenesses while it runs."""
    settings: tuple[Settings, ...]
    """One for each server."""
    faults: tuple[Fault, ...]
    fault_phase: Duration
    gateway: bool
    """The hosts have a gateway that can be asked."""
    encoded: bool = False
    """Adverts travel as bytes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The servers."""
        return tuple(server.name for server in self.settings[0].servers)

    @property
    def length(self) -> Duration:
        """Of the whole run."""
        return SETTLE + self.fault_phase + QUIET

    def without(self, faults: tuple[Fault, ...]) -> Plan:
        """The same with these faults only."""
        return dataclasses.replace(self, faults=faults)


def settings_for(count: int, **changes: object) -> tuple[Settings, ...]:
    """The settings of each of `count` servers cp1, cp2, ..."""
    servers = tuple(Server(f"cp{i + 1}", IPv4Address(f"10.10.10.{11 + i}")) for i in range(count))
    digest = cluster_digest((VIP,), [(s.name, s.address) for s in servers])
    base = Settings(vips=(VIP,), servers=servers, own=0, cluster=digest)
    return tuple(dataclasses.replace(base, own=i, **changes) for i in range(count))  # type: ignore[arg-type]


def draw(
    seed: int,
    fault_phase: Duration | None = None,
    *,
    encoded: bool = False,
    pause: Duration | None = None,
) -> Plan:
    """What this seed stands for: swarm style, so that each seed knows only some kinds of faults.

    `fault_phase` and `pause` (mean time between two faults) take the place of what the seed says.
    """
    rng = random.Random(seed)
    count = rng.choice((1, 2, 2, 3, 3, 3, 3, 3, 4, 5))
    interval = rng.choice(INTERVALS_MS) * MILLISECOND
    strict = rng.random() < 0.2 and interval <= 100 * MILLISECOND
    settings = settings_for(
        count,
        advert_interval=interval,
        profile=rng.choice((Profile.BARE_METAL, Profile.VM)),
        kernel_lease=rng.choice((2, 3, 3, 3, 5)) * SECOND,
        preempt_after=rng.choice((None, None, None, 5 * SECOND, 20 * SECOND)),
        strict_lease=max(400 * MILLISECOND, 5 * interval) if strict else None,
        move_budget=rng.choice((6, 6, 6, 3, 0)),
    )
    drawn = max(
        SHORTEST, rng.randrange(60, 601) * min(interval, USUAL_INTERVAL) // USUAL_INTERVAL * SECOND
    )
    length = fault_phase if fault_phase is not None else drawn
    kinds = rng.sample(IN_A_HAT, rng.randrange(1, 9))
    drawn_pause = rng.choice((1, 3, 10, 30, 60)) * SECOND
    faults = _schedule(rng, kinds, count, length, drawn_pause if pause is None else pause)
    gateway = rng.random() < 0.9
    return Plan(seed, rng.getrandbits(64), settings, faults, length, gateway, encoded)


def _schedule(
    rng: random.Random, kinds: list[FaultKind], count: int, length: Duration, pause: Duration
) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    at = SETTLE
    while len(faults) < MOST_FAULTS:
        at += int(rng.expovariate(1.0) * pause) + MILLISECOND
        if at >= SETTLE + length:
            break
        faults.append(_fault(rng, rng.choice(kinds), count, at))
    return tuple(faults)


def _fault(rng: random.Random, kind: FaultKind, count: int, at: Instant) -> Fault:
    server = rng.randrange(count) if kind in ON_ONE else None
    other = None
    if kind in ON_WIRES:
        server = rng.choice((None, rng.randrange(count)))
    if kind is FaultKind.CUT:
        server = rng.randrange(count)
        other = rng.randrange(count)
        if other == server:
            kind = FaultKind.TX_CUT
            other = None
    if kind in INSTANT or (kind in FOR_EVER and rng.random() < 0.15):
        duration = 0
    else:
        duration = _duration(rng, kind)
    if kind is FaultKind.API_HANGS and duration % 2:
        # Not drawn: a draw of its own would make another story of what follows.
        kind = FaultKind.API_FROZEN
    return Fault(at, kind, server, other, duration, _amount(rng, kind, count))


def _duration(rng: random.Random, kind: FaultKind) -> Duration:
    """Short ones and long ones alike: from a few milliseconds to a minute."""
    if kind in (FaultKind.STALL, FaultKind.STUN):
        return int(MILLISECOND * 10 ** rng.uniform(1, 4))
    if kind in (FaultKind.KILL, FaultKind.SHUTDOWN):
        return int(MILLISECOND * 10 ** rng.uniform(2, 4.3))
    return int(MILLISECOND * 10 ** rng.uniform(1.5, 4.7))


def _amount(rng: random.Random, kind: FaultKind, count: int) -> int:
    match kind:
        case FaultKind.LOSS | FaultKind.CORRUPTION:
            return rng.choice((50, 100, 200, 200, 400))
        case FaultKind.BURSTS:
            return rng.choice((5, 20, 50))
        case FaultKind.DELAY:
            return int(MILLISECOND * 10 ** rng.uniform(0, 2.2))
        case FaultKind.DUPLICATION | FaultKind.REORDERING:
            return rng.choice((50, 300, 1000))
        case FaultKind.PARTITION:
            return rng.randrange(1, 1 << (count + 1))
        case FaultKind.KILL | FaultKind.POWER_OFF | FaultKind.SHUTDOWN:
            return rng.randrange(3)
        case FaultKind.KERNEL_SLOW | FaultKind.TIMERS_LATE:
            return int(MILLISECOND * 10 ** rng.uniform(0.5, 3.3))
        case FaultKind.CLOCK_RATE:
            return rng.choice((500, 800, 950, 1050, 1250, 2000))
        case FaultKind.WALL_STEP:
            return rng.choice((-1, 1)) * rng.choice(
                (SECOND, 3600 * SECOND, 10 * 31_557_600 * SECOND)
            )
        case FaultKind.STUN:
            return int(MILLISECOND * rng.uniform(0, 20))
        case _:
            return 0
