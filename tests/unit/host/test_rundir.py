from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any

import pytest

from vipkeeper.core.types import Record
from vipkeeper.errors import HostError
from vipkeeper.host import rundir
from vipkeeper.host.rundir import RunDirectory

VIPS = [ip_address("10.9.0.100"), ip_address("fd09::100")]
RECORD = Record(epoch=7, holding=True, lease_until=123_456_789, standby=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "vipkeeper"


@pytest.fixture
def directory(path: Path) -> Iterator[RunDirectory]:
    made = RunDirectory(path, "boot", VIPS)
    yield made
    made.close()


def again(path: Path, boot: str = "boot", vips: object = VIPS) -> Record | None:
    made = RunDirectory(path, boot, vips)  # type: ignore[arg-type]
    try:
        return made.load()
    finally:
        made.close()


def test_a_restart_under_the_same_boot_remembers(path: Path) -> None:
    directory = RunDirectory(path, "boot", VIPS)
    assert directory.load() is None
    directory.save(Record(1, False, 0, True))
    directory.save(RECORD)
    directory.close()
    assert again(path) == RECORD
    assert again(path, boot="another boot") is None
    assert again(path, vips=VIPS[:1]) is None
    assert again(path, vips=VIPS[::-1]) is None


def test_the_directory_is_for_its_owner_only(path: Path, directory: RunDirectory) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert directory.path == path


def test_a_second_daemon_is_refused_and_the_first_is_named(
    path: Path, directory: RunDirectory
) -> None:
    with pytest.raises(HostError) as caught:
        RunDirectory(path, "boot", VIPS)
    assert f"pid {os.getpid()}" in str(caught.value)
    assert "\n" not in str(caught.value)
    directory.save(RECORD)  # the refused one has harmed nothing
    assert directory.load() == RECORD


def test_the_lock_ends_with_its_holder(path: Path) -> None:
    RunDirectory(path, "boot", VIPS).close()
    RunDirectory(path, "boot", VIPS).close()
    assert (path / "lock").read_text() == f"{os.getpid()}\n"


def test_nothing_of_an_earlier_pid_is_left(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "lock").write_text("4194304-and-more\n")
    RunDirectory(path, "boot", VIPS).close()
    assert (path / "lock").read_text() == f"{os.getpid()}\n"


def test_who_reads_during_a_save_sees_a_whole_record(path: Path, directory: RunDirectory) -> None:
    directory.save(RECORD)
    with (path / "record.json").open() as opened:
        directory.save(Record(2**63, True, 1, True))
        assert json.load(opened)["record"]["epoch"] == RECORD.epoch


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        HostError, match=r"cannot use .*file/run: Not a directory \(see --run-dir\)"
    ):
        RunDirectory(tmp_path / "file" / "run", "boot", VIPS)


def test_a_record_torn_anywhere_is_none(path: Path, directory: RunDirectory) -> None:
    directory.save(RECORD)
    whole = (path / "record.json").read_bytes()
    for length in range(len(whole)):
        (path / "record.json").write_bytes(whole[:length])
        assert directory.load() is None
    (path / "record.json").write_bytes(whole)
    assert directory.load() == RECORD


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epoch", "7"),
        ("epoch", None),
        ("epoch", -1),
        ("epoch", 2**64),
        ("epoch", 7.5),
        ("epoch", True),
        ("lease_until", None),
        ("lease_until", 1.5),
        ("lease_until", False),
        ("lease_until", -1),
        ("lease_until", 2**64),
        ("holding", 1),
        ("holding", "yes"),
        ("standby", None),
        ("standby", 0),
    ],
)
def test_a_field_of_another_kind_is_not_trusted(
    path: Path, directory: RunDirectory, field: str, value: object
) -> None:
    directory.save(RECORD)
    document = json.loads((path / "record.json").read_text())
    document["record"][field] = value
    (path / "record.json").write_text(json.dumps(document))
    assert directory.load() is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"tie": 1}',
        b"\xff\xfe",
        b"[" * 60_000,
        b" " * 70_000,
        b'{"tie": {"boot_id": "boot", "vips": ["10.9.0.100", "fd09::100"]}, "record": []}',
        b'{"tie": {"boot_id": "boot", "vips": ["10.9.0.100", "fd09::100"]}, "record": null}',
    ],
)
def test_anything_else_is_none(path: Path, directory: RunDirectory, data: bytes) -> None:
    (path / "record.json").write_bytes(data)
    assert directory.load() is None


def test_a_save_that_fails_keeps_the_old_record(
    path: Path, directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.save(RECORD)

    def full(name: str, mode: str) -> IO[Any]:
        Path(name).write_bytes(b'{"tie"')
        return Path("/dev/full").open(mode)

    monkeypatch.setattr(rundir, "open", full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        directory.save(Record(8, True, 1, False))
    assert directory.load() == RECORD
