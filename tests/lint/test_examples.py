"""What the documents show is what the program does.

The example of every rule's page is judged: the bad one trips the rule, with the words in `examples.expected`, the good
one does not. `docs/lint.md` and the README show files and commands: a block below a line with its path is a file, one
that begins with `$ vipkeeper` a command with all that it prints.
"""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import pytest

from support.lint_pages import write
from vipkeeper.catalog.entry import Entry
from vipkeeper.cli.lint import parse_given
from vipkeeper.cli.main import main
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.registry import all_rules
from vipkeeper.lint.run import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).parent / "examples.expected"
OWN_VIP = ("VK110", "VK612", "VK613")
PAGES = {registered.rule.code: registered.entry for registered in all_rules()}
FILE = re.compile(r"^`([\w.-]+(?:/[\w.-]+)+)`:\n\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(
    r"^```console\n\$ (vipkeeper (?:lint|explain) [^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE
)


def judged(entry: Entry, markdown: str, folder: Path) -> Outcome:
    """The run of an example; the VIP is 10.10.10.100 unless the page is about another one."""
    folder.mkdir(parents=True)
    words = write(entry, markdown, folder)
    options = [word for word in words if word.startswith("--")]
    given = parse_given(options or ([] if entry.code in OWN_VIP else ["--vip=10.10.10.100"]))
    inputs = []
    for word in (word for word in words if word not in options):
        name, _, path = word.rpartition("=")
        inputs.append(Input(Path(path), name))
    return run(load(inputs, given), date(2026, 6, 1))


@pytest.mark.parametrize("code", PAGES)
def test_example_of_a_page(code: str, tmp_path: Path) -> None:
    entry = PAGES[code]
    bad = judged(entry, entry.page.bad, tmp_path / "bad")
    good = judged(entry, entry.page.good, tmp_path / "good")
    assert code in {finding.code for finding in bad.findings}, "the bad example does not trip it"
    assert code not in {finding.code for finding in good.findings}


def test_words_of_the_examples(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    lines = []
    for code, entry in PAGES.items():
        folder = tmp_path / code / "cp1"
        for finding in judged(entry, entry.page.bad, folder).findings:
            if finding.code == code:
                said = f"{code} {finding.severity.value} {finding.span}: {finding.message}\n"
                lines.append(said.replace(f"{folder}/", ""))
                lines += [f"  help: {finding.help}\n"] if finding.help else []
    if request.config.getoption("--rewrite"):
        EXPECTED.write_text("".join(lines), encoding="utf-8")
    assert "".join(lines) == EXPECTED.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/lint.md"])
def test_commands_of_a_document(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    commands = COMMAND.findall(text)
    assert commands, "no example is left"
    for command, shown in commands:
        main(shlex.split(command)[1:])
        assert capsys.readouterr().out == shown, command
