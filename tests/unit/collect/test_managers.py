"""Which manager of the VIP runs here, from what /proc and systemd show."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.collect.live import processes
from vipkeeper.collect.live.processes import look_at_managers
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Value
from vipkeeper.diagnose.vocabulary import Key, Manager, Process

HERE, ELSEWHERE = "net:[1]", "net:[2]"
WHY = "python3 /usr/bin/vipkeeper why"
DAEMON = "python3 /usr/bin/vipkeeper run"


def found(
    root: Path, monkeypatch: pytest.MonkeyPatch, units: set[str], *running: tuple[str, str, str]
) -> tuple[Value | None, Value | None]:
    """What is said of processes, each with its name, its command and its network."""
    proc = root / "proc"
    for pid, (name, command, network) in enumerate([("init", "init", HERE), *running], 1):
        folder = proc / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "ns" / "net").symlink_to(network)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode() + b"\0")
        (folder / "stat").write_text(f"{pid} ({name}) S 1")
    (proc / "self").symlink_to("1")

    def show(unit: str) -> dict[str, str]:
        state = {"LoadState": "loaded", "ActiveState": "inactive"}
        return state if unit in units else {"LoadState": "not-found"}

    monkeypatch.setattr(processes, "show", show)
    target = Target(ip_address("192.0.2.100"), own="cp1", place="cp1", files=root)
    facts = {fact.key: fact.value for fact in look_at_managers(target)}
    return facts[Key.MANAGER], facts[Key.MANAGER_STATE]


@pytest.mark.parametrize(
    ("units", "running", "said"),
    [
        (set(), [("vipkeeper", WHY, HERE)], (Manager.NONE, Process.ABSENT)),
        (set(), [("vipkeeper", DAEMON, HERE)], (Manager.VIPKEEPER, Process.RUNNING)),
        (set(), [("vipkeeper", DAEMON, ELSEWHERE)], (Manager.NONE, Process.ABSENT)),
        (set(), [("keepalived", "keepalived", ELSEWHERE)], (Manager.NONE, Process.ABSENT)),
        (
            set(),
            [("vipkeeper", WHY, HERE), ("kube-vip", "/kube-vip manager", HERE)],
            (Manager.KUBE_VIP, Process.RUNNING),
        ),
        (
            {"vipkeeper"},
            [("vipkeeper", WHY, HERE), ("keepalived", "keepalived", HERE)],
            (Manager.KEEPALIVED, Process.RUNNING),
        ),
        ({"vipkeeper"}, [("vipkeeper", WHY, HERE)], (Manager.VIPKEEPER, Process.STOPPED)),
    ],
)
def test_only_what_holds_the_vip_is_a_manager(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    units: set[str],
    running: list[tuple[str, str, str]],
    said: tuple[Manager, Process],
) -> None:
    assert found(tmp_path, monkeypatch, units, *running) == said
