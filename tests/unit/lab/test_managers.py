"""What the lab writes for the programs vipkeeper is compared with, judged by the programs where they can."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers import (
    MANAGERS,
    PEERS,
    SECOND,
    Keepalived,
    KubeVip,
    Style,
    Ucarp,
    keepalived,
)
from vipkeeper.lab.processes import SYSTEM_PATH, LabError, Process
from vipkeeper.lab.topology import INTERFACE, lan

KEEPALIVED = shutil.which("keepalived", path=SYSTEM_PATH)
STYLES = [variant.style for variant in Keepalived.variants]


def built(directory: Path) -> tuple[Cluster, list[Server]]:
    """A cluster that is only described."""
    cluster = Cluster(lan(3), directory)
    for server in cluster.servers.values():
        server.directory.mkdir(parents=True)
    return cluster, list(cluster.servers.values())


def configuration(directory: Path, style: Style, place: int = 0) -> str:
    cluster, servers = built(directory)
    return Keepalived(100, style=style).configuration(cluster, servers[place], place)


def words(directory: Path, style: Style, place: int) -> list[str]:
    _, servers = built(directory)
    return Ucarp(100, style=style).words(servers[place], place, "10.77.0.100", "/up", "/down")


@pytest.mark.oracle
@pytest.mark.parametrize("style", STYLES)
def test_keepalived_takes_every_line(tmp_path: Path, style: Style) -> None:
    """It only looks up the interface and the script: those are of this machine."""
    if KEEPALIVED is None:
        pytest.skip("keepalived is not installed")
    text = configuration(tmp_path, style)
    file = tmp_path / "keepalived.conf"
    # The loopback is the one interface that is everywhere, and the one VRRP cannot use.
    file.write_text(text.replace(f"{tmp_path}/check-api", "/bin/true"))
    done = subprocess.run(
        [KEEPALIVED, "--config-test", "--use-file", str(file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if INTERFACE not in line]
    about = [line for line in said if "keepalived.conf" in line or "(VIP)" in line]
    assert [line for line in about if "nknown interface" not in line] == []
    assert not any("SECURITY" in line for line in said)


@pytest.mark.parametrize(
    ("style", "version", "interval"),
    [
        (Style.DEFAULT, 2, "1"),
        (Style.DEFAULT_V3, 3, "1"),
        (Style.BEST, 3, "0.1"),
        (Style.BEST_V2, 2, "1"),
        (Style.HASTY, 3, "0.1"),
    ],
)
def test_interval_is_the_asked_one_where_the_style_does_not_fix_it(
    tmp_path: Path, style: Style, version: int, interval: str
) -> None:
    lines = [line.strip() for line in configuration(tmp_path, style).splitlines()]
    assert f"version {version}" in lines
    assert f"advert_int {interval}" in lines
    assert Keepalived(100, style=style).interval_ms == float(interval) * 1000


def test_a_check_that_fails_moves_the_vip_whether_it_preempts_or_not(tmp_path: Path) -> None:
    """Without preemption a backup follows a master of lower priority: only FAULT makes it move."""
    for style in STYLES:
        text = configuration(tmp_path / style, style)
        weight = next(line.split()[1] for line in text.splitlines() if "weight" in line)
        assert ("nopreempt" in text) == (weight == "0"), style


def test_the_best_of_keepalived_tells_clients_again_when_two_masters_have_met(
    tmp_path: Path,
) -> None:
    """`vrrp_garp_master_delay 0` would switch the second gratuitous ARP off, the one after a lower master's advert as well."""
    for style in (Style.BEST, Style.BEST_V2, Style.HASTY):
        text = configuration(tmp_path / style, style)
        assert "garp_master_delay" not in text
        assert "vrrp_garp_master_refresh 5" in text


def test_random_phase_covers_the_checks_too() -> None:
    assert Keepalived(100, style=Style.BEST).cycle_ms(0) == 1000
    assert Keepalived(100, style=Style.DEFAULT).cycle_ms(0) == 3000
    assert MANAGERS["vipkeeper"](2000).cycle_ms(0) == 2000
    assert KubeVip(100, style=Style.DEFAULT).cycle_ms(0) == 3000


def test_random_phase_of_ucarp_is_that_of_the_server_that_holds() -> None:
    """More than its period and less than two would make the early phases likelier."""
    ucarp = Ucarp(100, style=Style.BEST)
    assert [ucarp.cycle_ms(place) for place in range(3)] == [1000, 1390, 1781]


@pytest.mark.parametrize(("daemon", "ready"), [(100, 99), (1, 100)])
@pytest.mark.parametrize(("style", "seconds"), [(Style.DEFAULT, 10), (Style.BEST, 3)])
def test_nothing_is_broken_before_a_check_has_passed_as_often_as_it_must(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    style: Style,
    seconds: int,
    daemon: int,
    ready: int,
) -> None:
    """A first check that fails lowers the priority at once; the guide's needs two more, three seconds apart, to raise it."""
    cluster, servers = built(tmp_path)
    servers[0].daemon = cast(Process, SimpleNamespace(started=daemon * SECOND))
    servers[0].ready_since = ready * SECOND

    def settled(after: float) -> bool:
        monkeypatch.setattr(keepalived, "now", lambda: int((100 + after) * SECOND))
        return Keepalived(100, style=style).settled(servers[0], cluster, {servers[0].name})

    assert not settled(seconds - 0.1)
    assert settled(seconds + 0.1)
    servers[0].ready_since = None
    assert not settled(seconds + 0.1)


def test_servers_of_ucarp_wait_one_after_another(tmp_path: Path) -> None:
    skews = [
        next(word for word in words(tmp_path / str(n), Style.DEFAULT, n) if "advskew" in word)
        for n in range(3)
    ]
    assert skews == ["--advskew=0", "--advskew=100", "--advskew=200"]
    assert "--deadratio=2" in words(tmp_path / "best", Style.BEST, 0)
    assert "--advbase=1" in words(tmp_path / "whole", Style.BEST, 0), "it takes whole seconds only"


def test_kube_vip_is_elected_by_the_etcd_of_every_server(tmp_path: Path) -> None:
    cluster, servers = built(tmp_path)
    manager = KubeVip(100, style=Style.DEFAULT)
    machines = cluster.network.servers
    text = " ".join(manager.words(machines[0], "10.77.0.100", machines))
    every = "http://10.77.0.11:2379,http://10.77.0.12:2379,http://10.77.0.13:2379"
    assert f"--leaderElectionType etcd --etcdEndpoints {every}" in text
    assert "--leaseDuration 5 --leaseRenewDuration 3 --leaseRetry 1" in text
    member = " ".join(manager.member(servers[1], machines))
    assert "cp1=http://10.77.0.11:2380,cp2=http://10.77.0.12:2380" in member


def test_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vipkeeper.lab.processes.SYSTEM_PATH", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    for peer in PEERS:
        assert peer.program in peer.missing()
    assert MANAGERS["vipkeeper"].missing() == ""
    with pytest.raises(LabError, match="ucarp has no variant 'hasty'; it has best, default"):
        Ucarp(100, style=Style.HASTY)
