"""The stand-in of kube-vip: who may take the Lease, and when it is lost."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from vipkeeper.lab.troubles import kube_vip


class Etcd:
    """One key of etcd, as its HTTP gateway shows it; slow: answers later than any limit."""

    def __init__(self) -> None:
        self.value, self.revision, self.slow = "", 0, False
        self.clock = 0.0

    def ask(self, path: str, question: dict[str, Any], _limit: float) -> dict[str, Any] | None:
        if self.slow:
            return None
        if path.endswith("range"):
            found = {"value": self.value, "mod_revision": str(self.revision)}
            return {"kvs": [found]} if self.revision else {}
        if question["compare"][0]["mod_revision"] != self.revision:
            return {}  # the gateway leaves out what is false
        self.value = question["success"][0]["request_put"]["value"]
        self.revision += 1
        return {"succeeded": True}

    @property
    def holder(self) -> str:
        return str(json.loads(base64.b64decode(self.value))["holder"])


@pytest.fixture
def etcd(monkeypatch: pytest.MonkeyPatch) -> Etcd:
    """An etcd, and a clock that a sleep moves."""
    made = Etcd()

    def sleep(seconds: float) -> None:
        made.clock += seconds

    clocks = SimpleNamespace(sleep=sleep, monotonic=lambda: made.clock, time=lambda: made.clock)
    monkeypatch.setattr(kube_vip, "ask_etcd", made.ask)
    monkeypatch.setattr(kube_vip, "time", clocks)
    return made


def test_a_lease_that_nobody_renews_is_taken_when_it_has_lapsed(etcd: Etcd) -> None:
    kube_vip.acquire("cp1")
    began = etcd.clock
    kube_vip.acquire("cp2")
    assert etcd.holder == "cp2"
    assert etcd.clock - began > kube_vip.LASTS


def test_a_lease_that_was_renewed_meanwhile_is_not_taken(etcd: Etcd) -> None:
    kube_vip.acquire("cp1")
    seen = kube_vip.read(1.0)
    assert seen is not None
    assert kube_vip.write(seen, "cp1", 1.0)
    assert not kube_vip.write(seen, "cp2", 1.0)
    assert etcd.holder == "cp1"


def test_who_cannot_renew_in_time_has_lost_it(etcd: Etcd) -> None:
    kube_vip.acquire("cp1")
    etcd.slow = True
    began = etcd.clock
    kube_vip.renew("cp1")
    assert etcd.clock - began >= kube_vip.RENEW_WITHIN
