"""The table of codes: a code means one thing for ever, also after it was given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vipkeeper.catalog.entry import Retired
from vipkeeper.catalog.table import CatalogError, make_table
from vipkeeper.cli import explain
from vipkeeper.cli.main import main
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.lint import registry
from vipkeeper.report import codes

OLD = Retired("VK998", "old-name", "0.2.0", "it found nothing that VK101 does not")


def test_a_retired_code_is_listed_explained_and_never_used_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [registered.entry for registered in registry.all_rules()]
    table = make_table(entries, [OLD])
    monkeypatch.setattr(codes, "all_codes", lambda: table)
    assert main([explain.NAME, "--list"]) == 0
    assert "VK998  old-name" in capsys.readouterr().out
    for asked in ("vk998", "OLD-NAME"):
        assert main([explain.NAME, asked]) == 0
        assert "Retired in 0.2.0: it found nothing" in capsys.readouterr().out
    for again in (Retired("VK101", "other", "", ""), Retired("VK997", "server-not-url", "", "")):
        with pytest.raises(CatalogError, match="is used twice"):
            make_table(entries, [again])


def test_the_list_has_every_rule_and_every_cause_by_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([explain.NAME, "--list"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    found = [row.split()[0] for row in rows if row.startswith("VK")]
    assert found == sorted(found)
    causes = {registered.hypothesis.code for registered in all_hypotheses()}
    assert set(found) == {registered.rule.code for registered in registry.all_rules()} | causes


def test_no_code_is_both_a_rule_and_a_cause() -> None:
    entries = [registered.entry for registered in registry.all_rules()]
    cause = all_hypotheses()[0].cause
    for taken in (replace(cause, code="VK101"), replace(cause, name="server-not-url")):
        with pytest.raises(CatalogError, match="is used twice"):
            make_table(entries, causes=[taken])


def test_the_page_of_a_cause_by_code_and_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    for asked in ("vk801", "etcd-quorum-lost"):
        assert main([explain.NAME, asked]) == 0
        out = capsys.readouterr().out
        assert out.startswith("# VK801 etcd-quorum-lost: etcd has lost its quorum\n")
        assert "## How to tell it apart" in out
        assert "[destructive, only if the missing servers are gone for good]" in out


def test_several_codes_at_once_and_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([explain.NAME, "VK101", "unquoted-mode"]) == 0
    out = capsys.readouterr().out
    assert out.index("# VK101 server-not-url") < out.index("# VK106 unquoted-mode")
    assert main([explain.NAME, "VK101", "--list"]) == 2
