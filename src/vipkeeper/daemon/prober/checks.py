"""The checks: each looks once and says what it found; `watch` looks again and again."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from typing import Protocol

from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober.config import ApiCheck, Check, Etcd, ExecCheck, HttpCheck, TcpCheck
from vipkeeper.daemon.prober.http import Answer, Remote, connect
from vipkeeper.daemon.prober.program import Program
from vipkeeper.daemon.prober.verdict import CheckFailed, Verdict, failure

AGAIN_AFTER = 0.06
"""Seconds from a first failure, and from a first refusal, to the next look: the gate wants 50 ms, the pipe
takes a little. A server that dies amid a handshake is not refused before that next look."""
QUICKENED = 4
"""Times more often a check is made while it fails, and until it was good twice."""

_FAILED_CHECK = re.compile(rb"^\[-\]([\w./-]+)", re.MULTILINE)
"""A line of a verbose /readyz, as the API server itself writes it when it is not ready."""


class Checker(Protocol):
    """What `watch` needs of a check."""

    @property
    def lost(self) -> asyncio.Future[None] | None:
        """Done as soon as the server has gone, where that can be told; it is then looked at again."""

    async def look(self) -> Verdict:
        """Look once, in limited time. May raise `CheckFailed` as well."""


async def watch(checker: Checker, interval: float, report: Callable[[Verdict], None]) -> None:
    """Look every `interval` seconds, more often while it fails, at once when the server has gone."""
    good = 0
    failed = 0
    refused = 0
    hurried = False
    while True:
        try:
            verdict = await checker.look()
        except CheckFailed as error:
            verdict = error.verdict
        report(verdict)
        good = good + 1 if verdict.outcome is Outcome.OK else 0
        failed = failed + 1 if verdict.outcome is not Outcome.OK else 0
        refused = refused + 1 if verdict.outcome is Outcome.HARD else 0
        pause = interval if good >= 2 else interval / QUICKENED
        if 1 in (failed, refused):
            pause = min(pause, AGAIN_AFTER)
        # Not twice in a row: some servers close every connection right after the answer.
        lost = None if hurried else checker.lost
        hurried = False
        if lost is None:
            await asyncio.sleep(pause)
        else:
            done, _ = await asyncio.wait({lost}, timeout=pause)
            hurried = bool(done)


class ApiServer:
    """GET /readyz, and etcd's /health where the API server does not tell strangers."""

    def __init__(self, check: ApiCheck) -> None:
        self._path = check.path
        self._api = Remote(check.address, check.port, check.tls, check.timeout)
        self._etcd = EtcdMember(check.etcd, check.timeout) if check.etcd is not None else None

    @property
    def lost(self) -> asyncio.Future[None] | None:
        """The standing connection to the API server."""
        return self._api.lost

    async def look(self) -> Verdict:
        """Judge as docs/health-checks.md says."""
        # Twice at most: again when the API server goes away while etcd is being asked.
        for _ in range(2):
            answer = await self._api.get(self._path)
            if answer.status not in (401, 403):
                return _readiness(answer)
            if self._etcd is None:
                return Verdict(Outcome.OK, f"serving ({answer.status}), readiness not visible")
            verdict = await self._ask_etcd(self._etcd)
            if verdict is not None:
                return Verdict(verdict.outcome, f"serving ({answer.status}), {verdict.detail}")
        return Verdict(Outcome.SOFT, "closes its connections")

    async def _ask_etcd(self, etcd: EtcdMember) -> Verdict | None:
        """etcd's verdict; None when the API server has gone meanwhile."""
        asking = asyncio.ensure_future(etcd.look())
        lost = self._api.lost
        waited: set[asyncio.Future[Verdict] | asyncio.Future[None]] = {asking}
        if lost is not None:
            waited.add(lost)
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()


def _readiness(answer: Answer) -> Verdict:
    if answer.status == 200:
        return Verdict(Outcome.OK, "ready")
    failed = b", ".join(_FAILED_CHECK.findall(answer.body)).decode("ascii")
    return Verdict(
        Outcome.SOFT, f"HTTP {answer.status}" + (f", failed: {failed}" if failed else "")
    )


class EtcdMember:
    """The local etcd's /health, which is linearizable: true only while there is a quorum."""

    def __init__(self, etcd: Etcd, timeout: float) -> None:
        self._data_directory = etcd.data_directory
        self._remote = Remote(etcd.address, etcd.port, None, timeout)
        self._seen = False

    async def look(self) -> Verdict:
        """Judge etcd; refusal is soft, since the API server itself does answer."""
        try:
            answer = await self._remote.get("/health")
        except CheckFailed as failed:
            return self._silent(failed.verdict)
        self._seen = True
        if answer.status == 200 and _field(answer.body, "health") == "true":
            return Verdict(Outcome.OK, "etcd healthy")
        reason = _field(answer.body, "reason")
        return Verdict(
            Outcome.SOFT,
            f"etcd unhealthy: HTTP {answer.status}" + (f", {reason}" if reason else ""),
        )

    def _silent(self, verdict: Verdict) -> Verdict:
        if verdict.outcome is not Outcome.HARD:
            return Verdict(verdict.outcome, f"etcd: {verdict.detail}")
        present = True if self._seen else _present(self._data_directory)
        if present is None:
            return Verdict(
                Outcome.UNKNOWN, f"etcd refuses, and {self._data_directory} may not be looked at"
            )
        if present:
            return Verdict(Outcome.SOFT, f"etcd: {verdict.detail}")
        return Verdict(Outcome.OK, "readiness not visible (no etcd on this server)")


def _present(directory: str | None) -> bool | None:
    """Whether the directory exists; None when we are not allowed to know."""
    if directory is None:
        return True
    try:
        os.stat(directory)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True


def _field(body: bytes, name: str) -> str:
    """A text field of a JSON object; empty when there is none."""
    try:
        value = json.loads(body)[name]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


class Http:
    """One path with one good status."""

    def __init__(self, check: HttpCheck) -> None:
        self._check = check
        self._remote = Remote(check.address, check.port, check.tls, check.timeout)

    @property
    def lost(self) -> asyncio.Future[None] | None:
        """The standing connection."""
        return self._remote.lost

    async def look(self) -> Verdict:
        """Compare the status."""
        answer = await self._remote.get(self._check.path)
        if answer.status == self._check.status:
            return Verdict(Outcome.OK, f"HTTP {answer.status}")
        return Verdict(Outcome.SOFT, f"HTTP {answer.status}, expected {self._check.status}")


class Tcp:
    """A port that accepts."""

    lost = None

    def __init__(self, check: TcpCheck) -> None:
        self._check = check

    async def look(self) -> Verdict:
        """Connect and leave."""
        try:
            async with asyncio.timeout(self._check.timeout):
                (await connect(self._check.address, self._check.port)).close()
        except TimeoutError:
            return Verdict(Outcome.SOFT, f"no connection within {self._check.timeout:g} s")
        except OSError as error:
            return failure(error).verdict
        return Verdict(Outcome.OK, "accepts")


def checker(check: Check) -> Checker:
    """What makes the check."""
    if isinstance(check, ApiCheck):
        return ApiServer(check)
    if isinstance(check, HttpCheck):
        return Http(check)
    if isinstance(check, ExecCheck):
        return Program(check)
    return Tcp(check)
