"""`why` and `collect` look and change nothing but neighbour entries, which are read before anything is sent."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.namespaces import Net, lan, packet_socket
from vipkeeper.diagnose.codec import load
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key

pytestmark = pytest.mark.lab

VIP = "10.9.0.100"
SERVERS = "cp1=10.9.0.11,cp2=10.9.0.12,cp3=10.9.0.13"
OLD = "02:00:00:00:0b:ad"
TREE = """
import sys
from ipaddress import ip_address
from pathlib import Path
from vipkeeper.collect.files import read
from vipkeeper.collect.live import COLLECTORS, logs
from vipkeeper.collect.collector import run
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.codec import dump
from vipkeeper.lint.facts import Given

root = Path(sys.argv[1])
files = read(Given((ip_address("10.9.0.100"),), ()), root)
servers = tuple(ServerAddress(f"cp{n}", ip_address(f"10.9.0.1{n}")) for n in (1, 2, 3))
target = Target(ip_address("10.9.0.100"), servers, True, "cp1", "cp1", files=root)
print(dump([*files.facts("cp1"), *run(COLLECTORS, target)]))
print(len([*files.texts(), *logs.texts(target)]), file=sys.stderr)
"""
"""Everything that is looked at, with the files of a server below a folder."""
SO_TIMESTAMPNS = 35
"""asm-generic/socket.h: the kernel says when it took a frame."""
_COUNTERS = ("nf_conntrack_count", "nf_conntrack_max", "random")
"""Settings under /proc/sys/net that the kernel changes by itself."""


@dataclass(frozen=True, slots=True)
class State:
    """What a host is, apart from its neighbour entries."""

    addresses: object
    links: object
    routes: str
    rules: str
    filters: str
    tables: str
    settings: dict[str, str]
    sockets: list[str]
    processes: str


@pytest.fixture
def nets() -> Iterator[tuple[Net, Net]]:
    """A server with an old entry for the VIP, and the one that has the VIP now."""
    with lan("one", "two") as (one, two):
        one.ip("route add default via 10.9.0.1")
        two.ip(f"addr add {VIP}/32 dev eth0")
        one.nft("table inet there {\n chain input {\n type filter hook input priority 0;\n }\n}")
        one.ip(f"neigh replace {VIP} lladdr {OLD} dev eth0 nud stale")
        yield one, two


def inside(net: Net, *words: str) -> str:
    command = ("ip", "netns", "exec", net.name, *words)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def state(net: Net) -> State:
    links = json.loads(net.ip("-j -s link show"))
    for link in links:
        link.pop("stats64", None)
    return State(
        addresses=json.loads(net.ip("-j addr show")),
        links=links,
        routes=net.ip("-4 route show table all") + net.ip("-6 route show table all"),
        rules=net.ip("-4 rule show") + net.ip("-6 rule show"),
        filters=inside(net, "nft", "list", "ruleset"),
        tables=inside(net, "cat", "/proc/net/ip_tables_names"),
        settings=net.call(settings),
        sockets=sockets(inside(net, "ss", "-Hanp", "state", "all", "exclude", "time-wait")),
        processes=subprocess.run(
            ["ip", "netns", "pids", net.name], check=True, capture_output=True, text=True
        ).stdout,
    )


def sockets(text: str) -> list[str]:
    """Those of the program that lists them, which ask the kernel for sockets (family 4), are left out."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return sorted(x for x in lines if not (x.startswith("nl ") and x.split()[4].startswith("4:")))


def settings() -> dict[str, str]:
    """All of /proc/sys/net as the namespace of this thread has it."""
    found = {}
    for folder, _, names in os.walk("/proc/sys/net"):
        for name in names:
            path = Path(folder, name)
            if name in _COUNTERS or not path.stat().st_mode & 0o400:
                continue
            try:
                found[str(path)] = path.read_text(encoding="ascii")
            except OSError:
                found[str(path)] = "not readable"
    return found


def tree(*roots: Path) -> dict[str, tuple[int, int, int, int]]:
    """Mode, size and the times of writing and of change of all that is in these folders."""
    found = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            for name in (*folders, *names, "."):
                stat = os.lstat(Path(folder, name))
                found[f"{folder}/{name}"] = (
                    *(stat.st_mode, stat.st_size),
                    *(stat.st_mtime_ns, stat.st_ctime_ns),
                )
    return found


def server_files(root: Path) -> Path:
    """What RKE2 leaves on a server's disk; the kernel's own files are the host's."""
    for name, text in (
        ("etc/rancher/rke2/config.yaml", "tls-san: [10.9.0.100]\n"),
        ("etc/rancher/rke2/rke2.yaml", "apiVersion: v1\nkind: Config\n"),
        ("var/lib/rancher/rke2/server/db/etcd/member/wal/0.wal", ""),
        ("var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml", "kind: Pod\n"),
        ("var/lib/rancher/rke2/server/manifests/kube-vip.yaml", "kind: DaemonSet\n"),
        ("var/log/pods/kube-system_etcd-cp1_01/etcd/0.log", "2026-11-27T02:43:33Z stdout F x\n"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("proc", "sys"):
        (root / name).symlink_to(f"/{name}")
    return root


def first_from(mac: bytes, wire: socket.socket) -> int:
    """When the first frame about IPv4 came from an interface: milliseconds since 1970, by the kernel."""
    while True:
        frame, told, _, _ = wire.recvmsg(2048, 64)
        about_ipv4 = frame[12:14] in (b"\x08\x00", b"\x08\x06")
        if frame[6:12] == mac and about_ipv4:
            seconds, nanoseconds = struct.unpack("@qq", told[0][2])
            return int(seconds * 1000 + nanoseconds // 1_000_000)


def facts(text: str) -> dict[Key, Fact]:
    found, wrong = load(text)
    assert not wrong
    return {fact.key: fact for fact in found if fact.known}


def test_nothing_on_the_host_is_changed(nets: tuple[Net, Net], tmp_path: Path) -> None:
    one, _ = nets
    kept = tmp_path / "kept.facts"
    before, files = state(one), tree(Path("/etc"))
    why = (sys.executable, "-m", "vipkeeper", "why", VIP, "--servers", SERVERS)
    done = subprocess.run(
        ["ip", "netns", "exec", one.name, *why, "--keep", str(kept), "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode in (1, 4)
    assert state(one) == before
    assert tree(Path("/etc")) == files
    assert list(tmp_path.iterdir()) == [kept]
    assert facts(kept.read_text())[Key.VIP_MACS].value == (nets[1].mac().hex(":"),)


def test_no_file_of_a_server_is_changed(nets: tuple[Net, Net], tmp_path: Path) -> None:
    root = server_files(tmp_path)
    before = tree(root)
    found = facts(inside(nets[0], sys.executable, "-c", TREE, str(root)))
    assert tree(root) == before
    assert {Key.MANAGER, Key.VIP_PRESENT, Key.VIP_MACS, Key.DEFAULT_ROUTE} <= found.keys()


def test_the_old_neighbour_entry_is_read_before_the_first_packet(
    nets: tuple[Net, Net], tmp_path: Path
) -> None:
    one, two = nets
    root = server_files(tmp_path)
    with packet_socket(two) as wire:
        wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        found = facts(inside(one, sys.executable, "-c", TREE, str(root)))
        sent = first_from(one.mac(), wire)
    entry, answer = found[Key.VIP_NEIGHBOUR], found[Key.VIP_MACS]
    assert entry.value == OLD, "a probe had mended the entry before it was read"
    assert answer.value == (two.mac().hex(":"),)
    assert entry.at <= sent <= answer.at
