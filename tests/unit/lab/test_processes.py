"""Programs of the lab that hang or do not end: an error of the lab with one line, never one of Python's."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vipkeeper.lab import processes
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.processes import HostTooSlowError, LabError, Process
from vipkeeper.lab.topology import lan


def started(monkeypatch: pytest.MonkeyPatch, log: Path) -> Process:
    monkeypatch.setattr(processes, "in_namespace", lambda _, *words: list(words))
    return Process("cp1", ("sleep", "60"), log)


def test_a_program_that_outlives_sigkill_for_long_is_the_hosts_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(monkeypatch, tmp_path / "log")
    with monkeypatch.context() as still:
        # The kernel takes it away only later, as where the host stands still.
        still.setattr(processes, "_GIVE_UP", 0.01)
        still.setattr(processes, "send", lambda *_: None)
        with pytest.raises(
            HostTooSlowError, match=r"^'sleep' has not ended 0\.01 s after SIGKILL$"
        ):
            process.signal_tree(signal.SIGKILL)
    process.signal_tree(signal.SIGKILL)
    assert not process.running


def test_what_outlives_the_power_of_its_server_is_the_hosts_fault_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_GIVE_UP", 0.0)
    monkeypatch.setattr(processes, "residents", lambda _: [7])
    monkeypatch.setattr(processes, "send", lambda *_: None)
    with pytest.raises(
        HostTooSlowError, match=r"^processes \[7\] in cp1 have not ended 0 s after SIGKILL$"
    ):
        processes.kill_residents("cp1")


def test_a_command_that_hangs_is_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_COMMAND_WITHIN", 0.1)
    with pytest.raises(LabError, match=r"^'sh -ec : sleep 20' takes longer than 0\.1 s$"):
        processes.command("sh", "-ec", ":\nsleep 20")


def refuses(number: signal.Signals) -> None:
    raise LabError(f"not ended after {number.name}")


def test_all_get_their_sigkill_also_after_one_that_does_not_end() -> None:
    ended: list[str] = []

    def one(name: str) -> Any:
        return SimpleNamespace(signal_tree=lambda _: ended.append(name))

    with pytest.raises(LabError, match="SIGKILL"):
        processes.kill_all(
            [one("first"), cast(Process, SimpleNamespace(signal_tree=refuses)), one("last")]
        )
    assert sorted(ended) == ["first", "last"]


def test_load_ends_also_where_the_wires_cannot_be_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(lan(3), tmp_path)
    unloaded: list[bool] = []
    monkeypatch.setattr(cluster.wires, "mend", lambda: refuses(signal.SIGTERM))
    monkeypatch.setattr(cluster, "unload", lambda: unloaded.append(True))
    with pytest.raises(LabError):
        cluster.undo()
    assert unloaded == [True]
