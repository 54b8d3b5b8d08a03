"""Lab tests run where namespaces can be made; elsewhere each is skipped by name, with the reason.

In CI (`CI=true`) root must be able to make them: there a lab test that cannot run is a failure.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

import pytest

from vipkeeper.lab.processes import SYSTEM_PATH

PROBE = """
import sys
from vipkeeper.errors import HostError
from vipkeeper.lab.box import probe
try:
    probe()
except HostError as error:
    sys.exit(str(error))
"""
TOOLS = ("ip", "nft")


@functools.cache
def obstacle() -> str:
    """Why no lab can be built here; empty when one can. Found by building one, in a process of its own."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        return f"{' and '.join(missing)} not installed (the lab needs iproute2 and nftables)"
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 0:
        return ""
    return " ".join(done.stderr.split()) or f"the probe ended with {done.returncode}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab") is None:
        return
    if reason := obstacle():
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"a lab test cannot run, and in CI it must: {reason}", pytrace=False)
        pytest.skip(reason)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        default=False,
        help="write what scenarios and the linter print now into their files (never in CI)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rewrite") and os.environ.get("CI") == "true":
        raise pytest.UsageError("--rewrite is refused in CI: a test would prove nothing")
