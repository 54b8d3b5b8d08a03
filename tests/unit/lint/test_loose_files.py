"""Files named one by one, as pre-commit passes those of a change."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from vipkeeper.lint.load import Input, load
from vipkeeper.lint.recognise import kind_by_path
from vipkeeper.lint.run import run

HOOKS = Path(__file__).resolve().parents[3] / ".pre-commit-hooks.yaml"
MAIN = "etc/rancher/rke2/config.yaml"
DROPIN = "etc/rancher/rke2/config.yaml.d/50-server.yaml"
JOIN = "server: https://10.0.0.100:9345\n"


def put(top: Path, **files: str) -> dict[str, Input]:
    found = {}
    for name, text in files.items():
        server, _, kind = name.partition("_")
        path = top / server / (MAIN if kind == "main" else DROPIN)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found[name] = Input(path)
    return found


def codes(*inputs: Input) -> list[str]:
    return [finding.code for finding in run(load(inputs), date(2026, 6, 1)).findings]


def test_files_below_one_tree_are_one_server(tmp_path: Path) -> None:
    files = put(tmp_path, cp1_main="token: a\n", cp1_part="tls-san: [a.b]\n", cp2_main=JOIN)
    cluster = load(list(files.values()))
    assert [server.name for server in cluster.servers] == ["cp1", "cp2"]
    assert [len(server.documents) for server in cluster.servers] == [2, 1]


def test_a_dropin_alone_is_not_blamed_for_what_config_yaml_may_have(tmp_path: Path) -> None:
    files = put(tmp_path, cp2_part=JOIN, cp2_main="node-ip: 10.0.0.12\n")
    assert codes(files["cp2_part"]) == []
    assert "VK126" in codes(files["cp2_part"], files["cp2_main"])


def test_a_mistake_in_a_dropin_alone_is_found(tmp_path: Path) -> None:
    files = put(tmp_path, cp2_part=f"{JOIN}tls-san: [10.0.0.99]\nnode-ip: 10.0.0.12\n")
    assert codes(files["cp2_part"]) == ["VK103"]


@pytest.mark.parametrize(
    "path",
    [
        "cp1/etc/rancher/rke2/config.yaml",
        "etc/rancher/k3s/config.yaml.d/10.yml",
        "files/keepalived.conf",
        "haproxy.cfg",
        "rke2-server.env",
        "cp1/etc/systemd/system/k3s.service.env",
        "rke2-server.service.d/10.conf",
        "vipkeeper/cluster.yaml",
    ],
)
def test_the_hook_takes_what_is_recognised_by_path(path: str) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert re.search(hook["files"], path)
    assert kind_by_path(path) is not None
    assert not re.search(hook["files"], path + ".bak")
