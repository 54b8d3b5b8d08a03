"""Hours of random faults, or of none, in parts: `vipkeeper drill soak` with its record among the results."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import results, started
from bench.headtohead import rows, tenths
from bench.start import INTERRUPTED

from vipkeeper.errors import ExitCode
from vipkeeper.report.json import ReportError
from vipkeeper.report.soak import Soak, dump_soak, load_soak
from vipkeeper.report.svg_soak import skips, waits

FILES = {False: "soak.json", True: "soak-quiet.json"}
"""By whether nothing is broken."""
MACHINE = ("commit", "cpu", "memory", "load")
"""What a drill does not know of itself."""


def play(hours: float, minutes: float, *, quiet: bool, seed: int | None, path: Path) -> int:
    """One part: until the record has its hours, or so many minutes more; the exit code of the soak.

    Raises:
        ResultsError: the record is none, or cannot be written.
    """
    there = _load(path)
    played = there.length / 3600 if there is not None else 0.0
    if played >= hours:
        print(f"soak: all {hours:g} hours are played: {path}")
        return 0
    goal = min(hours, played + minutes / 60)
    machine = {key: str(value) for key, value in results.conditions().items() if key in MACHINE}
    words = [sys.executable, "-m", "vipkeeper", "drill", "soak", "--hours", f"{goal:.6f}"]
    words += ["--part", str(path), *(["--quiet"] if quiet else [])]
    words += ["--seed", str(seed)] if seed is not None else []
    # Named before it is made: whenever a signal comes, it is known what to remove.
    report = Path(tempfile.gettempdir()) / f"soak-report-{secrets.token_hex(8)}"
    code = None
    try:
        report.mkdir(0o700)
        code = _run([*words, "--report", str(report)])
    finally:
        # Only a broken promise leaves pictures and traces; of anything else there is nothing whole.
        if code != ExitCode.FINDINGS or not any(report.iterdir()):
            shutil.rmtree(report, ignore_errors=True)
    after = _load(path)
    before = len(there.parts) if there is not None else 0
    if after is not None and len(after.parts) > before:
        new = [replace(part, conditions=part.conditions | machine) for part in after.parts[before:]]
        results.write(path, dump_soak(replace(after, parts=(*after.parts[:before], *new))))
    return code


def section(found: dict[str, Any], pictures: Path | None) -> str:
    """Its part of the page; `found`: records by the name of their file; `pictures`: of them, where there are any."""
    text = "## Soak\n\n"
    soaks = {name: load_soak(text) for name, text in found.items()}
    if not soaks:
        return text + "Not played yet (`./dev bench soak`).\n"
    text += (
        "One cluster with a fault from a seed each few seconds, or with none, and every promise judged all the time "
        "([soak.md](soak.md)). Raw: `bench/results/NAME.json`.\n\n"
    )
    head = ["", "hours", "seed", "faults", "moves", "outages", "longest, ms", "promises broken"]
    text += rows(head, [_row(name, soak) for name, soak in soaks.items()]) + "\n"
    for name, soak in soaks.items():
        text += "".join(f"* **{name}**, {one.at:.0f} s: {one.text}\n" for one in soak.violations)
        text += "".join(f"* **{name}**: {said}\n" for said in (*waits(soak), *skips(soak)))
        text += f"\n{name} was played in {len(soak.parts)} part{'s' if len(soak.parts) != 1 else ''}:\n\n"
        text += rows(["from, s", "started", "conditions"], [
            [f"{part.at:.0f}", part.started, ", ".join(f"{k} {v}" for k, v in part.conditions.items())]
            for part in soak.parts
        ]) + "\n"  # fmt: skip
        if pictures is not None and (pictures / f"{name}.svg").exists():
            text += f"![{name}: faults, outages, moves and broken promises of each ten minutes](pictures/{name}.svg)\n\n"
    return text


def _row(name: str, soak: Soak) -> list[str]:
    longest = tenths(soak.longest * 1000) if soak.outages else ""
    counts = (len(soak.faults), len(soak.moves), len(soak.outages))
    return [
        f"{name}{', nothing broken' if soak.quiet else ''}",
        f"{soak.length / 3600:.2f}",
        str(soak.seed),
        *(str(count) for count in counts),
        longest,
        str(len(soak.violations)),
    ]


def _load(path: Path) -> Soak | None:
    text = results.read(path)
    return None if text is None else parse(text, path)


def parse(text: str, path: Path) -> Soak:
    """The record in the text of a file.

    Raises:
        ResultsError: there is none.
    """
    try:
        return load_soak(text)
    except ReportError as error:
        raise results.ResultsError(f"{path}: no record of a soak: {error}") from None


def _run(words: list[str]) -> int:
    """To its end, which a signal brings early: it knows what to save, and says that it was interrupted."""
    with started.started(words) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            started.end(process)
            if process.returncode != INTERRUPTED:
                raise
            return INTERRUPTED
