"""How symptoms are seen when several places looked."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.symptoms import registration_closed
from vipkeeper.diagnose.vocabulary import Key, Port


def port(vantage: str, number: str, word: Port) -> Fact:
    return Fact(Key.VIP_PORT, word, vantage=vantage, aspect=number)


CLOSED = [port("a", "6443", Port.OPEN), port("a", "9345", Port.REFUSED)]


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ([*CLOSED, Fact(Key.JOIN_PORT, 9345)], Truth.TRUE),
        ([*CLOSED, Fact(Key.SERVER_PORT, Port.OPEN, "cp1", "a", "9345")], Truth.TRUE),
        (CLOSED, Truth.UNKNOWN),
        ([*CLOSED, Fact(Key.JOIN_PORT, 6443)], Truth.FALSE),
        ([port("a", "6443", Port.OPEN), port("a", "9345", Port.OPEN)], Truth.FALSE),
        ([port("a", "6443", Port.SILENT), port("a", "9345", Port.SILENT)], Truth.FALSE),
        ([port("a", "6443", Port.OPEN), port("b", "9345", Port.SILENT)], Truth.UNKNOWN),
        (
            [
                port("a", "6443", Port.OPEN),
                port("a", "9345", Port.OPEN),
                port("cut", "6443", Port.SILENT),
                port("cut", "9345", Port.SILENT),
            ],
            Truth.FALSE,
        ),
    ],
    ids=[
        "RKE2 by its files",
        "RKE2 by a server's port",
        "may be k3s",
        "k3s",
        "both open",
        "both closed",
        "seen from two places",
        "one place is cut off",
    ],
)
def test_the_join_port_is_closed_only_where_one_place_sees_both(
    facts: list[Fact], truth: Truth
) -> None:
    assert registration_closed.ask(Evidence(facts)).truth is truth
