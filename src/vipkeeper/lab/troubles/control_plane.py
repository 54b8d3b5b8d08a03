"""Stand-ins for kube-apiserver and RKE2's supervisor before a real etcd.

    python -m vipkeeper.lab.troubles.control_plane api [--refuse-anonymous] --tls FOLDER
    python -m vipkeeper.lab.troubles.control_plane supervisor --tls FOLDER [--listen ADDRESS]
    python -m vipkeeper.lab.troubles.control_plane --refuse-anonymous --tls FOLDER k3s -- WORDS...

The API server's /readyz, /livez and /healthz ask etcd as kube-apiserver does: a read that needs quorum,
2 s, remembered for 1 s. The supervisor reads config.yaml as RKE2 does and ends with RKE2's own words where
it cannot start; /db/info gives etcd's member list, which needs quorum.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import json
import ssl
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml

from vipkeeper.lab.standin import listen
from vipkeeper.lab.standin_http import Answer, serve

CONFIG = Path("/etc/rancher/rke2/config.yaml")
DATA = Path("/var/lib/rancher/rke2/server/db/etcd")
ETCD = ("127.0.0.1", 2379)
CHECK_LIMIT = 2.0
REMEMBERED = 1.0
_JSON = "application/json"
_CHECKS = {"/readyz": ("etcd", "etcd-readiness"), "/livez": ("etcd",), "/healthz": ("etcd",)}


def ask_etcd(
    path: str, question: dict[str, Any], limit: float = CHECK_LIMIT
) -> dict[str, Any] | None:
    """One question to the local etcd's HTTP gateway; None where it fails or takes longer than the limit, seconds."""
    client = http.client.HTTPConnection(*ETCD, timeout=limit)
    try:
        client.request("POST", path, json.dumps(question))
        answer = client.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        client.close()
    return found if answer.status == http.client.OK and isinstance(found, dict) else None


def quorum() -> bool:
    """Whether a read that needs quorum succeeds."""
    key = base64.b64encode(b"/registry/health").decode()
    return ask_etcd("/v3/kv/range", {"key": key}) is not None


class ApiServer:
    """What is asked of a kube-apiserver first."""

    def __init__(self, *, anonymous: bool) -> None:
        self._anonymous = anonymous
        self._checked = -REMEMBERED
        self._healthy = False
        self._checking = asyncio.Lock()

    async def answer(self, path: str) -> Answer:
        """The answer to a GET without a credential."""
        if not self._anonymous:
            return _status(401, "Unauthorized")
        if path in _CHECKS:
            return self._health(path, await self._etcd())
        if path == "/version":
            return Answer(200, '{"major": "1", "minor": "36"}', _JSON)
        return _status(403, "Forbidden")

    async def _etcd(self) -> bool:
        async with self._checking:
            if time.monotonic() - self._checked > REMEMBERED:
                self._healthy = await asyncio.to_thread(quorum)
                self._checked = time.monotonic()
            return self._healthy

    def _health(self, path: str, healthy: bool) -> Answer:
        lines = ["[+]ping ok", "[+]log ok"]
        for check in _CHECKS[path]:
            lines.append(f"[+]{check} ok" if healthy else f"[-]{check} failed: reason withheld")
        lines.append("[+]poststarthook/start-apiextensions-controllers ok")
        word = "passed" if healthy else "failed"
        body = "\n".join([*lines, f"{path[1:]} check {word}", ""])
        return Answer(200 if healthy else 500, body)


_SUPERVISED = ("/ping", "/cacerts", "/db/info")
"""Paths that k3s answers itself, on the port of the API."""


async def supervise(path: str) -> Answer:
    """What RKE2's supervisor answers on 9345."""
    if path == "/ping":
        return Answer(200, "pong")
    if path != "/db/info":
        return Answer(404, "404 page not found\n")
    if not await asyncio.to_thread(quorum):
        return Answer(500, "failed to get member list: context deadline exceeded\n")
    found = await asyncio.to_thread(ask_etcd, "/v3/cluster/member/list", {})
    if found is None:
        return Answer(500, "failed to get member list: context deadline exceeded\n")
    return Answer(200, json.dumps({"members": found.get("members", [])}), _JSON)


def _status(code: int, reason: str) -> Answer:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return Answer(code, json.dumps({**status, "message": reason, "code": code}), _JSON)


def join(config: dict[str, Any]) -> str:
    """Why a server that has no data yet cannot join; empty where it need not, or can."""
    url = config.get("server")
    if url is None or DATA.is_dir():
        return ""
    parsed = urllib.parse.urlsplit(str(url))
    if parsed.scheme != "https":
        return f"only https:// URLs are supported, invalid scheme: {str(url).lower()}"
    host, port = parsed.hostname or "", parsed.port or 443
    client = http.client.HTTPSConnection(
        host, port, timeout=5.0, context=ssl._create_unverified_context()
    )
    try:
        client.request("GET", "/cacerts")
        client.getresponse()
    except OSError as error:
        why = (error.strerror or "i/o timeout").lower()
        return (
            f'failed to get CA certs: Get "{url}/cacerts": dial tcp {host}:{port}: connect: {why}'
        )
    finally:
        client.close()
    return ""


def _log(level: str, message: str) -> None:
    """A line as logrus prints it."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stdout.write(f'time="{at}" level={level} msg={json.dumps(message)}\n')
    sys.stdout.flush()


async def _serve(
    address: str, port: int, tls: Path, answer: Callable[[str], Awaitable[Answer]]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    running = asyncio.Event()
    running.set()
    await serve(listen((address, port)), answer, running, context)


def _both(api: ApiServer) -> Callable[[str], Awaitable[Answer]]:
    return lambda path: supervise(path) if path in _SUPERVISED else api.answer(path)


def main() -> None:
    """Entry of all."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.troubles.control_plane")
    parser.add_argument("what", choices=("api", "supervisor", "k3s"))
    parser.add_argument("--refuse-anonymous", action="store_true")
    parser.add_argument("--tls", type=Path, required=True)
    parser.add_argument("--listen", default="0.0.0.0")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    api = ApiServer(anonymous=not options.refuse_anonymous)
    if options.what == "api":
        asyncio.run(_serve(options.listen, 6443, options.tls, api.answer))
        return
    if options.what == "k3s":
        _log("info", "Starting k3s (stand-in)")
        with subprocess.Popen(options.words):
            asyncio.run(_serve(options.listen, 6443, options.tls, _both(api)))
        return
    _log("info", "Starting rke2 (stand-in)")
    why = join(yaml.safe_load(CONFIG.read_text()) or {})
    if why:
        _log("fatal", f"starting kubernetes: preparing server: {why}")
        raise SystemExit(1)
    _log("info", "rke2 is up and running")
    asyncio.run(_serve(options.listen, 9345, options.tls, supervise))


if __name__ == "__main__":
    main()
