"""Cases of the linter: files below a folder, options and expected findings beside them.

A case is an entry of `bad/` or `ok/`: a file, or a folder linted as a whole. Beside it may be
`<case>.args` with options of the command line (`--vip 10.10.10.100 --servers cp1=10.10.10.11`).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from vipkeeper.cli.lint import parse_given
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.registry import Registered
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.run import Outcome, run

TODAY = date(2026, 6, 1)
BESIDE = (".args", ".expected", ".also")


@dataclass(frozen=True, slots=True)
class Case:
    path: Path

    @property
    def name(self) -> str:
        return "/".join(self.path.parts[-3:])

    def beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def read(self, suffix: str) -> str:
        path = self.beside(suffix)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def lint(self, rules: Sequence[Registered] | None = None) -> Outcome:
        given = parse_given(shlex.split(self.read(".args"), comments=True))
        return run(load([Input(self.path)], given), TODAY, rules=rules)


def cases(folder: Path) -> list[Case]:
    """The cases in a folder."""
    if not folder.is_dir():
        return []
    found = sorted(path for path in folder.iterdir() if path.suffix not in BESIDE)
    return [Case(path) for path in found]


def printed(case: Case, findings: Sequence[Finding]) -> str:
    """Findings as the expected files have them: paths from the case, related places, the advice."""
    lines: list[str] = []
    for finding in findings:
        grades = f"{finding.severity.value}/{finding.confidence.value}"
        lines.append(f"{finding.span}: {finding.code} {grades} {finding.message}")
        lines += [f"  and {related.span}: {related.message}" for related in finding.related]
        if finding.help:
            lines.append(f"  help: {finding.help}")
        if finding.fix is not None:
            lines.append(f"  {finding.fix.safety.value} fix: {finding.fix.title}")
    top = f"{case.path.parent}/"
    return "".join(f"{line.replace(top, '')}\n" for line in lines)
