"""`vipkeeper explain`: the page of a code, offline."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from vipkeeper.catalog.entry import Entry, Retired
from vipkeeper.catalog.page import markdown
from vipkeeper.catalog.table import Table
from vipkeeper.cli import output
from vipkeeper.errors import ExitCode, UsageError

NAME = "explain"
HELP = """\
What a code means: what is looked for, why it is bad, how to mend it, how to verify that.

  vipkeeper explain VK101
  vipkeeper explain server-not-url
  vipkeeper explain --list"""

SCHEMA_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("codes", nargs="*", metavar="CODE|NAME")
    parser.add_argument("--list", action="store_true", help="every code with its name and title")
    output.add_output_option(parser, ("text", "json"))


def main(args: argparse.Namespace) -> int:
    """Look the codes up and print them."""
    from vipkeeper.lint.registry import catalog

    if bool(args.codes) == args.list:
        raise UsageError("explain: name a code, or --list for all of them")
    asked = output.targets(args)
    table = catalog()
    found = [_find(table, code) for code in args.codes] or list(table.everything)
    output.deliver(
        asked,
        {
            "text": lambda _: _listed(found) if args.list else "\n".join(map(_page, found)),
            "json": lambda _: output.to_json(_document(found)),
        },
    )
    return ExitCode.OK


def _find(table: Table, code: str) -> Entry | Retired:
    found = table.find(code)
    if found is None:
        near = table.near(code)
        hint = f"did you mean {near}?" if near else "'vipkeeper explain --list' shows all"
        raise UsageError(f"explain: there is no '{code}'; {hint}")
    return found


def _page(entry: Entry | Retired) -> str:
    if isinstance(entry, Retired):
        return f"# {entry.code} {entry.name}\n\nRetired in {entry.since}: {entry.reason}\n"
    return markdown(entry)


def _listed(found: list[Entry | Retired]) -> str:
    rows = [
        (e.code, e.name, "retired", e.reason)
        if isinstance(e, Retired)
        else (e.code, e.name, e.severity.value, e.page.title)
        for e in found
    ]
    return "\n".join(output.table(("code", "name", "severity", "what it finds"), rows))


def _document(found: list[Entry | Retired]) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "codes": [_plain(entry) for entry in found]}


def _plain(entry: Entry | Retired) -> dict[str, Any]:
    if isinstance(entry, Retired):
        return {"retired": True, **dataclasses.asdict(entry)}
    return {
        "code": entry.code,
        "name": entry.name,
        "retired": False,
        "severity": entry.severity.value,
        "confidence": entry.confidence.value,
        "reach": entry.reach.value,
        "kinds": list(entry.kinds),
        "versions": [str(version) for version in entry.versions],
        "page": dataclasses.asdict(entry.page),
    }
