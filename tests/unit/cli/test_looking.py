"""What a host without a file of vipkeeper takes itself for."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from vipkeeper.cli.looking import _target
from vipkeeper.collect import files
from vipkeeper.host.inspect import Address
from vipkeeper.lint.facts import Given

VIP = ip_address("192.0.2.100")


@pytest.mark.parametrize(
    ("addresses", "own"),
    [
        (["192.0.2.11/24", "192.0.2.100/32"], "192.0.2.11"),
        (["192.0.2.100/32", "192.0.2.11/24"], "192.0.2.11"),
        (["192.0.2.100/24", "192.0.2.11/24"], "192.0.2.11"),
        (["192.0.2.100/32", "10.0.0.11/24"], None),
    ],
)
def test_the_vip_is_never_a_servers_own_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: list[str], own: str | None
) -> None:
    here = tuple(Address("eth0", ip_interface(text), permanent=True) for text in addresses)
    monkeypatch.setattr("vipkeeper.host.inspect.read_network", lambda: ((), here))
    monkeypatch.setattr("vipkeeper.collect.target.SUPERVISOR_FOLDERS", (str(tmp_path),))
    target = _target(files.read(Given((VIP,), ()), tmp_path))
    assert target.own
    assert [str(s.address) for s in target.servers] == ([own] if own else [])
