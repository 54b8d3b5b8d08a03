"""What an act may need of this host beyond the box itself. What is not there skips the act, with the reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.lab import cgroups
from vipkeeper.lab.box import made_by_root
from vipkeeper.lab.cgroups import Controller
from vipkeeper.lab.processes import SYSTEM_PATH

_FAKETIME = "*/faketime/libfaketime.so.1"
_LIBRARIES = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))


@dataclass(frozen=True, slots=True)
class Need:
    """One thing."""

    name: str
    lacking: Callable[[], str]
    """Asked inside the box: why it is not to be had; empty where it is."""


def lacking(needs: Iterable[Need]) -> str:
    """Why an act cannot be played here; empty where it can."""
    return "; ".join(reason for need in needs if (reason := need.lacking()))


def faketime() -> Path | None:
    """The library that shows a process another wall clock; None where it is not installed."""
    found = (path for folder in _LIBRARIES for path in (*folder.glob(_FAKETIME), *_flat(folder)))
    return next(found, None)


def _flat(folder: Path) -> Iterable[Path]:
    return folder.glob(_FAKETIME.removeprefix("*/"))


def _root() -> str:
    return "" if made_by_root() else "only root can do that to this host"


def _no_faketime() -> str:
    return "" if faketime() else "libfaketime is not installed (apt-get install libfaketime)"


def _no_real_time() -> str:
    """Tried in a child: the drill itself must not run so."""
    child = os.fork()
    if child == 0:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except OSError:
            os._exit(1)
        os._exit(0)
    granted = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return "" if granted else "this kernel gives no real-time scheduling here"


def _program(name: str, package: str) -> Need:
    def absent() -> str:
        if shutil.which(name, path=SYSTEM_PATH):
            return ""
        return f"'{name}' is not installed (apt-get install {package})"

    return Need(f"`{name}` ({package})", absent)


def _controller(controller: Controller) -> Need:
    return Need(
        f"a writable control group for {controller.value}", lambda: cgroups.lacking(controller)
    )


ROOT = Need("root", _root)
FAKETIME = Need("libfaketime", _no_faketime)
REAL_TIME = Need("real-time scheduling", _no_real_time)
KEEPALIVED = _program("keepalived", "keepalived")
CPU_GROUP = _controller(Controller.CPU)
MEMORY_GROUP = _controller(Controller.MEMORY)
FREEZER_GROUP = _controller(Controller.FREEZER)
