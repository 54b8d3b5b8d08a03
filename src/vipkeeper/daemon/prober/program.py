"""A check by a program of the user's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober.config import ExecCheck
from vipkeeper.daemon.prober.parent import die_with_parent
from vipkeeper.daemon.prober.verdict import Verdict


class Program:
    """Runs one program at a time."""

    lost = None

    def __init__(self, check: ExecCheck) -> None:
        self._check = check
        self._process: asyncio.subprocess.Process | None = None

    async def look(self) -> Verdict:
        """Run it once; it and all its children are killed when it takes too long."""
        if self._process is None:
            try:
                self._process = await self._start()
            except OSError as error:
                reason = os.strerror(error.errno or 0).lower()
                return Verdict(Outcome.UNKNOWN, f"cannot run {self._check.argv[0]}: {reason}")
        try:
            async with asyncio.timeout(self._check.timeout):
                code = await self._process.wait()
        except TimeoutError:
            # One that even SIGKILL does not end (hung storage) is waited for, not started again.
            return Verdict(Outcome.SOFT, f"no exit within {self._check.timeout:g} s")
        finally:
            self._kill()
            if self._process.returncode is not None:
                self._process = None
        if code < 0:
            return Verdict(Outcome.SOFT, f"ended by signal {-code}")
        return Verdict(Outcome.SOFT if code else Outcome.OK, f"exit code {code}")

    async def _start(self) -> asyncio.subprocess.Process:
        nowhere = asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(
            *self._check.argv,
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
            preexec_fn=_die_with_the_prober,
        )

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _die_with_the_prober() -> None:
    die_with_parent(signal.SIGKILL)
