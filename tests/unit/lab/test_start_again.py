"""An act of a daemon that comes back in its lease judges nobody where the host was too slow for that."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab import acts_daemons
from vipkeeper.lab.processes import HostTooSlowError

SECOND = 1_000_000_000


class Slow:
    """A host on which a daemon says its first word so many seconds after its start; time passes by waiting."""

    def __init__(self, log: Path, takes: float) -> None:
        self.log, self.takes, self.clock = log, takes, 0
        self.killed = False
        self.daemon = SimpleNamespace(log=log, signal_tree=self.gets)
        self.name = "cp1"
        self.manager = self.recorder = self

    def fault(self, text: str, *_: Slow, kind: FaultKind) -> None:
        assert not self.killed
        assert (text, kind) == ("daemon of cp1 gets SIGKILL", FaultKind.KILL)

    def gets(self, number: signal.Signals) -> None:
        assert number is signal.SIGKILL
        self.killed = True

    def start(self, _: Slow) -> None:
        assert self.killed
        assert self.log.read_text() == "what the dead one said\n"

    def watch(self, seconds: float) -> None:
        self.clock += round(seconds * SECOND)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        assert not condition()
        assert self.takes < seconds
        self.watch(self.takes)
        with self.log.open("a") as file:
            file.write("started\n")
        return condition()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Any]:
    def make(takes: float) -> Slow:
        log = tmp_path / "vipkeeper.log"
        log.write_text("what the dead one said\n")
        slow = Slow(log, takes)
        monkeypatch.setattr(acts_daemons, "now", lambda: slow.clock)
        return slow

    return make


def test_a_daemon_that_is_back_in_its_lease_is_judged(host: Callable[[float], Any]) -> None:
    slow = host(0.9)
    acts_daemons._killed_and_back(slow, slow, 1.0)
    assert slow.clock == 1.9 * SECOND


def test_one_that_took_longer_to_start_is_the_hosts_fault(host: Callable[[float], Any]) -> None:
    slow = host(1.2)
    with pytest.raises(HostTooSlowError, match=r"^the daemon of cp1 took 1\.2 s to start$"):
        acts_daemons._killed_and_back(slow, slow, 1.0)
