"""Writes docs/rules/ from the docstrings of the rules, or with --check fails where a page differs."""

from __future__ import annotations

import sys
from pathlib import Path

from vipkeeper.catalog.entry import Entry
from vipkeeper.catalog.page import PageError, markdown
from vipkeeper.catalog.table import CatalogError, Table
from vipkeeper.lint.registry import catalog

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
HEAD = """\
# Rules of `vipkeeper lint`

Written by `tools/rule_pages.py` from the rules themselves. `vipkeeper explain CODE` prints a page offline.

| code | name | severity | what it finds |
|---|---|---|---|
"""


def pages(table: Table) -> dict[str, str]:
    """Every page by its file name."""
    rows = [_row(entry) for entry in table.entries]
    rows += [f"| {r.code} | {r.name} | retired in {r.since} | {r.reason} |" for r in table.retired]
    found = {f"{entry.code}.md": markdown(entry) for entry in table.entries}
    return found | {"README.md": HEAD + "\n".join(rows) + "\n"}


def _row(entry: Entry) -> str:
    link = f"[{entry.code}]({entry.code}.md)"
    return f"| {link} | {entry.name} | {entry.severity.value} | {entry.page.title} |"


def differences(wanted: dict[str, str], folder: Path) -> list[str]:
    """One line for each page that is missing, different, or of a code that does not exist."""
    found = []
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"docs/rules/{name} differs from the rule; run tools/rule_pages.py")
    there = {path.name for path in folder.glob("*.md")}
    return found + [f"docs/rules/{name} is of no rule" for name in sorted(there - set(wanted))]


def main(arguments: list[str]) -> int:
    """Write, or check."""
    try:
        wanted = pages(catalog())
    except (PageError, CatalogError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if "--check" in arguments:
        wrong = differences(wanted, FOLDER)
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return 1 if wrong else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
