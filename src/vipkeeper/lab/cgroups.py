"""Control groups of the kernel, v1 and v2: less time to run, less memory, and standing still (cgroups(7)).

The one thing of the lab that lives outside the box: a group belongs to this host. Its name says which
drill made it, so that `sweep` finds what a killed drill left.
"""

from __future__ import annotations

import contextlib
import enum
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vipkeeper.lab.processes import LabError, wait_for

PREFIX = "vipkeeper-lab-"
PERIOD_US = 100_000
"""The period of a quota, the kernel's default."""
_NAME = re.compile(rf"{PREFIX}(\d+)-(\d+)(?:-.*)?")
_HANDED = "-handed-"
"""In the name of a group for which its parent was made to hand a controller down: with the group that ends too."""
_PATIENCE = 5.0
_MOUNTS = Path("/proc/self/mountinfo")


class Controller(enum.Enum):
    """What a group can control."""

    CPU = "cpu"
    MEMORY = "memory"
    FREEZER = "freezer"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where groups of a controller are made."""

    path: Path
    version: int
    root: str = "/"
    """The group of the hierarchy that is to be seen there."""

    def home(self, groups: str, controller: Controller) -> Path:
        """The group of a process from the text of its /proc/PID/cgroup (cgroups(7)); the top where that is not seen here."""
        for line in groups.splitlines():
            number, _, rest = line.partition(":")
            names, _, path = rest.partition(":")
            mine = number == "0" if self.version == 2 else controller.value in names.split(",")
            if mine and path.startswith(self.root):
                place = self.path / path.removeprefix(self.root).strip("/")
                return place if ".." not in place.parts and place.is_dir() else self.path
        return self.path


def hierarchies(mounts: str) -> list[tuple[Hierarchy, frozenset[str]]]:
    """Every mounted hierarchy in a mountinfo text (proc(5)), with the controllers its mount names (v1)."""
    found = []
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        left, right = before.split(), after.split()
        if len(left) < 5 or len(right) < 3 or right[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if right[0] == "cgroup2" else 1
        names = frozenset() if version == 2 else frozenset(right[2].split(","))
        found.append((Hierarchy(Path(left[4]), version, left[3]), names))
    return found


def find(controller: Controller, mounts: Path = _MOUNTS) -> Hierarchy | None:
    """The hierarchy that has a controller: v1 where it is mounted so, else v2; None: neither."""
    all_of_them = hierarchies(mounts.read_text())
    for hierarchy, names in all_of_them:
        if controller.value in names:
            return hierarchy
    for hierarchy, _ in all_of_them:
        if hierarchy.version == 2 and _offers(hierarchy, controller):
            return hierarchy
    return None


def _offers(hierarchy: Hierarchy, controller: Controller) -> bool:
    if controller is Controller.FREEZER:
        return True  # part of v2 itself since Linux 5.2, without a controller's name
    try:
        return controller.value in (hierarchy.path / "cgroup.controllers").read_text().split()
    except OSError:
        return False


def lacking(controller: Controller, mounts: Path = _MOUNTS) -> str:
    """Why groups of a controller cannot be made here; empty where they can."""
    hierarchy = find(controller, mounts)
    if hierarchy is None:
        return f"this kernel has no control group for {controller.value}"
    if not os.access(hierarchy.path, os.W_OK) or os.statvfs(hierarchy.path).f_flag & os.ST_RDONLY:
        return f"control groups in {hierarchy.path} cannot be made by this user"
    try:
        if _hand_down(hierarchy, controller):
            _take_back(hierarchy.path, controller.value)
    except OSError as error:
        # In a container: what is its root has processes of its own (cgroups(7), "no internal processes").
        return f"{hierarchy.path} does not hand down its control of {controller.value}: {error.strerror}"
    return ""


def _hand_down(hierarchy: Hierarchy, controller: Controller) -> bool:
    """Let groups below a v2 hierarchy's root have a controller; whether they did not before (cgroup-v2.rst)."""
    if hierarchy.version != 2 or controller is Controller.FREEZER:
        return False
    control = hierarchy.path / "cgroup.subtree_control"
    if controller.value in control.read_text().split():
        return False
    control.write_text(f"+{controller.value}")
    return True


def _take_back(parent: Path, controller: str) -> None:
    """As it was before; another drill that has groups there needs it."""
    if not any(parent.glob(f"{PREFIX}*")):
        (parent / "cgroup.subtree_control").write_text(f"-{controller}")


def owner_name() -> str:
    """The name by which this process marks its groups: its pid and when it was started."""
    return f"{PREFIX}{os.getpid()}-{_started(os.getpid())}"


def _started(pid: int) -> int:
    """Clock ticks since boot at which a process was started (proc(5), field 22); 0 where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])


class ControlGroup:
    """One group of one controller, with processes of the lab in it."""

    def __init__(self, controller: Controller, name: str, mounts: Path = _MOUNTS) -> None:
        """Make it; `mounts`: the table of what is mounted where.

        Raises:
            LabError: this host does not let us.
        """
        hierarchy = find(controller, mounts)
        if hierarchy is None:
            raise LabError(lacking(controller, mounts))
        self._first = hierarchy.version == 1
        self._hierarchy, self._controller = hierarchy, controller
        self._homes: dict[int, Path] = {}
        """Where its processes came from."""
        self._path = hierarchy.path / name
        try:
            if _hand_down(hierarchy, controller):
                self._path = hierarchy.path / f"{name}{_HANDED}{controller.value}"
            self._path.mkdir()
        except OSError as error:
            raise LabError(f"control group {self._path}: {error.strerror}") from None

    def add(self, pids: Iterable[int]) -> None:
        """Move processes into it."""
        for pid in pids:
            with contextlib.suppress(OSError):  # it has just ended
                groups = Path(f"/proc/{pid}/cgroup").read_text()
                self._homes[pid] = self._hierarchy.home(groups, self._controller)
            self._move(self._path, pid)

    def quota(self, percent: int) -> None:
        """Let all in it run for this part of one core's time."""
        share = PERIOD_US * percent // 100
        if self._first:
            self._write("cpu.cfs_period_us", str(PERIOD_US))
            self._write("cpu.cfs_quota_us", str(share))
        else:
            self._write("cpu.max", f"{share} {PERIOD_US}")

    def held_back(self) -> float:
        """Seconds for which a quota has kept it from running so far, over all cores (cpu.stat)."""
        fields = dict(line.split() for line in self._read("cpu.stat").splitlines())
        if self._first:
            return int(fields["throttled_time"]) / 1e9
        return int(fields["throttled_usec"]) / 1e6

    def members(self) -> list[int]:
        """The processes in it."""
        return [int(pid) for pid in self._read("cgroup.procs").split()]

    def limit(self, size: int) -> None:
        """Let all in it have so many bytes, without swap; who asks for more is killed."""
        if self._first:
            self._write("memory.limit_in_bytes", str(size))
            self._write("memory.memsw.limit_in_bytes", str(size), optional=True)
        else:
            self._write("memory.max", str(size))
            self._write("memory.swap.max", "0", optional=True)

    def freeze(self) -> None:
        """Let nothing in it run, until `thaw`.

        Raises:
            LabError: the kernel does not manage to.
        """
        if self._first:
            self._write("freezer.state", "FROZEN")
            frozen = wait_for(lambda: self._read("freezer.state") == "FROZEN", _PATIENCE)
        else:
            self._write("cgroup.freeze", "1")
            frozen = wait_for(lambda: "frozen 1" in self._read("cgroup.events"), _PATIENCE)
        if not frozen:
            raise LabError(f"control group {self._path}: its processes do not freeze")

    def thaw(self) -> None:
        """Let all in it go on."""
        thaw(self._path)

    def remove(self) -> None:
        """Move what lives in it back to where it, or who started it, was, and remove it.

        A group that hands controllers down may have no processes of its own (cgroup-v2.rst, "No Internal
        Process Constraint"): the top of what a container sees is no place for them.

        Raises:
            LabError: it stays.
        """
        top = next(iter(self._homes.values()), self._hierarchy.path)
        for pid in self.members():
            self._move(self._homes.get(pid, top), pid)
        if not wait_for(lambda: _removed(self._path), _PATIENCE):
            raise LabError(f"control group {self._path} cannot be removed")

    def _move(self, group: Path, pid: int) -> None:
        try:
            (group / "cgroup.procs").write_text(str(pid))
        except ProcessLookupError:
            return  # it has just ended
        except OSError as error:
            raise LabError(f"process {pid} into {group}: {error.strerror}") from None

    def _read(self, name: str) -> str:
        try:
            return (self._path / name).read_text().strip()
        except OSError as error:
            raise LabError(f"{self._path / name}: {error.strerror}") from None

    def _write(self, name: str, text: str, *, optional: bool = False) -> None:
        path = self._path / name
        if optional and not path.exists():
            return
        try:
            path.write_text(text)
        except OSError as error:
            raise LabError(f"{path} does not take {text}: {error.strerror}") from None


def thaw(path: Path) -> None:
    """Let all in a group go on, if it stands still."""
    for name, text in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        if (path / name).exists():
            (path / name).write_text(text)


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
        _, handed, controller = path.name.rpartition(_HANDED)
        if handed:
            _take_back(path.parent, controller)
    except FileNotFoundError:
        return True
    except OSError:
        return not path.exists()
    return True


def let_go(owner: str, mounts: Path = _MOUNTS) -> None:
    """Let everything run that a drill holds still: it could not even be killed otherwise."""
    for path in _of(owner, mounts):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            thaw(path)


def clear(owner: str, mounts: Path = _MOUNTS) -> None:
    """Remove what groups a drill still has when all its processes have ended."""
    let_go(owner, mounts)
    for path in _of(owner, mounts):
        wait_for(partial(_removed, path), _PATIENCE)


def _of(owner: str, mounts: Path) -> list[Path]:
    return [
        path
        for hierarchy, _ in hierarchies(mounts.read_text())
        for path in sorted(hierarchy.path.glob(f"{owner}-*"))
    ]


def sweep(mounts: Path = _MOUNTS) -> list[str]:
    """Remove the groups of drills that have ended without doing so; their names.

    What stands still in one lives on, whatever was sent to it: it is let go, and then it ends.
    """
    swept = []
    for hierarchy, _ in hierarchies(mounts.read_text()):
        for path in sorted(hierarchy.path.glob(f"{PREFIX}*")):
            match = _NAME.fullmatch(path.name)
            if match is None or _started(int(match[1])) == int(match[2]):
                continue
            if _swept(path):
                swept.append(path.name)
    return swept


def _swept(path: Path) -> bool:
    try:
        thaw(path)
    except OSError:
        return False  # another user's, or gone meanwhile
    return wait_for(lambda: _removed(path), _PATIENCE)
