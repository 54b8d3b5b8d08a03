"""A server that stands still is told from one that is slow, and from a host on which nothing runs in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.checks import look
from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober import http, silence
from vipkeeper.daemon.prober.checks import Http
from vipkeeper.daemon.prober.config import HttpCheck, Tls
from vipkeeper.daemon.prober.verdict import Verdict
from vipkeeper.lab.standin import StandIn
from vipkeeper.lab.standin_certificate import server_context
from vipkeeper.lab.standin_http import serve

PATIENT = 30.0
"""A limit that is never reached, also on a slow machine."""
REACHED = 1.0
"""A limit that is meant to be reached, after whatever else is to happen."""
STALLED = Verdict(Outcome.STALLED, "no TLS ServerHello and no answer for 0.2 s")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for two seconds here; on a busy machine it takes longer, since server and prober are one process."""
    hurry(monkeypatch, doubt=0.05, stalled=0.2)
    monkeypatch.setattr(silence, "STEP", 0.02)
    monkeypatch.setattr(silence, "LATE", 0.05)
    monkeypatch.setattr(silence, "share_here", lambda: 1.0)


def hurry(monkeypatch: pytest.MonkeyPatch, doubt: float, stalled: float) -> None:
    """Other limits, seconds."""
    for module in (http, silence):
        monkeypatch.setattr(module, "DOUBT_AFTER", doubt)
        monkeypatch.setattr(module, "STALLED_AFTER", stalled)


def listening(backlog: int | None = None) -> socket.socket:
    """Nobody accepts here but the kernel."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    listener.setblocking(False)
    return listener


def check(listener: socket.socket, timeout: float, *, tls: bool = True) -> Http:
    port = listener.getsockname()[1]
    spoken = Tls() if tls else None
    return Http(HttpCheck("127.0.0.1", port, "/readyz", spoken, timeout=timeout))


@asynccontextmanager
async def standin(directory: Path) -> AsyncIterator[tuple[StandIn, socket.socket]]:
    made = StandIn("cp1")
    with listening() as listener:
        tls = server_context(directory)
        task = asyncio.create_task(serve(listener, made.api, made.api_running, tls))
        try:
            yield made, listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def answered(directory: Path, within: float) -> AsyncIterator[tuple[StandIn, Http]]:
    """A stand-in, and a check of it that has a standing connection."""
    async with standin(directory) as (api, listener):
        checker = check(listener, within)
        assert (await look(checker)).outcome is Outcome.OK
        yield api, checker


def may_run(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """From now on a server has a processor for so long, then none; however late this machine is."""
    monkeypatch.setattr(silence, "LATE", PATIENT)
    steps = iter([1.0] * round(seconds / silence.STEP))
    monkeypatch.setattr(silence, "share_here", lambda: next(steps, 0.0))


def test_a_kernel_that_accepts_and_a_server_that_says_nothing() -> None:
    with listening() as listener:
        assert asyncio.run(look(check(listener, PATIENT))) == STALLED


def test_it_stands_still_after_a_good_answer_and_goes_on(tmp_path: Path) -> None:
    async def act() -> None:
        async with answered(tmp_path, PATIENT) as (api, checker):
            api.obey("frozen")
            assert await look(checker) == STALLED
            assert await look(checker) == STALLED
            api.obey("ready")
            assert (await look(checker)).outcome is Outcome.OK

    asyncio.run(act())


def test_one_that_shakes_hands_is_waited_for_until_the_time_is_over(tmp_path: Path) -> None:
    async def act() -> None:
        async with standin(tmp_path) as (api, listener):
            api.obey("slow 60")
            verdict = await look(check(listener, REACHED))
            assert verdict == Verdict(Outcome.SOFT, "no answer within 1 s")

    asyncio.run(act())


def test_a_slow_answer_of_one_that_shakes_hands_is_good(tmp_path: Path) -> None:
    async def act() -> None:
        async with standin(tmp_path) as (api, listener):
            api.obey("slow 0.4")
            assert (await look(check(listener, PATIENT))).outcome is Outcome.OK

    asyncio.run(act())


def test_a_prober_that_is_late_itself_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        async with answered(tmp_path, REACHED) as (api, checker):
            api.obey("frozen")
            monkeypatch.setattr(silence, "LATE", -PATIENT)
            # On the standing connection, then on a new one.
            for missing in ("answer", "TLS ServerHello"):
                verdict = await look(checker)
                assert verdict == Verdict(Outcome.SOFT, f"no {missing} within 1 s")

    asyncio.run(act())


def test_a_starved_host_blames_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        async with answered(tmp_path, REACHED) as (api, checker):
            api.obey("frozen")
            monkeypatch.setattr(silence, "share_here", lambda: 0.02)
            assert await look(checker) == Verdict(Outcome.SOFT, "no answer within 1 s")

    asyncio.run(act())


def test_silence_that_outlasts_a_question_goes_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server could run for 0.06 s in each question, and must for 0.1 s."""

    async def act() -> None:
        async with answered(tmp_path, REACHED) as (api, checker):
            api.obey("frozen")
            found = []
            for _ in range(2):
                may_run(monkeypatch, 0.06)
                found.append(await look(checker))
            assert found == [Verdict(Outcome.SOFT, "no TLS ServerHello within 1 s"), STALLED]

    asyncio.run(act())


def test_a_handshake_between_two_silences_ends_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        async with standin(tmp_path) as (api, listener):
            checker = check(listener, REACHED)
            for _ in range(2):
                api.obey("ready")
                assert (await look(checker)).outcome is Outcome.OK
                api.obey("frozen")
                may_run(monkeypatch, 0.06)
                verdict = await look(checker)
                assert verdict == Verdict(Outcome.SOFT, "no TLS ServerHello within 1 s")

    asyncio.run(act())


def test_what_a_question_leaves_to_the_next_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 0.08 s count 0.05: every handshake has the rest."""
    with listening() as listener:
        checker = check(listener, REACHED)
        for ran in (0.08, 0.04):
            may_run(monkeypatch, ran)
            assert asyncio.run(look(checker)).outcome is Outcome.SOFT


@pytest.mark.parametrize(
    ("load", "found"),
    [
        (b"0.00 0.01 0.05 1/175 8854\n", 1.0),
        (b"0.00 0.01 0.05 3/175 8854\n", 1.0),
        (b"9.31 10.28 8.19 5/175 8854\n", 0.5),
        (b"9.31 10.28 8.19 17/175 8854\n", 0.125),
        (b"0 0 0 0/1", 1.0),
        (b"", 1.0),
        (b"\xff 1 1 many/7", 1.0),
        (b"1 1 1 99999999999999999999/1", 1.0),
    ],
)
def test_tasks_that_want_to_run_share_the_processors(load: bytes, found: float) -> None:
    assert silence.share(load, 2) == found


def test_a_prober_that_may_use_one_of_many_processors_counts_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = tmp_path / "loadavg"
    monkeypatch.undo()
    monkeypatch.setattr(silence, "_LOAD", str(load))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    load.write_text("3.00 3.00 3.00 12/900 8854\n")
    assert silence.share_here() == 1.0
    load.write_text("80.00 80.00 80.00 129/900 8854\n")
    assert silence.share_here() == 0.5


@pytest.mark.parametrize(
    ("shares", "late"),
    [
        ([1, 1, 1, 1, 1], [0, 7, 0, 0, 0]),
        ([1, 1, 1, 1, 1], [0, 0, 0.11, 0, 0]),
        ([1, 1, 1, 1], [0, 0, 0.09, 0]),
        ([0.5] * 4, [0] * 4),
        ([0.25] * 4 + [1], [0] * 5),
        ([0.4] * 4 + [0.9, 0.6], [0] * 6),
    ],
    ids=[
        "late",
        "a little late",
        "hardly late",
        "two tasks for each processor",
        "four tasks",
        "a small rest",
    ],
)
def test_silence_counts_while_the_prober_is_on_time_and_as_much_as_a_server_may_have_run(
    monkeypatch: pytest.MonkeyPatch, shares: list[float], late: list[float]
) -> None:
    clock = 0.0
    lateness, turns = iter(late), iter(shares)

    async def wait(
        awaited: set[asyncio.Future[None]], **limits: Any
    ) -> tuple[set[asyncio.Future[None]], set[asyncio.Future[None]]]:
        nonlocal clock
        clock += limits["timeout"] + next(lateness)
        return set(), awaited

    async def act() -> None:
        loop = asyncio.get_running_loop()
        never = loop.create_future()
        with monkeypatch.context() as patched:
            patched.setattr(silence, "STEP", 0.05)
            patched.setattr(silence, "LATE", 0.1)
            patched.setattr(asyncio, "wait", wait)
            patched.setattr(loop, "time", lambda: clock)
            patched.setattr(silence, "share_here", lambda: next(turns))
            assert await silence.Silence().reaches(0.2, {never})
        assert next(lateness, None) is None, "it has counted too much"

    asyncio.run(act())


class Tardy:
    """A healthy server that is slow: each connection's handshake takes its time, and each question its own."""

    def __init__(self, directory: Path, handshakes: list[float], answers: list[float]) -> None:
        """`answers`: seconds until each question is answered; below 0: so long until its connection is closed instead."""
        self._tls = server_context(directory)
        self._handshakes = iter(handshakes)
        self._answers = iter(answers)
        self._tasks: list[asyncio.Task[None]] = []
        self.left = asyncio.Event()
        """A connection has ended."""

    @asynccontextmanager
    async def checked(self, within: float) -> AsyncIterator[Http]:
        """A check of it that has a standing connection."""
        with listening() as listener:
            self._tasks.append(asyncio.create_task(self._accept(listener)))
            checker = check(listener, within)
            assert (await look(checker)).outcome is Outcome.OK
            try:
                yield checker
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            self._tasks.append(asyncio.create_task(self._greet(client)))

    async def _greet(self, client: socket.socket) -> None:
        delay = next(self._handshakes)
        await asyncio.sleep(abs(delay))
        if delay < 0:
            await asyncio.get_running_loop().sock_sendall(client, b"no TLS")
            client.close()
            return
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(
            lambda: Asked(self._answers, self.left), client, ssl=self._tls
        )


class Asked(asyncio.Protocol):
    """Answers after the time that is next."""

    def __init__(self, answers: Iterator[float], left: asyncio.Event) -> None:
        self._answers = answers
        self._left = left

    def connection_lost(self, exc: Exception | None) -> None:
        self._left.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        delay = next(self._answers)
        loop = asyncio.get_running_loop()
        if delay < 0:
            loop.call_later(-delay, self._transport.close)
        else:
            text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            loop.call_later(delay, self._transport.write, text)


def test_a_retry_after_a_closed_connection_has_a_handshake_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server could run for 0.04 s beside the question and for 0.06 s after it was closed, and must for 0.1 s."""
    at_once = http.connect
    may = iter([0.04, 0.06])

    async def connect(address: str, port: int) -> socket.socket:
        may_run(monkeypatch, next(may))
        return await at_once(address, port)

    async def act() -> None:
        server = Tardy(tmp_path, [0, 60, 0.5], [0, -0.5, 0])
        async with server.checked(PATIENT) as checker:
            may_run(monkeypatch, 0.03)
            monkeypatch.setattr(http, "connect", connect)
            assert (await look(checker)).outcome is Outcome.OK
        assert next(may, None) is None

    asyncio.run(act())


def test_a_handshake_beside_a_question_counts_from_when_the_kernel_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a SYN was lost: accepted 0.3 s late, of 0.4; then the handshake takes 0.15 s, of 0.3."""
    hurry(monkeypatch, doubt=0.1, stalled=0.4)
    at_once = http.connect

    async def late(address: str, port: int) -> socket.socket:
        await asyncio.sleep(0.2)
        return await at_once(address, port)

    async def act() -> None:
        server = Tardy(tmp_path, [0, 0.15], [0, 0.7])
        async with server.checked(PATIENT) as checker:
            monkeypatch.setattr(http, "connect", late)
            assert (await look(checker)).outcome is Outcome.OK

    asyncio.run(act())


def test_an_answer_that_is_no_handshake_is_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something answers the fresh connection, in words that are no TLS: the question waits, and the next begins anew."""
    monkeypatch.setattr(silence, "LATE", PATIENT)

    async def act() -> None:
        server = Tardy(tmp_path, [0, -0.01, 0.16], [0, 60, 0])
        async with server.checked(REACHED) as checker:
            assert await look(checker) == Verdict(Outcome.SOFT, "no answer within 1 s")
            assert (await look(checker)).outcome is Outcome.OK

    asyncio.run(act())


def test_a_connection_beside_a_question_is_not_kept(tmp_path: Path) -> None:
    async def act() -> None:
        server = Tardy(tmp_path, [0, *[0] * 50], [0, 1.0])
        async with server.checked(PATIENT) as checker:
            assert (await look(checker)).outcome is Outcome.OK
            assert checker.lost is not None
            await asyncio.wait_for(server.left.wait(), PATIENT)
            assert not checker.lost.done()

    asyncio.run(act())


def test_one_that_stands_still_after_a_handshake_beside_the_question_is_known_in_it(
    tmp_path: Path,
) -> None:
    async def act() -> None:
        server = Tardy(tmp_path, [0, 0, 60], [0, 60])
        async with server.checked(PATIENT) as checker:
            assert await look(checker) == STALLED

    asyncio.run(act())


def shake_hands_now(listener: socket.socket, tls: ssl.SSLContext) -> socket.socket:
    """What a server says of the handshake of the connection that waits; nobody has read it yet."""
    client, _ = listener.accept()
    heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
    heard.write(client.recv(1 << 16))
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.wrap_bio(heard, said, server_side=True).do_handshake()
    client.sendall(said.read())
    return client


def test_a_handshake_that_comes_as_nobody_waits_any_more_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in the turn in which the answer ends the waiting; the next connection has the same descriptor."""
    tls = server_context(tmp_path)
    at_once = http._dropped

    async def act(listener: socket.socket, beside: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        answers = iter([0, 0.15, 0])

        async def accept() -> None:
            client, _ = await loop.sock_accept(listener)
            await loop.connect_accepted_socket(
                lambda: Asked(answers, asyncio.Event()), client, ssl=tls
            )

        async def dropped(greeting: asyncio.Future[http.Connection]) -> None:
            if not beside:  # Dropping a connection drops its handshake, too.
                beside.append(shake_hands_now(listener, tls))
            await at_once(greeting)

        checker = check(listener, PATIENT)
        accepting = asyncio.create_task(accept())
        assert (await look(checker)).outcome is Outcome.OK
        with monkeypatch.context() as patched:
            patched.setattr(http, "_dropped", dropped)
            assert (await look(checker)).outcome is Outcome.OK
        assert len(beside) == 1
        monkeypatch.setattr(http, "RENEWED_AFTER", 0.0)
        again = asyncio.create_task(accept())
        assert (await look(checker)).outcome is Outcome.OK
        await asyncio.gather(accepting, again)

    beside: list[socket.socket] = []
    with listening() as listener:
        asyncio.run(act(listener, beside))
    for client in beside:
        client.close()


@pytest.mark.parametrize(("ago", "outcome"), [(1.5, Outcome.STALLED), (2.5, Outcome.SOFT)])
def test_silence_of_long_ago_says_nothing(
    monkeypatch: pytest.MonkeyPatch, ago: float, outcome: Outcome
) -> None:
    async def act(listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        checker = check(listener, REACHED)
        may_run(monkeypatch, 0.06)
        assert (await look(checker)).outcome is Outcome.SOFT
        began = loop.time()
        monkeypatch.setattr(loop, "time", lambda now=loop.time: now() + ago)
        may_run(monkeypatch, 0.06)
        assert (await look(checker)).outcome is outcome
        assert loop.time() - began >= ago

    with listening() as listener:
        asyncio.run(act(listener))


def test_without_tls_nobody_is_taken_to_stand_still() -> None:
    with listening() as listener:
        verdict = asyncio.run(look(check(listener, REACHED, tls=False)))
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert verdict == Verdict(Outcome.SOFT, "no answer within 1 s")


def test_a_limit_below_that_of_a_stall_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "LATE", PATIENT)
    with listening() as listener:
        checker = check(listener, 0.2)
        for _ in range(3):
            verdict = asyncio.run(look(checker))
            assert verdict == Verdict(Outcome.SOFT, "no TLS ServerHello within 0.2 s")


def test_a_kernel_that_accepts_no_more_is_another_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: str, __: int) -> socket.socket:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def act() -> None:
        async with answered(tmp_path, REACHED) as (api, checker):
            api.obey("frozen")
            monkeypatch.setattr(http, "connect", never)
            assert await look(checker) == Verdict(Outcome.SOFT, "no connection within 1 s")

    asyncio.run(act())


def test_a_kernel_that_does_not_accept_is_another_matter() -> None:
    with listening(backlog=0) as listener, socket.socket() as first, socket.socket() as second:
        # Its queue holds one; what comes after it is not answered.
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        verdict = asyncio.run(look(check(listener, REACHED)))
    assert verdict == Verdict(Outcome.SOFT, "no connection within 1 s")
