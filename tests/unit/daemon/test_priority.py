"""At which priority a daemon runs when: only what must be on time may hold others up."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vipkeeper.daemon.keeper import Keeper
from vipkeeper.host import scheduling

START = """
import argparse, os, pathlib, sys
def asked(pid, policy, parameters):
    print(pid, policy, parameters.sched_priority, "vipkeeper.daemon.main" in sys.modules)
os.sched_setscheduler = asked
from vipkeeper.cli import run
from vipkeeper.errors import VipkeeperError
parser = argparse.ArgumentParser()
run.add_arguments(parser)
try:
    run.main(parser.parse_args(["--config", "/nonexistent"]))
except VipkeeperError:
    assert "vipkeeper.daemon.main" in sys.modules
    print("imported")
"""


def test_a_start_is_before_ordinary_programs_and_at_the_lowest_real_time_priority() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=60
    )
    lowest = os.sched_get_priority_min(os.SCHED_FIFO)
    policy = os.SCHED_FIFO | scheduling.SCHED_RESET_ON_FORK
    assert done.stdout.splitlines() == [f"0 {policy} {lowest} False", "imported"]


def test_a_keeper_has_done_what_takes_long_before_it_gets_its_own_priority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(scheduling, "freeze", lambda: done.append("collected"))
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda _pid, _policy, p: done.append(p.sched_priority)
    )
    monkeypatch.setattr(scheduling, "_lock_memory", lambda: "memory locked")
    services = SimpleNamespace(metrics=lambda: done.append("imported"), realtime="")
    config = SimpleNamespace(
        metrics=SimpleNamespace(listen=("127.0.0.1", 1), textfile=None),
        servers=[SimpleNamespace(name="cp1")],
        vips=["192.0.2.1"],
        strict_lease=None,
    )
    keeper = SimpleNamespace(
        _config=config, _own=0, _services=services, _logger=logging.getLogger("test")
    )
    Keeper._go_real_time(cast(Keeper, keeper))
    assert done == ["imported", "collected", scheduling.PRIORITY]
    assert services.realtime == "SCHED_FIFO 50; memory locked"
