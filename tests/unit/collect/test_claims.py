"""What the managers say of themselves, the disk and the gateway, as the live collectors read them."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from vipkeeper.collect.live import claims
from vipkeeper.collect.live.arp import default_gateway
from vipkeeper.collect.live.claims import (
    ask_lease,
    ask_vipkeeper,
    read_lease,
    read_status,
    read_vrrp,
)
from vipkeeper.collect.live.disk import addresses_in, look_at_disk, look_at_etcd_config
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key


def target(files: Path) -> Target:
    (files / "proc").mkdir(exist_ok=True)
    return Target(ip_address("192.0.2.100"), own="cp1", place="cp1", root=True, files=files)


def by_key(facts: Iterator[Fact]) -> dict[Key, Fact]:
    return {fact.key: fact for fact in facts}


@contextmanager
def answering(listener: socket.socket, answer: bytes) -> Iterator[list[bytes]]:
    """Takes one connection and says this; what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        listener.settimeout(10)
        try:
            peer, _ = listener.accept()
        except OSError:
            return  # refused in the handshake, as a test wants it
        with peer:
            asked.append(peer.recv(4096))
            peer.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield asked
    thread.join(10)


@pytest.mark.parametrize(
    ("state", "standby", "holds"),
    [("holder", False, True), ("backup", False, False), ("standby", True, False)],
)
def test_vipkeeper_is_asked_and_told_nothing(
    tmp_path: Path, state: str, standby: bool, holds: bool
) -> None:
    path = tmp_path / "run/vipkeeper/control.sock"
    path.parent.mkdir(parents=True)
    said = json.dumps({"ok": True, "text": "", "result": {"state": state, "standby": standby}})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))
        listener.listen()
        with answering(listener, said.encode() + b"\n") as asked:
            facts = by_key(ask_vipkeeper(target(tmp_path)))
    assert (facts[Key.MANAGER_HOLDS].value, facts[Key.MANAGER_STANDBY].value) == (holds, standby)
    assert [json.loads(line) for line in asked] == [{"verb": "status"}]


def test_without_vipkeeper_nothing_is_said_of_it(tmp_path: Path) -> None:
    assert not by_key(ask_vipkeeper(target(tmp_path)))


NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def alarm(detail: str, seconds_ago: int, kind: str = "advert-rejected") -> bytes:
    last = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    told = {"kind": kind, "text": "", "count": 1, "last": last, "detail": detail}
    return json.dumps({"result": {"alarms": [told]}}).encode()


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (alarm("from 192.0.2.13: authentication failed", 30), True),
        (alarm("from 192.0.2.13: authentication failed", 90), False),
        (alarm("from 192.0.2.13: unknown version", 30), False),
        (alarm("from 192.0.2.13: authentication failed", 30, "late"), False),
        (b'{"result": {"alarms": [{"kind": "advert-rejected", "last": "?"}]}}', False),
        (b'{"result": {"alarms": 3}}', False),
        (b"", False),
    ],
    ids=[
        "just now",
        "long ago",
        "another reason",
        "another alarm",
        "no time",
        "no list",
        "nothing",
    ],
)
def test_adverts_made_with_another_key_are_news_for_a_minute(line: bytes, refused: bool) -> None:
    assert bool(claims.read_refused(line, int(NOW.timestamp() * 1000))) is refused


def test_the_key_is_in_question_only_for_a_listed_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reaches the port can send bytes from an address of his own."""
    monkeypatch.setattr(claims, "now", lambda: int(NOW.timestamp() * 1000))
    listed = (ServerAddress("cp3", ip_address("192.0.2.13")),)
    asked = replace(target(tmp_path), servers=listed)
    words = {"state": "backup", "standby": False}
    for source, found in (("192.0.2.13", True), ("192.0.2.99", False)):
        line = json.loads(alarm(f"from {source}: authentication failed", 1))
        line["result"] |= words
        facts = {f.key: f for f in claims.judge_status(asked, json.dumps(line).encode())}
        assert facts[Key.ADVERTS_REFUSED].value is found


@pytest.mark.parametrize("line", [b"", b"[]", b'{"result": null}', b"[" * 9999, b'{"result": 3}'])
def test_what_is_no_status(line: bytes) -> None:
    assert read_status(line) is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("(VI_1) Entering BACKUP STATE (init)\n(VI_1) Entering MASTER STATE\n", "MASTER"),
        ("(VI_1) Entering MASTER STATE\n(VI_1) Entering FAULT STATE\n", "FAULT"),
        ("(A) Entering MASTER STATE\n(B) Entering BACKUP STATE\n", None),
        ("", None),
    ],
    ids=["the last one counts", "fault", "which of two has the VIP is not said", "nothing"],
)
def test_keepalived_s_last_state(text: str, state: str | None) -> None:
    assert read_vrrp(text) == state


def lease(renewed: datetime | None, holder: str = "cp2") -> str:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15}
    if renewed is not None:
        spec["renewTime"] = renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({"kind": "Lease", "spec": spec})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"spec": 3}', '{"spec": {"renewTime": "never"}}', "[" * 9999]
)
def test_what_is_no_lease(text: str) -> None:
    assert read_lease(text) is None


class Api:
    """An API server that wants a certificate of its own CA, and a server that has one in its kubeconfig."""

    def __init__(self, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = files
        own, client = trustme.CA(), trustme.CA()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        own.issue_cert("kubernetes").configure_cert(self.context)
        client.configure_trust(self.context)
        self.context.verify_mode = ssl.CERT_REQUIRED
        pair = client.issue_cert("admin@example.org")
        user = {
            "client-certificate-data": _base64(pair.cert_chain_pems[0].bytes()),
            "client-key-data": _base64(pair.private_key_pem.bytes()),
        }
        cluster = {"certificate-authority-data": _base64(own.cert_pem.bytes())}
        config = {"users": [{"user": user}], "clusters": [{"cluster": cluster}]}
        self.config = files / "etc/rancher/rke2/rke2.yaml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text(json.dumps(config))
        manifest = files / "var/lib/rancher/rke2/server/manifests/kube-vip.yaml"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("env:\n- name: vip_leasename\n  value: plndr-cp-other\n")
        self.manifest = manifest
        self.monkeypatch = monkeypatch

    def ask(self, status: str, body: str) -> tuple[dict[Key, Fact], list[bytes]]:
        answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        with socket.create_server(("127.0.0.1", 0)) as plain:
            self.monkeypatch.setattr(claims, "API_PORT", plain.getsockname()[1])
            listener = self.context.wrap_socket(plain, server_side=True)
            with listener, answering(listener, answer.encode()) as asked:
                found = by_key(ask_lease(target(self.files)))
        return found, asked


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(tmp_path, monkeypatch)


@pytest.mark.parametrize(("ago", "fresh"), [(3, True), (60, False), (-3600, None)])
def test_the_lease_is_read_with_the_kubeconfig_of_the_server(
    api: Api, ago: int, fresh: bool | None
) -> None:
    facts, asked = api.ask("200 OK", lease(datetime.now(UTC) - timedelta(seconds=ago)))
    assert facts[Key.LEASE_HOLDER].value == "cp2"
    assert facts[Key.LEASE_FRESH].value is fresh, "a clock in the future tells nothing"
    assert asked[0].startswith(b"GET /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/")
    assert b"/plndr-cp-other HTTP/1.1" in asked[0]


def test_no_lease_has_no_holder(api: Api) -> None:
    assert api.ask("404 Not Found", "{}")[0][Key.LEASE_HOLDER].value == ""


POD = "kind: DaemonSet\nmetadata:\n  name: kube-vip\n  namespace: {}\nenv:\n"
VARIABLE = "- name: cp_namespace\n  value: {}\n"


@pytest.mark.parametrize(
    ("manifest", "asked_in", "known"),
    [
        ("env: []\n", "kube-system", True),
        (POD.format("net"), "net", True),
        (POD.format("net") + VARIABLE.format("net"), "net", True),
        (POD.format("kube-system") + VARIABLE.format("net"), "net", False),
        (VARIABLE.format('"net"'), "net", True),
        ("env: [{name: cp_namespace, value: net}]\n", "net", True),
        ("env:\n  cp_namespace: net\n", "net", True),
        ("- name: cp_namespace\n  valueFrom: {fieldRef: {}}\n", "kube-system", False),
    ],
)
def test_a_lease_is_missing_only_where_its_namespace_is_known(
    api: Api, manifest: str, asked_in: str, known: bool
) -> None:
    api.manifest.write_text(manifest)
    facts, asked = api.ask("404 Not Found", "{}")
    assert f"/namespaces/{asked_in}/leases/plndr-cp-lock ".encode() in asked[0]
    assert facts[Key.LEASE_HOLDER].known is known


def test_without_a_manifest_the_namespace_is_not_known(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.manifest.unlink()
    monkeypatch.setattr(claims, "managers_running", lambda _: [("kube-vip", "7")])
    assert not api.ask("404 Not Found", "{}")[0][Key.LEASE_HOLDER].known


def test_an_api_server_of_another_cluster_is_not_believed(api: Api) -> None:
    trustme.CA().issue_cert("kubernetes").configure_cert(api.context)
    facts, asked = api.ask("200 OK", lease(datetime.now(UTC)))
    assert "CERTIFICATE_VERIFY_FAILED" in facts[Key.LEASE_HOLDER].unknown
    assert not asked


@pytest.mark.parametrize("text", ["", "a: [", "users: 3", "users: [{user: {client-key-data: x}}]"])
def test_a_kubeconfig_without_a_certificate(api: Api, text: str) -> None:
    api.config.write_text(text)
    [fact] = ask_lease(target(api.files))
    assert fact.unknown == "the kubeconfig has no client certificate within it"


def test_without_kube_vip_no_credential_is_used(api: Api) -> None:
    (api.files / "var/lib/rancher/rke2/server/manifests/kube-vip.yaml").unlink()
    assert not list(ask_lease(target(api.files)))


@pytest.mark.parametrize(
    ("free", "inodes", "full"), [(20_000, 9, False), (9, 9, True), (20_000, 0, True)]
)
def test_a_disk_is_full_when_etcd_cannot_begin_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, inodes: int, full: bool
) -> None:
    (tmp_path / "var/lib/rancher/rke2/server/db/etcd/member/wal").mkdir(parents=True)
    state = SimpleNamespace(f_bfree=free, f_frsize=4096, f_files=100, f_ffree=inodes)
    monkeypatch.setattr(os, "statvfs", lambda _: state)
    facts = by_key(look_at_disk(target(tmp_path)))
    assert (facts[Key.DISK_FULL].value, facts[Key.ETCD_DATA].value) == (full, True)


@pytest.mark.parametrize(
    ("address", "taken"), [("192.0.2.100", True), ("192.0.2.11", False), (None, None)]
)
def test_the_file_of_etcd_says_under_which_address_it_is_a_member(
    address: str | None, taken: bool | None, tmp_path: Path
) -> None:
    folder = tmp_path / "var/lib/rancher/rke2/server/db/etcd"
    folder.mkdir(parents=True)
    if address is not None:
        urls = f"https://{address}:2380,https://127.0.0.1:2380"
        (folder / "config").write_text(f"name: cp1\nlisten-peer-urls: {urls}\n")
    facts = by_key(look_at_etcd_config(target(tmp_path)))
    assert (Key.VIP_IS_NODE_IP in facts) is (taken is not None)
    assert taken is None or facts[Key.VIP_IS_NODE_IP].value is taken


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "listen-peer-urls: 'https://[::1'", "x: 1"])
def test_what_is_no_file_of_etcd(text: str) -> None:
    assert addresses_in(text) == set()


def test_a_server_without_data_was_in_no_cluster(tmp_path: Path) -> None:
    facts = by_key(look_at_disk(target(tmp_path)))
    assert facts[Key.ETCD_DATA].value is False
    assert Key.DISK_FULL not in facts


HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


@pytest.mark.parametrize(
    ("rows", "gateway"),
    [
        ("eth0 00000000 01090A0A 0003 0 0 100 00000000 0 0 0", ("eth0", "10.10.9.1")),
        (
            "eth1 00000000 02090A0A 0003 0 0 200 00000000 0 0 0\n"
            "eth0 00000000 01090A0A 0003 0 0 100 00000000 0 0 0",
            ("eth0", "10.10.9.1"),
        ),
        ("wg0 00000000 00000000 0001 0 0 0 00000000 0 0 0", None),
        ("eth0 00000A0A 00000000 0001 0 0 0 00FFFFFF 0 0 0", None),
        ("eth0 00000000 zz 0003 0 0 0 00000000 0 0 0\nnonsense", None),
    ],
    ids=["a gateway", "the least metric", "a tunnel has none", "no default route", "nonsense"],
)
def test_the_gateway_of_the_default_route(rows: str, gateway: tuple[str, str] | None) -> None:
    found = default_gateway(HEAD + rows)
    assert found == (gateway and (gateway[0], IPv4Address(gateway[1])))
