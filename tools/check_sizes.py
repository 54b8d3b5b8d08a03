"""Fails when a Python module is longer than a reader can hold in mind, unless a reason is given here."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"src": 400, "bench": 400, "fuzz": 400, "tools": 400, "model": 400, "tests": 600}
"""Most lines of a module, by the folder it is in."""
REASONS: dict[str, str] = {}
"""Longer modules, and why each must be one piece."""


def problems(root: Path, reasons: dict[str, str]) -> list[str]:
    """One line for each module that is too long without a reason, and each reason nothing needs."""
    found = []
    long = set()
    for folder, limit in LIMITS.items():
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            count = len(path.read_text(encoding="utf-8").splitlines())
            if count > limit:
                long.add(name)
                if not reasons.get(name):
                    found.append(f"{name}: {count} lines, at most {limit}; split it")
    found += [f"{name}: has a reason to be long but is not" for name in reasons if name not in long]
    return found


def main() -> int:
    """Judge the tree this file is in."""
    found = problems(ROOT, REASONS)
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
