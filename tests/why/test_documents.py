"""What the documents show of `why` is what the program does."""

from __future__ import annotations

import argparse
import glob
import json
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from vipkeeper.cli import collect, why
from vipkeeper.cli.main import main
from vipkeeper.diagnose.engine import Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "why.md"
COMMAND = re.compile(r"^```console\n\$ (vipkeeper why [^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LEFT_OUT = "[...]\n"


def test_the_answers_in_the_readme(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    commands = COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(commands) == 3, "one member of one, one of three, the files alone"
    for command, shown in commands:
        words = shlex.split(command)[1:]
        main([name for word in words for name in sorted(glob.glob(word)) or [word]])
        printed = capsys.readouterr().out
        first, *rest = shown.split(LEFT_OUT)
        assert printed.startswith(first), command
        at = len(first)
        for piece in rest:
            found = printed.find(f"\n{piece}", at - 1)
            assert found >= 0, f"{command}: not printed:\n{piece}"
            at = found + 1 + len(piece)
        assert shown.endswith(LEFT_OUT) or at == len(printed), command


@pytest.mark.parametrize("verb", [why, collect], ids=["why", "collect"])
def test_every_option_is_described(verb: ModuleType) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    verb.add_arguments(parser)
    text = PAGE.read_text(encoding="utf-8")
    options = {word for action in parser._actions for word in action.option_strings[:1]}
    assert {option for option in options if f"| `{option}" not in text} == set()


def test_every_field_of_the_json_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    case = ROOT / "tests/why/cases/article-third-example-live.facts"
    main(["why", "--facts", str(case), "--output", "json"])
    document = json.loads(capsys.readouterr().out)
    described = PAGE.read_text(encoding="utf-8").partition("## JSON")[2]
    fields = {*document, *document["roots"][0], *document["facts"][0], *document["symptoms"][0]}
    assert {field for field in fields if f"`{field}`" not in described} == set()
    assert {v.value for v in Verdict if f"`{v.value}`" not in described} == set()
