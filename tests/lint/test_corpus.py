"""Whole clusters: what the linter says of each, and that it says nothing of those that are right.

A cluster is a folder of `corpus/`. Its name ends in `-ok` where no error and no warning may be found;
`<name>.expected` holds every finding of the others. `<name>.args` as in `fixtures/`; `<name>.md` says
where the layout comes from.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.lint_cases import Case, printed
from vipkeeper.lint.rule import Severity

CORPUS = Path(__file__).parent / "corpus"
CLUSTERS = [Case(path) for path in sorted(CORPUS.iterdir()) if path.is_dir()]

SOURCE = re.compile(
    r"kube-vip\.io|(RKE2|k3s) documentation|RKE2 docs|\b[\w-]+/[\w-]+ `|\b[\w-]+/(ansible-role|k3s|rke2|kubespray|kubeadm)"
)
"""How documents, tests and roles are named there."""


@pytest.mark.parametrize("case", CLUSTERS, ids=lambda case: case.path.name)
def test_cluster(case: Case, request: pytest.FixtureRequest) -> None:
    outcome = case.lint()
    assert outcome.files
    if case.path.name.endswith("-ok"):
        loud = [f for f in outcome.findings if f.severity is not Severity.INFO]
        assert printed(case, loud) == ""
        return
    found = printed(case, outcome.findings)
    expected = case.beside(".expected")
    if request.config.getoption("--rewrite"):
        expected.write_text(found, encoding="utf-8")
    assert found == (expected.read_text(encoding="utf-8") if expected.exists() else None), (
        f"{case.path.name}: findings changed; --rewrite writes them anew, then read the diff"
    )
    assert outcome.findings, f"{case.path.name}: finds nothing; name the folder ...-ok"


def test_every_cluster_says_where_it_comes_from() -> None:
    """At least forty clusters, fifteen of them laid out as a published source that is named."""
    described = {c.path.name: c.read(".md") for c in CLUSTERS}
    assert [name for name, text in described.items() if not text] == []
    assert len(described) >= 40
    assert sum(bool(SOURCE.search(text)) for text in described.values()) >= 15
