"""Every check against a server that behaves in every way; all in one event loop."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from support.checks import look
from vipkeeper.core.events import CheckName, HealthSampled, Outcome
from vipkeeper.daemon.prober import http
from vipkeeper.daemon.prober.checks import ApiServer, EtcdMember, Http, Tcp, watch
from vipkeeper.daemon.prober.config import ApiCheck, Etcd, ExecCheck, HttpCheck, TcpCheck, Tls
from vipkeeper.daemon.prober.program import Program
from vipkeeper.daemon.prober.tls import Contexts
from vipkeeper.daemon.prober.together import Together
from vipkeeper.daemon.prober.verdict import Verdict
from vipkeeper.lab.standin import StandIn
from vipkeeper.lab.standin_certificate import server_context, write_certificate
from vipkeeper.lab.standin_http import serve

PATIENT = 30.0
"""A limit that is never reached, also on a slow machine."""
SHORT = 0.3
"""A limit that is meant to be reached."""
FOREVER = 3600.0


def listening() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def closed_port() -> int:
    with listening() as listener:
        return port_of(listener)


class World:
    """A stand-in on free ports of loopback."""

    def __init__(self, directory: Path) -> None:
        self.standin = StandIn("cp1")
        self.api = listening()
        self.etcd = listening()
        self.directory = directory

    def check(
        self, timeout: float = PATIENT, *, etcd_port: int | None = None, data: Path | None = None
    ) -> ApiServer:
        etcd = Etcd(
            port=etcd_port or port_of(self.etcd), data_directory=str(data) if data else None
        )
        return ApiServer(ApiCheck(port=port_of(self.api), etcd=etcd, timeout=timeout))


@asynccontextmanager
async def world(directory: Path) -> AsyncIterator[World]:
    made = World(directory)
    standin = made.standin
    tls = server_context(directory)
    servers = [
        asyncio.create_task(serve(made.api, standin.api, standin.api_running, tls)),
        asyncio.create_task(serve(made.etcd, standin.etcd, standin.others_running, None)),
    ]
    try:
        yield made
    finally:
        for server in servers:
            server.cancel()
        await asyncio.gather(*servers, return_exceptions=True)
        made.api.close()
        made.etcd.close()


@asynccontextmanager
async def raw(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A plain TCP server with a mind of its own; its port."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(
    ("commands", "outcome", "detail"),
    [
        (["ready"], Outcome.OK, "ready"),
        (["unready"], Outcome.SOFT, "HTTP 500, failed: etcd"),
        (["unauthorized"], Outcome.OK, "serving (401), etcd healthy"),
        (["unauthorized", "etcd false"], Outcome.SOFT, "HTTP 503, RAFT NO LEADER"),
        (["slow 0.01"], Outcome.OK, "ready"),
    ],
)
def test_api_server(tmp_path: Path, commands: list[str], outcome: Outcome, detail: str) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            for command in commands:
                w.standin.obey(command)
            verdict = await look(w.check())
            assert verdict.outcome is outcome
            assert detail in verdict.detail

    asyncio.run(act())


@pytest.mark.parametrize(
    ("commands", "detail"),
    [
        (["frozen"], "no TLS ServerHello within"),
        (["slow 60"], "no answer within"),
        (["unauthorized", "etcd hanging"], "etcd: no answer within"),
    ],
)
def test_silence_is_soft_and_says_what_is_missing(
    tmp_path: Path, commands: list[str], detail: str
) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            for command in commands:
                w.standin.obey(command)
            verdict = await look(w.check(SHORT))
            assert verdict.outcome is Outcome.SOFT
            assert detail in verdict.detail

    asyncio.run(act())


def test_frozen_after_a_good_look_is_noticed_on_the_standing_connection_and_thawed_is_good(
    tmp_path: Path,
) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            check = w.check(1.0)
            assert (await look(check)).outcome is Outcome.OK
            w.standin.obey("frozen")
            assert (await look(check)).outcome is Outcome.SOFT
            assert "no TLS ServerHello" in (await look(check)).detail
            w.standin.obey("ready")
            assert (await look(check)).outcome is Outcome.OK

    asyncio.run(act())


def test_where_no_etcd_runs_a_401_is_good_enough(tmp_path: Path) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            w.standin.obey("unauthorized")
            port = closed_port()
            absent = await look(w.check(etcd_port=port, data=tmp_path / "nothing"))
            assert absent.outcome is Outcome.OK
            assert "readiness not visible" in absent.detail
            # The data is there: etcd is merely down.
            dead = await look(w.check(etcd_port=port, data=tmp_path))
            assert dead.outcome is Outcome.SOFT
            assert "etcd: connection refused" in dead.detail
            # A link to itself cannot be looked at, like a directory of another user's.
            loop = tmp_path / "loop"
            loop.symlink_to(loop)
            hidden = await look(w.check(etcd_port=port, data=loop))
            assert hidden.outcome is Outcome.UNKNOWN

    asyncio.run(act())


def test_an_etcd_that_was_seen_is_missed_wherever_its_data_is(tmp_path: Path) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            w.standin.obey("unauthorized")
            answered = asyncio.Event()

            async def once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                body = b'{"health":"true"}'
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body))
                writer.write(b"Connection: close\r\n\r\n" + body)
                writer.close()
                answered.set()

            async with raw(once) as port:
                check = w.check(etcd_port=port, data=tmp_path / "nothing")
                assert (await look(check)).outcome is Outcome.OK
                assert answered.is_set()
            assert (await look(check)).outcome is Outcome.SOFT

    asyncio.run(act())


def test_the_death_of_the_api_server_is_noticed_while_etcd_hangs() -> None:
    async def act() -> None:
        asked = asyncio.Event()
        clients: list[asyncio.StreamWriter] = []

        async def unauthorized(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            clients.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

        async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()

        server = await asyncio.start_server(unauthorized, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with raw(hang) as etcd_port:
            check = ApiServer(
                ApiCheck(port=port, etcd=Etcd(port=etcd_port), timeout=PATIENT, tls=None)  # type: ignore[arg-type]
            )
            looking = asyncio.create_task(look(check))
            await asked.wait()
            server.close()
            clients[0].close()
            assert (await looking).outcome is Outcome.HARD

    asyncio.run(act())


@pytest.mark.parametrize(
    "body",
    [b'{"health":"false"}', b'{"health":true}', b'["true"]', b"true", b"", b"\xff", b"[" * 9999],
)
def test_an_etcd_that_does_not_say_true_is_not_healthy(body: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def act() -> None:
        async with raw(talk) as port:
            verdict = await EtcdMember(Etcd(port=port), PATIENT).look()
            assert verdict == Verdict(Outcome.SOFT, "etcd unhealthy: HTTP 200")

    asyncio.run(act())


def test_a_socket_that_meets_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    make = socket.socket

    def bound(*arguments: int) -> socket.socket:
        # As the kernel may do by chance: the source port is the one that is called.
        made = make(*arguments)
        made.bind(("127.0.0.1", port))
        return made

    async def act() -> None:
        monkeypatch.setattr(socket, "socket", bound)
        assert (await look(Tcp(TcpCheck("127.0.0.1", port)))).outcome is Outcome.HARD

    asyncio.run(act())


def test_nobody_there_is_hard() -> None:
    async def act() -> None:
        for check in (
            ApiServer(ApiCheck(port=closed_port())),
            Http(HttpCheck("127.0.0.1", closed_port())),
            Tcp(TcpCheck("127.0.0.1", closed_port())),
        ):
            verdict = await look(check)
            assert verdict == Verdict(Outcome.HARD, "connection refused")

    asyncio.run(act())


def test_a_reset_is_hard_and_an_end_without_a_word_is_soft() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.close()

    async def act() -> None:
        for talk, outcome in ((reset, Outcome.HARD), (leave, Outcome.SOFT)):
            async with raw(talk) as port:
                assert (await look(ApiServer(ApiCheck(port=port)))).outcome is outcome
                assert (await look(Http(HttpCheck("127.0.0.1", port)))).outcome is outcome

    asyncio.run(act())


@pytest.mark.parametrize(
    "said",
    [
        b"220 mail ready\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00" * 70000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
    ],
)
def test_what_is_not_a_whole_http_answer_is_soft(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Closing with the request unread would be a reset.
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async def act() -> None:
        async with raw(talk) as port:
            assert (await look(Http(HttpCheck("127.0.0.1", port)))).outcome is Outcome.SOFT

    asyncio.run(act())


def test_an_endless_answer_is_cut() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (http.BODY_LIMIT + 1))

    async def act() -> None:
        async with raw(talk) as port:
            check = Http(HttpCheck("127.0.0.1", port, timeout=PATIENT))
            assert (await look(check)).outcome is Outcome.OK
            assert check.lost is None

    asyncio.run(act())


def test_http_compares_the_status(tmp_path: Path) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            port = port_of(w.etcd)
            good = HttpCheck("127.0.0.1", port, "/health")
            other = HttpCheck("127.0.0.1", port, "/nothing")
            wanted = HttpCheck("127.0.0.1", port, "/nothing", status=404)
            assert [(await look(Http(c))).outcome for c in (good, other, wanted)] == [
                *(Outcome.OK, Outcome.SOFT, Outcome.OK)
            ]

    asyncio.run(act())


def test_one_connection_serves_many_looks_and_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            check = w.check()
            await check.look()
            first = check.lost
            await check.look()
            assert check.lost is first
            monkeypatch.setattr(http, "RENEWED_AFTER", 0.0)
            await check.look()
            assert check.lost is not first
            assert first is not None
            await first

    asyncio.run(act())


class Mortal:
    """A plain HTTP server that can die: its listener and its connections go together."""

    def __init__(self, *, lasting: bool = True) -> None:
        self.clients: list[asyncio.StreamWriter] = []
        self._lasting = lasting

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                if not self._lasting:
                    writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def drop(self) -> None:
        for client in self.clients:
            client.close()
        self.clients.clear()

    def die(self) -> None:
        self.server.close()
        self.drop()


@asynccontextmanager
async def watched(port: int) -> AsyncIterator[asyncio.Queue[Verdict]]:
    """The verdicts of a watch that by itself would look once an hour."""
    verdicts: asyncio.Queue[Verdict] = asyncio.Queue()
    check = Http(HttpCheck("127.0.0.1", port, timeout=PATIENT))
    task = asyncio.create_task(watch(check, FOREVER, verdicts.put_nowait))
    try:
        yield verdicts
    finally:
        task.cancel()


def test_death_is_noticed_without_waiting_and_confirmed_after_50_ms() -> None:
    async def act() -> None:
        mortal = Mortal()
        async with watched(await mortal.start()) as verdicts:
            assert (await verdicts.get()).outcome is Outcome.OK
            mortal.die()
            assert (await verdicts.get()).outcome is Outcome.HARD
            first = asyncio.get_running_loop().time()
            assert (await verdicts.get()).outcome is Outcome.HARD
            assert asyncio.get_running_loop().time() - first >= 0.05

    asyncio.run(act())


def test_a_connection_closed_by_a_living_server_is_no_failure() -> None:
    async def act() -> None:
        mortal = Mortal()
        async with watched(await mortal.start()) as verdicts:
            assert (await verdicts.get()).outcome is Outcome.OK
            mortal.drop()
            assert (await verdicts.get()).outcome is Outcome.OK
        mortal.die()

    asyncio.run(act())


def test_a_server_that_closes_after_every_answer_is_not_asked_without_end() -> None:
    async def act() -> None:
        mortal = Mortal(lasting=False)
        async with watched(await mortal.start()) as verdicts:
            assert (await verdicts.get()).outcome is Outcome.OK
            assert (await verdicts.get()).outcome is Outcome.OK
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(verdicts.get(), 0.2)
        mortal.die()

    asyncio.run(act())


def test_the_server_certificate_is_verified_when_there_is_a_ca(tmp_path: Path) -> None:
    async def act() -> None:
        async with world(tmp_path) as w:
            other = tmp_path / "other.pem"
            trustme.CA().cert_pem.write_to_path(str(other))
            certificate, _ = write_certificate(tmp_path)

            async def with_tls(tls: Tls) -> Verdict:
                return await look(
                    ApiServer(ApiCheck(port=port_of(w.api), tls=tls, timeout=PATIENT))
                )

            assert (await with_tls(Tls(ca_file=str(certificate)))).outcome is Outcome.OK
            named = await with_tls(Tls(ca_file=str(certificate), server_name="elsewhere"))
            foreign = await with_tls(Tls(ca_file=str(other)))
            missing = await with_tls(Tls(ca_file=str(tmp_path / "none.pem")))
            garbage = await with_tls(Tls(ca_file=__file__))
            # A wrong CA is our mistake and says nothing about the server.
            for verdict in (named, foreign, missing, garbage):
                assert verdict.outcome is Outcome.UNKNOWN
            assert "none.pem: no such file" in missing.detail

    asyncio.run(act())


def test_the_client_certificate_is_shown(tmp_path: Path) -> None:
    ca = trustme.CA()
    client = ca.issue_cert("vipkeeper")
    pem = tmp_path / "client.pem"
    client.private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = server_context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)

    async def act() -> None:
        standin = StandIn("cp1")
        with listening() as listener:
            server = asyncio.create_task(serve(listener, standin.api, standin.api_running, context))
            port = port_of(listener)
            shown = ApiCheck(port=port, tls=Tls(certificate_file=str(pem)), timeout=PATIENT)
            assert (await look(ApiServer(shown))).outcome is Outcome.OK
            hidden = await look(ApiServer(ApiCheck(port=port, timeout=PATIENT)))
            assert hidden.outcome is not Outcome.OK
            server.cancel()

    asyncio.run(act())


def test_rotated_certificates_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    contexts = Contexts(Tls(ca_file=str(path)))
    first = contexts.current()
    assert contexts.current() is first
    rotated = tmp_path / "new.pem"
    trustme.CA().cert_pem.write_to_path(str(rotated))
    rotated.rename(path)
    assert contexts.current() is not first


@pytest.mark.parametrize(
    ("argv", "outcome", "detail"),
    [
        (("true",), Outcome.OK, "exit code 0"),
        (("false",), Outcome.SOFT, "exit code 1"),
        (("sh", "-c", "kill -9 $$"), Outcome.SOFT, "signal 9"),
        (("/nowhere/check",), Outcome.UNKNOWN, "cannot run /nowhere/check: no such file"),
        (("sh", "-c", "cat; echo secret; echo secret >&2"), Outcome.OK, "exit code 0"),
    ],
)
def test_program(argv: tuple[str, ...], outcome: Outcome, detail: str) -> None:
    verdict = asyncio.run(look(Program(ExecCheck(argv, timeout=PATIENT))))
    assert verdict.outcome is outcome
    assert detail in verdict.detail


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    fifo = tmp_path / "held"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(held, True)

    async def act() -> None:
        # The shell and its child hold the fifo; it ends when both are gone.
        script = f"exec 3>{fifo}; echo started >&3; sleep 1000 & wait"
        program = Program(ExecCheck(("sh", "-c", script), timeout=1.0))
        verdict = await look(program)
        assert verdict == Verdict(Outcome.SOFT, "no exit within 1 s")

    asyncio.run(act())
    with os.fdopen(held, "rb") as file:
        hung_up = select.poll()
        hung_up.register(file, select.POLLHUP)
        assert hung_up.poll(10_000)
        assert file.read() == b"started\n"


def test_of_several_checks_the_worst_speaks_and_nobody_confirms_for_another() -> None:
    said: list[tuple[Outcome, str]] = []

    def report(sample: HealthSampled) -> None:
        assert sample.check is CheckName.EXTRA
        said.append((sample.outcome, sample.detail))

    def take(index: int, outcome: Outcome) -> list[tuple[Outcome, str]]:
        said.clear()
        together.take(index, "ab"[index], Verdict(outcome, "x"))
        return list(said)

    together = Together(CheckName.EXTRA, 2, report)
    assert take(0, Outcome.OK) == []  # the other is not known yet
    assert take(1, Outcome.OK) == [(Outcome.OK, "b: x")]
    assert take(0, Outcome.OK) == []  # good is counted once a round
    assert take(0, Outcome.HARD) == [(Outcome.HARD, "a: x")]
    assert take(1, Outcome.OK) == []  # must not pass for a success of a
    assert take(1, Outcome.SOFT) == []  # nor for a second refusal
    assert take(0, Outcome.HARD) == [(Outcome.HARD, "a: x")]
    assert take(0, Outcome.OK) == []  # b still fails
    assert take(1, Outcome.SOFT) == [(Outcome.SOFT, "b: x")]
    assert take(0, Outcome.OK) == []
    assert take(1, Outcome.OK) == [(Outcome.OK, "b: x")]
    assert take(1, Outcome.UNKNOWN) == [(Outcome.UNKNOWN, "b: x")]
