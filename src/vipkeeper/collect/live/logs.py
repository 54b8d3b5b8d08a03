"""The logs of this server: journals by journalctl and the logs of pods on its disk, searched as they stream by."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vipkeeper.collect.bundle import Text
from vipkeeper.collect.collector import Collector
from vipkeeper.collect.rancher_logs import RECENT_MS, voters_of
from vipkeeper.collect.redact import redacted
from vipkeeper.collect.target import FUTURE_MS, Target, now
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.logtime import Reference, when
from vipkeeper.diagnose.messages import Scanner, Seen
from vipkeeper.diagnose.vocabulary import Key

SUPERVISORS = ("rke2-server", "k3s", "kubelet")
UNITS = (*SUPERVISORS, "keepalived", "vipkeeper")
PODS = "/var/log/pods"
CONTAINERS = ("etcd", "kube-apiserver", "kube-vip")
STATIC_PODS = ("/var/lib/rancher/rke2/agent/pod-manifests", "/etc/kubernetes/manifests")
"""Where the kubelet finds pods that must run here, and so must have a log."""
K3S_ETCD = "/var/lib/rancher/k3s/server/db/etcd"
READ_LIMIT = 5.0
"""Seconds after which reading ends, wherever it is."""
LARGEST = 64 << 20
"""Bytes of the end of a file that are read; containerd begins a new file at 10 MiB."""
LONGEST_TEXT = 1 << 20
"""Bytes of the end of a log that a bundle keeps: taking secrets out of more would take minutes."""
_BLOCK = 1 << 20
_FILES = ("*.log", "*.log.2*[0-9]")
"""A container's logs, those put aside too (kubelet's container log rotation); compressed ones are left out."""


class LateError(Exception):
    """The time for reading was over before the log was."""


Pieces = Callable[[float], Iterator[bytes]]
"""Reads a log until a moment on the monotonic clock; raises `LateError` there."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log of this server."""

    name: str
    """The command or the path: how a fact cites it."""
    text: str
    """Its name in a bundle."""
    container: str
    """Empty for a journal."""
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Searched:
    """What stands in a log."""

    log: Log
    seen: tuple[Seen, ...]
    trouble: str
    """Why it was not read to its end; empty when it was."""


def journals() -> Iterator[Log]:
    """The last hour of the units, and of the kernel."""
    options = ("--since", "-1h", "--quiet", "--no-pager", "--output", "short-iso")
    for unit in UNITS:
        yield _journal(f"journalctl -u {unit} --since -1h", unit, ("--unit", unit, *options))
    yield _journal("journalctl -k --since -1h", "kernel", ("--dmesg", *options))


def _journal(name: str, unit: str, options: tuple[str, ...]) -> Log:
    return Log(name, f"journal/{unit}", "", partial(output, ("journalctl", *options)))


def pod_logs(target: Target) -> Iterator[Log]:
    """The files of the containers that matter, those of pods that are gone too."""
    root = target.path(PODS)
    for container in CONTAINERS:
        folders = sorted(root.glob(f"kube-system_{container}*/{container}"))
        for path in sorted(p for f in folders for pattern in _FILES for p in f.glob(pattern)):
            text = f"pods/{path.relative_to(root)}"
            yield Log(str(path), text, container, partial(end_of, path))


def output(command: tuple[str, ...], end: float) -> Iterator[bytes]:
    """What a program prints, as it prints it.

    Raises:
        OSError: it cannot be started, or fails.
        LateError: it did not end in time; it is then killed.
    """
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        try:
            while select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                piece = os.read(descriptor, _BLOCK)
                if not piece:
                    break
                yield piece
            code = process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise LateError from None
        finally:
            process.stdout.close()
            process.kill()
    if code:
        raise OSError(f"{command[0]} ended with {code}")


def end_of(path: Path, end: float) -> Iterator[bytes]:
    """The end of a file.

    Raises:
        OSError: it cannot be read.
        LateError: there was more of it than time.
    """
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST))
        while piece := file.read(_BLOCK):
            yield piece
            if time.monotonic() > end:
                raise LateError


def search(log: Log, end: float) -> Searched:
    """The messages in a log, also in one that could be read in part only."""
    scanner, trouble = Scanner(), ""
    try:
        for piece in log.pieces(end):
            scanner.feed(piece)
    except LateError:
        trouble = f"not read to its end within {READ_LIMIT:g} s"
    except OSError as error:
        trouble = error.strerror or str(error)
    return Searched(log, scanner.seen(), trouble)


def look_at_logs(target: Target) -> Iterator[Fact]:
    """Messages of the last hour, the voters that etcd last logged, and whether all logs were read."""
    end = time.monotonic() + READ_LIMIT
    logs = [*(journals() if shutil.which("journalctl") else ()), *pod_logs(target)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        logged = pool.submit(_supervisor_logs, end)
        older = pool.submit(search, _k3s_voters(), end) if target.path(K3S_ETCD).exists() else None
        found = list(pool.map(lambda log: search(log, end), logs))
    yield from _facts(target, found, [older.result()] if older else [], logged.result())


def texts(target: Target) -> Iterator[Text]:
    """The end of each log, for people; one that cannot be read is left out."""
    end = time.monotonic() + READ_LIMIT
    for log in (*(journals() if shutil.which("journalctl") else ()), *pod_logs(target)):
        tail = b""
        with contextlib.suppress(OSError, LateError):
            for piece in log.pieces(end):
                tail = (tail + piece)[-LONGEST_TEXT:]
        if tail:
            yield Text(log.text, tail)


def _facts(
    target: Target, found: list[Searched], older: list[Searched], supervisor_logs: bool
) -> Iterator[Fact]:
    reference = Reference(now())
    for searched in found:
        for seen in searched.seen:
            line = seen.last.decode(errors="replace")
            at = when(line, reference)
            if reference.at - RECENT_MS <= at <= reference.at + FUTURE_MS:
                name = seen.message.name
                yield _fact(target, Key.LOG, True, searched.log, line, at, aspect=name)
    yield from _voters(target, [*found, *older], reference)
    source = ", ".join(searched.log.name for searched in found) or PODS
    why = "; ".join(_unread(target, found, supervisor_logs, reference))
    if why:
        yield target.blind(Key.LOGS_READ, why, "logs", about=target.own)
    else:
        yield target.of_own(Key.LOGS_READ, True, source)


def _fact(
    target: Target, key: Key, value: bool | int, log: Log, line: str, at: int, aspect: str = ""
) -> Fact:
    about = "" if key is Key.VOTERS else target.own
    raw = redacted(line)[:300]
    return Fact(key, value, about, target.own, aspect, at, log.name, raw)


def _voters(target: Target, found: list[Searched], reference: Reference) -> Iterator[Fact]:
    """The last list of voters in etcd's log: it holds until the next one, however old it is.

    While it boots, RKE2 and k3s run an etcd of one on a copy of their data, which writes to their journal (k3s:
    pkg/etcd/etcd.go, StartEmbeddedTemporary): a list of one counts from etcd's own container only.
    """
    said = []
    for searched in found:
        for seen in searched.seen:
            line = seen.last.decode(errors="replace")
            voters = voters_of(line) if seen.message.name == "etcd-voters" else None
            own = voters is not None and (voters > 1 or bool(searched.log.container))
            if own and voters is not None and (at := when(line, reference)):
                said.append(_fact(target, Key.VOTERS, voters, searched.log, line, at))
    if said:
        yield max(said, key=lambda fact: fact.at)


def _unread(
    target: Target, found: list[Searched], supervisor_logs: bool, reference: Reference
) -> Iterator[str]:
    """What keeps a message that was not found from being one that is not there."""
    if not supervisor_logs:
        yield "the journal has nothing of rke2-server, k3s or kubelet"
    for searched in found:
        if searched.trouble:
            yield f"{searched.log.name}: {searched.trouble}"
        lines = (seen.last.decode(errors="replace") for seen in searched.seen)
        if any(when(line, reference) > reference.at + FUTURE_MS for line in lines):
            yield f"{searched.log.name}: it has messages of a time to come"
    there = {searched.log.container for searched in found}
    for name in CONTAINERS:
        manifests = (target.path(folder).glob(f"{name}*.y*ml") for folder in STATIC_PODS)
        if name not in there and any(True for found in manifests for _ in found):
            yield f"{PODS} has no log of {name}"


def _k3s_voters() -> Log:
    """The last list of voters in the journal of k3s, which has etcd within it. Nothing is found where there is none."""
    options = ("--unit", "k3s", "--grep", "switched to configuration voters", "--reverse")
    plain = ("--lines", "1", "--quiet", "--no-pager", "--output", "short-iso")
    return _journal("journalctl -u k3s", "k3s-voters", (*options, *plain))


def _supervisor_logs(end: float) -> bool:
    """Whether a supervisor has written to the journal, whenever that was."""
    units = [word for unit in SUPERVISORS for word in ("--unit", unit)]
    command = ("journalctl", *units, "--quiet", "--no-pager", "--lines", "1")
    try:
        return any(output(command, end))
    except (OSError, LateError):
        return False


COLLECTORS = (
    Collector(
        "logs",
        frozenset({Key.LOG, Key.LOGS_READ, Key.VOTERS}),
        look_at_logs,
        limit=READ_LIMIT + 1.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
)
