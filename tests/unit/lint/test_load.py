"""Which files belong to which server, and what is known of the VIP from them."""

from __future__ import annotations

import errno
import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.facts import Given
from vipkeeper.lint.load import Input, live_inputs, load

CONFIG = "token: abc\nnode-ip: 10.0.0.{}\n"
JOIN = CONFIG + "server: https://10.0.0.100:9345\n"


def write(top: Path, **files: str) -> None:
    for name, text in files.items():
        path = top / name.replace("__", "/").replace("_yaml", ".yaml").replace("_conf", ".conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(*inputs: Input) -> list[str]:
    return [server.name for server in load(inputs).servers]


def test_a_folder_with_a_folder_for_each_server(tmp_path: Path) -> None:
    write(tmp_path, cp1__config_yaml=CONFIG.format(1), cp2__etc__rancher__rke2__config_yaml=JOIN)
    assert names(Input(tmp_path)) == ["cp1", "cp2"]


def test_a_folder_of_one_server(tmp_path: Path) -> None:
    write(
        tmp_path / "cp7",
        etc__rancher__rke2__config_yaml=CONFIG,
        etc__keepalived__keepalived_conf="",
    )
    assert names(Input(tmp_path / "cp7")) == ["cp7"]
    assert names(Input(tmp_path / "cp7", "other")) == ["other"]


def test_several_main_files_are_several_servers(tmp_path: Path) -> None:
    write(tmp_path, cp1_yaml=CONFIG, cp2_yaml=JOIN)
    assert names(Input(tmp_path / "cp1.yaml"), Input(tmp_path / "cp2.yaml")) == ["cp1", "cp2"]


def test_the_vip_that_servers_join_through(tmp_path: Path) -> None:
    write(tmp_path, cp1__config_yaml=CONFIG.format(1), cp2__config_yaml=JOIN.format(2))
    facts = load([Input(tmp_path)]).facts
    assert [str(vip) for vip in facts.vips] == ["10.0.0.100"]
    assert not facts.complete


def test_a_server_that_is_joined_is_no_vip(tmp_path: Path) -> None:
    write(tmp_path, cp1__config_yaml=CONFIG.format(100), cp2__config_yaml=JOIN.format(2))
    assert load([Input(tmp_path)]).facts.vips == ()


def test_what_the_user_says_counts_alone(tmp_path: Path) -> None:
    write(tmp_path, cp1__config_yaml=CONFIG.format(1), cp2__config_yaml=JOIN.format(2))
    vip = ip_address("10.0.0.200")
    facts = load([Input(tmp_path)], Given((vip,), (("cp1", ip_address("10.0.0.1")),))).facts
    assert [found.address for found in facts.vips] == [vip]
    assert facts.complete


def test_named_servers_are_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, a__config_yaml=CONFIG, b__config_yaml=JOIN)
    assert load([Input(tmp_path / "a", "a"), Input(tmp_path / "b", "b")]).facts.complete


def test_a_proposed_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write(tmp_path, cp1__config_yaml="token: old\n", cp2__config_yaml="token: two\n")
    write(tmp_path, new__config_yaml="token: new\n")
    inputs = [Input(tmp_path / name, name) for name in ("cp1", "cp2")]
    cluster = load(inputs, proposed=[Input(tmp_path / "new" / "config.yaml", "cp1")])
    assert [server.settings.text("token") for server in cluster.servers] == ["new", "two"]


def test_an_included_file_counts_once(tmp_path: Path) -> None:
    write(tmp_path, keepalived_conf="include more.conf\n", more_conf="vrrp_instance A {\n}\n")
    cluster = load([Input(tmp_path, "cp1")])
    assert [document.source.path for document in cluster.documents] == [
        tmp_path / "keepalived.conf"
    ]


def test_the_live_host(tmp_path: Path) -> None:
    assert live_inputs(tmp_path) == []
    write(tmp_path, etc__rancher__rke2__config_yaml="token: abc\n")
    (server,) = load(live_inputs(tmp_path)).servers
    assert server.settings.text("token") == "abc"


def test_a_closed_folder_on_the_way_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RKE2 closes /var/lib/rancher/rke2/server to all but root."""
    look = Path.stat

    def closed(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if "rke2/server/" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", closed)
    (problem,) = load(live_inputs(tmp_path)).problems
    assert problem.trouble is Trouble.UNREADABLE
    assert problem.span.file.endswith("rke2/server/manifests")


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "config.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert [p.trouble for p in load([Input(tmp_path)]).problems] == [Trouble.BINARY]
    (tmp_path / "config.yaml").write_bytes(b"#" * (11 * 1024 * 1024))
    assert [p.trouble for p in load([Input(tmp_path)]).problems] == [Trouble.TOO_LARGE]


@pytest.mark.parametrize("name", ["nothing", "cp1/nothing.yaml"])
def test_what_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    assert [p.trouble for p in load([Input(tmp_path / name)]).problems] == [Trouble.UNREADABLE]
