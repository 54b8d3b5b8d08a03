"""The prober as a process, seen from the keeper: life, death and what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from vipkeeper.core.events import CheckName, HealthSampled, Outcome, ProberLost
from vipkeeper.daemon.prober import client
from vipkeeper.daemon.prober.client import Prober
from vipkeeper.daemon.prober.config import ExecCheck, ProberConfig, preset

LIMIT = 30.0
"""Seconds after which a test gives up; nothing here takes long."""

Report = HealthSampled | ProberLost


@contextmanager
def standin(directory: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A stand-in process and its ports."""
    command = [sys.executable, "-m", "vipkeeper.lab.standin", "--name", "cp1"]
    for role in ("api", "supervisor", "etcd"):
        command += [f"--listen-{role}", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=directory) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def rke2(ports: dict[str, int]) -> ProberConfig:
    return preset(
        "rke2", api_port=ports["api"], supervisor_port=ports["supervisor"], etcd_port=ports["etcd"]
    )


@asynccontextmanager
async def started(
    config: ProberConfig, silence_limit: float = LIMIT
) -> AsyncIterator[tuple[Prober, asyncio.Queue[Report]]]:
    reports: asyncio.Queue[Report] = asyncio.Queue()
    prober = Prober(config, reports.put_nowait, silence_limit=silence_limit)
    async with asyncio.timeout(LIMIT):
        await prober.start()
        try:
            yield prober, reports
        finally:
            await prober.stop()


async def until(reports: asyncio.Queue[Report], wanted: Report | Outcome) -> Report:
    """The next report of the API with this outcome, or the next loss."""
    while True:
        report = await reports.get()
        if report == wanted:
            return report
        if isinstance(report, HealthSampled) and (report.check, report.outcome) == (
            CheckName.API,
            wanted,
        ):
            return report


def ended(handle: int) -> bool:
    """Wait until the process behind the pidfd has ended."""
    return bool(select.select([handle], [], [], LIMIT)[0])


def test_ready_then_killed_gives_two_refusals_far_enough_apart_for_the_gate(tmp_path: Path) -> None:
    async def act() -> None:
        with standin(tmp_path) as (process, ports):
            async with started(rke2(ports)) as (_, reports):
                await until(reports, Outcome.OK)
                process.kill()
                await until(reports, Outcome.HARD)
                first = asyncio.get_running_loop().time()
                await until(reports, Outcome.HARD)
                assert asyncio.get_running_loop().time() - first >= 0.05

    asyncio.run(act())


def test_a_killed_prober_is_lost_and_comes_back(tmp_path: Path) -> None:
    async def act() -> None:
        with standin(tmp_path) as (_, ports):
            async with started(rke2(ports)) as (prober, reports):
                await until(reports, Outcome.OK)
                assert prober.pid is not None
                os.kill(prober.pid, signal.SIGKILL)
                await until(reports, ProberLost())
                await until(reports, Outcome.OK)

    asyncio.run(act())


def test_a_stopped_prober_is_lost_by_its_silence(tmp_path: Path) -> None:
    async def act() -> None:
        with standin(tmp_path) as (_, ports):
            # Above the heartbeat by enough that a busy machine does not trip it.
            async with started(rke2(ports), silence_limit=3.0) as (prober, reports):
                await until(reports, Outcome.OK)
                assert prober.pid is not None
                handle = os.pidfd_open(prober.pid)
                os.kill(prober.pid, signal.SIGSTOP)
                await until(reports, ProberLost())
                assert ended(handle)
                os.close(handle)
                await until(reports, Outcome.OK)

    asyncio.run(act())


def test_a_prober_with_nothing_to_say_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    twice = asyncio.Event()

    def decode(line: bytes) -> HealthSampled | None:
        heard.append(line)
        if len(heard) == 2:
            twice.set()
        return None

    monkeypatch.setattr(client, "decode", decode)

    async def act() -> None:
        quiet = ProberConfig((ExecCheck(("sleep", "1000"), timeout=1000.0),))
        async with started(quiet) as (_, reports):
            await twice.wait()
            assert heard == [b"{}\n", b"{}\n"]
            assert reports.empty()

    asyncio.run(act())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "it ended with exit code 1 before it said anything"),
        ("kill -9 $$", "SIGKILL ended it before it said anything"),
        ("echo '{}'; exit 3", "it ended with exit code 3"),
        ("printf '{\"check\"'; exit 3", "it ended with exit code 3 before it said anything"),
        ("exec >&-; read line", "it closed its output"),
        ("echo nonsense; read line", "it wrote a line that this version does not know: 'nonsense'"),
        ("head -c 9000 /dev/zero; read line", "it wrote a line longer than 4096 bytes"),
        ("read line", "it said nothing within 0.1 s of its start"),
        ("echo '{}'; read line", "no sign of life for 2 s"),
    ],
)
def test_the_reason_of_a_loss_is_what_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\nread line\n{script}\n")
    fake.chmod(0o700)
    # As short as it says where silence is looked at; where it follows a word, that must have come by then.
    limit = 0.1 if "within 0.1 s" in said else 2.0 if "for 2 s" in said else LIMIT
    monkeypatch.setattr(sys, "executable", str(fake))
    assert asyncio.run(reason_of_loss(preset("rke2"), limit)) == said


def test_a_prober_of_another_version_says_so_and_so_does_the_keeper(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    newer = '{"checks": [{"type": "api", "of_the_next_version": 1}]}'
    monkeypatch.setattr(ProberConfig, "to_json", lambda _: newer)
    assert asyncio.run(reason_of_loss(preset("rke2"), LIMIT)) == (
        "it does not know this daemon's checks: another version of vipkeeper is installed than runs, "
        "restart the daemon"
    )
    (line,) = capfd.readouterr().err.splitlines()
    assert "these are no checks of this version" in line
    assert "of_the_next_version" in line


async def reason_of_loss(config: ProberConfig, silence_limit: float) -> str:
    """Why the first prober was lost, as the log has it."""
    logged: asyncio.Queue[str] = asyncio.Queue()
    reports: asyncio.Queue[Report] = asyncio.Queue()
    prober = Prober(config, reports.put_nowait, log=logged.put_nowait, silence_limit=silence_limit)
    async with asyncio.timeout(LIMIT):
        await prober.start()
        said = await logged.get()
        assert await reports.get() == ProberLost()
        await prober.stop()
    return said.removeprefix("prober lost: ").removesuffix("; health is unknown until it is back")


def test_a_prober_that_cannot_be_started_is_lost_and_the_reason_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
        logged: asyncio.Queue[str] = asyncio.Queue()
        prober = Prober(preset("rke2"), lambda _: None, log=logged.put_nowait)
        await prober.start()
        assert "cannot be started: No such file" in await logged.get()
        await prober.stop()

    asyncio.run(act())


def test_without_checks_there_is_no_process_until_there_are_some(tmp_path: Path) -> None:
    async def act() -> None:
        with standin(tmp_path) as (_, ports):
            async with started(ProberConfig()) as (prober, reports):
                assert prober.pid is None
                await prober.reconfigure(rke2(ports))
                await until(reports, Outcome.OK)
                assert prober.pid is not None
                await prober.reconfigure(ProberConfig())
                assert prober.pid is None

    asyncio.run(act())


def test_stop_ends_the_process_and_the_programs_it_runs(tmp_path: Path) -> None:
    held, config = holding(tmp_path)

    async def act() -> None:
        async with started(config) as (prober, _):
            await asyncio.to_thread(started_line, held)
            assert prober.pid is not None
            handle = os.pidfd_open(prober.pid)
            await prober.stop()
            assert ended(handle)
            os.close(handle)
            assert let_go(held)

    asyncio.run(act())
    os.close(held)


PARENT = """
import asyncio, sys
from vipkeeper.daemon.prober.client import Prober
from vipkeeper.daemon.prober.config import ProberConfig
async def main():
    prober = Prober(ProberConfig.from_json(sys.argv[1]), lambda report: None)
    await prober.start()
    while prober.pid is None:
        await asyncio.sleep(0)
    print(prober.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_nothing_is_left_when_the_keeper_is_killed(tmp_path: Path, stopped: bool) -> None:
    held, config = holding(tmp_path)
    command = [sys.executable, "-c", PARENT, config.to_json()]
    # In a session of its own like a service; the prober may be stopped at that moment.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        handle = os.pidfd_open(pid)
        try:
            started_line(held)
            if stopped:
                os.kill(pid, signal.SIGSTOP)
                has_stopped(pid)
            parent.kill()
            assert ended(handle)
            assert let_go(held)
        finally:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)
            os.close(held)


def holding(directory: Path) -> tuple[int, ProberConfig]:
    """A fifo for reading, and a check whose program and child hold it open for ever."""
    fifo = directory / "held"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(held, True)
    script = f"exec 3>{fifo}; echo started >&3; sleep 1000 & wait"
    return held, ProberConfig((ExecCheck(("sh", "-c", script), timeout=1000.0),))


def started_line(held: int) -> None:
    """Wait until the program holds the fifo."""
    assert select.select([held], [], [], LIMIT)[0]
    assert os.read(held, 8) == b"started\n"


def has_stopped(pid: int) -> None:
    """Wait until a stop signal has taken hold of every thread; the kernel tells only the parent of that."""
    until = time.monotonic() + LIMIT
    tasks = Path(f"/proc/{pid}/task")
    while any(
        (task / "stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()
    ):
        assert time.monotonic() < until
        time.sleep(0.001)


def let_go(held: int) -> bool:
    """Wait until nobody holds the fifo open any more."""
    hung_up = select.poll()
    hung_up.register(held, select.POLLHUP)
    return bool(hung_up.poll(LIMIT * 1000))
