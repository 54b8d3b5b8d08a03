"""What the command line tells the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vipkeeper.daemon.log import LogFormat


@dataclass(frozen=True, slots=True)
class Options:
    """Paths and overrides; everything else is in the configuration."""

    config: Path
    run_dir: Path
    state_dir: Path
    trace: Path | None = None
    log_format: LogFormat | None = None
