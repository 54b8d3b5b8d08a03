"""Where a cluster keeps its state, by its supervisor and by its files."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from vipkeeper.collect import files
from vipkeeper.collect.live import control_plane
from vipkeeper.collect.live.control_plane import SQLITE, look_at_members
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.vocabulary import Datastore, Key
from vipkeeper.lint.facts import Given


@pytest.mark.parametrize(("there", "kept"), [(True, Datastore.SQLITE), (False, Datastore.EXTERNAL)])
def test_without_etcd_it_is_sqlite_only_where_its_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, kept: Datastore
) -> None:
    if there:
        path = tmp_path / SQLITE.lstrip("/")
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setattr(control_plane, "get", lambda *_, **__: (400, "etcd datastore disabled"))
    [fact] = look_at_members(Target(ip_address("192.0.2.100"), own="cp1", files=tmp_path))
    assert (fact.key, fact.value) == (Key.DATASTORE, kept)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("datastore-endpoint: mysql://kine:hidden@tcp(192.0.2.50:3306)/kine", [Datastore.EXTERNAL]),
        ("datastore-endpoint: sqlite", [Datastore.SQLITE]),
        ("datastore-endpoint:", []),
        ("node-name: cp1", []),
    ],
)
def test_the_configuration_names_the_datastore(
    tmp_path: Path, line: str, kept: list[Datastore]
) -> None:
    path = tmp_path / "etc/rancher/rke2/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n")
    facts = list(files.read(Given((), ()), tmp_path).facts("cp1"))
    assert [fact.value for fact in facts if fact.key is Key.DATASTORE] == kept
    assert "hidden" not in repr(facts)


def test_what_lint_finds_in_the_files_is_a_fact_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "etc/rancher/rke2/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("token: hidden\nserver: true\n")
    facts = list(files.read(Given((), ()), tmp_path).facts("cp1"))
    [found] = [fact for fact in facts if fact.key is Key.LINT and fact.aspect == "VK101"]
    assert (found.value, found.vantage) == (True, "cp1")
    assert found.source.endswith("config.yaml:2:9")
    assert "hidden" not in repr(facts)
