"""The prober process: checks until its stdin closes, writes what it finds to stdout."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from functools import partial

from vipkeeper import __version__
from vipkeeper.core.events import CheckName, HealthSampled
from vipkeeper.daemon.prober.checks import checker, watch
from vipkeeper.daemon.prober.config import Check, ExecCheck, HttpCheck, ProberConfig, TcpCheck
from vipkeeper.daemon.prober.lines import HEARTBEAT, HEARTBEAT_INTERVAL, OTHER_VERSION, encode
from vipkeeper.daemon.prober.parent import die_with_parent
from vipkeeper.daemon.prober.together import Together
from vipkeeper.errors import ExitCode


class _Output:
    """The pipe to the keeper."""

    def __init__(self, stopped: asyncio.Event) -> None:
        self._stopped = stopped
        self._quiet = True

    def report(self, sample: HealthSampled) -> None:
        self._write(encode(sample))

    async def beat(self) -> None:
        """Write a sign of life for every second without a sample."""
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            if self._quiet:
                self._write(HEARTBEAT)
            self._quiet = True

    def _write(self, line: bytes) -> None:
        # Shorter than PIPE_BUF, so it is written whole. Waits while the keeper does not read: there is
        # nothing better to do then.
        try:
            os.write(sys.stdout.fileno(), line)
        except BrokenPipeError:
            self._stopped.set()
        self._quiet = False


async def probe(config: ProberConfig) -> None:
    """Check until stdin closes or a signal asks to end; programs still running are killed."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)

    def stdin_readable() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            stopped.set()

    loop.add_reader(sys.stdin.fileno(), stdin_readable)
    output = _Output(stopped)
    tasks = [asyncio.create_task(output.beat())]
    for name in CheckName:
        checks = [check for check in config.checks if check.name is name]
        together = Together(name, len(checks), output.report)
        for index, check in enumerate(checks):
            take = partial(together.take, index, _label(check))
            tasks.append(asyncio.create_task(watch(checker(check), check.interval, take)))
    ended = asyncio.create_task(stopped.wait())
    # A check that ends is a bug; the process goes down with it, and the keeper says "lost".
    await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, ended):
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _label(check: Check) -> str:
    """How a check of the user's is named in details."""
    if check.name is not CheckName.EXTRA:
        return ""
    if isinstance(check, ExecCheck):
        return os.path.basename(check.argv[0])
    if isinstance(check, TcpCheck):
        return f"tcp {check.address} port {check.port}"
    if isinstance(check, HttpCheck):
        return f"{'https' if check.tls else 'http'} {check.address} port {check.port}{check.path}"
    return ""


def main() -> None:
    """Entry of `python -m vipkeeper.daemon.prober`."""
    # SIGTERM and not SIGKILL: programs of the user's have children of their own to be killed first.
    die_with_parent(signal.SIGTERM)
    # The keeper may run in real time; health checks must never compete with its adverts.
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    # A client key must not end up in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        asked = sys.stdin.readline()
        if not asked:
            sys.exit(ExitCode.OK)  # the keeper that started it is gone
        config = ProberConfig.from_json(asked)
    except ValueError as error:
        sys.stderr.write(
            f"vipkeeper prober {__version__}: these are no checks of this version: {error}; "
            "`vipkeeper run` of the same version starts it\n"
        )
        sys.exit(OTHER_VERSION)
    asyncio.run(probe(config))
