"""Faults of wires as nftables rules; that they drop what they should is seen in tests/lab."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from vipkeeper.lab import wires
from vipkeeper.lab.wires import Fault, Wires, script

RULE = [{"match": {"op": "=="}}, {"counter": {"packets": 3, "bytes": 180}}, {"drop": None}]
LISTED = {"nftables": [{"table": {}}, {"chain": {}}, {"rule": {"expr": RULE}}, {"rule": {"expr": RULE}}]}  # fmt: skip
ALL = ("cp1", "cp2", "cp3", "client")


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What nft was given."""
    given: list[str] = []

    def command(*words: str, text: str | None = None) -> str:
        if text is None:
            assert words[-6:-2] == ("nft", "-j", "list", "table")
            return json.dumps(LISTED)
        assert words[-3:] == ("nft", "-f", "-")
        given.append(text)
        return ""

    monkeypatch.setattr(wires, "command", command)
    return given


def rules(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.startswith("iifname")]


def test_script_takes_the_place_of_what_was_in_one_transaction() -> None:
    text = script([Fault(frozenset({"cp1"}), frozenset({"cp2"}))])
    first, second, third, *_ = text.splitlines()
    assert (first, second) == ("table bridge faults", "delete table bridge faults")
    assert third == "table bridge faults {"
    assert rules(text) == ['iifname { "cp1" } oifname { "cp2" } counter drop']


def test_mute_and_deaf_are_the_two_directions(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.mute("cp1")
    assert rules(scripts[-1]) == [
        'iifname { "cp1" } oifname { "client", "cp2", "cp3" } counter drop'
    ]
    machines.mend()
    machines.deafen("cp1")
    assert rules(scripts[-1]) == [
        'iifname { "client", "cp2", "cp3" } oifname { "cp1" } counter drop'
    ]


def test_cut_is_both_directions_and_leaves_third_parties_alone(scripts: list[str]) -> None:
    Wires(ALL).cut(["cp1"], ["cp2"])
    assert rules(scripts[-1]) == [
        'iifname { "cp1" } oifname { "cp2" } counter drop',
        'iifname { "cp2" } oifname { "cp1" } counter drop',
    ]


def test_loss_spares_whom_it_should(scripts: list[str]) -> None:
    Wires(ALL).lose(20, ["cp1", "cp2"], spared=["client"])
    assert rules(scripts[-1]) == [
        'iifname { "cp1", "cp2", "cp3" } oifname { "cp1", "cp2" } numgen random mod 100 < 20 counter drop'
    ]


def test_mending_one_machine_keeps_the_faults_of_others(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.mute("cp1")
    machines.lose(20, ["cp1", "cp2"])
    machines.mend("cp1")
    (rule,) = rules(scripts[-1])
    assert "numgen" in rule
    assert '"cp1"' not in rule


def test_mending_all_leaves_no_table(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.mute("cp1")
    machines.mend()
    assert scripts[-1] == "table bridge faults\ndelete table bridge faults\n"
    machines.mend()
    assert len(scripts) == 2, "nothing is asked of nft where nothing is broken"


def test_what_faults_lost_is_counted_before_their_rules_are_replaced(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.begin()
    machines.mute("cp1")
    assert (machines.laid, machines.lost) == (True, 0)
    machines.mend()
    assert machines.lost == 6
    machines.mend()
    assert machines.lost == 6
    machines.begin()
    assert (machines.laid, machines.lost) == (False, 0)


def test_faults_follow_a_machine_to_another_port(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.mute("cp1")
    machines.moved("cp1", "cp1-lan")
    assert rules(scripts[-1])[0].startswith('iifname { "cp1", "cp1-lan" } oifname { "client"')
    machines.moved("cp1", None)
    assert rules(scripts[-1])[0].startswith('iifname { "cp1" } oifname { "client"')
