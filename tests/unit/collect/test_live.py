"""What the live collectors make of what they read."""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.collect.derive import derive
from vipkeeper.collect.live import control_plane, network, processes
from vipkeeper.collect.live.control_plane import (
    judge_health,
    judge_metrics,
    listeners,
    look_at_etcd,
    look_at_members,
    out_of_quota,
    read_members,
)
from vipkeeper.collect.live.kernel import captures, filters
from vipkeeper.collect.live.network import (
    connect,
    hello,
    judge_readyz,
    look_at_servers,
    look_at_vip,
    neighbours,
)
from vipkeeper.collect.live.processes import judge_unit, look_at_managers, read_containers
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Etcd, Hello, Key, Manager, Port, Process, Ready

LOOPBACK = ip_address("127.0.0.1")


def target(files: Path = Path("/")) -> Target:
    return Target(ip_address("192.0.2.100"), own="cp1", place="cp1", files=files)


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A port that takes one connection, says this and hangs up; None: says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.settimeout(5)
                peer.recv(4096)
                if answer is None:
                    done.wait(10)
                else:
                    peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join(10)


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connect(LOOPBACK, port) == (Port.OPEN, "")
    assert connect(LOOPBACK, port)[0] is Port.REFUSED


def test_what_speaks_no_tls_is_named() -> None:
    with listening(b"HTTP/1.0 400 Bad Request\r\n\r\n") as port:
        assert hello(LOOPBACK, port, None)[0] is Hello.NOT_TLS


def test_a_port_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vipkeeper.collect.live.network.HELLO_LIMIT", 0.2)
    with listening(None) as port:
        assert hello(LOOPBACK, port, None)[0] is Hello.NO_ANSWER


def test_no_tls_without_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert hello(LOOPBACK, port, None) == (None, "")


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, "ok", Ready.OK),
        (401, '{"kind":"Status","code":401}', Ready.UNAUTHORIZED),
        (403, "", Ready.UNAUTHORIZED),
        (
            500,
            "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed",
            Ready.ETCD_FAILED,
        ),
        (500, "[-]etcd failed\n[-]etcd-readiness failed: reason withheld", Ready.ETCD_FAILED),
        (500, "[-]etcd failed\n[-]informer-sync failed", Ready.CHECKS_FAILED),
        (500, "apiserver not ready", Ready.NOT_READY),
        (503, "", Ready.CHECKS_FAILED),
        (404, "not found", Ready.OTHER),
        (302, "", Ready.OTHER),
    ],
)
def test_what_readyz_says(status: int, body: str, word: Ready) -> None:
    assert judge_readyz(status, body) is word


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (200, '{"health":"true","reason":""}', Etcd.HEALTHY),
        (503, '{"health":"false","reason":"RAFT NO LEADER"}', Etcd.NO_LEADER),
        (503, '{"health":"false","reason":"ALARM NOSPACE"}', Etcd.NO_SPACE),
        (503, '{"health":"false","reason":"ALARM CORRUPT"}', Etcd.ALARM),
        (Port.REFUSED, "", Etcd.REFUSED),
        (Port.SILENT, "", Etcd.NO_ANSWER),
    ],
)
def test_what_etcd_says(status: int | Port, body: str, word: Etcd) -> None:
    assert judge_health(status, body) is word


def test_what_was_met_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_plane, "get", lambda *_, **__: (Port.REFUSED, ""))
    (health,) = look_at_etcd(target())
    assert health.raw == "refused"
    monkeypatch.setattr(control_plane, "get", lambda *_, **__: (200, ""))
    monkeypatch.setattr(control_plane, "read_members", lambda _: 1)
    assert [fact.raw for fact in look_at_members(target())][-1] == "1 voter"


def test_an_etcd_whose_health_hangs_is_asked_for_its_metrics_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = threading.Event()

    def get(_address: object, _port: int, path: str) -> tuple[int | Port, str]:
        if path == "/metrics":
            asked.set()
            return 200, "etcd_server_has_leader 0\n"
        return (Port.SILENT if asked.wait(10) else 200), ""

    monkeypatch.setattr(control_plane, "get", get)
    found = {fact.key: fact.value for fact in control_plane.look_at_etcd(target())}
    assert found == {Key.ETCD_HEALTH: Etcd.NO_ANSWER, Key.ETCD_LEADER: False}


def test_metrics_of_etcd() -> None:
    text = """\
# HELP etcd_server_has_leader Whether or not a leader exists.
etcd_server_has_leader 1
etcd_server_is_learner 0
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.064"} 950
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.128"} 990
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1000
nonsense
"""
    found = {fact.key: fact.value for fact in judge_metrics(target(), text)}
    assert found == {Key.ETCD_LEADER: True, Key.ETCD_LEARNER: False, Key.ETCD_SLOW: True}


@pytest.mark.parametrize(
    ("members", "voters"),
    [
        ([{"ID": 1}, {"ID": 2}, {"ID": 3, "isLearner": True}], 2),
        ([{"name": "cp1"}], None),
    ],
    ids=["a learner has no vote", "the temporary etcd of a boot is no cluster of one"],
)
def test_voters(members: list[object], voters: int | None) -> None:
    assert read_members(json.dumps({"members": members})) == voters


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"members": 3}', '{"members": [3]}', "[" * 9999])
def test_what_is_no_list_of_members(text: str) -> None:
    assert read_members(text) is None


def test_who_listens(tmp_path: Path) -> None:
    folder = tmp_path / "proc/net"
    folder.mkdir(parents=True)
    head = "  sl  local_address rem_address   st\n"
    (folder / "tcp").write_text(
        head + "   0: 0B0A0A0A:2481 00000000:0000 0A\n" + "   1: 0100007F:2481 0100007F:1234 01\n"
    )
    (folder / "tcp6").write_text(
        head + "   0: 00000000000000000000000000000000:192B " + "0" * 32 + ":0000 0A\n"
    )
    assert listeners(target(tmp_path), 9345) == {"10.10.10.11"}
    assert listeners(target(tmp_path), 6443) == {"::"}


def test_only_complete_entries_of_the_neighbour_table_count(tmp_path: Path) -> None:
    path = tmp_path / "proc/net/arp"
    path.parent.mkdir(parents=True)
    path.write_text(
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.0.2.100      0x1         0x2         02:00:00:00:00:0A     *        eth0\n"
        "192.0.2.12       0x1         0x0         00:00:00:00:00:00     *        eth0\n"
    )
    assert neighbours(target(tmp_path)) == {"192.0.2.100": "02:00:00:00:00:0a"}


def test_an_entry_that_differs_from_who_answers_is_stale() -> None:
    before = Fact(Key.VIP_NEIGHBOUR, "02:00:00:00:00:0a", vantage="client")
    answers = Fact(Key.VIP_MACS, ("02:00:00:00:00:0b",), vantage="client")
    elsewhere = Fact(Key.VIP_MACS, ("02:00:00:00:00:0b",), vantage="other")
    stale = [f.value for f in derive([before, answers]) if f.key is Key.VIP_STALE]
    assert stale == [True]
    assert not [f for f in derive([before, elsewhere]) if f.key is Key.VIP_STALE]


@pytest.mark.parametrize(
    ("line", "dropped"),
    [
        ("ip daddr 192.0.2.100 drop", ["6443", "9345"]),
        ("ip daddr 192.0.2.100 tcp dport 6443 drop", ["6443"]),
        ("ip daddr 192.0.2.100 tcp dport { 9345, 6443 } reject", ["6443", "9345"]),
        ("-A INPUT -d 192.0.2.100/32 -j DROP", ["6443", "9345"]),
        ("-A INPUT -d 192.0.2.100/32 -p tcp -m tcp --dport 9345 -j DROP", ["9345"]),
        ("-A INPUT -d 192.0.2.100/32 -p tcp -m multiport --dports 80,443 -j DROP", []),
        ("ip daddr 192.0.2.100 accept", []),
        ("ip daddr 192.0.2.10 drop", []),
        ("ip daddr 1192.0.2.100 drop", []),
        ("arp saddr ip 192.0.2.100 drop comment vipkeeper", []),
    ],
)
def test_a_rule_that_drops_a_port_of_the_vip(line: str, dropped: list[str]) -> None:
    assert [port for port in ("6443", "9345") if filters(line, "192.0.2.100", port)] == dropped


@pytest.mark.parametrize(
    ("line", "captured"),
    [
        ("ip daddr 192.0.2.100 tcp dport 6443 dnat to 10.42.0.9:6443", True),
        ("elements = { 192.0.2.100 . tcp . 6443 : goto external-ABC-ns/svc/tcp/p }", True),
        ("-A KUBE-SERVICES -d 192.0.2.100/32 -p tcp --dport 6443 -j KUBE-EXT-ABC", True),
        ("-A INPUT -d 192.0.2.100/32 -j ACCEPT", False),
        ("ip daddr 192.0.2.10 dnat to 10.42.0.9", False),
    ],
)
def test_a_rule_that_sends_the_vip_elsewhere(line: str, captured: bool) -> None:
    assert captures(line, "192.0.2.100") is captured


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        ({"ActiveState": "active", "SubState": "running"}, Process.RUNNING),
        ({"ActiveState": "activating", "SubState": "start"}, Process.STARTING),
        ({"ActiveState": "activating", "SubState": "start", "NRestarts": "9"}, Process.RESTARTING),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, Process.RESTARTING),
        ({"ActiveState": "failed", "SubState": "failed"}, Process.FAILED),
        ({"ActiveState": "inactive", "SubState": "dead"}, Process.STOPPED),
        ({}, Process.STOPPED),
    ],
)
def test_the_state_of_a_unit(properties: dict[str, str], word: Process) -> None:
    assert judge_unit(properties, frozen=False) is word
    assert judge_unit(properties, frozen=True) is Process.FROZEN


def container(name: str, state: str, created: int, attempt: int = 0) -> dict[str, object]:
    return {
        "metadata": {"name": name, "attempt": attempt},
        "state": state,
        "createdAt": str(created),
    }


def test_the_newest_container_of_a_name_counts() -> None:
    listed = [
        container("etcd", "CONTAINER_EXITED", 1),
        container("etcd", "CONTAINER_RUNNING", 2, 1),
        container("kube-vip", "CONTAINER_EXITED", 3, 7),
        container("kube-apiserver", "CONTAINER_EXITED", 3),
    ]
    assert read_containers(json.dumps({"containers": listed})) == {
        "etcd": Process.RUNNING,
        "kube-vip": Process.RESTARTING,
        "kube-apiserver": Process.STOPPED,
    }


@pytest.mark.parametrize("text", ["", "null", '{"containers": [{}]}', '{"containers": 1}'])
def test_what_is_no_list_of_containers(text: str) -> None:
    assert read_containers(text) is None


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ({"kube-vip": Process.RESTARTING}, Process.RESTARTING),
        ({"kube-vip": Process.STOPPED}, Process.STOPPED),
        ({}, Process.STOPPED),
        ("there is no crictl", None),
    ],
)
def test_kube_vip_without_a_process_is_what_crictl_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    states: dict[str, Process] | str,
    word: Process | None,
) -> None:
    manifest = tmp_path / "var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    (tmp_path / "proc").mkdir()
    monkeypatch.setattr(processes, "show", lambda _: {"LoadState": "not-found"})
    monkeypatch.setattr(processes, "container_states", lambda: states)
    facts = {fact.key: fact for fact in look_at_managers(target(tmp_path))}
    assert facts[Key.MANAGER].value is Manager.KUBE_VIP
    assert facts[Key.MANAGER_STATE].value is word


def test_without_a_network_nothing_is_learnt_about_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("socket.create_connection", unreachable)
    servers = (ServerAddress("cp2", ip_address("192.0.2.12")),)
    alone = Target(ip_address("192.0.2.100"), servers, own="", place="laptop")
    found = [*look_at_servers(alone), *look_at_vip(alone)]
    assert {fact.key for fact in found} >= {Key.SERVER_UP, Key.SERVER_PORT, Key.VIP_PORT}
    blind = [fact for fact in found if fact.key is not Key.VIP_ROUTE]
    assert all(fact.unknown == "this host has no route there" for fact in blind)


@pytest.mark.parametrize(
    ("error", "routed"), [(errno.ENETUNREACH, False), (errno.EHOSTUNREACH, False), (0, True)]
)
def test_the_kernel_says_whether_there_is_a_route(
    error: int, routed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asking(socket.socket):
        def connect(self, _: object) -> None:
            if error:
                raise OSError(error, "so")

    monkeypatch.setattr(socket, "socket", Asking)
    found = [fact for fact in look_at_vip(target()) if fact.key is Key.VIP_ROUTE]
    assert [fact.value for fact in found] == [routed]


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 500),
        ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400_500),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("", None),
        ("Sun, 99 Foo 99999 08:49:37 GMT", None),
        ("\0", None),
    ],
)
def test_a_clock_is_read_from_a_date(date: str, ahead: int | None) -> None:
    """Example of RFC 9110 section 5.6.7. A Date without its zone says nothing for sure."""
    assert network.ahead_of(date, 784_111_777.0) == ahead


FSYNCS = """\
etcd_server_has_leader 1
etcd_disk_wal_fsync_duration_seconds_bucket{{le="0.064"}} {fast}
etcd_disk_wal_fsync_duration_seconds_bucket{{le="+Inf"}} 100
"""


@pytest.mark.parametrize(
    ("body", "fast", "word"),
    [
        ('{"health":"false"}', 90, Etcd.SLOW),
        ('{"health":"false","reason":"RANGE ERROR:context deadline exceeded"}', 90, Etcd.SLOW),
        ('{"health":"false","reason":"RANGE ERROR:context deadline exceeded"}', 99, Etcd.NO_LEADER),
        ('{"health":"false"}', 99, Etcd.ALARM),
        ('{"health":"false","reason":"RAFT NO LEADER"}', 90, Etcd.NO_LEADER),
    ],
    ids=["3.4 slow", "3.6 slow", "3.6 without a quorum", "3.4 with an alarm", "no leader"],
)
def test_an_etcd_that_is_slow_is_told_from_one_without_a_leader(
    body: str, fast: int, word: Etcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"/health": (503, body), "/metrics": (200, FSYNCS.format(fast=fast))}
    monkeypatch.setattr(control_plane, "get", lambda _address, _port, path: said[path])
    found = {fact.key: fact.value for fact in look_at_etcd(target())}
    assert found[Key.ETCD_HEALTH] is word


@pytest.mark.parametrize(
    ("folder", "port"),
    [
        ("var/lib/rancher/rke2/server", 9345),
        ("var/lib/rancher/k3s/server", 6443),
        ("etc/kubernetes/manifests", 6443),
        ("etc", None),
    ],
)
def test_what_is_installed_says_through_which_port_nodes_join(
    folder: str, port: int | None, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert target(tmp_path).join_port == port


@pytest.mark.parametrize(("size", "full"), [("1.9e+06", True), ("1e+06", False)])
def test_an_etcd_that_gives_no_reason_is_out_of_space_at_its_quota(size: str, full: bool) -> None:
    rest = f"etcd_mvcc_db_total_size_in_bytes {size}\n"
    assert out_of_quota("etcd_server_quota_backend_bytes 2.097152e+06\n" + rest) is full
    assert not out_of_quota(rest)
