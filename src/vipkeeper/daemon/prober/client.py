"""The keeper's side of the prober: start it, read it, notice when it is gone, start it again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable

from vipkeeper.core.events import HealthSampled, ProberLost
from vipkeeper.daemon.prober.config import ProberConfig
from vipkeeper.daemon.prober.lines import (
    HEARTBEAT_INTERVAL,
    LINE_LIMIT,
    OTHER_VERSION,
    decode,
    tidy,
)

SILENCE_LIMIT = 4 * HEARTBEAT_INTERVAL
"""Seconds without a line after which the prober counts as stuck; it writes one each second."""
GRACE = 0.2
"""Seconds for lines that waited in the pipe while the keeper itself was held up."""
STOP_LIMIT = 1.0
"""Seconds the prober may take to end once its stdin is closed."""
FIRST_BACKOFF = 0.1
LONGEST_BACKOFF = 5.0
"""Seconds before the first and, doubling, the later restarts."""
SHOWN = 60
"""Characters of a line that is no line of the prober's, in the log."""
_PRIVATE_ENVIRONMENT = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Prober:
    """Runs the prober process for as long as it is started.

    `report` is called in the event loop with every sample, and with one `ProberLost` each time the
    process ends, closes its pipe or says nothing for `silence_limit` seconds; it is then killed and
    started again. `log` gets one line for each such loss, with the reason.
    """

    def __init__(
        self,
        config: ProberConfig,
        report: Callable[[HealthSampled | ProberLost], None],
        *,
        log: Callable[[str], None] | None = None,
        silence_limit: float = SILENCE_LIMIT,
    ) -> None:
        self._config = config
        self._report = report
        self._log = log
        self._silence_limit = silence_limit
        self._started = False
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running prober; None when there is none."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the prober; without checks there is no process."""
        self._started = True
        if self._task is None and self._config.checks:
            self._task = asyncio.create_task(self._keep_running(), name="prober")

    async def stop(self) -> None:
        """End the prober and wait until it is gone. Reports nothing."""
        self._started = False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def reconfigure(self, config: ProberConfig) -> None:
        """Go on with other checks: a new process, since it reads its configuration once."""
        if config == self._config:
            return
        started = self._started
        await self.stop()
        self._config = config
        if started:
            await self.start()

    async def _keep_running(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            started = asyncio.get_running_loop().time()
            reason = await self._run_once()
            self._report(ProberLost())
            if self._log is not None:
                self._log(f"prober lost: {reason}; health is unknown until it is back")
            if asyncio.get_running_loop().time() - started > 10 * LONGEST_BACKOFF:
                backoff = FIRST_BACKOFF
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)

    async def _run_once(self) -> str:
        """Run one prober until it is lost; why it was."""
        environment = {k: v for k, v in os.environ.items() if k not in _PRIVATE_ENVIRONMENT}
        try:
            process = await asyncio.create_subprocess_exec(
                # -P: never import from the working directory.
                *(sys.executable, "-P", "-m", "vipkeeper.daemon.prober"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
                env=environment,
                # A group of its own in our session: Ctrl-C reaches the keeper alone, and when the
                # keeper dies the kernel wakes a stopped prober (an orphaned group), which then ends.
                process_group=0,
            )
        except OSError as error:
            return f"cannot be started: {error.strerror}"
        self._process = process
        try:
            return await self._read(process)
        finally:
            self._process = None
            await _end(process)

    async def _read(self, process: asyncio.subprocess.Process) -> str:
        """Report the process's samples until it is lost; why it was."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._config.to_json().encode() + b"\n")
        heard = False
        while True:
            try:
                line = await self._next_line(process.stdout)
            except TimeoutError:
                limit = f"{self._silence_limit:g} s"
                if not heard:
                    return f"it said nothing within {limit} of its start"
                return f"no sign of life for {limit}"
            except ValueError:  # of readline
                return f"it wrote a line longer than {LINE_LIMIT} bytes"
            if not line.endswith(b"\n"):
                return await _how_it_ended(process, heard=heard)
            try:
                sample = decode(line)
            except ValueError:
                shown = tidy(line.decode(errors="replace"))[:SHOWN]
                return f"it wrote a line that this version does not know: {shown!r}"
            heard = True
            if sample is not None:
                self._report(sample)

    async def _next_line(self, stream: asyncio.StreamReader) -> bytes:
        for limit in (self._silence_limit, GRACE):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    return await stream.readline()
        raise TimeoutError


async def _how_it_ended(process: asyncio.subprocess.Process, *, heard: bool) -> str:
    """What became of a process that says no more."""
    try:
        async with asyncio.timeout(STOP_LIMIT):
            code = await process.wait()
    except TimeoutError:
        return "it closed its output"
    if code == OTHER_VERSION:
        return (
            "it does not know this daemon's checks: another version of vipkeeper is installed than runs, "
            "restart the daemon"
        )
    when = "" if heard else " before it said anything"
    return f"{_name(-code)} ended it{when}" if code < 0 else f"it ended with exit code {code}{when}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Make sure the process is gone, gently first: closing its stdin tells it to end."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_LIMIT):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
