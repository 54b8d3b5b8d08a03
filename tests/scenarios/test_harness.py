"""The scenarios' own machinery: what is wrong fails, with file and line; what is rewritten holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.cluster import PER_MILLION, START, Clock
from support.scenario.play import SETTINGS, play, rewrite
from support.scenario.text import ScenarioError, differences, parse, read, render
from support.scenario.verbs import VERBS
from vipkeeper.core.types import SECOND

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

GOOD = """\
# One server claims. It is alone.

cluster servers=1

start cp1
run 250ms
----
     0.0 ms  cp1  stopped -> listen: started
   200.0 ms  cp1  listen -> suspect: nobody held the VIP

# a remark

run 10ms
----
nothing happens

expect state suspect cp1
"""


def outputs(text: str) -> list[str]:
    scenario = parse(text, "a.txt")
    return differences(scenario, play(scenario).outputs)


def test_what_is_expected_and_happens_is_no_difference() -> None:
    assert outputs(GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("200.0 ms", "201.0 ms"),
        ("   200.0 ms  cp1  listen -> suspect: nobody held the VIP\n", ""),
        ("nothing happens", "   255.0 ms  cp1  VIP on"),
    ],
    ids=["another time", "a line too few", "a line that does not come"],
)
def test_another_trace_than_expected_is_told_with_file_and_line(wrong: str, right: str) -> None:
    found = outputs(GOOD.replace(wrong, right))
    assert found[0].startswith("a.txt:")
    assert found[0].endswith("another output than expected")
    assert any(line.startswith(("-", "+")) for line in found[1:])


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("strat cp1", "there is no verb 'strat'"),
        (
            "start cp4",
            "there is no server 'cp4' (there are cp1, cp2, cp3) (usage: start SERVER...)",
        ),
        ("start", "a server is missing"),
        ("run 5", "'5' is no time"),
        ("run 5ms 6ms", "'6ms' is too much"),
        ("cut cp1", "'cp1' is no wire"),
        ("drop two cp1-cp2", "'two' is no whole number"),
        ("api cp1 broken", "'broken' is not ready or failing or refused or unknown"),
        ("clock cp1 5 fast", "'5' is no percentage"),
        ("gateway silent cp1", "there is none (cluster gateway=yes)"),
        ("supervisor cp1 failing", "there is none (cluster supervisor=yes)"),
        ("capture cp1->cp2", "no advert has been on this wire"),
        ("delete-vip cp1", "cp1 has no such VIP"),
        ("expect holder cp1", "the VIP is on nobody"),
        ("expect state backup cp1", "cp1: without daemon"),
        ("expect moves 3", "moves since the mark: 0"),
        ("cluster servers=3", "there is no verb 'cluster'"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_told_with_file_and_line(
    command: str, says: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        outputs(f"# why\n\nstatus\n\n{command}\n")
    assert str(caught.value).startswith(f"a.txt:5: {command}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("start cp1\n", "a.txt:1: begin with a comment"),
        ("# why\n", "a.txt:1: has no commands"),
        ("# why\n\n----\nx\n", "a.txt:3: output without a command"),
        ("# why\n\nrun 1s\n----\nx\n----\n", "a.txt:3: two ----"),
        ("# why\n\ncluster colour=red\n\nrun 1s\n", "a.txt:3: cannot read 'cluster colour=red'"),
        ("# why\n\ncluster servers=x\n\nrun 1s\n", "a.txt:3: cannot read 'cluster servers=x'"),
        ("# why\n\ncluster profile=fast\n\nrun 1s\n", "a.txt:3: cannot read"),
        ("# why\n\ncluster servers=3\nrun 1s\n", "a.txt:4: the cluster line stands alone"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        outputs(text)
    assert str(caught.value).startswith(says)


def test_rewrite_replaces_the_expected_output_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(GOOD.replace("200.0 ms", "9.0 ms").replace("nothing happens", "something"))
    rewrite(path)
    assert path.read_text() == GOOD


def test_rewrite_does_not_hide_an_expectation_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = GOOD.replace("expect state suspect", "expect state holder")
    path.write_text(text)
    with pytest.raises(ScenarioError, match=r"a\.txt:17: expect state holder cp1: cp1: suspect"):
        rewrite(path)
    assert path.read_text() == text


def test_rewrite_is_refused_in_ci() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--rewrite", "--collect-only", str(HERE)]
    environment = {**os.environ, "CI": "true"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--rewrite is refused in CI" in done.stderr


def test_a_trace_does_not_depend_on_the_order_of_hashes() -> None:
    path = HERE / "confirm_what_is_asked.txt"
    program = (
        "import sys; sys.path.insert(0, 'tests'); from pathlib import Path; "
        "from support.scenario.play import play; from support.scenario.text import read; "
        f"print(play(read(Path({str(path)!r}))).outputs)"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


def test_a_file_and_what_is_made_of_it_are_the_same() -> None:
    scenario = parse(GOOD, "a.txt")
    assert render(scenario, [block.expected for block in scenario.blocks]) == GOOD
    assert scenario.purpose == "One server claims. It is alone."


def test_the_readme_has_every_verb_and_every_setting() -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    usages = [usage for verb in VERBS.values() for usage in verb.usage.split(" | ")]
    assert [usage for usage in usages if f"`{usage}`" not in text.replace("\\|", "|")] == []
    names = ("servers", "gateway", "supervisor", *SETTINGS)
    assert [name for name in names if f"`{name}=" not in text] == []


def test_every_scenario_says_why_its_rule_is_there() -> None:
    short = [path.stem for path in HERE.glob("*.txt") if len(read(path).purpose) < 80]
    assert short == []


def test_a_clock_that_goes_fast_stands_still_and_goes_on() -> None:
    clock = Clock()
    clock.change(START, PER_MILLION + PER_MILLION // 20)
    assert clock.read(START + 20 * SECOND) == START + 21 * SECOND
    assert clock.when(START + 21 * SECOND) == START + 20 * SECOND
    clock.change(START + 20 * SECOND, 0)
    assert clock.read(START + 90 * SECOND) == START + 21 * SECOND
    assert clock.when(START + 22 * SECOND) is None
    clock.change(START + 30 * SECOND, PER_MILLION)
    assert clock.read(START + 31 * SECOND) == START + 22 * SECOND
