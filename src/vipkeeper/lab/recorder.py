"""Runs the lab's probes and gathers what they write: the ear of the drill."""

from __future__ import annotations

import fcntl
import itertools
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from vipkeeper.lab import addresses, measure, records, sentinel
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Attempts, Change, Window
from vipkeeper.lab.processes import LabError, environment, in_namespace
from vipkeeper.lab.records import Kind, Record
from vipkeeper.lab.topology import Topology

UDP_EVERY = 0.002
TLS_EVERY = 0.02
ARP_EVERY = 0.005
"""Seconds between two probes."""
UDP_PATIENCE = 20_000_000
TLS_PATIENCE = 200_000_000
"""Nanoseconds after which an answer is too late to count."""
_PIPE = 1 << 20
_STEP = 0.02
_SETTLES_WITHIN = 5.0
_TOLD_WITHIN = 0.1
"""Seconds in which a sentinel that wakes has said how late it is."""
STANDSTILL = 1_000_000_000
"""Where the host was later than so many nanoseconds it stood still: what a cluster must show says nothing then."""
_LATE_KEPT = 120_000_000_000
"""Nanoseconds for which it is known that the host was late, beyond the samples: a cluster may heal so long before an act."""


class Recorder:
    """Client, observer and address watcher of one cluster, and everything they saw."""

    def __init__(self, network: Topology, directory: Path, *, watched: bool = False) -> None:
        """Start the probes and wait until each has begun.

        `watched`: a sentinel on each core measures how late the host is; else the probes' word is taken for it.

        Raises:
            LabError: one of them does not start.
        """
        self.network = network
        self.udp = Attempts(int(UDP_EVERY * 1e9), UDP_PATIENCE)
        self.tls = Attempts(int(TLS_EVERY * 1e9), TLS_PATIENCE)
        self.last_answer: dict[str, int] = {}
        """When the VIP last answered the client by UDP, by the server that answered."""
        self.served: list[tuple[int, str]] = []
        """When the client was first answered by another server than just before."""
        self.last_question = 0
        """When the client last asked by UDP: what had answered it by then has been heard."""
        self.last_service = 0
        """When a connection was last answered with a ServerHello."""
        self.worst_lateness_us = 0
        """How late a probe or a sentinel woke up at worst."""
        self.needed: int | None = None
        """Nothing from this instant on is forgotten, whoever asks: it has not been judged."""
        cores = sorted(os.sched_getaffinity(0)) if watched else []
        self._sentinels = {sentinel.name(core) for core in cores}
        self._outranked = False
        """A sentinel was refused its priority: it may wait for a daemon, and not for what a probe waits for."""
        self._late: list[tuple[int, int]] = []
        """When the host was late to wake a program, and by how many microseconds."""
        self._arp: list[Record] = []
        self._addresses: list[Record] = []
        self.holding: set[str] = set()
        """Servers whose kernel has the VIP now."""
        self.last_change = 0
        self._heard = dict.fromkeys((addresses.NAME, *self._sentinels), 0)
        """Until when each has written down all there was."""
        self._ready: set[str] = set()
        self._left: dict[int, bytes] = {}
        self._poll = select.poll()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._errors = directory / "probes.log"
        directory.mkdir(parents=True, exist_ok=True)
        vip = str(network.vip)
        names = [server.name for server in network.servers]
        self._start(None, "addresses", "--vip", vip, *names)
        self._start("observer", "observer", "--vip", vip, "--every", str(ARP_EVERY))
        self._start("client", "client", "--vip", vip)
        for core in cores:
            self._start(None, "sentinel", "--core", str(core))
        if not self.wait(lambda: len(self._ready) == len(self._processes), 15.0):
            raise LabError(f"the lab's probes do not start: {self._errors.read_text().strip()}")

    def _start(self, namespace: str | None, module: str, *arguments: str) -> None:
        words = [sys.executable, "-m", f"vipkeeper.lab.{module}", *arguments]
        try:
            with self._errors.open("ab") as errors:
                process = subprocess.Popen(
                    in_namespace(namespace, *words) if namespace else words,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment(),
                    start_new_session=True,
                )
        except OSError as error:
            raise LabError(f"cannot start '{error.filename}': {error.strerror}") from None
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
        os.set_blocking(descriptor, False)
        self._left[descriptor] = b""
        self._poll.register(descriptor, select.POLLIN)
        self._processes.append(process)

    def pump(self, seconds: float = 0.0) -> None:
        """Take what the probes have written; wait at most `seconds` for the first of it.

        Raises:
            LabError: a probe has ended.
        """
        for descriptor, _ in self._poll.poll(seconds * 1000):
            try:
                data = self._left[descriptor] + os.read(descriptor, _PIPE)
            except BlockingIOError:
                continue
            whole = len(data) // records.SIZE * records.SIZE
            if not data or len(data) == len(self._left[descriptor]):
                raise LabError(f"a probe of the lab ended: {self._errors.read_text().strip()}")
            self._left[descriptor] = data[whole:]
            for record in records.decode(data[:whole]):
                self._take(record)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Take records until the condition holds; whether it did in time."""
        deadline = now() + int(seconds * 1e9)
        self.pump()
        while not condition():
            if now() >= deadline:
                return False
            self.pump(_STEP)
        return True

    def settle(self, end: int) -> None:
        """Wait until every answer in time to a question before an instant has been heard, a late client's too, every
        change of an address, and by how much each core was late. A host too slow for that counts as one that is late.

        Raises:
            LabError: they are not heard although every core has run meanwhile.
        """
        beyond = end + UDP_PATIENCE

        def heard() -> bool:
            return self.last_question > beyond and min(self._heard.values()) > beyond

        if self.wait(heard, _SETTLES_WITHIN):
            return
        # It may be this program that had no processor: then all of it has been written.
        self.watch(_TOLD_WITHIN)
        if heard():
            return
        at = now()
        since = min(end, *(self._heard[name] for name in self._sentinels), at)
        if self._sentinels and max(self.late(Window(end, at)), self._silent(at)) <= STANDSTILL:
            raise LabError(
                f"the lab's probes were not heard for {_SETTLES_WITHIN:.0f} s, and the host ran"
            )
        self._late.append((at, (at - since) // 1000))

    def _silent(self, at: int) -> int:
        """For how long a sentinel has said nothing, at worst, at an instant: for so long its core has not run."""
        return max((at - self._heard[name] for name in self._sentinels), default=0)

    def watch(self, seconds: float) -> None:
        """Take records for a while."""
        end = now() + int(seconds * 1e9)
        while (left := end - now()) > 0:
            self.pump(min(_STEP, left / 1e9))

    def _take(self, record: Record) -> None:
        match record.kind:
            case Kind.UDP_SENT:
                self.udp.started[record.number] = self.last_question = record.at
            case Kind.UDP_ANSWERED:
                self.udp.answered.setdefault(record.number, record.at)
                self.last_answer[record.text] = record.at
                if not self.served or self.served[-1][1] != record.text:
                    self.served.append((record.at, record.text))
            case Kind.TLS_STARTED:
                self.tls.started[record.number] = record.at
            case Kind.TLS_ANSWERED:
                self.tls.answered.setdefault(record.number, record.at)
                self.last_service = record.at
            case Kind.ARP_ASKED | Kind.ARP_ANSWERED:
                self._arp.append(record)
            case Kind.ADDRESS_ADDED | Kind.ADDRESS_REMOVED:
                self._take_address(record)
            case Kind.LATE | Kind.CORE_LATE:
                self.worst_lateness_us = max(self.worst_lateness_us, record.number)
                # A probe may wait for a daemon that keeps the processor: that is no excuse for the daemon.
                sole = not self._sentinels or self._outranked
                if record.kind is Kind.CORE_LATE or sole:
                    self._late.append((record.at, record.number))
            case Kind.HEARD:
                self._heard[record.text] = record.at
            case Kind.READY:
                self._ready.add(record.text)
                if record.text in self._heard:
                    self._heard[record.text] = record.at
                self._outranked |= record.text in self._sentinels and not record.number
            case Kind.TLS_FAILED:
                pass

    def _take_address(self, record: Record) -> None:
        held = record.kind is Kind.ADDRESS_ADDED
        if held != (record.text in self.holding):
            self.last_change = record.at
            (self.holding.add if held else self.holding.discard)(record.text)
            self._addresses.append(record)

    def answers_by(self, since: int) -> set[str]:
        """The servers that answered the client since an instant."""
        return {server for server, at in self.last_answer.items() if at > since}

    def late(self, window: Window) -> int:
        """Nanoseconds by which the host was late in a window, at worst: a sentinel; without any of its priority, a probe."""
        # One that was to wake in the window may have woken behind it.
        found = (us for at, us in self._late if at - us * 1000 < window.end and at >= window.start)
        return max(found, default=0) * 1000

    def stalls(self, longer: int) -> list[Window]:
        """Stretches, longer than so many nanoseconds, in which the host was to wake a program and did not."""
        return [Window(at - us * 1000, at) for at, us in self._late if us * 1000 > longer]

    def changes(self) -> list[Change]:
        """Every change of the VIP in the servers' kernels so far."""
        return measure.changes(self._addresses)

    def answerers(self) -> list[tuple[int, set[str]]]:
        """The observer's questions so far and who answered each."""
        names = {server.mac.replace(":", ""): server.name for server in self.network.servers}
        return measure.answerers(self._arp, names)

    def forget(self, before: int) -> None:
        """Drop samples older than an instant and not `needed`; of changes each server's last ones are kept."""
        before = before if self.needed is None else min(before, self.needed)
        for attempts in (self.udp, self.tls):
            attempts.started = {n: at for n, at in attempts.started.items() if at >= before}
            attempts.answered = {
                n: at for n, at in attempts.answered.items() if n in attempts.started
            }
        self._late = [late for late in self._late if late[0] >= before - _LATE_KEPT]
        self._arp = [record for record in self._arp if record.at >= before]
        last = {(r.text, r.kind): r for r in self._addresses if r.at < before}
        kept = sorted(last.values(), key=lambda record: record.at)
        self._addresses = kept + [record for record in self._addresses if record.at >= before]
        newer = itertools.dropwhile(
            lambda pair: pair[1][0] < before, itertools.pairwise(self.served)
        )
        self.served = [*(one for one, _ in newer), *self.served[-1:]]

    def close(self) -> None:
        """End the probes."""
        for process in self._processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
