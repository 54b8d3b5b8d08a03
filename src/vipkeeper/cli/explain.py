"""`vipkeeper explain`: the page of a code, offline."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from vipkeeper.catalog.entry import Cause, Entry, Retired
from vipkeeper.catalog.page import markdown
from vipkeeper.catalog.table import Table
from vipkeeper.cli import output
from vipkeeper.errors import ExitCode, UsageError

NAME = "explain"
HELP = """\
What a code means. Of a rule of `lint`: what is looked for, why it is bad, how to mend it, how to verify that. Of a
cause of `why`: what it is, how it leads to the symptom, how to tell it from others, how to mend it.

  vipkeeper explain VK101
  vipkeeper explain VK801
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
    from vipkeeper.report.codes import all_codes

    if bool(args.codes) == args.list:
        raise UsageError("explain: name a code, or --list for all of them")
    asked = output.targets(args)
    table = all_codes()
    found = [_find(table, code) for code in args.codes] or list(table.everything)
    output.deliver(
        asked,
        {
            "text": lambda _: _listed(found) if args.list else "\n".join(map(_page, found)),
            "json": lambda _: output.to_json(_document(found)),
        },
    )
    return ExitCode.OK


def _find(table: Table, code: str) -> Entry | Cause | Retired:
    found = table.find(code)
    if found is None:
        near = table.near(code)
        hint = f"did you mean {near}?" if near else "'vipkeeper explain --list' shows all"
        raise UsageError(f"explain: there is no '{code}'; {hint}")
    return found


def _page(entry: Entry | Cause | Retired) -> str:
    if isinstance(entry, Cause):
        return entry.document
    if isinstance(entry, Retired):
        return f"# {entry.code} {entry.name}\n\nRetired in {entry.since}: {entry.reason}\n"
    return markdown(entry)


def _listed(found: list[Entry | Cause | Retired]) -> str:
    rows = [(entry.code, entry.name, *_in_short(entry)) for entry in found]
    return "\n".join(output.table(("code", "name", "severity", "what it finds"), rows))


def _in_short(entry: Entry | Cause | Retired) -> tuple[str, str]:
    if isinstance(entry, Retired):
        return "retired", entry.reason
    if isinstance(entry, Cause):
        return "cause", entry.title
    return entry.severity.value, entry.page.title


def _document(found: list[Entry | Cause | Retired]) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "codes": [_plain(entry) for entry in found]}


def _plain(entry: Entry | Cause | Retired) -> dict[str, Any]:
    if isinstance(entry, Retired):
        return {"retired": True, **dataclasses.asdict(entry)}
    if isinstance(entry, Cause):
        fields = dataclasses.asdict(entry)
        fields.pop("document")
        return {"type": "cause", "retired": False, **fields}
    return {
        "code": entry.code,
        "name": entry.name,
        "type": "rule",
        "retired": False,
        "severity": entry.severity.value,
        "confidence": entry.confidence.value,
        "reach": entry.reach.value,
        "kinds": list(entry.kinds),
        "versions": [str(version) for version in entry.versions],
        "page": dataclasses.asdict(entry.page),
    }
