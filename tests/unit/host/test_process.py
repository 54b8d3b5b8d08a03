"""Clock, systemd's socket, scheduling and capabilities of this process."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vipkeeper.core.types import SECOND
from vipkeeper.errors import HostError
from vipkeeper.host import capabilities, clock, scheduling
from vipkeeper.host.notify import Notifier


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    times = {time.CLOCK_BOOTTIME: 50 * SECOND, time.CLOCK_REALTIME: 1_700_000_000 * SECOND}
    monkeypatch.setattr(time, "clock_gettime_ns", times.__getitem__)
    return times


def test_a_stamp_is_as_old_on_our_clock_as_on_the_wall(clocks: dict[int, int]) -> None:
    wall = clocks[time.CLOCK_REALTIME]
    assert clock.now() == 50 * SECOND
    assert clock.from_realtime(wall) == 50 * SECOND
    assert clock.from_realtime(wall - 3_000_000) == 50 * SECOND - 3_000_000


@pytest.mark.parametrize(("step", "age"), [(-3600, 0), (3600, 1), (10**9, 1)])
def test_a_wall_clock_that_stepped_shifts_an_instant_by_a_second_at_most(
    clocks: dict[int, int], step: int, age: int
) -> None:
    stamp = clocks[time.CLOCK_REALTIME]
    clocks[time.CLOCK_REALTIME] += step * SECOND
    assert clock.from_realtime(stamp) == (50 - age) * SECOND


def test_the_boot_id_is_the_hosts() -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", clock.host_boot_id())
    assert clock.host_boot_id() == clock.host_boot_id()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_systemd_is_told(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.getsockname())
    notifier = Notifier()
    notifier.ready("holder: 10.9.0.100")
    notifier.status("backup")
    notifier.reloading()
    notifier.alive()
    notifier.stopping()
    said = [systemd.recv(512).decode() for _ in range(5)]
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", said.pop(2))
    assert said == [
        "READY=1\nSTATUS=holder: 10.9.0.100",
        "STATUS=backup",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_an_abstract_socket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"vipkeeper-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        Notifier().alive()
        assert sock.recv(64) == b"WATCHDOG=1"


def test_a_full_or_missing_socket_never_holds_the_daemon(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.getsockname())
    notifier = Notifier()
    for _ in range(2000):
        notifier.status("x" * 500)
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    Notifier().alive()


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    notifier = Notifier()
    notifier.ready("x")
    assert notifier.watchdog_interval is None


@pytest.mark.parametrize(
    ("usec", "pid", "interval"),
    [
        ("1500000", str(os.getpid()), 1.5),
        ("1500000", None, 1.5),
        ("1500000", "1", None),
        ("soon", None, None),
        ("-1", None, None),
        ("", None, None),
        ("0", None, None),
        ("\u00b2", None, None),
    ],
)
def test_the_watchdog_is_ours_or_none(
    systemd: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    usec: str,
    pid: str | None,
    interval: float | None,
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.getsockname())
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    assert Notifier().watchdog_interval == interval


class Libc:
    def __init__(self, result: int) -> None:
        self.result = result

    def mlockall(self, _flags: int) -> int:
        ctypes.set_errno(errno.ENOMEM)
        return self.result


@pytest.fixture
def libc(monkeypatch: pytest.MonkeyPatch) -> Libc:
    made = Libc(0)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: made)
    return made


def test_what_was_granted_is_said(libc: Libc, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        os,
        "sched_setscheduler",
        lambda pid, policy, p: asked.append((pid, policy, p.sched_priority)),
    )
    assert str(scheduling.prepare()) == "SCHED_FIFO 50; memory locked"
    # Children (the prober) must not inherit it.
    assert asked == [(0, os.SCHED_FIFO | 0x40000000, 50)]
    del libc


@pytest.mark.parametrize("error", [PermissionError(1, "Operation not permitted"), OSError(38, "x")])
def test_what_was_refused_is_said_and_never_fatal(
    libc: Libc, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    libc.result = -1
    assert str(scheduling.prepare()) == (
        f"real-time scheduling refused ({error.strerror}); "
        "memory not locked (Cannot allocate memory)"
    )


def test_a_keeper_that_gets_no_more_than_what_it_started_with_says_so(
    libc: Libc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_most_one(_pid: int, _policy: int, asked: os.sched_param) -> None:
        if asked.sched_priority > 1:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", at_most_one)
    monkeypatch.setattr(os, "sched_getparam", lambda _: os.sched_param(1))
    assert str(scheduling.prepare(scheduling.STARTING)) == "SCHED_FIFO 1; memory locked"
    assert scheduling.prepare().realtime == "SCHED_FIFO 1, 50 refused (Operation not permitted)"
    del libc


def test_a_libc_without_mlockall_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: object())
    assert "memory not locked" in str(scheduling.prepare())


@pytest.mark.parametrize(
    ("mask", "missing"),
    [
        ((1 << 12) | (1 << 13), None),
        (1 << 12, "missing CAP_NET_RAW: "),
        (0, "missing CAP_NET_ADMIN and CAP_NET_RAW: "),
    ],
)
def test_a_missing_capability_is_named(
    monkeypatch: pytest.MonkeyPatch, mask: int, missing: str | None
) -> None:
    monkeypatch.setattr(capabilities, "effective", lambda: mask)
    if missing is None:
        capabilities.require()
        return
    with pytest.raises(HostError, match=missing) as caught:
        capabilities.require()
    assert "AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW" in str(caught.value)


def test_the_effective_set_is_this_processs() -> None:
    lines = Path("/proc/self/status").read_text().splitlines()
    (text,) = [line.split()[1] for line in lines if line.startswith("CapEff")]
    assert f"{capabilities.effective():016x}" == text
