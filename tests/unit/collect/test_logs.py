"""The logs of a server: what is found in them, and when what is not found counts as not there."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.collect.live import logs
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key

REFUSED_SCHEME = "failed to validate token: only https:// URLs are supported, invalid scheme: true"
VOTERS = (
    '"msg":"c switched to configuration voters=(1234567890123456789 2345678901234567890 345678901)"'
)

Program = Callable[[str], None]


def stamp(minutes: int, zone: str = "Z") -> str:
    """So long ago, as logs write it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S") + zone


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program of this name first: a script that is told which unit is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(script: str) -> None:
        path = folder / "journalctl"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


def target(files: Path) -> Target:
    return Target(ip_address("192.0.2.100"), own="cp1", place="cp1", root=True, files=files)


def pod_log(files: Path, container: str, *lines: str) -> Path:
    folder = files / f"var/log/pods/kube-system_{container}-cp1_0123/{container}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def manifest(files: Path, name: str) -> None:
    path = files / f"var/lib/rancher/rke2/agent/pod-manifests/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def looked(files: Path) -> dict[tuple[Key, str], Fact]:
    return {(f.key, f.aspect): f for f in logs.look_at_logs(target(files))}


QUIET = f"echo '{stamp(3, '+0000')} cp1 rke2[1]: all is well'"


def test_a_message_of_the_supervisor(tmp_path: Path, journalctl: Program) -> None:
    line = f"{stamp(3, '+0000')} cp1 rke2[1]: {REFUSED_SCHEME}"
    journalctl(f'case "$*" in *"--unit rke2-server --since"*) echo \'{line}\';; *) {QUIET};; esac')
    found = looked(tmp_path)
    said = found[Key.LOG, "invalid-url-scheme"]
    assert (said.about, said.source) == ("cp1", "journalctl -u rke2-server --since -1h")
    assert REFUSED_SCHEME in said.raw
    assert found[Key.LOGS_READ, ""].value is True


def test_what_a_container_said_in_another_hour_is_no_message_of_now(
    tmp_path: Path, journalctl: Program
) -> None:
    journalctl(QUIET)
    pod_log(tmp_path, "etcd", f"{stamp(90)} stderr F etcdserver: no leader")
    assert (Key.LOG, "etcd-no-leader") not in looked(tmp_path)
    pod_log(tmp_path, "etcd", f"{stamp(10)} stderr F etcdserver: no leader")
    assert looked(tmp_path)[Key.LOG, "etcd-no-leader"].value is True


def test_a_message_of_a_time_to_come_is_told_and_no_message_of_now(
    tmp_path: Path, journalctl: Program
) -> None:
    journalctl(QUIET)
    path = pod_log(tmp_path, "etcd", f"{stamp(-90)} stderr F etcdserver: no leader")
    found = looked(tmp_path)
    assert (Key.LOG, "etcd-no-leader") not in found
    assert f"{path.name}: it has messages of a time to come" in found[Key.LOGS_READ, ""].unknown


def test_a_log_that_may_not_be_read_is_told(
    tmp_path: Path, journalctl: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    journalctl(QUIET)
    pod_log(tmp_path, "etcd", f"{stamp(1)} stderr F etcdserver: no leader")

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(logs, "end_of", refused)
    assert looked(tmp_path)[Key.LOGS_READ, ""].unknown.endswith("Permission denied")


def test_the_voters_that_etcd_logged_long_ago_still_hold(
    tmp_path: Path, journalctl: Program
) -> None:
    journalctl(QUIET)
    one = '"msg":"c switched to configuration voters=(1234567890123456789)"'
    pod_log(tmp_path, "etcd", f"{stamp(5000)} stderr F {{{one}}}")
    pod_log(tmp_path, "etcd", f"{stamp(3000)} stderr F {{{VOTERS}}}")
    assert looked(tmp_path)[Key.VOTERS, ""].value == 3


def test_k3s_has_the_voters_in_its_journal(tmp_path: Path, journalctl: Program) -> None:
    (tmp_path / logs.K3S_ETCD.lstrip("/")).mkdir(parents=True)
    line = f"{stamp(3000, '+0000')} cp1 k3s[1]: {{{VOTERS}}}"
    journalctl(f"case \"$*\" in *--grep*) echo '{line}';; *) {QUIET};; esac")
    assert looked(tmp_path)[Key.VOTERS, ""].value == 3


@pytest.mark.parametrize(("unit", "kept"), [("rke2-server", 3), ("none", 1)])
def test_the_etcd_that_a_boot_runs_on_a_copy_makes_no_cluster_of_one(
    tmp_path: Path, journalctl: Program, unit: str, kept: int
) -> None:
    """It writes to the journal; the real one has a container, and may be of one."""
    one = '"msg":"c switched to configuration voters=(1234567890123456789)"'
    journalctl(f"case \"$*\" in *{unit}*) echo '{stamp(1, '+0000')} cp1 rke2[1]: {{{one}}}';; esac")
    real = VOTERS if kept == 3 else one
    pod_log(tmp_path, "etcd", f"{stamp(3000)} stderr F {{{real}}}")
    assert looked(tmp_path)[Key.VOTERS, ""].value == kept


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 0", "the journal has nothing of rke2-server"),
        (f"{QUIET}; exit 1", "journalctl ended with 1"),
    ],
)
def test_a_journal_that_gives_nothing_proves_nothing(
    tmp_path: Path, journalctl: Program, script: str, why: str
) -> None:
    journalctl(script)
    assert why in looked(tmp_path)[Key.LOGS_READ, ""].unknown


def test_a_pod_that_must_be_there_and_has_no_log(tmp_path: Path, journalctl: Program) -> None:
    journalctl(QUIET)
    manifest(tmp_path, "etcd")
    assert "has no log of etcd" in looked(tmp_path)[Key.LOGS_READ, ""].unknown
    pod_log(tmp_path, "etcd", f"{stamp(1)} stderr F ready")
    assert looked(tmp_path)[Key.LOGS_READ, ""].value is True


def test_a_journal_that_never_ends_is_left_and_what_it_said_is_kept(
    tmp_path: Path, journalctl: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "READ_LIMIT", 0.5)
    line = f"{stamp(3, '+0000')} cp1 rke2[1]: {REFUSED_SCHEME}"
    journalctl(
        f'case "$*" in *"--unit rke2-server --since"*) echo \'{line}\'; exec sleep 60;; *) {QUIET};; esac'
    )
    found = looked(tmp_path)
    assert "not read to its end" in found[Key.LOGS_READ, ""].unknown
    assert found[Key.LOG, "invalid-url-scheme"].value is True


def test_a_log_without_end_is_read_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LARGEST", 4)
    path = tmp_path / "0.log"
    path.write_bytes(b"0123456789")
    assert b"".join(logs.end_of(path, time.monotonic() + 10)) == b"6789"


def test_no_secret_of_a_log_is_in_a_fact(tmp_path: Path, journalctl: Program) -> None:
    line = f"{stamp(3, '+0000')} cp1 rke2[1]: token=planted {REFUSED_SCHEME}"
    journalctl(f"echo '{line}'")
    assert not [fact for fact in looked(tmp_path).values() if "planted" in fact.raw]
