"""The supervisor, what is meant to hold the VIP, and containers, by systemd and /proc."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key, Manager, Process
from vipkeeper.host.inspect import program_output
from vipkeeper.host.processes import in_own_network, runs_daemon

SUPERVISORS = ("rke2-server", "k3s", "kubelet")
MANAGERS = {
    "vipkeeper": Manager.VIPKEEPER,
    "keepalived": Manager.KEEPALIVED,
    "kube-vip": Manager.KUBE_VIP,
}
RESTARTS = 2
"""Restarts by systemd from which on a service counts as restarting."""
CONTAINERS = ("etcd", "kube-apiserver", "kube-vip")
MANIFESTS = (
    "/var/lib/rancher/rke2/agent/pod-manifests",
    "/var/lib/rancher/rke2/server/manifests",
    "/var/lib/rancher/k3s/server/manifests",
    "/etc/kubernetes/manifests",
)
_PROPERTIES = "LoadState,ActiveState,SubState,NRestarts,MainPID,ActiveEnterTimestampMonotonic"
CRICTL = ("crictl", "/var/lib/rancher/rke2/bin/crictl", "/usr/local/bin/crictl")
CRICTL_SOURCE = "crictl ps -a"
CONFIGS = ("/var/lib/rancher/rke2/agent/etc/crictl.yaml", "/etc/crictl.yaml")


def look_at_supervisor(target: Target) -> Iterator[Fact]:
    """The first supervisor that is installed here."""
    for unit in SUPERVISORS:
        properties = show(unit)
        if properties is None:
            yield target.blind(Key.SUPERVISOR, "systemctl does not answer", unit, about=target.own)
            return
        if properties.get("LoadState") == "not-found":
            continue
        word = judge_unit(properties, frozen=_frozen(target, properties.get("MainPID", "")))
        raw = f"{properties.get('ActiveState')} ({properties.get('SubState')})"
        source = f"systemctl show {unit}"
        yield target.of_own(Key.SUPERVISOR, word, source, raw=raw)
        since = properties.get("ActiveEnterTimestampMonotonic", "")
        if word in (Process.RUNNING, Process.STARTING) and since.isdigit() and int(since):
            age = int(time.clock_gettime(time.CLOCK_MONOTONIC) - int(since) / 1e6)
            yield target.of_own(Key.SUPERVISOR_AGE, max(0, age), source)
        return
    yield target.of_own(Key.SUPERVISOR, Process.ABSENT, "systemctl show")


def show(unit: str) -> dict[str, str] | None:
    """Properties of a unit; None where systemd does not answer."""
    text = program_output("systemctl", "show", unit, f"--property={_PROPERTIES}")
    if text is None:
        return None
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def judge_unit(properties: Mapping[str, str], *, frozen: bool) -> Process:
    """The word for a unit's state (systemctl(1)). Total."""
    active, sub = properties.get("ActiveState", ""), properties.get("SubState", "")
    restarts = properties.get("NRestarts", "0")
    if frozen:
        return Process.FROZEN
    if sub == "auto-restart" or (active == "activating" and _number(restarts) >= RESTARTS):
        return Process.RESTARTING
    if active == "failed":
        return Process.FAILED
    if active in ("activating", "reloading"):
        return Process.STARTING
    return Process.RUNNING if active == "active" else Process.STOPPED


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _frozen(target: Target, pid: str) -> bool:
    """Whether a process is stopped by a signal: state T (proc_pid_stat(5))."""
    if not pid.isdigit() or pid == "0":
        return False
    try:
        stat = target.path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["T"]


def look_at_managers(target: Target) -> Iterator[Fact]:
    """Which VIP manager runs here, or is meant to."""
    running = dict(managers_running(target))
    for name, word in sorted(MANAGERS.items(), key=lambda item: item[0] not in running):
        properties = show(name) or {}
        pid = running.get(name)
        installed = properties.get("LoadState", "not-found") != "not-found"
        manifest = kube_vip_manifest(target) if name == "kube-vip" else None
        if pid is None and not installed and manifest is None:
            continue
        source = manifest or (f"systemctl show {name}" if installed else "/proc")
        yield target.of_path(Key.MANAGER, word, source)
        if pid is not None:
            state = Process.FROZEN if _frozen(target, pid) else Process.RUNNING
        elif installed:
            state = judge_unit(properties, frozen=False)
        else:
            yield _pod_state(target, name)
            return
        yield target.of_own(Key.MANAGER_STATE, state, source, raw=f"process {pid}" if pid else "")
        return
    yield target.of_path(Key.MANAGER, Manager.NONE, "processes, units and manifests")
    yield target.of_own(Key.MANAGER_STATE, Process.ABSENT, "processes, units and manifests")


def _pod_state(target: Target, name: str) -> Fact:
    """A manager in a pod without a process: between two starts it looks the same as stopped."""
    states = container_states()
    if isinstance(states, str):
        return target.blind(Key.MANAGER_STATE, states, CRICTL_SOURCE, about=target.own)
    state = states.get(name, Process.STOPPED)
    return target.of_own(Key.MANAGER_STATE, state, CRICTL_SOURCE, raw=f"no process of {name}")


def managers_running(target: Target) -> Iterator[tuple[str, str]]:
    """(name, pid) of managers among the processes in this host's network."""
    for entry in in_own_network(target.path("/proc")):
        try:
            name = (entry / "comm").read_text(errors="replace").strip()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if runs_daemon(command):
            yield "vipkeeper", entry.name
        # This very command is called vipkeeper, too.
        elif name in MANAGERS and name != "vipkeeper":
            yield name, entry.name


def kube_vip_manifest(target: Target) -> str | None:
    """A manifest of kube-vip on this server's disk."""
    for folder in MANIFESTS:
        for path in sorted(target.path(folder).glob("*kube-vip*.y*ml")):
            return str(path)
    return None


def look_at_containers(target: Target) -> Iterator[Fact]:
    """Containers of the control plane by crictl, which needs no API server."""
    states = container_states()
    for name in CONTAINERS:
        if isinstance(states, str):
            yield target.blind(Key.CONTAINER, states, CRICTL_SOURCE, about=target.own, aspect=name)
        else:
            word = states.get(name, Process.ABSENT)
            yield target.of_own(Key.CONTAINER, word, CRICTL_SOURCE, aspect=name)


def container_states() -> dict[str, Process] | str:
    """The state of every container by name; or why it is not known."""
    program = next((name for name in CRICTL if shutil.which(name)), None)
    if program is None:
        return "there is no crictl"
    config = next((path for path in CONFIGS if Path(path).exists()), None)
    options = ("--config", config) if config else ()
    states = read_containers(program_output(program, *options, "ps", "-a", "-o", "json") or "")
    return "crictl does not answer" if states is None else states


def read_containers(text: str) -> dict[str, Process] | None:
    """The state of each container by name from `crictl ps -a -o json`; None when it is none. Total."""
    try:
        document: Any = json.loads(text)
        found: dict[str, Process] = {}
        newest: dict[str, int] = {}
        for container in document["containers"]:
            name, created = container["metadata"]["name"], int(container["createdAt"])
            if created < newest.get(name, 0):
                continue
            newest[name] = created
            attempt = int(container["metadata"].get("attempt", 0))
            running = container["state"] == "CONTAINER_RUNNING"
            if running:
                found[name] = Process.RUNNING
            else:
                found[name] = Process.RESTARTING if attempt > RESTARTS else Process.STOPPED
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found


COLLECTORS = (
    Collector(
        "supervisor",
        frozenset({Key.SUPERVISOR, Key.SUPERVISOR_AGE}),
        look_at_supervisor,
        limit=5.0,
        on_server=True,
    ),
    Collector(
        "managers",
        frozenset({Key.MANAGER, Key.MANAGER_STATE}),
        look_at_managers,
        limit=5.0,
        on_server=True,
    ),
    Collector(
        "containers",
        frozenset({Key.CONTAINER}),
        look_at_containers,
        limit=5.0,
        on_server=True,
    ),
)
