"""What is put into a daemon of the lab does what the act says."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from vipkeeper.lab import injected
from vipkeeper.wire import advert
from vipkeeper.wire.types import Advert, Health, Heard, Role

KEY = bytes(range(32))


def test_next_revision_is_another_one_and_read_by_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advert, "encode", advert.encode)
    words = injected.next_revision(tmp_path)
    (folder,) = (word.removeprefix("PYTHONPATH=") for word in words if "=" in word)
    exec((Path(folder) / "sitecustomize.py").read_text(), {})
    one = Advert(
        sender=IPv4Address("10.77.0.11"),
        boot_id=7,
        counter=9,
        epoch=3,
        role=Role.HOLDER,
        health=Health.READY,
        standby=False,
        interval_ms=100,
        cluster=bytes(8),
        heard=(Heard(5, 12),),
    )
    data = advert.encode(one, KEY)
    assert data[injected.REVISION_AT] == advert.REVISION + 1
    assert injected.LATER_FIELDS in data
    assert advert.decode(data, [KEY]) == one
