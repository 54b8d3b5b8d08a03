"""`drill --why` with a real etcd: one fault, collected on every machine, and the answer is the fault."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vipkeeper.lab.processes import SYSTEM_PATH

pytestmark = pytest.mark.lab


STATE = Path("/var/lib/vipkeeper/history.ndjson")
"""What a daemon of this host would write, and one of a drill must not."""


@pytest.mark.skipif(
    any(shutil.which(program, path=SYSTEM_PATH) is None for program in ("etcd", "openssl")),
    reason="etcd-server or openssl is not installed",
)
def test_lost_quorum_is_found_by_what_the_survivor_and_the_client_see(tmp_path: Path) -> None:
    before = STATE.read_bytes() if STATE.exists() else None
    words = ("drill", "--why", "quorum-lost", "--bundles", str(tmp_path), "--output", "json")
    done = subprocess.run(
        [sys.executable, "-m", "vipkeeper", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert (result["outcome"], result["roots"]) == ("right", ["VK801 confirmed"])
    kept = {path.name for path in (tmp_path / "quorum-lost").iterdir()}
    bundles = {f"{place}-{look}.tar.gz" for place in ("cp1", "client") for look in (1, 2)}
    assert kept == {"answer.json", "result.json"} | bundles
    assert (STATE.read_bytes() if STATE.exists() else None) == before
