"""Writes the JSON Schemas of docs/ and the reference of docs/configuration.md, or with --check compares."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vipkeeper.config.schema import json_schema, with_reference
from vipkeeper.lint.keys import Product
from vipkeeper.lint.keys_schema import settings_schema
from vipkeeper.report.lint.schema import explain_schema, lint_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"


def documents(docs: Path) -> dict[str, str]:
    """Every file that is made from tables, by its name in the directory of documents."""
    schemas: Mapping[str, dict[str, Any]] = {
        "cluster": json_schema(),
        "rke2-config": settings_schema(Product.RKE2),
        "k3s-config": settings_schema(Product.K3S),
        "lint": lint_schema(),
        "explain": explain_schema(),
    }
    found = {f"{name}.schema.json": text(schema) for name, schema in schemas.items()}
    page = (docs / "configuration.md").read_text(encoding="utf-8")
    return found | {"configuration.md": with_reference(page)}


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def differences(wanted: Mapping[str, str], docs: Path) -> list[str]:
    """One line for each file that is missing or different, and each schema that nothing makes."""
    found = []
    for name, content in wanted.items():
        path = docs / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            found.append(f"docs/{name} is not up to date; run tools/schemas.py")
    there = {path.name for path in docs.glob("*.schema.json")}
    return found + [f"docs/{name} is made from no table" for name in sorted(there - set(wanted))]


def main(arguments: list[str]) -> int:
    """Write, or check."""
    wanted = documents(DOCS)
    if "--check" in arguments:
        wrong = differences(wanted, DOCS)
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return 1 if wrong else 0
    for name, content in wanted.items():
        (DOCS / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
