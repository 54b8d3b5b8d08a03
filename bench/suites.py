"""How long the suites of `vipkeeper drill` take, and whether every act comes out as expected."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import results
from bench.started import finish
from bench.targets import Finding

from vipkeeper.errors import ExitCode
from vipkeeper.report.run import TOO_SLOW

LIMITS = {"smoke": 240.0, "full": 3600.0}
"""Seconds that a suite may take, on two cores."""
_ENDED = (ExitCode.OK, ExitCode.FINDINGS)


def measure(scale: float) -> dict[str, Any]:
    """Every suite once; of less than a whole measurement the short one alone."""
    names = tuple(LIMITS) if scale >= 1 else ("smoke",)
    return {
        "conditions": results.conditions(),
        "suites": {name: _played(name) for name in names},
    }


def _played(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vipkeeper-bench-") as folder:
        out = Path(folder, "run.json")
        words = [sys.executable, "-m", "vipkeeper", "drill", "--suite", name]
        words += ["--report", folder, "--output", f"json={out}"]
        begin = time.monotonic()
        finish(words, timeout=2 * LIMITS[name], accepted=_ENDED)
        seconds = time.monotonic() - begin
        report = json.loads(out.read_text(encoding="utf-8"))
    not_passed = {
        verdict: {act["name"]: act["reason"] for act in report["acts"] if act["verdict"] == verdict}
        for verdict in ("failed", "skipped")
    }
    found = {"seconds": round(seconds, 1), "acts": len(report["acts"])}
    return found | {"drill": report["conditions"]} | not_passed


def findings(found: dict[str, Any] | None) -> list[tuple[str, Finding]]:
    """Of issue 6, for each suite."""
    played = found["suites"] if found else {}
    return [
        (
            f"the {name} suite takes at most {limit / 60:.0f} min, every act that can be played here as expected",
            _finding(played.get(name), limit),
        )
        for name, limit in LIMITS.items()
    ]


def _finding(suite: dict[str, Any] | None, limit: float) -> Finding:
    if not suite:
        return Finding("not measured", "no run")
    words = [f"{suite['acts']} acts in {suite['seconds']:.0f} s"]
    words += [f"not as expected: {act}: {why}" for act, why in suite["failed"].items()]
    words += [f"skipped: {act}: {why}" for act, why in suite["skipped"].items()]
    if suite["seconds"] > limit or suite["failed"]:
        return Finding("missed", "; ".join(words))
    # What the host lacks is known before; an act that it was too slow for has shown nothing.
    unjudged = any(why.startswith(TOO_SLOW) for why in suite["skipped"].values())
    return Finding("not measured" if unjudged else "met", "; ".join(words))


def line(found: dict[str, Any]) -> str:
    """One line for a reader."""
    return "; ".join(f"{text}: {f.verdict} ({f.found})" for text, f in findings(found))
