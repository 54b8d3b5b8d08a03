"""A machine of its own in the box: `ip netns exec cp1 python -m vipkeeper.lab.troubles.host cp1 DIRECTORY`.

A server's collectors read fixed paths, list processes and ask for the host's name. So each machine gets
its own mounts, processes and name; `DIRECTORY/files` lies over the folders that RKE2 and the managers use.
Nothing of the real host's /etc, /var/lib and /var/log can be written from there.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from vipkeeper.lab.kernel import MountFlag, Namespace, die_with_parent, mount, unshare

FOLDERS = (
    "etc/rancher",
    "etc/kubernetes",
    "etc/keepalived",
    "etc/haproxy",
    "etc/vipkeeper",
    "var/lib/rancher",
    "var/lib/kubelet",
    "var/lib/vipkeeper",
    "var/log/pods",
)
"""Taken from the machine's own files; empty where it has none."""
RUN_DIR = Path("/run/vipkeeper")
_ROOTS = ("etc", "var/lib", "var/log")


def main() -> None:
    """Make the machine, say so in DIRECTORY/pid, and stay until the parent ends."""
    name, directory = sys.argv[1], Path(sys.argv[2])
    die_with_parent()
    unshare(Namespace.MOUNT | Namespace.PID | Namespace.UTS)
    socket.sethostname(name)
    mount("none", "/", None, MountFlag.RECURSIVE | MountFlag.PRIVATE)
    for root in _ROOTS:
        _cover(Path("/", root), directory)
    _bind(directory / "run", RUN_DIR)
    init = os.fork()
    if init == 0:
        _init()
    (directory / "pid.new").write_text(str(init))
    os.rename(directory / "pid.new", directory / "pid")
    os.waitpid(init, 0)


def _cover(root: Path, directory: Path) -> None:
    """Put an empty folder over a real one: the machine's own folders in it, links to all else."""
    aside = directory / "aside" / root.relative_to("/")
    aside.mkdir(parents=True)
    _bind(root, aside)
    mount("none", str(aside), None, MountFlag.BIND | MountFlag.REMOUNT | MountFlag.READ_ONLY)
    mount("tmpfs", str(root), "tmpfs", MountFlag.NOSUID | MountFlag.NODEV, "mode=755")
    own = [Path("/", folder) for folder in FOLDERS if Path("/", folder).parent == root]
    for entry in aside.iterdir():
        if root / entry.name not in own and not entry.is_symlink():
            (root / entry.name).symlink_to(entry)
        elif entry.is_symlink() and root / entry.name not in own:
            (root / entry.name).symlink_to(os.readlink(entry))
    for folder in own:
        files = directory / "files" / folder.relative_to("/")
        if files.is_dir():
            _bind(files, folder)


def _bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    mount(str(source), str(target), None, MountFlag.BIND | MountFlag.RECURSIVE)


def _init() -> None:
    """PID 1: see only the machine's processes, reap, do nothing."""
    die_with_parent()
    mount("proc", "/proc", "proc", MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
