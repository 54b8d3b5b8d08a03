"""What a file of results must look like to be read: everything that some reader relies on."""

from __future__ import annotations

from typing import Annotated, NotRequired, Required, TypedDict

from bench.form import SOME, Above, Reads

Amount = Annotated[float, Above(0)]
Late = Annotated[str, Reads(r"\d+(\.\d+)? ms", "1.5 ms")]

Drill = TypedDict(
    "Drill",
    {
        "seed": str,
        "namespaces": str,
        "real-time scheduling": str,
        "probes late by at most": Late,
        "API server late by at most": Late,
    },
    total=False,
)
"""The conditions of a drill, as it says them itself."""

Conditions = TypedDict(
    "Conditions",
    {
        "started": Required[str],
        "commit": Required[str],
        "load": Required[float],
        "load after": Required[float],
        "drill": Drill,
        "kernel": str,
        "cores": str | float,
        "python": str,
        "cpu": str,
        "memory": str,
    },
    total=False,
)
"""Of a block."""


class Gap(TypedDict):
    """Seconds of the act in which a client had no answer."""

    start: float
    end: float


class Longest(TypedDict):
    """The longest gap of each client."""

    udp: Gap | None
    tls: Gap | None


class Run(TypedDict):
    """One run of an act, as `figures.run_of` keeps it."""

    run: int
    length: float
    verdict: str
    reason: str
    outage_ms: float | None
    service_outage_ms: float | None
    two_holders_ms: float
    two_kernels_ms: float
    none_ms: float | None
    silent_ms: float | None
    left_behind: bool
    moves: int
    left: int
    broken_s: float
    unended: NotRequired[list[str]]
    mended: NotRequired[list[float]]
    longest: NotRequired[Longest]


class Block(TypedDict):
    """One drill on a fresh cluster."""

    conditions: Conditions
    runs: list[Run]
    version: NotRequired[str]
    error: NotRequired[str]
    took_s: NotRequired[float]


class Record(TypedDict):
    """A cell of one contender."""

    blocks: list[Block]


class At(TypedDict):
    """On what something was measured at once."""

    commit: str
    load: float


class On(At):
    """The same, where the page names it all."""

    python: str
    cores: str | float


class Quantiles(TypedDict):
    """What `figures.summary` says of some values."""

    n: int
    min: float
    p50: float
    p99: float
    max: float


class Size(TypedDict):
    """Memory of one process."""

    role: str
    rss_kib: int
    pss_kib: int


class Cost(TypedDict):
    """A server at rest."""

    holder: bool
    cpu_percent: float
    processes: list[Size]


class Resting(TypedDict):
    """A cluster at rest."""

    servers: Annotated[dict[str, Cost], SOME]


class Rest(Resting):
    """vipkeeper at rest, and `--help`."""

    conditions: At
    seconds: float
    help_ms: Quantiles


class Linted(TypedDict):
    """One process of lint."""

    wall_ms: float
    cpu_ms: float
    rss_kib: int
    load: float
    found: str


class Tree(TypedDict):
    """A tree that was linted."""

    servers: int
    files: int
    runs: Annotated[list[Linted], SOME]


class Lint(TypedDict):
    """Every tree."""

    conditions: On
    byte_code: str
    trees: Annotated[list[Tree], SOME]


class Seed(TypedDict):
    """A seed of the simulator."""

    events: int
    cpu_s: Amount


class Stun(TypedDict):
    """A machine that stood still."""

    two_ms: float | None


class SweepAt(TypedDict):
    """Conditions of a sweep; the first ones were written by hand."""

    commit: str
    load: str | float
    note: NotRequired[str]


class Sweep(TypedDict):
    """A sweep of seeds."""

    command: str
    conditions: SweepAt
    runs: int
    simulated_hours: float
    events: int
    faults: int
    moves: int
    seconds: Amount
    violations: int
    way: NotRequired[str]
    compiling_s: NotRequired[Amount]


class Compiler(TypedDict):
    """What the simulator was compiled by."""

    mypy: str
    cc: str
    level: str
    modules: int
    seconds: float


class Simulate(TypedDict):
    """The simulator."""

    conditions: On
    speed: list[Seed]
    speed_compiled: NotRequired[list[Seed]]
    compiler: NotRequired[Compiler]
    stuns: list[Stun]
    sweeps: list[Sweep]


class Probe(TypedDict):
    """The client probe itself."""

    conditions: At
    datagrams: int
    lost: int
    tardy: int
    turns_left_out: int
    send_late_us: Quantiles
    round_trip_us: Quantiles


class Looked(TypedDict):
    """One process of why."""

    seconds: float
    cpu_s: float


class Bundled(Looked):
    """One that reads a bundle."""

    floor_s: float
    rss_mib: float


class Bundle(TypedDict):
    """A bundle, read several times."""

    runs: Annotated[list[Bundled], SOME]


class Bundles(TypedDict):
    """With few messages, and with many."""

    quiet: Bundle
    loud: Bundle


class Live(TypedDict):
    """Where all is well, and where nothing answers."""

    healthy: Annotated[list[Looked], SOME]
    dead: Annotated[list[Looked], SOME]


class Why(TypedDict):
    """The diagnosis."""

    conditions: On
    bytes: int
    cells: Bundles
    live: Live


class Suite(TypedDict):
    """A suite of acts; what was not as expected or skipped, and why."""

    seconds: float
    acts: int
    failed: dict[str, str]
    skipped: dict[str, str]


class Suites(TypedDict):
    """Of the drill."""

    conditions: On
    suites: dict[str, Suite]


class Results(TypedDict):
    """A whole file."""

    cells: dict[str, dict[str, Record]]
    left_out: NotRequired[dict[str, str]]
    rest: NotRequired[Rest]
    rest_versus: NotRequired[dict[str, Resting]]
    lint: NotRequired[Lint]
    simulate: NotRequired[Simulate]
    probe: NotRequired[Probe]
    why: NotRequired[Why]
    suites: NotRequired[Suites]
