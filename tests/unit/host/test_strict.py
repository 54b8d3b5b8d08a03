"""The table of the strict lease as text, and what nft's refusals become."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.core.types import MILLISECOND
from vipkeeper.errors import HostError
from vipkeeper.host import strict
from vipkeeper.host.strict import Guard, Marks, render

MARKS = Marks(bytes(range(8)), bytes(range(8, 16)))
LEASE = 400 * MILLISECOND
ETH0 = Guard("eth0", 2, (ip_address("10.0.0.100"), ip_address("fd00::100")))
BOND = Guard("bond0.12", 7, (ip_address("10.1.0.100"),))


def chain(text: str, name: str) -> list[str]:
    """The lines of one chain."""
    return text.partition(f"chain {name} {{\n")[2].partition("\n}")[0].splitlines()


def test_table_replaces_its_predecessor_in_one_transaction() -> None:
    lines = render([ETH0], LEASE, MARKS).splitlines()
    assert lines[:3] == [
        "add table netdev vipkeeper",
        "delete table netdev vipkeeper",
        "table netdev vipkeeper {",
    ]


def test_rules_are_those_that_are_documented() -> None:
    text = render([ETH0], LEASE, MARKS)
    frame = "ether type 0x88b5 @ll,112,64"
    assert chain(text, "egress_2") == [
        'type filter hook egress device "eth0" priority 0; policy accept;',
        f"{frame} 0x08090a0b0c0d0e0f meta oif @lease update @lease {{ meta oif timeout 410ms }} drop",
        f"{frame} 0x0001020304050607 update @lease {{ meta oif timeout 410ms }} drop",
        "meta oif @lease accept",
        "ether type arp @nh,112,32 0x0a000064 drop",
        "ip saddr 10.0.0.100 drop",
        "icmpv6 type nd-neighbor-advert @th,64,128 0xfd000000000000000000000000000100 drop",
        "ip6 saddr fd00::100 drop",
    ]
    assert chain(text, "ingress_2") == [
        'type filter hook ingress device "eth0" priority 0; policy accept;',
        "meta iif @lease accept",
        "ip daddr 10.0.0.100 drop",
        "ip6 daddr fd00::100 drop",
    ]


def test_every_interface_has_its_own_chains_and_vips() -> None:
    text = render([ETH0, BOND], LEASE, MARKS)
    assert 'device "bond0.12"' in chain(text, "egress_7")[0]
    assert "ip saddr 10.1.0.100 drop" in chain(text, "egress_7")
    assert "ip saddr 10.0.0.100 drop" not in chain(text, "egress_7")


def test_table_begins_silent_unless_it_is_put_back() -> None:
    assert "elements" not in render([ETH0, BOND], LEASE, MARKS)
    armed = render([ETH0, BOND], LEASE, MARKS, armed=True)
    assert 'elements = { "eth0" timeout 410ms, "bond0.12" timeout 410ms };' in armed


@pytest.mark.parametrize("name", ['a"b', "a\\b", "eth*", "a\nb"])
def test_interface_that_nft_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(HostError, match="use kernel_lease: auto"):
        render([Guard(name, 2, ())], LEASE, MARKS)


def test_frame_begins_with_its_mark_and_is_of_the_smallest_length() -> None:
    assert strict.frame_payload(MARKS.arm)[:8] == MARKS.arm
    assert len(strict.frame_payload(MARKS.arm)) == 46


def nft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program in the place of nft."""
    program = tmp_path / "nft"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def refusal() -> str:
    with pytest.raises(HostError) as caught:
        asyncio.run(strict.check(ETH0.vips, LEASE))
    return str(caught.value)


def test_refusal_of_the_kernel_is_one_line_that_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (
        "/dev/stdin:5:1-9: Error: Could not process rule: Operation not supported\nchain x {\n^^^^"
    )
    nft(tmp_path, monkeypatch, f"cat >/dev/null; printf '%s' '{told}' >&2; exit 1")
    assert refusal() == (
        "kernel_lease: strict needs nft (package nftables) and Linux 5.16 or newer with "
        "CONFIG_NETFILTER_EGRESS: Could not process rule: Operation not supported; use "
        "kernel_lease: auto without it"
    )


def test_nft_that_hangs_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict, "_TIME_LIMIT", 0.05)
    nft(tmp_path, monkeypatch, "exec sleep 1000")
    assert "nft did not end within 0.05 s" in refusal()


def test_nft_that_says_nothing_is_still_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft(tmp_path, monkeypatch, "exit 3")
    assert "nft failed" in refusal()
