"""Whatever a file holds: findings or none, in every format, never an exception, and never silence."""

from __future__ import annotations

import functools
import importlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vipkeeper.config.tree import Problem
from vipkeeper.lint.document import Document
from vipkeeper.lint.facts import Given
from vipkeeper.lint.fixing import fix
from vipkeeper.lint.load import assemble
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.run import Outcome, run
from vipkeeper.lint.source import Source, from_bytes
from vipkeeper.report.lint import text
from vipkeeper.report.style import Style

FIXTURES = Path(__file__).parent.parent / "lint" / "fixtures"
FORMATS = ("concise", "json", "sarif", "junit", "github", "markdown")
NAMES = (
    "etc/rancher/rke2/config.yaml",
    "etc/rancher/k3s/config.yaml",
    "config.yaml.d/10.yaml",
    "rke2-server.env",
    "keepalived.conf",
    "haproxy.cfg",
    "rke2-server.service.d/x.conf",
    "vipkeeper/cluster.yaml",
    "manifests/kube-vip.yaml",
)
PIECES = (
    b"\n", b"\n  ", b": ", b"- ", b"{", b"}", b"[", b"]", b"'", b'"', b"#", b"\\\n", b"\t", b"&a ", b"*a",
    b"<<: ", b"|-\n", b">\n", b"---\n", b"!!str ", b"server: ", b"token: ", b"tls-san+: ", b"0644", b"true",
    b"https://[", b"10.10.10.100", b"fd00::1/64", b"kind: ", b"apiVersion: ", b"vrrp_instance VI {\n",
    b"virtual_router_id ", b"$A=", b"$A", b"@x ", b"include *", b"frontend a\n", b"bind :6443\n", b"\r", b"\xff",
    b"\0", b"\xc2\x85", b"vipkeeper: ignore ", b"[Service]\n", b"ExecStart=", b"spec:\n", b"env:\n",
)  # fmt: skip


@functools.cache
def seeds() -> tuple[bytes, ...]:
    files = (path for path in sorted(FIXTURES.rglob("*")) if path.is_file())
    return tuple(path.read_bytes() for path in files if path.suffix not in (".expected", ".args"))


def judged(files: list[tuple[str, bytes]]) -> Outcome:
    problems: list[Problem] = []
    sources: dict[str, Source] = {}
    documents: dict[str, list[Document]] = {}
    for number, (name, data) in enumerate(files):
        source = from_bytes(data, f"cp{number}/{name}")
        if isinstance(source, Problem):
            problems.append(source)
            continue
        sources[source.file] = source
        parsed = parse(source)
        if parsed is not None:
            problems += parsed.problems
            documents.setdefault(f"cp{number}", []).extend(parsed.documents)
    return run(assemble(documents, problems, sources, Given()), date(2026, 6, 1))


def check(files: list[tuple[str, bytes]]) -> None:
    outcome = judged(files)
    for name in FORMATS:
        importlib.import_module(f"vipkeeper.report.lint.{name}").render(outcome).encode()
    text.render(outcome, Style(color=True, ascii=True)).encode("ascii")
    list(fix(outcome.findings, dict(outcome.cluster.sources), unsafe=True))
    assert not outcome.cluster.problems or outcome.findings or outcome.quiet
    for finding in outcome.findings:
        assert "\n" not in finding.message
        assert finding.span.line >= 1
        assert finding.span.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_files(data: st.DataObject) -> None:
    files = []
    for _ in range(data.draw(st.integers(1, 3))):
        seed = data.draw(st.sampled_from(seeds()))
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(seed)))
            end = data.draw(st.integers(at, min(len(seed), at + 20)))
            seed = (
                seed[:at] + data.draw(st.sampled_from(PIECES) | st.binary(max_size=4)) + seed[end:]
            )
        files.append((data.draw(st.sampled_from(NAMES)), seed))
    check(files)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join), st.sampled_from(NAMES))
def test_pieces_in_any_order(data: bytes, name: str) -> None:
    check([(name, data)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"{" * 100_000, b"a: " * 50_000, b"\\\n" * 50_000, b"$A=$A$A\n$A\n" * 1000, b"- " * 50_000],
    ids=["brackets", "braces", "keys", "continued", "macros", "lists"],
)  # fmt: skip
def test_deep_or_endless(name: str, data: bytes) -> None:
    check([(name, data)])
