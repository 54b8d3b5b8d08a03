"""What is measured, as data: one cell is one fault under one configuration."""

from __future__ import annotations

from dataclasses import dataclass

BOTH = ("vipkeeper", "keepalived")
OURS = ("vipkeeper",)
AGAINST_PEERS = "fault/"
"""How the names of the cells begin in which all contenders take turns."""


@dataclass(frozen=True)
class Cell:
    """One fault under one configuration, so many times or for so long."""

    name: str
    act: str
    """Of `vipkeeper drill`."""
    runs: int
    what: str
    managers: tuple[str, ...] = BOTH
    metric: str = "outage_ms"
    """The figure that sums the cell up."""
    interval_ms: int = 100
    settings: tuple[str, ...] = ()
    """KEY=VALUE of cluster.yaml."""
    seconds: float = 0.0
    """Length of a run where the act has no end of its own: the cell is `runs * seconds` long."""
    block: int = 5
    """Runs on one cluster; then a fresh one."""
    rival_runs: int | None = None
    """Runs of keepalived where fewer say enough, since it fails every time and takes long to."""

    def total(self, manager: str) -> float:
        """What must be done with a manager: runs, or seconds."""
        few = manager != "vipkeeper" and self.rival_runs is not None
        runs = self.rival_runs if few and self.rival_runs else self.runs
        return runs * (self.seconds or 1)


CELLS: tuple[Cell, ...] = (
    Cell("power-off", "power-off", 50, "power off, profile bare-metal"),
    Cell("power-off-vm", "power-off", 50, "power off, profile vm", OURS, settings=("profile=vm",)),
    Cell("power-off-20ms", "power-off", 50, "power off, adverts every 20 ms", interval_ms=20),
    Cell("sigterm", "sigterm", 50, "SIGTERM to the holder's daemon"),
    Cell("handover", "handover", 50, "planned handover"),
    Cell("api-dead", "api-dead", 50, "SIGKILL to the holder's API server", metric="service_outage_ms"),
    Cell("daemon-killed", "daemon-killed", 50, "SIGKILL to the holder's daemon"),
    Cell("daemon-frozen", "daemon-frozen", 50, "SIGSTOP to the holder's daemon"),
    Cell("killed-restart", "restart-in-lease", 50, "SIGKILL, started again after 0.5 s"),
    Cell(
        "strict-killed",
        "daemon-killed",
        50,
        "SIGKILL to the holder's daemon, strict kernel lease",
        OURS,
        "silent_ms",
        settings=("kernel_lease=strict",),
    ),
    Cell(
        "strict-frozen",
        "daemon-frozen",
        50,
        "SIGSTOP to the holder's daemon, strict kernel lease",
        OURS,
        "silent_ms",
        settings=("kernel_lease=strict",),
    ),
    Cell("holder-mute", "holder-mute", 50, "the holder cannot send", rival_runs=10),
    Cell("holder-deaf", "holder-deaf", 50, "the holder cannot receive", rival_runs=10),
    Cell("loss-20", "loss", 10, "20 % loss towards all servers", metric="moves", seconds=180, block=1, rival_runs=3),
    Cell("busy", "busy", 4, "four busy loops a core", metric="moves", seconds=150, block=1),
    Cell(
        "holder-stalls", "stall", 60, "the holder's daemon stands still for 0.2-2 s", metric="moves", block=15
    ),
    Cell(
        "backup-stalls",
        "backup-stall",
        60,
        "a backup's daemon stands still for 0.2-2 s",
        metric="moves",
        block=15,
    ),
)  # fmt: skip

HOLDER = ("power-off", "sigterm", "handover", "api-dead", "daemon-killed", "daemon-frozen")
"""The cells of the holder's figures; `election` are all of them."""


def find(name: str) -> Cell | None:
    """The cell of this name."""
    return next((cell for cell in CELLS if cell.name == name), None)
