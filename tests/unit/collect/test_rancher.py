"""Rancher's bundle: every file gives its facts, and an error in a file is no absence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.bundles import HEALTHY, IP_ADDR, MADE, QUORUM_LOST, archive, within
from vipkeeper.collect import archive as tar
from vipkeeper.collect.rancher import clock
from vipkeeper.collect.read import read_members
from vipkeeper.collect.reading import Kind, Reading, Troubles
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Manager, Port, Process

VIP = "192.0.2.105"


def read(files: dict[str, str], vip: str = VIP, modified: int = MADE) -> Reading:
    troubles = Troubles()
    return read_members(tar.members(archive(dict(files), modified), troubles), vip, troubles)


def facts(reading: Reading, key: Key, aspect: str = "", about: str | None = None) -> list[Fact]:
    return [
        f
        for f in reading.facts
        if f.key is key and f.aspect == aspect and (about is None or f.about == about)
    ]


def value(reading: Reading, key: Key, aspect: str = "") -> object:
    (fact,) = facts(reading, key, aspect)
    assert fact.known, fact.unknown
    return fact.value


@pytest.mark.parametrize("folder", [".", "cp1-2026-11-27_02_43_33", "./cp1-2026-11-27_02_43_33"])
def test_a_healthy_server_gives_its_facts(folder: str) -> None:
    reading = read(within(folder, HEALTHY))
    assert reading.kind is Kind.RANCHER
    assert reading.server == "cp1"
    assert reading.made_at == MADE * 1000
    assert reading.troubles == ()
    expected: dict[Key, object] = {
        Key.VIP: VIP,
        Key.SERVERS: ("cp1", "cp2", "cp3"),
        Key.MANAGER: Manager.KUBE_VIP,
        Key.MANAGER_STATE: Process.RUNNING,
        Key.DATASTORE: Datastore.ETCD,
        Key.VOTERS: 3,
        Key.LEASE_HOLDER: "cp1",
        Key.VIP_PRESENT: True,
        Key.VIP_INTERFACE: "eth0",
        Key.VIP_PERMANENT: True,
        Key.VIP_DAD_FAILED: False,
        Key.VIP_SUBNET: True,
        Key.LINK_UP: True,
        Key.DEFAULT_ROUTE: True,
        Key.SUPERVISOR: Process.RUNNING,
        Key.API_PORT: Port.OPEN,
        Key.REGISTRATION_PORT: Port.OPEN,
        Key.REGISTRATION_ON_VIP: True,
        Key.ETCD_HEALTH: Etcd.HEALTHY,
        Key.ETCD_LEADER: True,
        Key.ETCD_LEARNER: False,
        Key.DISK_FULL: False,
        Key.LOGS_READ: True,
    }
    assert {key: value(reading, key) for key in expected} == expected
    assert value(reading, Key.CONTAINER, "etcd") is Process.RUNNING
    assert [f.value for f in facts(reading, Key.VIP_IS_NODE_IP)] == [False] * 3
    assert facts(reading, Key.LOG) == []


def test_an_error_in_a_file_is_unknown_and_told_and_never_absent() -> None:
    reading = read(QUORUM_LOST)
    for key in (Key.VOTERS, Key.SERVERS):
        (fact,) = facts(reading, key)
        assert fact.value is None
        assert fact.unknown
    told = "\n".join(reading.troubles)
    assert "etcd/memberlist: {" in told
    assert "rke2/kubectl/nodes: The connection to the server 127.0.0.1:6443 was refused" in told
    health = facts(reading, Key.ETCD_HEALTH)
    assert {f.value for f in health} == {Etcd.NO_LEADER, None}
    assert value(reading, Key.VIP_PRESENT) is False


def test_messages_of_the_last_hour_are_facts_and_older_ones_are_not() -> None:
    reading = read(QUORUM_LOST)
    logs = {f.aspect: f for f in reading.facts if f.key is Key.LOG}
    assert set(logs) == {"lease-timeout", "etcd-request-timeout", "waiting-for-etcd"}
    lease = logs["lease-timeout"]
    assert lease.about == "cp1"
    assert lease.source == "rke2/podlogs/kube-system_kube-vip-cp1_0a/kube-vip/2.log: 3 times"
    assert lease.at == (MADE - 213) * 1000 + 100
    assert "etcdserver: request timed out" in lease.raw


@pytest.mark.parametrize(
    ("file", "text", "key", "aspect"),
    [
        ("networking/ipaddrshow", "bash: ip: command not found", Key.VIP_PRESENT, ""),
        ("networking/iproute", "Cannot open netlink socket", Key.DEFAULT_ROUTE, ""),
        ("networking/sstunlp4", "ss: error", Key.API_PORT, ""),
        ("rke2/crictl/psa", "FATA[0002] connect: connection refused", Key.CONTAINER, "etcd"),
        ("systeminfo/systemd-units", "Failed to connect to bus", Key.SUPERVISOR, ""),
        ("systeminfo/dfh", "df: no file systems processed", Key.DISK_FULL, ""),
        ("etcd/endpointhealth", "Error: context deadline exceeded", Key.ETCD_HEALTH, ""),
        ("journald/rke2-server", "-- No entries --", Key.LOGS_READ, ""),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_each_fact_is_unknown_when_its_file_holds_none(
    file: str, text: str, key: Key, aspect: str, missing: bool
) -> None:
    files = {path: body for path, body in HEALTHY.items() if path != file}
    reading = read(files if missing else files | {file: text})
    (fact,) = facts(reading, key, aspect)
    assert fact.value is None
    assert fact.unknown == ("it is not in the bundle" if missing else text)
    assert any(line.startswith(f"{file}: ") for line in reading.troubles)


def test_faults_that_a_server_shows_are_seen() -> None:
    psa = HEALTHY["rke2/crictl/psa"]
    files = HEALTHY | {
        "networking/ipaddrshow": IP_ADDR.replace("UP,LOWER_UP> mtu 1500", "UP> mtu 1500"),
        "networking/ipneighbour": "192.0.2.105 dev eth0 FAILED\n192.0.2.12 dev eth0 FAILED\n",
        "networking/iproute": "192.0.2.0/24 dev eth0 proto kernel scope link\n",
        "networking/sstunlp6": HEALTHY["networking/sstunlp6"].replace("*:9345", "[fd00::1]:9345"),
        "systeminfo/dfh": HEALTHY["systeminfo/dfh"].replace(" 40%", " 100%"),
        "systeminfo/systemd-units": HEALTHY["systeminfo/systemd-units"].replace(
            "active running", "activating auto-restart"
        ),
        "rke2/crictl/psa": psa.replace(
            "3 days ago          Running             etcd",
            "2 minutes ago       Exited              etcd",
        ),
        "etcd/alarmlist": "memberID:1425 alarm:NOSPACE\n",
    }
    reading = read(files)
    assert value(reading, Key.LINK_UP) is False
    assert value(reading, Key.DEFAULT_ROUTE) is False
    assert value(reading, Key.REGISTRATION_ON_VIP) is False
    assert value(reading, Key.VIP_MACS) == ()
    assert value(reading, Key.DISK_FULL) is True
    assert value(reading, Key.SUPERVISOR) is Process.RESTARTING
    assert value(reading, Key.CONTAINER, "etcd") is Process.STOPPED
    assert Etcd.NO_SPACE in {f.value for f in facts(reading, Key.ETCD_HEALTH)}


def test_the_logs_of_pods_are_of_the_server_they_run_on() -> None:
    line = "2026-11-27T02:43:00Z lost leadership, restarting kube-vip\n"
    files = HEALTHY | {
        "rke2/podlogs/kube-system-kube-vip-x7k2p": line,
        "rke2/podlogs/kube-system-kube-vip-x7k2p-previous": line,
        "rke2/podlogs/kube-system-etcd-cp3": line,
        "rke2/podlogs/kube-system-kube-vip-gone1": line,
    }
    reading = read(files)
    assert [f.about for f in facts(reading, Key.LOG, "kube-vip-lost-leadership")] == [
        "cp3",
        "cp2",
        "cp2",
    ]
    assert reading.troubles == (
        "rke2/podlogs/kube-system-kube-vip-gone1: of which server it is, is not known; not used",
    )


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "kube-vip"])
def test_logs_count_as_read_only_when_all_are_there(name: str) -> None:
    reading = read({p: t for p, t in HEALTHY.items() if not p.endswith(f"{name}-cp1")})
    (fact,) = facts(reading, Key.LOGS_READ)
    assert fact.unknown == f"the logs of {name} are not in the bundle"


def test_the_logs_of_keepalived_are_those_of_the_system() -> None:
    units = HEALTHY["systeminfo/systemd-units"] + "  keepalived.service loaded active running x\n"
    files = HEALTHY | {"systeminfo/systemd-units": units}
    (fact,) = facts(read(files), Key.LOGS_READ)
    assert fact.unknown == "the logs of systemlogs/ are not in the bundle"
    line = "Nov 27 02:43:01 cp1 Keepalived_vrrp[9]: (VI_1) Entering MASTER STATE\n"
    found = read(files | {"systemlogs/messages": line})
    assert value(found, Key.LOGS_READ) is True
    assert value(found, Key.LOG, "keepalived-master") is True


def test_a_neighbour_entry_and_data_of_etcd_are_told() -> None:
    line = "192.0.2.105 dev eth0 lladdr 52:54:00:00:00:0c STALE\n"
    wal = "-rw------- 1 root root 64000000 Nov 1 x /var/lib/rancher/rke2/server/db/etcd/member/wal/0.wal"
    reading = read(HEALTHY | {"networking/ipneighbour": line, "etcd/findserverdbetcd": wal})
    assert value(reading, Key.VIP_NEIGHBOUR) == "52:54:00:00:00:0c"
    assert value(reading, Key.ETCD_DATA) is True
    assert facts(reading, Key.VIP_MACS) == []


@pytest.mark.parametrize(
    ("last", "voters"),
    [("voters=(1 22 333)", [3]), ("voters=(1 2)&&(1 2 3)", []), ("voters=()", [])],
)
def test_without_a_quorum_the_log_of_etcd_says_how_many_voters_there_are(
    last: str, voters: list[int]
) -> None:
    log = "".join(
        f'2026-11-01T00:00:00Z stderr F {{"msg":"1a switched to configuration {config}"}}\n'
        for config in ("voters=(1)", last)
    )
    reading = read(QUORUM_LOST | {"rke2/podlogs/kube-system_etcd-cp1_0a/etcd/0.log": log})
    assert [f.value for f in facts(reading, Key.VOTERS) if f.known] == voters


def test_the_etcd_that_a_boot_runs_on_a_copy_makes_no_cluster_of_one() -> None:
    line = 'Nov 27 02:43:00 cp1 rke2[1]: {"msg":"1a switched to configuration voters=(1)"}\n'
    reading = read(QUORUM_LOST | {"journald/rke2-server": line})
    assert [f.value for f in facts(reading, Key.VOTERS) if f.known] == []


def test_an_agents_bundle_tells_only_what_it_sees() -> None:
    units = "  UNIT LOAD ACTIVE SUB DESCRIPTION\n  rke2-agent.service loaded active running x\n"
    files = {p: t for p, t in HEALTHY.items() if not p.startswith("etcd/")} | {
        "systeminfo/hostname": "w1\n",
        "systeminfo/systemd-units": units,
        "networking/ipneighbour": "192.0.2.105 dev eth0 FAILED\n",
    }
    reading = read(files)
    assert {f.about for f in reading.facts} == {"", "cp1", "cp2", "cp3"}
    assert value(reading, Key.VIP_MACS) == ()
    assert "w1 is no server" in reading.troubles[0]


def test_a_k3s_server_is_read_too() -> None:
    files = {path.replace("rke2/", "k3s/"): text for path, text in HEALTHY.items()}
    del files["etcd/memberlist"]
    files |= {
        "systeminfo/systemd-units": HEALTHY["systeminfo/systemd-units"].replace(
            "rke2-server", "k3s"
        ),
        "journald/k3s": files.pop("journald/rke2-server"),
        "etcd/memberlist.json": '{"members":[{"ID":"1","name":"cp1-1a2b3c4d","clientURLs":'
        '["https://192.0.2.11:2379"]},{"ID":"2","name":"cp2-1a2b3c4d","isLearner":true}]}',
    }
    reading = read(files)
    assert value(reading, Key.VOTERS) == 1
    assert value(reading, Key.LOGS_READ) is True
    assert facts(reading, Key.REGISTRATION_PORT) == []
    assert facts(reading, Key.CONTAINER, "kube-apiserver") == []


def test_the_vip_is_found_in_the_manifest_or_asked_for() -> None:
    manifest = "env:\n- name: address\n  value: 192.0.2.105\n"
    found = read(HEALTHY | {"rke2/pod-manifests/kube-vip.yaml": manifest}, vip="")
    assert value(found, Key.VIP) == VIP
    asked = read(HEALTHY, vip="")
    assert facts(asked, Key.VIP_PRESENT) == []
    assert asked.troubles == ("the bundle does not say which address is the VIP: name it",)


def test_local_time_is_understood_by_the_times_of_the_files() -> None:
    utc = clock("Fri Nov 27 02:43:33 UTC 2026\n", 0)
    assert (utc.at, utc.offset) == (MADE * 1000, timedelta())
    india = clock("Fri Nov 27 08:13:34 IST 2026\n", MADE)
    assert (india.at, india.offset) == (MADE * 1000, timedelta(hours=5, minutes=30))
    assert clock("Fri Nov 27 08:13:34 IST 2026\n", 0).offset is None
    assert clock("Fri Nov 27 08:20:34 IST 2026\n", MADE).offset is None
    assert clock("Fri Nov 30 08:13:34 IST 2026\n", MADE).offset is None
    assert clock("date: invalid option", MADE).at == 0


def test_without_a_clock_no_message_is_used() -> None:
    reading = read({p: t for p, t in QUORUM_LOST.items() if p != "systeminfo/date"})
    assert not [f for f in reading.facts if f.key is Key.LOG]
    assert any("messages whose time is not known" in line for line in reading.troubles)


def test_logs_compressed_within_the_bundle_are_told() -> None:
    reading = read(
        HEALTHY | {"systemlogs/messages-20261120.gz": "\x1f\x8b", "systemlogs/x.gz": "y"}
    )
    assert reading.troubles == (
        "systemlogs/messages-20261120.gz: compressed within the bundle; not read",
    )


def test_something_else_is_no_bundle() -> None:
    reading = read({"holiday.txt": "sun"})
    assert reading.kind is None
    assert reading.facts == ()
    assert reading.troubles == (
        "the archive: it is no bundle of vipkeeper or of Rancher's log collector",
    )


@given(st.sampled_from(sorted(QUORUM_LOST)), st.text(max_size=300), st.integers(0, 2**40))
def test_any_text_in_any_file_is_read(path: str, text: str, modified: int) -> None:
    reading = read(
        {**QUORUM_LOST, path: text.encode(errors="replace").decode()}, modified=modified % 2**33
    )
    assert reading.kind is Kind.RANCHER
    assert all("\n" not in line for line in reading.troubles)


@pytest.mark.parametrize("head", ["NAMESPACE  NAME", "NAME", "CONTAINER  NAME"])
def test_a_table_without_its_columns_is_no_table(head: str) -> None:
    paths = ("kubectl/nodes", "kubectl/pods", "kubectl/leases", "crictl/psa")
    reading = read(HEALTHY | {f"rke2/{path}": f"{head}\nx          etcd\n" for path in paths})
    (fact,) = facts(reading, Key.CONTAINER, "etcd")
    assert fact.unknown == head
    assert facts(reading, Key.LEASE_HOLDER) == []


def test_the_vip_on_kube_proxys_interface_is_captured_and_not_held() -> None:
    ipvs = (
        "9: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default\n"
        f"    inet {VIP}/32 scope global kube-ipvs0\n       valid_lft forever preferred_lft forever\n"
    )
    without = "\n".join(line for line in IP_ADDR.split("\n") if f"{VIP}/" not in line)
    reading = read(HEALTHY | {"networking/ipaddrshow": without + ipvs})
    assert value(reading, Key.VIP_PRESENT) is False
    assert value(reading, Key.VIP_CAPTURED) is True
    assert not facts(read(HEALTHY), Key.VIP_CAPTURED)
