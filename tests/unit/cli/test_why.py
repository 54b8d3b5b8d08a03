"""`why` on the command line: a second look, and arguments that cannot be meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vipkeeper.cli.main import main
from vipkeeper.collect import files, live
from vipkeeper.collect.collector import Collector
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.codec import load
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key

CASES = Path(__file__).resolve().parents[2] / "why" / "cases"
VIP = "10.10.10.100"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A host that sees a dead API server, each look 12 s after the one before; how many looks there were."""
    counted: list[int] = []
    recorded, _ = load((CASES / "one-of-one-api-dead.facts").read_text(encoding="utf-8"))
    latest = {
        (f.key, f.about, f.aspect, f.vantage): f for f in sorted(recorded, key=lambda f: f.at)
    }
    start = max(fact.at for fact in recorded)

    def see(_: Target) -> Iterator[Fact]:
        counted.append(0)
        for fact in latest.values():
            yield replace(fact, at=start + 12_000 * len(counted))

    monkeypatch.setattr(live, "COLLECTORS", (Collector("x", frozenset(Key), see, limit=10.0),))
    monkeypatch.setattr(files, "live_inputs", lambda root: [])
    monkeypatch.setattr("time.sleep", lambda _: None)
    return counted


def test_a_first_look_says_that_a_second_would_settle_it(
    looks: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["why", VIP])
    said = capsys.readouterr()
    assert "VK822" in said.err
    assert said.err.endswith("run it again with --wait 12\n")
    assert len(looks) == 1


def test_a_second_look_settles_it(looks: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", VIP, "--wait", "12"]) == 1
    said = capsys.readouterr()
    assert "VK822" in said.out.splitlines()[0]
    assert "[confirmed]" in said.out.splitlines()[0]
    assert said.err == ""
    assert len(looks) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["why", VIP, "--servers", "a=10.0.0.1,a=10.0.0.2"], "--servers: 'a' is named twice"),
        (["why", VIP, "--wait", "0"], "no number of seconds from 1 to 600"),
        (["why", "--diff", "missing", "other"], "--diff: cannot read missing"),
        (
            ["why", "--from", "x", "--diff", "missing", "other"],
            "--diff compares its two files only",
        ),
        (["why", "--diff", __file__, "other"], "--diff: "),
        (
            ["why", "--facts", __file__],
            f"vipkeeper: --facts: {__file__} is no file of facts (line 1: not JSON): it has one JSON object a line; "
            "'vipkeeper why --keep FILE' writes one, and a bundle of 'vipkeeper collect' goes to --from\n",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(words))
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
