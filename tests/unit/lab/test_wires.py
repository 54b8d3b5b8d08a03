"""Faults of wires as nftables rules; that they drop what they should is seen in tests/lab."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vipkeeper.lab import wires
from vipkeeper.lab.wires import Fault, Wires, script

ALL = ("cp1", "cp2", "cp3", "client")


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What nft was given."""
    given: list[str] = []

    def command(*words: str, text: str) -> None:
        assert words[-3:] == ("nft", "-f", "-")
        given.append(text)

    monkeypatch.setattr(wires, "command", command)
    return given


def rules(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.startswith("iifname")]


def test_script_takes_the_place_of_what_was_in_one_transaction() -> None:
    text = script([Fault(frozenset({"cp1"}), frozenset({"cp2"}))])
    first, second, third, *_ = text.splitlines()
    assert (first, second) == ("table bridge faults", "delete table bridge faults")
    assert third == "table bridge faults {"
    assert rules(text) == ['iifname { "cp1" } oifname { "cp2" } drop']


def test_mute_and_deaf_are_the_two_directions(scripts: list[str]) -> None:
    machines = Wires(ALL)
    machines.mute("cp1")
    assert rules(scripts[-1]) == ['iifname { "cp1" } oifname { "client", "cp2", "cp3" } drop']
    machines.mend()
    machines.deafen("cp1")
    assert rules(scripts[-1]) == ['iifname { "client", "cp2", "cp3" } oifname { "cp1" } drop']


def test_cut_is_both_directions_and_leaves_third_parties_alone(scripts: list[str]) -> None:
    Wires(ALL).cut(["cp1"], ["cp2"])
    assert rules(scripts[-1]) == [
        'iifname { "cp1" } oifname { "cp2" } drop',
        'iifname { "cp2" } oifname { "cp1" } drop',
    ]


def test_loss_spares_whom_it_should(scripts: list[str]) -> None:
    Wires(ALL).lose(20, ["cp1", "cp2"], spared=["client"])
    assert rules(scripts[-1]) == [
        'iifname { "cp1", "cp2", "cp3" } oifname { "cp1", "cp2" } numgen random mod 100 < 20 drop'
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
