"""What the managers say of themselves: vipkeeper's control socket, keepalived's last state, kube-vip's Lease."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.live.control_plane import LOOPBACK
from vipkeeper.collect.live.network import HELLO_LIMIT
from vipkeeper.collect.live.processes import kube_vip_manifest, managers_running
from vipkeeper.collect.target import API_PORT, FUTURE_MS, Target, now
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.host.inspect import program_output
from vipkeeper.host.memory import in_memory

SOCKET = "/run/vipkeeper/control.sock"
SOCKET_LIMIT = 2.0
LATELY_MS = 60_000
_OTHER_KEY = "authentication failed"
"""How the daemon names an advert that none of its keys made (`wire.types.Rejection.WRONG_KEY`)."""
KUBECONFIGS = (
    "/etc/rancher/rke2/rke2.yaml",
    "/etc/rancher/k3s/k3s.yaml",
    "/etc/kubernetes/admin.conf",
)
NAME_IN_CERTIFICATE = "kubernetes"
"""Every API server's certificate has it, so that the certificate is judged though loopback is asked."""
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{}"
_VALUE = r"[\"']?(?:,?\s*value[\"']?)?:\s*[\"']?([a-z0-9][a-z0-9.-]{0,252})"
"""Behind a variable's name: what it is set to, in a list of variables or in Helm values."""
_LEASE_NAME = re.compile(rf"vip_leasename{_VALUE}")
_OWN_NAMESPACE = re.compile(rf"cp_namespace{_VALUE}")
_NAMESPACE = re.compile(r"\b(?:n|targetN)amespace[\"']?:\s*[\"']?([a-z0-9][a-z0-9-]{0,62})")
_NO_LEASE = "no Lease there, and this server's files do not say which namespace it is in"
_LONGEST = 64 * 1024
"""Bytes of an answer or a kubeconfig that are read."""
_STATE = re.compile(r"\((\S+)\) Entering (MASTER|BACKUP|FAULT) STATE")


def ask_vipkeeper(target: Target) -> Iterator[Fact]:
    """Whether vipkeeper's daemon here says that it holds the VIP, and whether it is on standby."""
    path = target.path(SOCKET)
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SOCKET_LIMIT)
        connection.connect(str(path))
        connection.sendall(b'{"verb": "status"}\n')
        with connection.makefile("rb") as answers:
            line = answers.readline(_LONGEST)
    yield from judge_status(target, line)


def judge_status(target: Target, line: bytes) -> Iterator[Fact]:
    """What an answer of the control socket says."""
    said = read_status(line)
    if said is None:
        yield target.blind(Key.MANAGER_HOLDS, "no answer of vipkeeper", SOCKET, about=target.own)
        return
    state, standby = said
    yield target.of_own(Key.MANAGER_HOLDS, state == "holder", SOCKET, raw=f"state {state}")
    yield target.of_own(Key.MANAGER_STANDBY, standby, SOCKET)
    refused = read_refused(line, now())
    by_key = any(refused.startswith(f"from {server.address}: ") for server in target.servers)
    yield target.of_own(Key.ADVERTS_REFUSED, by_key, SOCKET, raw=refused)


def read_status(line: bytes) -> tuple[str, bool] | None:
    """State and standby in an answer of the control socket. Total."""
    try:
        result = json.loads(line)["result"]
        state, standby = result["state"], result["standby"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (state, standby) if isinstance(state, str) and isinstance(standby, bool) else None


def read_refused(line: bytes, at: int) -> str:
    """Whose adverts failed the check of their key within the last minute, as the daemon says it; else empty. Total."""
    try:
        alarms = json.loads(line)["result"]["alarms"]
        told = next(a for a in alarms if a["kind"] == "advert-rejected")
        last = int(datetime.fromisoformat(told["last"]).timestamp() * 1000)
        detail = str(told["detail"])
    except (ValueError, KeyError, TypeError, StopIteration, OverflowError, RecursionError):
        return ""
    return detail if abs(at - last) <= LATELY_MS and detail.endswith(_OTHER_KEY) else ""


def ask_keepalived(target: Target) -> Iterator[Fact]:
    """keepalived's last change of state in its journal, while it runs and has one instance.

    It leaves no other trace that can be read: its dump would have to be asked for by a signal.
    """
    if not any(name == "keepalived" for name, _ in managers_running(target)):
        return
    words = ("--boot", "--quiet", "--no-pager", "--output", "cat", "--grep", "Entering .* STATE")
    said = read_vrrp(program_output("journalctl", "-u", "keepalived", *words) or "")
    if said is not None:
        yield target.of_own(
            Key.MANAGER_HOLDS, said == "MASTER", "journalctl -u keepalived", raw=f"{said} STATE"
        )


def read_vrrp(text: str) -> str | None:
    """The last state of the only instance that a journal names. Total."""
    said = _STATE.findall(text)
    return said[-1][1] if len({name for name, _ in said}) == 1 else None


def ask_lease(target: Target) -> Iterator[Fact]:
    """kube-vip's Lease, by GET with a kubeconfig that this server has, from its own API server."""
    manifest = kube_vip_manifest(target)
    if manifest is None and not any(name == "kube-vip" for name, _ in managers_running(target)):
        return
    config = next((p for name in KUBECONFIGS if (p := target.path(name)).exists()), None)
    if config is None:
        yield target.blind(Key.LEASE_HOLDER, "no kubeconfig on this server", "Lease of kube-vip")
        return
    text = Path(manifest).read_text(errors="replace") if manifest else ""
    named = _LEASE_NAME.search(text)
    namespace, sure = lease_namespace(text)
    path = LEASES.format(namespace, named[1] if named else "plndr-cp-lock")
    source = f"https://{LOOPBACK}:{API_PORT}{path}"
    try:
        status, body = _get(client_context(config.read_bytes()[:_LONGEST]), path)
    except (OSError, http.client.HTTPException, ValueError) as error:
        yield target.blind(Key.LEASE_HOLDER, str(error) or "no answer", source)
        return
    if status == http.client.NOT_FOUND and not sure:
        yield target.blind(Key.LEASE_HOLDER, _NO_LEASE, source)
        return
    if status == http.client.NOT_FOUND:
        yield target.of_path(Key.LEASE_HOLDER, "", source, raw="404, there is no such Lease")
        return
    lease = read_lease(body) if status == http.client.OK else None
    if lease is None:
        yield target.blind(Key.LEASE_HOLDER, f"{status} {body[:120]}".strip(), source)
        return
    holder, renewed, seconds = lease
    at = now()
    yield target.of_path(Key.LEASE_HOLDER, holder, source, raw=f"holderIdentity {holder}")
    if renewed is not None and renewed <= at + FUTURE_MS:
        raw = f"renewed {(at - renewed) / 1000:.1f} s ago, lasts {seconds} s"
        yield target.of_path(Key.LEASE_FRESH, at - renewed <= seconds * 1000, source, raw=raw)
    else:
        yield target.blind(
            Key.LEASE_FRESH, "when it was renewed cannot be told by our clock", source
        )


def lease_namespace(manifest: str) -> tuple[str, bool]:
    """The namespace of kube-vip's Lease by its manifest, and whether the manifest leaves no other. Total.

    A pod with a token of a service account takes its own namespace, any other `cp_namespace`, by default
    kube-system (kube-vip pkg/cluster/lease.go).
    """
    given = _OWN_NAMESPACE.findall(manifest)
    named = [*given, *_NAMESPACE.findall(manifest)]
    elsewhere = "cp_namespace" in manifest and not given
    return next(iter(named), "kube-system"), (
        bool(manifest) and len(set(named)) <= 1 and not elsewhere
    )


def read_lease(body: str) -> tuple[str, int | None, int] | None:
    """Holder, time of renewal in milliseconds since 1970, and length in seconds of a Lease. Total."""
    try:
        spec: Any = json.loads(body)["spec"]
        holder, seconds = spec.get("holderIdentity") or "", spec.get("leaseDurationSeconds") or 0
        renewed = spec.get("renewTime")
        at = int(datetime.fromisoformat(renewed).timestamp() * 1000) if renewed else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    fits = isinstance(holder, str) and type(seconds) is int
    return (holder, at, seconds) if fits else None


def client_context(kubeconfig: bytes) -> ssl.SSLContext:
    """TLS as a kubeconfig with certificates within it says; keys stay in memory.

    Raises:
        ValueError: it holds no client certificate, or is no kubeconfig.
        OSError: a certificate is none.
    """
    try:
        document: Any = yaml.safe_load(kubeconfig)
        user, cluster = document["users"][0]["user"], document["clusters"][0]["cluster"]
        pair = [
            base64.b64decode(user[f"client-{part}-data"], validate=True)
            for part in ("certificate", "key")
        ]
        authority = base64.b64decode(cluster["certificate-authority-data"], validate=True).decode()
    except (yaml.YAMLError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise ValueError("the kubeconfig has no client certificate within it") from None
    context = ssl.create_default_context(cadata=authority)
    with in_memory(b"\n".join(pair)) as name:
        context.load_cert_chain(name)
    return context


def _get(context: ssl.SSLContext, path: str) -> tuple[int, str]:
    raw = socket.create_connection((str(LOOPBACK), API_PORT), HELLO_LIMIT)
    with raw, context.wrap_socket(raw, server_hostname=NAME_IN_CERTIFICATE) as secured:
        client = http.client.HTTPConnection(NAME_IN_CERTIFICATE)
        client.sock = secured
        client.request("GET", path, headers={"Accept": "application/json"})
        answer = client.getresponse()
        return answer.status, answer.read(_LONGEST).decode("utf-8", "replace")


COLLECTORS = (
    Collector(
        "vipkeeper's own word",
        frozenset({Key.MANAGER_HOLDS, Key.MANAGER_STANDBY, Key.ADVERTS_REFUSED}),
        ask_vipkeeper,
        limit=2 * SOCKET_LIMIT,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
    Collector(
        "keepalived's last state",
        frozenset({Key.MANAGER_HOLDS}),
        ask_keepalived,
        limit=6.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
    Collector(
        "Lease of kube-vip",
        frozenset({Key.LEASE_HOLDER, Key.LEASE_FRESH}),
        ask_lease,
        limit=2 * HELLO_LIMIT,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
)
