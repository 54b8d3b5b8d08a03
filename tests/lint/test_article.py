"""Three configurations that a popular article shows, and all that the command prints about each.

The article says why one server with a VIP does not answer, and its reasons are wrong. What is said
here must be right for whoever follows it: `corpus/article-N-*.md` says what is harmless, the folders
`article-*-ok` and `article-*-again` what to write instead for one server and for three (the latter
with kube-vip as it is usually deployed, whose own weaknesses are named).
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from vipkeeper.cli.main import main

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = sorted(
    path.name
    for path in CORPUS.glob("article-*")
    if path.is_dir() and not path.name.endswith(("-ok", "-again"))
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_everything_that_is_printed(
    name: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(CORPUS)
    monkeypatch.delenv("COLUMNS", raising=False)
    args = Path(f"{name}.args")
    given = shlex.split(args.read_text(encoding="utf-8")) if args.exists() else []
    assert main(["lint", name, *given]) == 1
    printed = capsys.readouterr().out
    expected = Path(f"{name}.output")
    if request.config.getoption("--rewrite"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == (expected.read_text(encoding="utf-8") if expected.exists() else None)
