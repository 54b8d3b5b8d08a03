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

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers import keepalived
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


def keepalived_says(path: Path, *options: str) -> list[str]:
    if not shutil.which("keepalived") or not shutil.which("unshare"):
        pytest.skip("keepalived or unshare is not installed")
    links = "".join(
        f"ip link add {card} type veth peer name peer{n} && ip link set {card} up && "
        for n, card in enumerate(cards(path))
    )
    inside = f'{links}ip link set lo up && exec keepalived -t -f "$@"'
    words = ("sh", "-c", inside, "sh", str(path), *options)
    shell = ["unshare", "--user", "--map-root-user", "--net", *words]
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


CONDITIONAL = """\
vrrp_instance API {{
    state BACKUP
    interface eth0
    virtual_router_id 61
    authentication {{
        auth_type PASS
        auth_pass abc
        {inner}
    }}
    virtual_ipaddress {{
        10.10.10.100/24
    }}
    {line}
}}
"""


@pytest.mark.parametrize("config_id", ["main", "other"])
@pytest.mark.parametrize(
    ("inner", "line"),
    [
        ("", "@main priority 200 # {"),
        ("", "@main priority 200 ! }{"),
        ('@main auth_pass "a{bcdef"', ""),
        ("", "@main virtual_ipaddress_excluded { 10.10.10.101/24 }"),
        ("", "@main virtual_ipaddress_excluded {\n10.10.10.101/24\n}"),
    ],
)
def test_keepalived_agrees_where_a_condition_drops_the_head_of_a_block(
    inner: str, line: str, config_id: str, tmp_path: Path
) -> None:
    path = tmp_path / "keepalived.conf"
    path.write_text(CONDITIONAL.format(inner=inner, line=line))
    source = read(path, str(path))
    assert isinstance(source, Source)
    (conf,) = keepalived.parse(source, Kind.KEEPALIVED, config_id).documents
    assert isinstance(conf, Keepalived)
    assert bool(conf.headless) == bool(keepalived_says(path, "-i", config_id))
