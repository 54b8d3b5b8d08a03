"""The switch that writes what scenarios print into their files: for a person who then reads the diff."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        default=False,
        help="write what the scenarios print now into their files (never in CI)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rewrite") and os.environ.get("CI") == "true":
        raise pytest.UsageError("--rewrite is refused in CI: a scenario would prove nothing")
