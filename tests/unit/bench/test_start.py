"""Ctrl-C before the bench has begun to measure: the same line as later, whatever is being imported."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from bench.results import ROOT

PRESSES = """\
import os, runpy, signal, sys

class Presses:
    def __init__(self, name, module):
        self.name, self.module = name, module

    def find_spec(self, name, path=None, target=None):
        if name == self.module:
            os.kill(os.getpid(), getattr(signal, self.name))

sys.meta_path.insert(0, Presses(sys.argv.pop(1), sys.argv.pop(1)))
runpy.run_module("bench", run_name="__main__", alter_sys=True)
"""
"""Runs the bench, and sends it a signal when it begins to import a module."""


def pressed(name: str, module: str, *, ignored: bool = False) -> tuple[int, str]:
    """Exit code and stderr of `bench --help`."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSES, name, module, "--help"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignored else None,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("module", ["bench.command", "argparse", "bench.lint", "vipkeeper.lab.act"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_modules_are_imported_is_one_line(name: str, module: str) -> None:
    assert pressed(name, module) == (
        130,
        "bench: interrupted; the same command goes on from here\n",
    )


def test_ctrl_c_that_is_ignored_from_outside_stays_ignored() -> None:
    assert pressed("SIGINT", "bench.command", ignored=True) == (0, "")
