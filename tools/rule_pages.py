"""Writes docs/rules/ and docs/causes/ from the docstrings of rules and hypotheses, or with --check fails where a page differs."""

from __future__ import annotations

import sys
from pathlib import Path

from vipkeeper.catalog.entry import Entry
from vipkeeper.catalog.page import PageError, markdown
from vipkeeper.catalog.table import CatalogError, Table
from vipkeeper.report.codes import all_codes

DOCS = Path(__file__).resolve().parent.parent / "docs"
RULES = """\
# Rules of `vipkeeper lint`

Written by `tools/rule_pages.py` from the rules themselves. `vipkeeper explain CODE` prints a page offline.

| code | name | severity | what it finds |
|---|---|---|---|
"""
CAUSES = """\
# Causes that `vipkeeper why` knows

Written by `tools/rule_pages.py` from the hypotheses themselves. `vipkeeper explain CODE` prints a page offline.

| code | name | layer | the cause |
|---|---|---|---|
"""


def pages(table: Table) -> dict[str, str]:
    """Every page by its file name below docs/."""
    rows = [_row(entry) for entry in table.entries]
    rows += [f"| {r.code} | {r.name} | retired in {r.since} | {r.reason} |" for r in table.retired]
    found = {f"rules/{entry.code}.md": markdown(entry) for entry in table.entries}
    found["rules/README.md"] = RULES + "\n".join(rows) + "\n"
    causes = [
        f"| [{c.code}]({c.code}.md) | {c.name} | {c.layer} | {c.title} |" for c in table.causes
    ]
    found |= {f"causes/{cause.code}.md": cause.document for cause in table.causes}
    found["causes/README.md"] = CAUSES + "\n".join(causes) + "\n"
    return found


def _row(entry: Entry) -> str:
    link = f"[{entry.code}]({entry.code}.md)"
    return f"| {link} | {entry.name} | {entry.severity.value} | {entry.page.title} |"


def differences(wanted: dict[str, str], docs: Path) -> list[str]:
    """One line for each page that is missing, different, or of a code that does not exist."""
    found = []
    for name, text in wanted.items():
        path = docs / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"docs/{name} differs from the code; run tools/rule_pages.py")
    there = {path.relative_to(docs).as_posix() for path in _written(docs)}
    return found + [f"docs/{name} is of no code" for name in sorted(there - set(wanted))]


def _written(docs: Path) -> list[Path]:
    return [path for folder in ("rules", "causes") for path in (docs / folder).glob("*.md")]


def main(arguments: list[str]) -> int:
    """Write, or check."""
    try:
        wanted = pages(all_codes())
    except (PageError, CatalogError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--check" in arguments:
        wrong = differences(wanted, DOCS)
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return 1 if wrong else 0
    for path in _written(DOCS):
        path.unlink()
    for name, text in wanted.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
