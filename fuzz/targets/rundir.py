"""The record in /run: any bytes give a record that can be saved again, or None."""

from __future__ import annotations

import functools
from ipaddress import IPv4Address

from fuzz.documents import LONGEST, change
from fuzz.scratch import scratch
from fuzz.target import Target
from vipkeeper.core.types import Record
from vipkeeper.host.rundir import RunDirectory

BOOT_ID = "b"
VIPS = (IPv4Address("10.10.10.100"),)


@functools.cache
def directory() -> RunDirectory:
    """One for the process."""
    return RunDirectory(scratch(), BOOT_ID, VIPS)


def check(data: bytes) -> None:
    """Load what is in the file; a record survives another restart."""
    run = directory()
    (run.path / "record.json").write_bytes(data)
    record = run.load()
    if record is None:
        return
    assert isinstance(record, Record)
    assert type(record.epoch) is type(record.lease_until) is int
    run.save(record)
    assert run.load() == record


TARGET = Target("rundir", check, longest=LONGEST, mutate=change)
