"""On a disk that is full: one line, exit code 2, nothing new on it, and what was recorded before is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from unit.report.sample import FULL
from vipkeeper import __version__
from vipkeeper.cli.drill_soak import UNBUDGETED
from vipkeeper.cli.report_folder import write_folder
from vipkeeper.report.soak import Soak, dump_soak

PATIENCE = 60.0
SIZE = 256 << 10
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a tmpfs"),
]


@dataclass(frozen=True)
class Disk:
    """A tmpfs in a mount namespace of its own."""

    place: Path
    """What programs in that namespace call it."""
    holder: int
    """A process in it."""

    @property
    def inside(self) -> Path:
        """The same as seen from here."""
        return Path(f"/proc/{self.holder}/root{self.place}")

    def fill(self) -> None:
        with (self.inside / "filler").open("wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def files(self) -> dict[str, bytes]:
        """All there are, but the one that fills it."""
        found = (path for path in self.inside.rglob("*") if path.name != "filler")
        return {
            str(path.relative_to(self.inside)): path.read_bytes() if path.is_file() else b""
            for path in found
        }

    def vipkeeper(self, *words: str) -> subprocess.CompletedProcess[str]:
        enter = ("nsenter", "-t", str(self.holder), "-m", "--wd=/")
        return subprocess.run(
            [*enter, sys.executable, "-m", "vipkeeper", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    mount = f'mount -t tmpfs -o size={SIZE} none "$0" && echo mounted && read _'
    with subprocess.Popen(
        ["unshare", "-m", "sh", "-c", mount, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("no tmpfs can be mounted here")
        yield Disk(tmp_path, holder.pid)
        holder.communicate("\n", timeout=PATIENCE)


def test_a_drill_on_a_full_disk_says_so_in_one_line_and_keeps_the_report_before(disk: Disk) -> None:
    folder = disk.place / "report"
    write_folder(FULL, {"power-off-1/cp1-vipkeeper.log": "x"}, disk.inside / "report")
    disk.fill()
    before = disk.files()
    done = disk.vipkeeper("drill", "elect", "--report", str(folder))
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("vipkeeper: ")]
    assert line.startswith(
        f"vipkeeper: --report: cannot write to {folder}: No space left on device"
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert "elect" in done.stdout
    assert disk.files() == before


@pytest.mark.parametrize("words", [["--part", "soak.json"], ["--report", "."]])
def test_a_soak_on_a_full_disk_says_so_in_one_line_and_keeps_its_record(
    disk: Disk, words: list[str]
) -> None:
    path, option = disk.place / "soak.json", words[0]
    soak = Soak(
        7,
        "2026-11-27T10:00:00Z",
        1.0,
        (),
        (),
        (),
        (),
        seconds=60.0,
        tool_version=__version__,
        interval_ms=100,
        settings=(UNBUDGETED,),
    )
    (disk.inside / "soak.json").write_text(dump_soak(soak))
    disk.fill()
    before = disk.files()
    done = disk.vipkeeper(
        *("drill", "soak", "--hours", "1", option, str(disk.place / words[1])),
    )
    assert done.stderr == (
        f"vipkeeper: drill soak: cannot write {path}: No space left on device; "
        "what was recorded before is kept\n"
    )
    assert done.returncode == 2
    assert disk.files() == before
