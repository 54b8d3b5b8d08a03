"""A stand-in for a control-plane server: real TLS and HTTP, made-up answers, faults on request.

    python -m vipkeeper.lab.standin --name cp1 --listen-api 0.0.0.0:6443 \\
        --listen-supervisor 0.0.0.0:9345 --listen-etcd 127.0.0.1:2381 --control /run/lab/cp1.sock

It answers what a health check or a client asks first: /readyz, /livez, /healthz and /version of the API
server, /ping of RKE2's supervisor, /health of etcd. `standin_control` lists the faults; killing the
process gives refused connections. Port 0 takes a free one. The first line on stdout says that it
listens, and where.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import socket
import ssl
import sys
from pathlib import Path

from vipkeeper.lab.kernel import now
from vipkeeper.lab.standin_certificate import expire, server_context
from vipkeeper.lab.standin_control import Behaviour, EtcdMode, Mode, Wakes
from vipkeeper.lab.standin_http import BACKLOG, Answer, serve

_JSON = "application/json"
_PROBES = ("/readyz", "/livez", "/healthz")
WAKES_EVERY = 0.02
"""Seconds after which it wakes to see how late it is: as often as the client asks."""


class StandIn:
    """The answers, as `behaviour` says."""

    def __init__(self, name: str, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self._tls = tls
        self.behaviour = Behaviour()
        self.wakes = Wakes()
        self.api_running = asyncio.Event()
        self.api_running.set()
        self.others_running = asyncio.Event()
        self.others_running.set()
        self._changed = asyncio.Event()

    def obey(self, command: str) -> None:
        """Take one command of `standin_control`; ValueError when it is none."""
        self.behaviour.obey(command)
        if self.behaviour.api is Mode.FROZEN:
            self.api_running.clear()
        else:
            self.api_running.set()
        if self._tls is not None:
            expire(self._tls, expired=self.behaviour.api is Mode.EXPIRED)
        self._changed.set()
        self._changed = asyncio.Event()

    async def api(self, path: str) -> Answer:
        """The API server's answer."""
        if self.behaviour.delay:
            await asyncio.sleep(self.behaviour.delay)
        mode = self.behaviour.api
        if mode is Mode.UNAUTHORIZED:
            return _status(401, "Unauthorized", "Unauthorized")
        if path in _PROBES:
            if mode is not Mode.UNREADY:
                return Answer(200, "ok")
            failed = "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n"
            return Answer(500, f"{failed}{path[1:]} check failed\n")
        if path == "/version":
            version = {"major": "1", "minor": "36", "gitVersion": f"v1.36.4+stand-in-{self.name}"}
            return Answer(200, json.dumps(version, indent=2), _JSON)
        return _status(404, "NotFound", "the server could not find the requested resource")

    async def supervisor(self, path: str) -> Answer:
        """RKE2's supervisor's answer."""
        if not self.behaviour.supervisor_ready:
            return Answer(503, "starting\n")
        return Answer(200, "pong") if path == "/ping" else Answer(404, "404 page not found\n")

    async def etcd(self, path: str) -> Answer:
        """etcd's answer on its port for metrics and health."""
        while self.behaviour.etcd is EtcdMode.HANGING:
            await self._changed.wait()
        if path != "/health":
            return Answer(404, "404 page not found\n")
        if self.behaviour.etcd is EtcdMode.UNHEALTHY:
            return Answer(503, '{"health":"false","reason":"RAFT NO LEADER"}', _JSON)
        return Answer(200, '{"health":"true","reason":""}', _JSON)

    async def measure(self) -> None:
        """Note how late each wake is: a loop that waits for a processor answers nobody."""
        at = now()
        while True:
            due = at + round(WAKES_EVERY * 1e9)
            await asyncio.sleep(WAKES_EVERY)
            at = now()
            self.wakes.woke(at, max(0, at - due))

    def _answer(self, line: str) -> str:
        match line.split():
            case ["late", since] if re.fullmatch("[0-9]{1,20}", since):
                return str(self.wakes.since(int(since)))
            case ["stretches", since] if re.fullmatch("[0-9]{1,20}", since):
                found = self.wakes.stretches(int(since))
                return " ".join(f"{start}-{end}" for start, end in found) or "none"
        try:
            self.obey(line)
        except ValueError as error:
            return str(error)
        return "ok"

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the control socket: a command a line, `ok` or the reason back; or a question."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(f"{self._answer(line.decode(errors='replace'))}\n".encode())
                await writer.drain()
        writer.close()


def _status(code: int, reason: str, message: str) -> Answer:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return Answer(code, json.dumps(status), _JSON)


def _endpoint(text: str) -> tuple[str, int]:
    """ADDRESS:PORT or [IPV6]:PORT."""
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT")
    return address.strip("[]"), int(port)


def listen(endpoint: tuple[str, int]) -> socket.socket:
    """A listener whose queue is as long as that of a real one."""
    family = socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET
    listener = socket.create_server(endpoint, family=family, backlog=BACKLOG)
    listener.setblocking(False)
    return listener


async def _run(options: argparse.Namespace) -> None:
    tls = server_context(options.certificate_directory)
    standin = StandIn(options.name, tls)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    listening: dict[str, str | int] = {"name": standin.name}
    tasks: list[asyncio.Task[None]] = [loop.create_task(standin.measure())]
    for role, endpoint, handler, running, context in (
        ("api", options.listen_api, standin.api, standin.api_running, tls),
        ("supervisor", options.listen_supervisor, standin.supervisor, standin.others_running, tls),
        ("etcd", options.listen_etcd, standin.etcd, standin.others_running, None),
    ):
        if endpoint is not None:
            listener = listen(endpoint)
            listening[role] = listener.getsockname()[1]
            tasks.append(loop.create_task(serve(listener, handler, running, context)))
    if options.control is not None:
        options.control.unlink(missing_ok=True)
        await asyncio.start_unix_server(standin.control, options.control)
    sys.stdout.write(json.dumps(listening) + "\n")
    sys.stdout.flush()
    await stopped.wait()


def main() -> None:
    """Entry of `python -m vipkeeper.lab.standin`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.standin", description=__doc__)
    parser.add_argument("--name", required=True, help="name of the server it stands for")
    parser.add_argument("--listen-api", type=_endpoint, metavar="ADDRESS:PORT")
    parser.add_argument("--listen-supervisor", type=_endpoint, metavar="ADDRESS:PORT")
    parser.add_argument("--listen-etcd", type=_endpoint, metavar="ADDRESS:PORT")
    parser.add_argument("--certificate-directory", type=Path, help="leave tls.crt and tls.key here")
    parser.add_argument("--control", type=Path, metavar="SOCKET", help="unix socket for commands")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
