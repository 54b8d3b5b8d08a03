from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from vipkeeper.core.types import SECOND
from vipkeeper.lab import lateness
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.standin import WAKES_EVERY
from vipkeeper.lab.standin_control import (
    KEPT,
    Behaviour,
    EtcdMode,
    Mode,
    NotListeningError,
    Wakes,
    how_late,
    stretches,
    tell,
)

LIMIT = 30.0


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    ports: dict[str, int]
    control: Path
    certificate: Path

    def api(self, timeout: float = LIMIT) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection(
            "127.0.0.1", self.ports["api"], context=context, timeout=timeout
        )


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Running]:
    control = tmp_path / "control"
    command = [sys.executable, "-m", "vipkeeper.lab.standin", "--name", "cp2"]
    command += ["--listen-api", "127.0.0.1:0", "--listen-supervisor", "127.0.0.1:0"]
    command += ["--listen-etcd", "[::1]:0" if socket.has_dualstack_ipv6() else "127.0.0.1:0"]
    command += ["--control", str(control), "--certificate-directory", str(tmp_path / "tls")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ports = json.loads(process.stdout.readline())
            yield Running(process, ports, control, tmp_path / "tls" / "tls.crt")
        finally:
            process.kill()


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_it_answers_like_a_control_plane_over_one_verified_connection(standin: Running) -> None:
    api = standin.api()
    for path in ("/readyz", "/livez", "/healthz", "/readyz?verbose"):
        assert get(api, path) == (200, "ok")
    status, body = get(api, "/version")
    assert status == 200
    # The version names the server: a client behind the VIP can tell who answered.
    assert json.loads(body)["gitVersion"].endswith("cp2")
    status, body = get(api, "/api/v1/pods")
    assert (status, json.loads(body)["kind"]) == (404, "Status")
    api.close()


def test_unready_and_unauthorized(standin: Running) -> None:
    api = standin.api()
    tell(standin.control, "unready")
    for path in ("/readyz", "/livez"):
        status, body = get(api, path)
        assert status == 500
        assert "[-]etcd failed: reason withheld" in body
    tell(standin.control, "unauthorized")
    for path in ("/readyz", "/version", "/ping"):
        assert get(api, path)[0] == 401
    tell(standin.control, "ready")
    assert get(api, "/readyz") == (200, "ok")
    api.close()


def test_frozen_says_nothing_on_old_and_new_connections_and_goes_on_when_thawed(
    standin: Running,
) -> None:
    old = standin.api(timeout=0.5)
    assert get(old, "/readyz") == (200, "ok")
    tell(standin.control, "frozen")
    old.request("GET", "/readyz")
    assert old.sock is not None
    with pytest.raises(TimeoutError):
        old.sock.recv(1)
    with socket.create_connection(("127.0.0.1", standin.ports["api"]), timeout=0.5) as raw:
        context = ssl.create_default_context(cafile=str(standin.certificate))
        with pytest.raises(TimeoutError):
            context.wrap_socket(raw, server_hostname="127.0.0.1")
    tell(standin.control, "ready")
    old.sock.settimeout(LIMIT)
    assert old.sock.recv(12) == b"HTTP/1.1 200"
    old.close()
    fresh = standin.api()
    assert get(fresh, "/readyz") == (200, "ok")
    fresh.close()


def test_supervisor_and_etcd_are_told_separately(standin: Running) -> None:
    context = ssl.create_default_context(cafile=str(standin.certificate))
    port = standin.ports["supervisor"]
    supervisor = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=LIMIT)
    host = "::1" if socket.has_dualstack_ipv6() else "127.0.0.1"
    etcd = http.client.HTTPConnection(host, standin.ports["etcd"], timeout=LIMIT)
    assert get(supervisor, "/ping") == (200, "pong")
    assert json.loads(get(etcd, "/health")[1])["health"] == "true"
    tell(standin.control, "supervisor unready")
    tell(standin.control, "etcd false")
    assert get(supervisor, "/ping")[0] == 503
    status, body = get(etcd, "/health")
    assert (status, json.loads(body)["health"]) == (503, "false")
    tell(standin.control, "etcd hanging")
    etcd.request("GET", "/health")
    assert etcd.sock is not None
    etcd.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        etcd.sock.recv(1)
    tell(standin.control, "etcd true")
    etcd.sock.settimeout(LIMIT)
    assert etcd.sock.recv(12) == b"HTTP/1.1 200"
    etcd.close()
    supervisor.close()


def test_killed_means_refused(standin: Running) -> None:
    standin.process.kill()
    standin.process.wait()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", standin.ports["api"]), timeout=LIMIT)


def test_terminated_ends_cleanly(standin: Running) -> None:
    standin.process.terminate()
    assert standin.process.wait(LIMIT) == 0


@pytest.mark.parametrize("command", ["nonsense", "", "slow", "slow x", "slow -1", "etcd maybe"])
def test_an_unknown_command_is_refused_and_changes_nothing(command: str) -> None:
    behaviour = Behaviour()
    with pytest.raises(ValueError):  # noqa: PT011 - the enum's own message for some
        behaviour.obey(command)
    assert behaviour == Behaviour()


def test_a_refused_command_is_told_to_the_sender(standin: Running) -> None:
    with pytest.raises(LabError, match=r"did not do 'nonsense': .*nonsense"):
        tell(standin.control, "nonsense")


def test_an_order_to_a_standin_that_has_died_fails_as_the_labs_own(standin: Running) -> None:
    standin.process.kill()
    standin.process.wait(LIMIT)
    with pytest.raises(NotListeningError, match=r"^no stand-in is there to be told 'unready'$"):
        tell(standin.control, "unready")
    standin.control.unlink()
    with pytest.raises(NotListeningError):
        tell(standin.control, "unready")


@pytest.mark.parametrize("lingers", [0, 1])
def test_an_order_to_a_standin_that_dies_with_it_fails_as_the_labs_own(
    tmp_path: Path, lingers: int
) -> None:
    control = tmp_path / "control"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(control))
        listener.listen()

        def dies() -> None:
            connection, _ = listener.accept()
            if lingers:  # what it was told it has read, and closes in order
                connection.recv(100)
            connection.close()

        with ThreadPoolExecutor(1) as thread:
            dying = thread.submit(dies)
            with pytest.raises(LabError, match="unready") as told:
                tell(control, "unready")
            dying.result(LIMIT)
    assert not isinstance(told.value, NotListeningError)


@pytest.mark.parametrize("ask", [partial(how_late, timeout=LIMIT), stretches])
def test_a_standin_that_ends_while_it_is_asked_is_said_to_have_ended(
    tmp_path: Path, ask: Callable[[Path, int], object]
) -> None:
    control = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(control))
        listener.listen()

        def ends() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.close()

        with ThreadPoolExecutor(1) as thread:
            ending = thread.submit(ends)
            with pytest.raises(
                LabError, match=r"it was late: it ended meanwhile$|late it was: it ended meanwhile$"
            ):
                ask(control, 0)
            ending.result(LIMIT)


def test_commands() -> None:
    behaviour = Behaviour()
    for command in ("slow 2.5", "etcd false", "supervisor unready"):
        behaviour.obey(command)
    assert behaviour == Behaviour(Mode.SLOW, 2.5, False, EtcdMode.UNHEALTHY)
    behaviour.obey("ready")
    assert (behaviour.api, behaviour.delay) == (Mode.READY, 0.0)


def test_the_worst_wake_since_an_instant_is_told_and_little_is_kept() -> None:
    wakes = Wakes()
    assert wakes.since(0) == 0
    for at, late in ((10, 5), (20, 90), (30, 7), (40, 30), (50, 8)):
        wakes.woke(at, late)
    assert [wakes.since(at) for at in (0, 20, 21, 40, 41, 51)] == [90, 90, 30, 30, 8, 0]
    for at in range(60, 1060):
        wakes.woke(at, 1)
    assert len(wakes._worst) == 4
    assert wakes.stretches(0) == []


def test_a_long_stretch_is_known_for_minutes_whatever_follows() -> None:
    wakes = Wakes()
    one, longer = (10 * SECOND - 2 * SECOND, 10 * SECOND), (22 * SECOND, 25 * SECOND)
    for start, end in (one, longer):
        wakes.woke(end, end - start)
        wakes.woke(end + 1, 0)
    assert wakes.stretches(0) == [one, longer]
    assert wakes.stretches(11 * SECOND) == [longer]
    wakes.woke(10 * SECOND + KEPT + 1, SECOND)
    assert wakes.stretches(0)[0] == longer


HELD_UP = 0.3
"""Seconds for which a stand-in is stopped."""


def test_a_standin_that_was_held_up_says_by_how_much_and_only_of_then(standin: Running) -> None:
    tell(standin.control, "ready")  # its loop runs
    began = now()
    standin.process.send_signal(signal.SIGSTOP)
    time.sleep(HELD_UP)
    standin.process.send_signal(signal.SIGCONT)
    until = time.monotonic() + LIMIT
    while how_late(standin.control, began, timeout=LIMIT) < (HELD_UP - 0.1) * 1e9:
        assert time.monotonic() < until
    later = now() + round(LIMIT * 1e9)
    assert how_late(standin.control, later, timeout=LIMIT) == 0
    with pytest.raises(LabError, match="late x"):
        tell(standin.control, "late x")
    with pytest.raises(LabError, match="late 9"):
        tell(standin.control, f"late {'9' * 5000}")


def test_a_standin_that_does_not_say_how_late_it_is_counts_as_late_as_it_was_waited_for(
    standin: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*controls: Path, running: bool = True, struck: bool = False) -> int | None:
        servers = {
            str(one): SimpleNamespace(
                name=str(one), standin=SimpleNamespace(running=running), control=one
            )
            for one in controls
        }
        cluster = cast(Cluster, SimpleNamespace(servers=servers))
        return lateness.of_api_servers(cluster, now(), list(servers) if struck else ())

    gone = standin.control.with_name("gone")
    assert late() is late(gone) is late(standin.control, running=False) is None
    assert late(gone, standin.control) is not None
    monkeypatch.setattr(lateness, "PATIENCE", HELD_UP)
    standin.process.send_signal(signal.SIGSTOP)
    assert late(standin.control, struck=True) is None
    waited = late(standin.control)
    assert waited is not None
    assert waited >= HELD_UP * 1e9


def test_a_standin_says_when_it_was_held_up_and_one_that_says_nothing_is_a_failed_lab(
    standin: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = SimpleNamespace(running=True)
    one = SimpleNamespace(name="cp1", standin=running, control=standin.control)
    gone = SimpleNamespace(name="cp2", standin=running, control=Path("gone"))
    cluster = cast(Cluster, SimpleNamespace(servers={"cp1": one, "cp2": gone}))
    tell(standin.control, "ready")  # its loop runs
    began = now()
    standin.process.send_signal(signal.SIGSTOP)
    stopped = now()
    time.sleep(HELD_UP)
    longer = round((HELD_UP - 0.1) * 1e9)
    with monkeypatch.context() as impatient:
        impatient.setattr(lateness, "stretches", partial(stretches, timeout=HELD_UP))
        with pytest.raises(LabError, match="does not answer"):
            lateness.starved(cluster, began, longer)
    ended = now()
    standin.process.send_signal(signal.SIGCONT)
    until = time.monotonic() + LIMIT
    while not (found := lateness.starved(cluster, began, longer)):
        assert time.monotonic() < until
    (held,) = found
    assert held.start <= stopped + WAKES_EVERY * 1e9
    assert held.end >= ended
    assert lateness.starved(cluster, began, longer, ["cp1"]) == set()
    assert lateness.starved(cluster, now(), 0) == set()
    assert lateness.starved(cluster, began, held.length) == set()


def test_a_standin_that_is_let_run_for_a_moment_in_each_second_has_no_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = SimpleNamespace(name="cp1", standin=SimpleNamespace(running=True), control=Path("cp1"))
    cluster = cast(Cluster, SimpleNamespace(servers={"cp1": one}))
    runs = [(0, 95), (100, 195), (200, 295), (400, 495)]
    told = [(start * SECOND // 100, end * SECOND // 100) for start, end in runs]
    monkeypatch.setattr(lateness, "stretches", lambda *_: told)
    assert lateness.starved(cluster, 0, SECOND) == {Window(0, told[2][1])}


@pytest.fixture
def responder() -> Iterator[int]:
    command = [sys.executable, "-m", "vipkeeper.lab.responder", "--name", "cp3", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.kill()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_the_responder_answers_with_its_name_from_the_address_that_was_asked(
    responder: int, address: str
) -> None:
    if ":" in address and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 on this host")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT)
        # Not connected: an answer from another address would arrive and be seen.
        for payload in (b"1", b"", b"x" * 1000):
            client.sendto(payload, (address, responder))
            answer, source = client.recvfrom(2048)
            assert answer == b"cp3 " + payload
            assert source[:2] == (address, responder)
