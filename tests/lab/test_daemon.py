"""The real daemon on real kernels: what it refuses, waits for, adopts, puts back and gives up."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemons import ADDED, REMOVED, VIP, Daemon, Site, Status, site
from support.namespaces import eventually, switch_of
from vipkeeper.config.cluster import DEFAULT_PORT
from vipkeeper.core.invariants.checker import OWN, Checker
from vipkeeper.core.invariants.reading import Reader
from vipkeeper.core.trace import Header, TraceRecord, parse

pytestmark = pytest.mark.lab

LONG_LEASE = "60s"
"""A VIP that is gone long before this did not go by its lease."""


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, "cp1") as here:
        yield here


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, "cp1", "cp2") as here:
        yield here


def pair(two: Site, config: Path | None = None) -> tuple[Daemon, Daemon]:
    """cp1 holds, cp2 follows it, and each hears the other."""
    config = config or two.config()
    first = two.start("cp1", config)
    first.becomes("holder")
    second = two.start("cp2", config)
    second.until(lambda s: s["state"] == "backup" and s["holder"] == "cp1")
    hears(first, "cp2")
    return first, second


def hears(holder: Daemon, name: str) -> None:
    """Wait until the holder knows who would be next."""
    holder.until(lambda s: s["successor"] == name)


def alarms(status: Status) -> dict[str, str]:
    return {alarm["kind"]: alarm["detail"] for alarm in status["alarms"]}


def moves(daemon: Daemon) -> list[tuple[str, str]]:
    """(state entered, cause) of its history, oldest first."""
    done = daemon.verb("history", "--output", "json", "--state-dir", f"{daemon.directory}/state")
    assert done.returncode == 0, done.stderr
    return [(move["after"], move["cause"]) for move in json.loads(done.stdout)["moves"]]


def clear_lines(stderr: str) -> list[str]:
    assert "Traceback" not in stderr
    return stderr.splitlines()


def test_second_daemon_on_the_host_names_the_first(one: Site) -> None:
    first = one.start("cp1")
    first.becomes("holder")
    done = one.run("cp1", one.config())
    assert done.returncode == 2
    (line,) = clear_lines(done.stderr)
    assert f"another vipkeeper daemon (pid {first.process.pid}) runs" in line
    assert one.has_vip("cp1")
    assert first.status()["state"] == "holder"


def test_advert_port_in_use_is_named(one: Site) -> None:
    taken = one.nets["cp1"].call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with taken:
        taken.bind(("10.9.0.11", DEFAULT_PORT))
        done = one.run("cp1", one.config())
    assert done.returncode == 2
    (line,) = clear_lines(done.stderr)
    assert f"UDP 10.9.0.11 port {DEFAULT_PORT}" in line
    assert f"ss -lunp sport = :{DEFAULT_PORT}" in line
    assert not one.has_vip("cp1")


def test_metrics_port_in_use_is_named(one: Site) -> None:
    listener = one.nets["cp1"].call(lambda: socket.create_server(("127.0.0.1", 9347)))
    with listener:
        done = one.run("cp1", one.config(metrics={"listen": "127.0.0.1:9347"}))
    assert done.returncode == 2
    assert "127.0.0.1" in clear_lines(done.stderr)[-1]
    assert "9347" in done.stderr
    assert not one.has_vip("cp1")


def test_missing_capability_is_named(one: Site) -> None:
    words = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    done = one.run("cp1", one.config(), prefix=words)
    assert done.returncode == 2
    (line,) = clear_lines(done.stderr)
    assert "CAP_NET_ADMIN" in line


def test_own_address_that_is_not_there_yet_is_waited_for(one: Site) -> None:
    config = one.config(servers={"cp1": "10.9.0.77", "cp2": "10.9.0.78"})
    checked = one.run("cp1", config, "--check")
    assert checked.returncode == 2
    (line,) = clear_lines(checked.stderr)
    assert "this host has none of the addresses in servers (cp1 10.9.0.77, cp2 10.9.0.78)" in line
    daemon = one.start("cp1", config)
    daemon.says("none of the addresses in servers (cp1 10.9.0.77, cp2 10.9.0.78): waiting")
    assert not one.has_vip("cp1")
    one.nets["cp1"].ip("addr add 10.9.0.77/24 dev eth0")
    daemon.becomes("holder")
    assert one.has_vip("cp1")
    assert one.run("cp1", config, "--check").returncode == 0


def test_wait_for_an_own_address_ends_with_sigterm(one: Site) -> None:
    daemon = one.start("cp1", one.config(servers={"cp1": "10.9.0.77"}))
    daemon.says("waiting")
    assert daemon.end() == 0


@pytest.mark.parametrize("what", ["down", "without carrier"])
def test_interface_that_is_not_usable_is_waited_for(one: Site, what: str) -> None:
    net = one.nets["cp1"]
    here = net if what == "down" else switch_of(net)
    port = "eth0" if what == "down" else "p1"
    here.ip(f"link set {port} down")
    daemon = one.start("cp1")
    status = daemon.becomes("blocked")
    assert status["host"]["usable"] is False
    assert "eth0" in status["host"]["detail"]
    assert "eth0" in daemon.log
    assert not one.has_vip("cp1")
    here.ip(f"link set {port} up")
    daemon.becomes("holder")
    assert one.has_vip("cp1")


def test_permanent_vip_is_somebody_elses(one: Site) -> None:
    one.nets["cp1"].ip(f"addr add {VIP}/32 dev eth0")
    watch = one.watch("cp1")
    daemon = one.start("cp1")
    status = daemon.becomes("blocked")
    assert "permanent-vip" in alarms(status)
    daemon.says("the VIP is a permanent address of this host")
    daemon.verb("release")
    assert daemon.end() == 0
    assert watch.events == []
    assert one.has_vip("cp1")


def test_leftover_vip_without_a_record_is_removed_before_anything_else(one: Site) -> None:
    one.nets["cp1"].ip(f"addr add {VIP}/32 dev eth0 valid_lft 1000 preferred_lft 0")
    watch = one.watch("cp1")
    daemon = one.start("cp1")
    daemon.becomes("holder")
    assert watch.events[:2] == [REMOVED, ADDED]
    assert "adopted" not in daemon.log


def test_sigkill_and_restart_within_the_lease_costs_nothing(two: Site) -> None:
    config = two.config(kernel_lease="20s")
    first, second = pair(two, config)
    watch, other = two.watch("cp1"), two.watch("cp2")
    before = first.status()
    first.end(signal.SIGKILL)
    second.becomes("holdoff")
    first = two.start("cp1", config)
    status = first.becomes("holder")
    assert [t["cause"] for t in status["transitions"]] == ["adopted"]
    assert status["epoch"] == before["epoch"]
    second.until(lambda s: s["state"] == "backup" and s["holder"] == "cp1")
    assert REMOVED not in watch.events
    assert other.events == []
    assert moves(second) == []


def test_sigkill_without_a_restart_moves_the_vip_when_the_lease_has_lapsed(two: Site) -> None:
    first, second = pair(two, two.config(kernel_lease="2s"))
    watch, other = two.watch("cp1"), two.watch("cp2")
    first.end(signal.SIGKILL)
    second.becomes("holder")
    assert watch.events[-1] == REMOVED
    assert other.events[0] == ADDED
    assert moves(second) == [("holder", "lease_lapsed_elsewhere")]


def test_sigterm_leaves_no_address_and_names_the_successor(two: Site) -> None:
    config = two.config(kernel_lease=LONG_LEASE)
    first, second = pair(two, config)
    leaving, staying = ("cp1", first), ("cp2", second)
    causes: list[str] = []
    # On a machine that stood still it names nobody, or is read late; not three times in a row.
    while len(causes) < 3 and causes[-1:] != ["named_successor"]:
        name, daemon = leaving
        watch = two.watch(name)
        assert daemon.end() == 0
        assert watch.events[-1] == REMOVED
        assert not two.has_vip(name)
        staying[1].becomes("holder")
        state, cause = moves(staying[1])[-1]
        assert state == "holder"
        causes.append(cause)
        back = two.start(name, config)
        back.becomes("backup")
        hears(staying[1], name)
        leaving, staying = staying, (name, back)
    assert causes[-1] == "named_successor", causes


def test_address_somebody_deletes_is_put_back_and_nobody_else_claims(two: Site) -> None:
    first, second = pair(two, two.config(kernel_lease=LONG_LEASE))
    watch, other = two.watch("cp1"), two.watch("cp2")
    epoch = first.status()["epoch"]
    two.nets["cp1"].ip(f"addr del {VIP}/32 dev eth0")
    eventually(lambda: ADDED in watch.events)
    assert watch.events[:2] == [REMOVED, ADDED]
    status = first.until(lambda s: alarms(s).get("address-deleted") == "put back")
    assert status["state"] == "holder"
    assert status["epoch"] == epoch
    second.until(lambda s: s["holder"] == "cp1")
    assert other.events == []
    assert moves(second) == []


@pytest.mark.parametrize("what", ["down", "without carrier", "without own address"])
def test_host_that_cannot_serve_gives_the_vip_up_at_once(two: Site, what: str) -> None:
    first, second = pair(two, two.config(kernel_lease=LONG_LEASE))
    watch = two.watch("cp1")
    net = two.nets["cp1"]
    match what:
        case "down":
            net.ip("link set eth0 down")
        case "without carrier":
            switch_of(net).ip("link set p1 down")
        case _:
            # A secondary address survives its primary only with this setting, as distributions have it.
            net.sysctl("net.ipv4.conf.eth0.promote_secondaries", 1)
            net.ip("addr del 10.9.0.11/24 dev eth0")
    first.becomes("blocked")
    assert REMOVED in watch.events
    assert not two.has_vip("cp1")
    second.becomes("holder")


def test_flap_nobody_used_ends_where_it_began(one: Site) -> None:
    daemon = one.start("cp1")
    daemon.becomes("holder")
    one.nets["cp1"].ip("link set eth0 down")
    daemon.becomes("blocked")
    one.nets["cp1"].ip("link set eth0 up")
    daemon.becomes("holder")
    assert one.has_vip("cp1")


def test_server_that_comes_back_does_not_take_the_vip_back(two: Site) -> None:
    first, second = pair(two)
    assert first.end() == 0
    second.becomes("holder")
    other = two.watch("cp2")
    first = two.start("cp1", two.config())
    first.until(lambda s: s["state"] == "backup" and s["holder"] == "cp2")
    second.until(lambda s: s["successor"] == "cp1")
    assert REMOVED not in other.events


def test_broken_file_at_sighup_keeps_what_runs_and_names_the_line(two: Site) -> None:
    config = two.config()
    first, _ = pair(two, config)
    watch = two.watch("cp1")
    lines = config.read_text().count("\n")
    config.write_text(config.read_text() + "advert_intervall: 50ms\n")
    first.process.send_signal(signal.SIGHUP)
    first.says(f"{config}:{lines + 1}:1")
    assert "reload refused, the running configuration stays" in first.log
    assert "did you mean" in first.log
    assert first.status()["state"] == "holder"
    assert REMOVED not in watch.events


def test_changed_interval_is_in_force_after_sighup(two: Site) -> None:
    config = two.config(advert_interval="1s", kernel_lease=LONG_LEASE)
    first, second = pair(two, config)
    two.config(advert_interval="20ms", kernel_lease=LONG_LEASE)
    first.process.send_signal(signal.SIGHUP)
    first.says("configuration reloaded")
    heard = second.status()["servers"][0]["adverts_received"]
    second.until(lambda s: s["servers"][0]["adverts_received"] > heard + 60)


def test_reload_that_needs_a_restart_is_refused_with_the_key(one: Site) -> None:
    daemon = one.start("cp1")
    daemon.becomes("holder")
    one.config(vip="10.9.0.101")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.says("needs a restart")
    assert "vip" in re.findall(r"reload refused: .*", daemon.log)[0]
    assert one.has_vip("cp1")


def test_wrong_key_is_counted_logged_once_and_never_obeyed(two: Site) -> None:
    first = two.start("cp1")
    first.becomes("holder")
    watch, other = two.watch("cp1"), two.watch("cp2")
    stranger = two.directory / "other-key"
    two.write_key(stranger, "a5" * 32)
    second = two.start("cp2", two.config("other", key_file=str(stranger)))
    status = first.until(lambda s: s["rejected"].get("wrong_key", 0) > 20)
    assert status["state"] == "holder"
    assert status["successor"] is None
    assert status["servers"][1]["role"] is None
    assert first.log.count("adverts rejected") == 1
    assert "from 10.9.0.12" in first.log
    second.until(lambda s: s["rejected"].get("wrong_key", 0) > 20)
    assert second.status()["state"] == "holdoff"
    assert REMOVED not in watch.events
    assert other.events == []


def test_other_servers_list_is_an_alarm_and_the_holder_keeps(two: Site) -> None:
    first = two.start("cp1")
    first.becomes("holder")
    watch = two.watch("cp1")
    servers = {"cp2": "10.9.0.12", "cp1": "10.9.0.11"}
    two.start("cp2", two.config("other", servers=servers))
    status = first.until(lambda s: "configuration-differs" in alarms(s))
    assert "cp2" in alarms(status)["configuration-differs"]
    assert status["servers"][1]["configuration_differs"] is True
    assert status["state"] == "holder"
    assert REMOVED not in watch.events


def test_handover_moves_the_vip_and_is_remembered(two: Site) -> None:
    first, second = pair(two)
    done = first.verb("handover", "--to", "cp2")
    assert done.returncode == 0, done.stderr
    assert "cp2 holds the VIP" in done.stdout + done.stderr
    assert second.status()["state"] == "holder"
    assert two.has_vip("cp2")
    assert not two.has_vip("cp1")
    eventually(lambda: len(moves(first)) == 2)
    assert moves(first) == [("holder", "first_claim"), ("backup", "handover")]
    assert moves(second) == [("holder", "named_successor")]
    first.end()
    again = two.start("cp1", two.config())
    again.until(lambda s: s["holder"] == "cp2")
    assert moves(again) == [("holder", "first_claim"), ("backup", "handover")]


def test_handover_to_a_silent_server_is_refused(two: Site) -> None:
    first = two.start("cp1")
    first.becomes("holder")
    watch = two.watch("cp1")
    done = first.verb("handover", "--to", "cp2")
    assert done.returncode == 1
    assert "refused: cp2 is silent" in done.stderr
    assert "--force" in done.stderr
    assert first.verb("handover", "--to", "cp9").returncode == 1
    assert first.status()["state"] == "holder"
    assert REMOVED not in watch.events


def test_handover_to_an_unready_server_is_refused_without_force(two: Site) -> None:
    check = {"type": "tcp", "target": "127.0.0.1:7999", "interval": "200ms"}
    config = two.config(distribution=None, checks=[check])
    with two.nets["cp1"].call(lambda: socket.create_server(("127.0.0.1", 7999))):
        first, _ = pair(two, config)
        first.until(lambda s: [x["health"] for x in s["servers"]] == ["ready", "unready"])
        done = first.verb("handover", "--to", "cp2")
        assert done.returncode == 1
        assert "refused: cp2 is not known to be ready (health: unready)" in done.stderr
        assert first.verb("handover").returncode == 1
        assert first.status()["state"] == "holder"
        assert two.has_vip("cp1")
        forced = two.watch("cp2")
        assert first.verb("handover", "--to", "cp2", "--force").returncode == 0
        assert ADDED in forced.events


def test_release_lasts_until_standby_off(two: Site) -> None:
    first, second = pair(two)
    assert first.verb("release").returncode == 0
    assert not two.has_vip("cp1")
    second.becomes("holder")
    assert first.status()["standby"] is True
    watch = two.watch("cp1")
    assert second.end() == 0
    second = two.start("cp2", two.config())
    second.becomes("holder")
    assert watch.events == []
    first.end()
    first = two.start("cp1", two.config())
    assert first.becomes("standby")["standby"] is True
    assert first.verb("standby", "off").returncode == 0
    first.becomes("backup")
    assert second.end() == 0
    first.becomes("holder")


def test_standby_without_a_successor_is_refused(one: Site) -> None:
    daemon = one.start("cp1")
    daemon.becomes("holder")
    done = daemon.verb("standby", "on")
    assert done.returncode == 1
    assert "no other server can take the VIP over" in done.stderr
    assert one.has_vip("cp1")


def test_one_server_says_that_it_has_no_successor(one: Site) -> None:
    daemon = one.start("cp1")
    status = daemon.until(lambda s: s["state"] == "holder" and "no-successor" in alarms(s))
    assert status["successor"] is None
    assert "no successor" in daemon.log
    shown = daemon.verb("status")
    assert shown.returncode == 0
    assert "NO SUCCESSOR" in shown.stdout.splitlines()[0]


def test_metrics_are_served_and_written(one: Site) -> None:
    textfile = one.directory / "vipkeeper.prom"
    metrics = {"listen": "127.0.0.1:9347", "textfile": str(textfile)}
    daemon = one.start("cp1", one.config(metrics=metrics))
    daemon.becomes("holder")

    def scrape() -> str:
        with urllib.request.urlopen("http://127.0.0.1:9347/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    text = one.nets["cp1"].call(scrape)
    assert f'vipkeeper_vip_held{{vip="{VIP}"}} 1.0' in text.splitlines()
    eventually(textfile.exists)
    assert "vipkeeper_build_info" in textfile.read_text()


def test_trace_reads_back_and_begins_with_its_header(two: Site) -> None:
    trace = two.directory / "trace.ndjson"
    first = two.start("cp1", two.config(), "--trace", str(trace))
    first.becomes("holder")
    assert first.end() == 0
    records = [parse(line) for line in trace.read_bytes().splitlines()]
    assert all(isinstance(record, TraceRecord) for record in records), records
    kinds = [record.type for record in records if isinstance(record, TraceRecord)]
    assert kinds[0] == Header.__name__
    assert kinds[-1] == "Exit"
    times = [record.at for record in records if isinstance(record, TraceRecord)]
    assert times == sorted(times)
    assert {"Started", "Tick", "SendAdvert", "ProbeVips", "Transition", "Announce"} <= set(kinds)


def test_every_line_of_a_trace_is_read_by_the_judge_of_the_promises(two: Site) -> None:
    trace = two.directory / "trace.ndjson"
    for _ in range(2):
        daemon = two.start("cp1", two.config(), "--trace", str(trace))
        daemon.becomes("holder")
        assert daemon.end() == 0
    reader = Reader(Checker(OWN))
    for line in trace.read_bytes().splitlines():
        reader.take(line)
    assert reader.finish() == []
    assert reader.unread == 0
    assert reader.checker.situation.moved_at > 0


def test_json_log_is_json_on_every_line(one: Site) -> None:
    daemon = one.start("cp1", one.config(), "--log-format", "json")
    daemon.becomes("holder")
    assert daemon.end() == 0
    lines = [json.loads(line) for line in daemon.log.splitlines()]
    entered = [line["after"] for line in lines if line.get("event") == "transition"]
    assert entered == ["listen", "suspect", "claim", "holder", "release", "stopped"]
