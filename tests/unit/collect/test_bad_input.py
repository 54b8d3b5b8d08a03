"""Bad input of every kind, from the bundle to the facts: named, never followed, never run, and nothing is written."""

from __future__ import annotations

import errno
import io
import os
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.bundles import HEALTHY, QUORUM_LOST, archive
from vipkeeper.collect import rancher
from vipkeeper.collect import unpack as unpacking
from vipkeeper.collect.archive import members
from vipkeeper.collect.live import kernel, processes
from vipkeeper.collect.read import read, read_members
from vipkeeper.collect.reading import Kind, Reading, Troubles
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.messages import LONGEST_LINE
from vipkeeper.diagnose.vocabulary import Key

VIP = "192.0.2.105"
LOUD = "rke2/podlogs/kube-system_kube-vip-cp1_0a/kube-vip/2.log"
_CHANGES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
)
_RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "exec", "import")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_watchers: list[list[str]] = []


def _audit(event: str, args: tuple[object, ...]) -> None:
    if not _watchers:
        return
    writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITING
    if writes or event in _CHANGES or event in _RUNS:
        _watchers[-1].append(f"{event} {args[0]!r}"[:200])


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written, changed, imported, compiled to run or started meanwhile (PEP 578)."""
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


def reading(packed: io.BytesIO) -> Reading:
    troubles = Troubles()
    return read_members(members(packed, troubles), VIP, troubles)


def test_nothing_of_a_bundle_is_run_and_nothing_is_written(tmp_path: Path) -> None:
    bait = tmp_path / "bait"
    script = f"#!/bin/sh\ntouch {bait}\n"
    config = f'!!python/object/apply:os.system ["touch {bait}"]\n'
    hostile = HEALTHY | {
        "rke2/config.yaml": config,
        "rke2/pod-manifests/kube-vip.yaml": config,
        "rke2/crictl/psa": f"$(touch {bait})\n",
        "systeminfo/hostname": f"cp1; touch {bait}\n",
        "collector-output.log": script,
        "sitecustomize.py": f"open({str(bait)!r}, 'w')\n",
    }
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(archive(dict(hostile)).getvalue())
    folder = tmp_path / "bundle"
    with tarfile.open(path) as packed:
        packed.extractall(folder, filter="data")
    read(path, VIP)
    before = sorted(tmp_path.rglob("*"))
    with watched() as seen:
        assert read(path, VIP).kind is Kind.RANCHER
        assert read(folder, VIP).kind is Kind.RANCHER
    assert seen == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_may_not_be_read_is_told_and_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in HEALTHY.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert {f.known for f in read(tmp_path, VIP).facts if f.key is Key.LOGS_READ} == {True}
    scandir = os.scandir

    def refused(path: str) -> object:
        if str(path).endswith("/etcd"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    said = read(tmp_path, VIP)
    assert "the archive: etcd: Permission denied" in said.troubles
    assert {f.known for f in said.facts if f.key is Key.LOGS_READ} == {False}


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(archive(dict(HEALTHY)).getvalue())

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refused)
    assert read(path, VIP).troubles == (f"{path}: Permission denied",)


def test_a_bomb_in_a_bundle_is_told_and_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive({**HEALTHY, "systemlogs/syslog": b"\0" * (8 << 20)})
    assert len(bomb.getvalue()) < 1 << 20
    monkeypatch.setattr(unpacking.Unpacked.__init__, "__defaults__", (4 << 20,))
    said = reading(bomb)
    assert "the archive: it unpacks to more than is read of one bundle" in said.troubles
    assert {f.known for f in said.facts if f.key is Key.LOGS_READ} == {False}


def test_an_output_of_megabytes_is_told_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rancher, "_LARGEST_TEXT", 1 << 20)
    said = reading(archive({**HEALTHY, "networking/iproute": "x" * (2 << 20)}))
    assert "networking/iproute: larger than any such output; not read" in said.troubles
    assert [f.known for f in said.facts if f.key is Key.DEFAULT_ROUTE] == [False]


def test_an_archive_within_an_archive_is_not_opened() -> None:
    inner = archive(dict(QUORUM_LOST)).getvalue()
    alone = reading(archive({"bundle.tar.gz": inner}))
    assert alone.kind is None
    said = reading(archive({**HEALTHY, "systemlogs/messages.tar.gz": inner}))
    assert not [f for f in said.facts if f.key is Key.LOG]
    told = "systemlogs/messages.tar.gz: compressed within the bundle; not read"
    assert told in said.troubles


def test_a_line_of_megabytes_hides_no_message_behind_it() -> None:
    path = LOUD
    long = "y" * (3 << 20)
    said = reading(archive({**QUORUM_LOST, path: f"{long}\n{QUORUM_LOST[path]}{long}"}))
    plain = reading(archive(dict(QUORUM_LOST)))
    logs = [[f for f in r.facts if f.key is Key.LOG] for r in (said, plain)]
    assert logs[0] == logs[1] != []
    assert all(len(f.raw) < LONGEST_LINE for f in said.facts)


def test_messages_of_a_time_to_come_are_told_and_not_used() -> None:
    path = LOUD
    later = QUORUM_LOST[path].replace("2026-", "2036-")
    assert later != QUORUM_LOST[path]
    said = reading(archive({**QUORUM_LOST, path: later}))
    assert any(line.startswith(f"{path}: ") and "time to come" in line for line in said.troubles)
    assert not [f for f in said.facts if f.key is Key.LOG and f.source.startswith(path)]


@given(st.sampled_from(sorted(QUORUM_LOST)), st.binary(max_size=300))
def test_any_bytes_in_any_file_are_read(path: str, data: bytes) -> None:
    assert reading(archive({**QUORUM_LOST, path: data})).kind is Kind.RANCHER


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_an_output_in_another_encoding_is_unknown_and_never_absent(encoding: str) -> None:
    data = HEALTHY["networking/ipaddrshow"].encode(encoding)
    said = reading(archive({**HEALTHY, "networking/ipaddrshow": data}))
    assert [f.known for f in said.facts if f.key is Key.VIP_PRESENT] == [False]
    assert any(line.startswith("networking/ipaddrshow: ") for line in said.troubles)


def test_a_tool_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (processes, kernel):
        monkeypatch.setattr(module, "program_output", lambda *_: None)
    monkeypatch.setattr(processes, "CRICTL", (str(tmp_path / "crictl"),))
    target = Target(ip_address(VIP), own="cp1", place="cp1", root=True, files=tmp_path)
    looks = (processes.look_at_supervisor, processes.look_at_containers, kernel.read_filters)
    for look in looks:
        found = list(look(target))
        assert found, look.__name__
        assert all(not fact.known and fact.unknown for fact in found), found
