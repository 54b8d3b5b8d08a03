"""systemd accepts the units and drop-ins that our linter finds right, and says itself what a rule says of a wrong one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.oracle

LINT = Path(__file__).resolve().parent.parent / "lint"
SYSTEM = Path("etc/systemd/system")
TRIES = 60.0
"""Seconds that systemd-analyze may take."""
BASE = "[Service]\nType=notify\nExecStart=/bin/true server\n"
"""The unit that a drop-in belongs to, where the fixture has none."""
HOST = re.compile(r"is not executable: No such file")
"""What is said about this machine, which has no RKE2."""


def folders() -> list[Path]:
    """The systemd folders in what is right."""
    right = [*LINT.glob("fixtures/VK*/ok"), *LINT.glob("corpus/*-ok")]
    return sorted(found for top in right for found in top.rglob(str(SYSTEM)) if found.is_dir())


def label(path: Path) -> str:
    return str(path.relative_to(LINT))


def systemd_says(folder: Path, tmp_path: Path) -> list[str]:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = tmp_path / "units"
    shutil.copytree(folder, units)
    for dropins in units.glob("*.service.d"):
        unit = dropins.with_suffix("")
        if not unit.exists():
            unit.write_text(BASE, encoding="utf-8")
    names = sorted(str(path) for path in units.glob("*.service"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        timeout=TRIES,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.strip() and not HOST.search(line)]


@pytest.mark.parametrize("folder", folders(), ids=label)
def test_systemd_accepts(folder: Path, tmp_path: Path) -> None:
    assert systemd_says(folder, tmp_path) == []


def test_systemd_says_what_the_rule_says(tmp_path: Path) -> None:
    said = systemd_says(LINT / "fixtures/VK506/bad/added" / SYSTEM, tmp_path)
    assert any("more than one ExecStart" in line for line in said), said
