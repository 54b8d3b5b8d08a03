"""The file of raw results: written after every block, read to go on after an interruption.

    {"schema_version": 1, "cells": {"power-off": {"vipkeeper": {"blocks": [...]}, ...}}, "rest": {...}}

A block is one drill on a fresh cluster: its conditions (commit, kernel, load, ...) and all its runs.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS
from bench.form import fault
from bench.shape import Results

from vipkeeper.cli.output import write_whole
from vipkeeper.report.style import one_line

SCHEMA_VERSION = 1
ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "bench" / "results" / "lab.json"


SHOWN = 3
"""Commits that a refusal names; results may hold runs of dozens."""


class ResultsError(Exception):
    """A file cannot be read, gone on with or written; says why in one line."""


RESULTS = ":!bench/results"
"""git's words for: not what is measured."""


def commit() -> str:
    """What is measured; `+` behind it where files were changed since."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git(
            "status", "--porcelain", "--untracked-files=no", "--", "src", "bench", RESULTS
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def machine() -> dict[str, str]:
    """Its processor and memory (proc(5)); empty where the kernel does not say."""
    found: dict[str, str] = {}
    for path, key, name in (("cpuinfo", "model name", "cpu"), ("meminfo", "MemTotal", "memory")):
        try:
            lines = Path("/proc", path).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        values = [line.partition(":")[2].strip() for line in lines if line.startswith(key)]
        if values:
            found[name] = values[0]
    return found


def conditions() -> dict[str, Any]:
    """Of this machine, now."""
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "kernel": os.uname().release,
        "cores": len(os.sched_getaffinity(0)),
        "python": sys.version.split()[0],
        **machine(),
        "load": round(os.getloadavg()[0], 2),
    }


def same_commit(found: dict[str, Any], path: Path, *, mix: bool) -> None:
    """See that a file can be gone on with.

    Raises:
        ResultsError: it holds runs of another commit and `mix` is not set.
    """
    before, at = commits(found), commit()
    if before and before != [at] and not mix:
        others = ", ".join(before[:SHOWN]) + (
            f" and {len(before) - SHOWN} more" if before[SHOWN:] else ""
        )
        raise ResultsError(
            f"{path} holds runs of {others}, this is {at}: --out FILE begins results of your own, "
            "--mix adds to these"
        )


def load(path: Path) -> dict[str, Any]:
    """The results so far; empty ones where there is no file.

    Raises:
        ResultsError: the file is no results of this version.
    """
    text = read(path)
    return {"schema_version": SCHEMA_VERSION, "cells": {}} if text is None else parse(text, path)


def read(path: Path) -> str | None:
    """The text of a file; None where there is none.

    Raises:
        ResultsError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ResultsError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None


def parse(text: str, path: Path) -> dict[str, Any]:
    """Results from the text of a file: whatever reads them finds there what it needs.

    Raises:
        ResultsError: the text is no results of this version, or damaged; names the place.
    """
    return checked(document(text, path), path)


def document(text: str, path: Path) -> dict[str, Any]:
    """The JSON object in the text of a file, whatever it is.

    Raises:
        ResultsError: there is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ResultsError(f"{path}: no results of the bench: expected an object")
    return found


def is_foreign(found: dict[str, Any]) -> bool:
    """Whether a document has nothing of the bench in it, as a recorded drill has not."""
    return not found.keys() & Results.__annotations__.keys()


def checked(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """The same document, if it has the form of results.

    Raises:
        ResultsError: as `parse`.
    """
    if found.get("schema_version") != SCHEMA_VERSION or is_foreign(found):
        raise ResultsError(f"{path}: no results of the bench, version {SCHEMA_VERSION}")
    if wrong := fault(found, Results):
        raise ResultsError(f"{path}: damaged: {wrong}")
    for cell, records in found["cells"].items():
        if strangers := sorted(records.keys() - CONTENDERS.keys()):
            place = one_line(f"cells.{cell}: there is no contender '{strangers[0]}'")
            raise ResultsError(f"{path}: {place}")
    return found


def save(path: Path, results: dict[str, Any]) -> None:
    """Write them, whole or not at all; raises as `write`."""
    write(path, json.dumps(results, indent=1) + "\n")


def writable(path: Path) -> None:
    """See that a file can be written before hours are spent on what belongs in it. Makes no folder.

    Raises:
        ResultsError: it cannot, or something else than a file is there.
    """
    folder = path.parent
    if not folder.is_dir():
        raise ResultsError(f"cannot write {path}: there is no folder {folder}")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise ResultsError(f"cannot write {path}: it is no regular file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResultsError(f"cannot write {path}: no permission to write in {folder}")


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        ResultsError: it cannot be written; what was there still is.
    """
    writable(path)
    try:
        write_whole(path, text)
    except OSError as error:
        raise ResultsError(
            f"cannot write {path}: {error.strerror}; what was recorded before is kept"
        ) from None


def blocks(results: dict[str, Any], cell: str, manager: str) -> list[dict[str, Any]]:
    """The blocks of a cell and manager; what is appended to it belongs to the results."""
    record = results["cells"].setdefault(cell, {}).setdefault(manager, {"blocks": []})
    found: list[dict[str, Any]] = record["blocks"]
    return found


def commits(results: dict[str, Any]) -> list[str]:
    """What the results were measured on, in order."""
    found = [
        block["conditions"]["commit"]
        for cell in results["cells"].values()
        for record in cell.values()
        for block in record["blocks"]
    ]
    return list(dict.fromkeys(found))
