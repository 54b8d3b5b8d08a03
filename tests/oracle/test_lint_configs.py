"""keepalived and haproxy accept what our linter finds right.

Each configuration of an ok fixture, and of a cluster of the corpus without findings, is read by the
program it is for. A finding that no program and no manual confirms would be ours alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.source import Source, read

pytestmark = pytest.mark.oracle

LINT = Path(__file__).resolve().parent.parent / "lint"
TRIES = 30.0
"""Seconds that a program may take to read a file."""
HOST = re.compile(
    r"SECURITY VIOLATION|^Configuration file is valid|unable to stat SSL certificate|Fatal errors found|^\[NOTICE\]"
    r"|has only 1 virtual router|WARNING - script|^Disabling track script \w+ due to insecure$"
)
"""Complaints about this machine, which has no scripts of keepalived, and not about the configuration."""


def configs(name: str, suffix: str) -> list[Path]:
    """The files of one program in what is right."""
    right = [*LINT.glob("fixtures/VK*/ok"), *LINT.glob("corpus/*-ok")]
    found = {p for top in right for p in (*top.rglob(name), *top.glob(f"*{suffix}"))}
    return sorted(path for path in found if path.is_file())


def label(path: Path) -> str:
    return str(path.relative_to(LINT))


def complaints(command: list[str]) -> list[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TRIES, check=False, errors="replace"
    )
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.strip() and not HOST.search(line)]


def cards(path: Path) -> list[str]:
    """The network cards that a keepalived.conf names."""
    source = read(path, str(path))
    assert isinstance(source, Source)
    parsed = parse(source)
    assert parsed is not None
    found = (d for d in parsed.documents if isinstance(d, Keepalived))
    return sorted({i.interface for conf in found for i in conf.instances if i.interface})


def keepalived_says(path: Path) -> list[str]:
    if not shutil.which("keepalived") or not shutil.which("unshare"):
        pytest.skip("keepalived or unshare is not installed")
    links = "".join(
        f"ip link add {card} type veth peer name peer{n} && ip link set {card} up && "
        for n, card in enumerate(cards(path))
    )
    inside = f'{links}ip link set lo up && exec keepalived -t -f "$1"'
    shell = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", inside, "sh", str(path)]
    if subprocess.run([*shell[:4], "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")
    return complaints(shell)


def haproxy_says(path: Path) -> list[str]:
    if not shutil.which("haproxy"):
        pytest.skip("haproxy is not installed")
    return complaints(["haproxy", "-c", "-f", str(path)])


@pytest.mark.parametrize("path", configs("keepalived.conf", ".conf"), ids=label)
def test_keepalived_accepts(path: Path) -> None:
    assert keepalived_says(path) == []


@pytest.mark.parametrize("path", configs("haproxy.cfg", ".cfg"), ids=label)
def test_haproxy_accepts(path: Path) -> None:
    assert haproxy_says(path) == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("VK308/bad/name.conf", "not found, ignoring"),
        ("VK311/bad/nopreempt.conf", "nopreempt will not work"),
        ("VK319/bad/both.conf", "address family must match"),
        ("VK320/bad/none.conf", "virtual router id must be set"),
        ("VK325/bad/group.conf", "ignoring tracked script"),
        ("VK410/bad/bare.cfg", "no CA file specified"),
        ("VK412/bad/name.cfg", "unable to find required default_backend"),
        ("VK417/bad/none.cfg", "missing timeouts"),
    ],
)
def test_the_program_says_what_the_rule_says(case: str, words: str) -> None:
    path = LINT / "fixtures" / case
    said = keepalived_says(path) if path.suffix == ".conf" else haproxy_says(path)
    assert any(words in line for line in said), said
