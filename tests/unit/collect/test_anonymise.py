"""Addresses and names rewritten: consistently, completely, and nothing else."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.collect.anonymise import Anonymiser


def test_the_same_address_becomes_the_same_and_others_become_others() -> None:
    anonymiser = Anonymiser(())
    first = anonymiser.text("10.1.2.11:6443 and 10.1.2.12, 10.1.2.11/24; 10.9.9.1")
    assert first == "198.18.0.1:6443 and 198.18.0.2, 198.18.0.1/24; 198.18.1.1"
    assert anonymiser.text("https://10.1.2.12:9345/x") == "https://198.18.0.2:9345/x"


def test_addresses_that_name_no_place_stay() -> None:
    text = "127.0.0.1:6443 0.0.0.0 224.0.0.18 255.255.255.0 ::1 :: ff02::1 169.254.1.1 12:30:45"
    assert Anonymiser(()).text(text) == text


def test_ipv6_and_link_layer_addresses_are_rewritten() -> None:
    text = Anonymiser(()).text("fd00:1::11 fd00:1::12 [fd00:2::11]:6443 52:54:00:12:34:56")
    assert text == "2001:db8::1 2001:db8::2 [2001:db8:0:1::1]:6443 02:00:00:00:00:01"


def test_names_are_rewritten_whole_and_in_any_case() -> None:
    anonymiser = Anonymiser(("cp1", "cp2", "cp1.corp.example", "corp.example"))
    text = anonymiser.text("CP1 etcd-cp1 cp1.corp.example cp10 xcp1 cp2-1a2b db.corp.example")
    assert text == "host2 etcd-host2 host3 cp10 xcp1 host4-1a2b db.host1"


@given(st.lists(st.ip_addresses(v=4, network="10.0.0.0/8"), min_size=1, max_size=20))
def test_no_address_of_a_private_network_comes_out(addresses) -> None:  # type: ignore[no-untyped-def]
    out = Anonymiser(()).text(" ".join(map(str, addresses))).split()
    assert all(ip_address(word) in ip_network("198.18.0.0/15") for word in out)
    assert len(set(out)) == len(set(addresses))


@given(st.text(alphabet="0123456789.:abf%/ []", max_size=80))
def test_any_text_can_be_rewritten(text: str) -> None:
    Anonymiser(("cp1",)).text(text)
