"""Fails when requirements/*.lock no longer fit pyproject.toml, lack hashes, or name a registry."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path("requirements")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file: versions by canonical name, and what is wrong with the file itself."""

    pins: dict[str, str]
    problems: list[str]


def read_lock(name: str, text: str) -> Lock:
    """Every pin of a lock file; each needs a hash and an exact version."""
    pins: dict[str, str] = {}
    found = []
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        if "://" in entry or entry.startswith("-"):
            found.append(f"{name}: names a place to download from: {entry[:60]}")
        elif match := _PIN.match(entry):
            pins[canonicalize_name(match["name"])] = match["version"]
            if "--hash=sha256:" not in entry:
                found.append(f"{name}: {match['name']} has no hash")
        elif entry.strip() and not entry.startswith("#"):
            found.append(f"{name}: expected NAME==VERSION: {entry[:60]}")
    return Lock(pins, found)


def misfits(name: str, lock: Lock, wanted: list[str]) -> list[str]:
    """The requirements that a lock file does not meet."""
    found = []
    for text in wanted:
        requirement = Requirement(text)
        version = lock.pins.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{name}: {requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{name}: {requirement.name} {version}, pyproject.toml wants {text}")
    return found


def problems(root: Path) -> list[str]:
    """One line for each thing wrong; `./dev lock` mends them."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = list(project["project"]["dependencies"])
    development = [
        *runtime,
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    found = []
    locks = {}
    for name, wanted in (
        ("runtime.lock", runtime),
        ("dev.lock", development),
        ("lock.lock", ["uv"]),
        ("fuzz.lock", list(project["dependency-groups"]["fuzz"])),
        ("compile.lock", list(project["dependency-groups"]["compile"])),
    ):
        path = root / REQUIREMENTS / name
        locks[name] = read_lock(name, path.read_text(encoding="utf-8"))
        found += [*locks[name].problems, *misfits(name, locks[name], wanted)]
    everything = locks["dev.lock"].pins
    for package, version in locks["runtime.lock"].pins.items():
        if everything.get(package) != version:
            found.append(
                f"{package}: runtime.lock {version}, dev.lock {everything.get(package, 'without it')}"
            )
    return found


def main() -> int:
    """Judge the tree this file is in."""
    found = problems(ROOT)
    for line in found:
        sys.stderr.write(f"{line}\n")
    if found:
        sys.stderr.write("make them anew with ./dev lock\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
