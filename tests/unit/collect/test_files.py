"""What this host's own files say beside lint's findings."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.collect.files import read
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.lint.facts import Given

VIP = ip_address("192.0.2.100")


@pytest.mark.parametrize(
    ("files", "joins"),
    [
        ({"rke2/config.yaml": "server: https://192.0.2.100:9345\n"}, ["192.0.2.100"]),
        ({"k3s/config.yaml": "server: https://vip.example:6443\n"}, ["vip.example"]),
        ({"rke2/config.yaml": "server: true\n"}, ["true"]),
        ({"rke2/config.yaml": "token: abc\n"}, [""]),
        (
            {
                "rke2/config.yaml": "token: abc\n",
                "rke2/config.yaml.d/10.yaml": "server: https://192.0.2.11:9345\n",
            },
            ["192.0.2.11"],
        ),
        ({}, []),
    ],
    ids=["the VIP", "a name", "no URL", "the first server", "a drop-in", "no file"],
)
def test_where_a_server_joins_is_what_all_its_files_come_to(
    files: dict[str, str], joins: list[str], tmp_path: Path
) -> None:
    for name, text in files.items():
        path = tmp_path / "etc/rancher" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = read(Given((VIP,)), tmp_path).facts("cp1")
    assert [(f.value, f.about) for f in found if f.key is Key.JOINS] == [(j, "cp1") for j in joins]
