"""A daemon that is not back in its lease failed, unless the host withheld the time that was missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab import acts_daemons, comeback, drill, leases, traces
from vipkeeper.lab.act import Act
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.measure import Window
from vipkeeper.lab.must import LEASED
from vipkeeper.lab.processes import HostTooSlowError, LabError, NothingShownError, Process, wait_for
from vipkeeper.lab.stage import Stage
from vipkeeper.report.run import TOO_SLOW, Verdict

SECOND = 1_000_000_000


@dataclass
class Host:
    """How one start goes there, seconds; time passes by waiting."""

    log: Path
    takes: float = 0.0
    """Until the daemon's first word."""
    ran: float = 0.0
    waited: float = 0.0
    """What the daemon had of a processor, and waited for one."""
    probes_late: float = 0.0
    """They woke when it spoke, so much too late."""
    lab_late: float = 0.0
    """Before the start, and in looking at what it says."""
    ends: bool = False
    """Its first words are its last ones."""
    says: str = "started\n"
    lease: float = 3.0
    name: str = "cp1"
    clock: int = 0
    killed: bool = False

    before: tuple[Window, ...] = ()
    """Other stretches in which the host stood still."""

    def __post_init__(self) -> None:
        self.log.write_text("what the dead one said\n")
        self.daemon = SimpleNamespace(log=self.log, signal_tree=self.gets)
        settings = SimpleNamespace(kernel_lease=round(self.lease * SECOND))
        ledger = SimpleNamespace(configured={"cp1": SimpleNamespace(settings=settings)})
        self.cluster = SimpleNamespace(ledger=ledger, servers={"cp1": self})
        self.manager = self.recorder = self.subject = self

    def fault(self, text: str, *_: Host, kind: FaultKind) -> None:
        assert not self.killed
        assert (text, kind) == ("daemon of cp1 gets SIGKILL", FaultKind.KILL)

    def gets(self, number: signal.Signals) -> None:
        assert number is signal.SIGKILL
        self.killed = True

    def start(self, _: Host) -> None:
        assert self.killed
        self.watch(self.lab_late)
        self.daemon = SimpleNamespace(
            log=self.log,
            started=self.clock,
            ran=self.ran,
            waited=self.waited,
            running=True,
            last_words=lambda: self.log.read_text().strip().replace("\n", " | "),
        )

    def watch(self, seconds: float) -> None:
        self.clock += round(seconds * SECOND)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        assert not condition()
        if self.takes >= seconds:
            self.watch(seconds)
            return condition()
        self.watch(self.takes - self.lab_late)
        assert not condition()
        self.watch(self.lab_late)
        with self.log.open("a") as file:
            file.write(self.says)
        self.daemon.running = not self.ends
        return condition()

    def stalls(self, longer: int) -> list[Window]:
        assert longer == 0
        return [Window(self.clock - round(self.probes_late * SECOND), self.clock), *self.before]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def make(**how: float) -> Host:
        made = Host(tmp_path / "vipkeeper.log", **how)  # type: ignore[arg-type]
        for module in (acts_daemons, comeback):
            monkeypatch.setattr(module, "now", lambda: made.clock)
        return made

    return make


def test_a_daemon_that_is_back_in_its_lease_is_judged(host: Callable[..., Any]) -> None:
    one = host(takes=0.9)
    acts_daemons._killed_and_back(one, one, 1.0)
    assert one.clock == 1.9 * SECOND


@pytest.mark.parametrize(
    "how",
    [
        {"ran": 1.6},
        {"ran": 0.3},
        {"ran": 0.3, "waited": 0.5},
        {"ran": 0.3, "probes_late": 0.5},
        # A start at too high a priority: it holds up those by whom the host is judged.
        {"ran": 1.6, "probes_late": 1.6},
    ],
)
def test_one_that_is_late_by_itself_failed(host: Callable[..., Any], how: dict[str, float]) -> None:
    one = host(takes=1.6, **how)
    said = r"^the daemon of cp1 took 1\.6 s to start, 1\.0 s of the lease were left; "
    with pytest.raises(LabError, match=said) as raised:
        acts_daemons._killed_and_back(one, one, 1.0)
    assert not isinstance(raised.value, HostTooSlowError)


@pytest.mark.parametrize(
    "how",
    [
        {"takes": 1.6, "ran": 0.3, "waited": 0.7},
        {"takes": 1.6, "ran": 0.3, "probes_late": 0.7},
        {"takes": 1.3, "ran": 0.3, "lab_late": 0.4},
    ],
)
def test_one_from_which_the_host_withheld_what_was_missing_has_shown_nothing(
    host: Callable[..., Any], how: dict[str, float]
) -> None:
    one = host(**how)
    with pytest.raises(HostTooSlowError, match=r"took 1\.[36] s to start.* withheld 0\.[78] s$"):
        acts_daemons._killed_and_back(one, one, 1.0)


def test_one_that_says_nothing_failed_whatever_the_host_did(host: Callable[..., Any]) -> None:
    one = host(takes=60.0, waited=60.0, probes_late=60.0)
    with pytest.raises(LabError, match=r"^the daemon of cp1 said nothing for 7\.0 s$") as raised:
        acts_daemons._killed_and_back(one, one, 1.0)
    assert not isinstance(raised.value, HostTooSlowError)


def test_a_standstill_that_delayed_the_start_is_not_withheld_twice(
    host: Callable[..., Any],
) -> None:
    # 0.4 s of standing still ended 1 ms after the start and held it up by 0.2 s; the lab looked 0.2 s late: 0.5 s were missing.
    one = host(takes=1.3, lab_late=0.2, ran=0.3)
    one.before = (Window(801_000_000, 1_201_000_000),)
    with pytest.raises(
        LabError, match=r"0\.8 s of the lease were left.* withheld 0\.4 s$"
    ) as raised:
        acts_daemons._killed_and_back(one, one, 1.0)
    assert not isinstance(raised.value, HostTooSlowError)


def test_standstills_one_after_the_other_count_together(host: Callable[..., Any]) -> None:
    one = host(takes=1.6, ran=0.3, probes_late=0.4)
    one.before = (Window(1_100_000_000, 1_400_000_000),)
    with pytest.raises(HostTooSlowError, match=r"took 1\.6 s to start.* withheld 0\.7 s$"):
        acts_daemons._killed_and_back(one, one, 1.0)


@pytest.mark.parametrize(
    ("says", "words"),
    [("Traceback\nKeyError\n", r".* \| Traceback \| KeyError$"), ("", r"it said nothing$")],
)
@pytest.mark.parametrize("takes", [0.4, 1.6])
def test_one_that_ends_failed_whatever_the_host_did(
    host: Callable[..., Any], says: str, words: str, takes: float
) -> None:
    one = host(takes=takes, waited=60.0, probes_late=60.0, says=says, ends=True)
    said = rf"^the daemon of cp1 ended when it was started again: {words}"
    with pytest.raises(LabError, match=said) as raised:
        acts_daemons._killed_and_back(one, one, 1.0)
    assert not isinstance(raised.value, HostTooSlowError)


@pytest.fixture
def skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Play an act that is skipped; whether the next one begins on another cluster."""
    undone: list[bool] = []
    ledger = SimpleNamespace(begin=lambda: None, changing=lambda _: None)
    stage: Any = SimpleNamespace(
        cluster=SimpleNamespace(servers={}, ledger=ledger),
        broken=[],
        heal=str,
        begin=lambda: None,
        undo=lambda: undone.append(True),
    )
    monkeypatch.setattr(drill, "healed", lambda _: "")
    monkeypatch.setattr(traces, "marks", lambda _: {})
    monkeypatch.setattr(Drill, "_stage", lambda *_: stage)
    one = Drill(Plan(()), tmp_path, Progress())
    one.watched = True

    def play(reason: str, *, broken: bool = False, **how: Any) -> bool:
        if broken:
            stage.broken = [Window(0, 0)]
        if how.get("fresh"):
            stage.all_off = partial(how["play"], stage)
        result = one.perform(Act("act", "", "", judge=lambda *_: [], **how), 1, 0)
        assert (result.verdict, result.reason) == (Verdict.SKIPPED, reason)
        assert undone == [True]
        return one._spoiled

    return play


def slow(_: Stage) -> None:
    raise HostTooSlowError("no processor")


def short(_: Stage) -> None:
    raise NothingShownError("a short lease")


SLOW = f"{TOO_SLOW}no processor"


def test_a_report_tells_what_the_host_was_too_slow_for_from_what_is_not_to_be_shown(
    skipped: Callable[..., bool],
) -> None:
    assert not skipped("a short lease", play=short)


@pytest.mark.parametrize(
    "how",
    [
        {"play": slow},
        {"play": slow, "broken": True, "spoils": True},
        {"play": slow, "fresh": True},
        {"play": short, "prepare": slow},
    ],
)
def test_wherever_the_host_was_too_slow_nobody_failed_and_the_cluster_is_not_used_again(
    skipped: Callable[..., bool], how: dict[str, Any]
) -> None:
    assert skipped(SLOW, **how)


def test_a_second_fault_that_shows_nothing_leaves_what_the_first_one_did(
    skipped: Callable[..., bool],
) -> None:
    assert skipped("a short lease", play=short, broken=True)


def test_a_longer_lease_leaves_longer_to_start(host: Callable[..., Any]) -> None:
    one = host(takes=3.2, lease=6.0)
    acts_daemons._killed_and_back(one, one, 1.0)
    late = host(takes=3.3, lease=6.0)
    with pytest.raises(LabError, match=r"3\.2 s of the lease were left"):
        acts_daemons._killed_and_back(late, late, 1.0)


@pytest.mark.parametrize(
    ("lease", "after", "left"), [(1.0, 0.5, "0.0"), (1.0, 1.0, "0.0"), (2.0, 1.0, "0.2")]
)
def test_no_daemon_is_killed_that_cannot_be_back_in_its_lease(
    host: Callable[..., Any], lease: float, after: float, left: str
) -> None:
    one = host(lease=lease)
    said = (
        rf"^a kernel lease of {lease:g} s has {left} s left {after:g} s after the daemon's death; "
    )
    with pytest.raises(NothingShownError, match=said) as raised:
        acts_daemons._killed_and_back(one, one, after)
    assert not isinstance(raised.value, HostTooSlowError)
    assert not one.killed


@pytest.mark.parametrize(
    ("lease", "seconds", "met"),
    [(3.0, 2.9, True), (3.0, 3.1, False), (6.0, 5.9, True), (1.0, 1.1, False)],
)
def test_two_kernels_have_the_vip_for_the_lease_there_is(
    host: Callable[..., Any], lease: float, seconds: float, met: bool
) -> None:
    figures: Any = SimpleNamespace(two_kernels=round(seconds * SECOND))
    assert LEASED.check(host(lease=lease), figures).met is met


@pytest.mark.parametrize(("lease", "seconds"), [(3.0, 7.0), (8.0, 12.0)])
def test_it_is_watched_beyond_the_lease_of_the_dead_one(
    host: Callable[..., Any], lease: float, seconds: float
) -> None:
    one = host(lease=lease)
    acts_daemons.beyond_the_lease(one)
    assert one.clock == seconds * SECOND > lease * SECOND


def test_a_daemon_that_does_not_say_its_lease_has_the_default_one(
    host: Callable[..., Any],
) -> None:
    one = host(lease=8.0)
    one.cluster.ledger.configured.clear()
    assert leases.lease(one, one) == 3.0


@contextmanager
def pinned(core: int, begin: str, rest: str) -> Iterator[Process]:
    """A program that has begun, and shares a core with all others of these."""
    one = object.__new__(Process)
    begun = f"import os; os.sched_setaffinity(0, {{{core}}}); {begin}; print(flush=True)"
    words = (sys.executable, "-c", f"{begun}\n{rest}")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one._popen:
        try:
            assert one._popen.stdout is not None
            assert one._popen.stdout.readline() == b"\n"
            yield one
        finally:
            one._popen.kill()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this kernel does not tell")
def test_the_kernel_says_how_long_a_program_waited_for_a_processor() -> None:
    core = min(os.sched_getaffinity(0))
    last_comes = "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"
    loop = "while True: pass"
    with (
        pinned(core, "pass", "input()") as asleep,
        pinned(core, last_comes, loop) as last,
        pinned(core, "pass", loop),
    ):
        assert wait_for(lambda: ") S " in Path(f"/proc/{asleep.pid}/stat").read_text(), 60.0)
        slept, waited, ran = asleep.waited, last.waited, last.ran
        assert wait_for(lambda: last.waited > waited + 0.5, 60.0)
        # It has run as well, but who comes last waits most of the time.
        assert last.ran - ran < 0.25
        assert asleep.waited == slept
    assert last.waited == 0.0
