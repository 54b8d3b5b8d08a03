"""What the keeper process may carry: every import is memory locked for ever, and a start-up delay."""

from __future__ import annotations

import subprocess
import sys

MUST_NOT = (
    "jinja2",
    "cryptography",
    "prometheus_client",
    "pyroute2",
    "scapy",
    "rich",
    "h2",
    "sqlite3",
)
LAB_AND_REPORT = ("vipkeeper.lab", "vipkeeper.report", "vipkeeper.cli.drill")


def test_keeper_imports_nothing_of_the_other_verbs() -> None:
    code = (
        "import sys, vipkeeper.cli.run, vipkeeper.daemon.main\n"
        f"print(*(name for name in {MUST_NOT + LAB_AND_REPORT!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
