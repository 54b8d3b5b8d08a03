"""Files of the linter: any bytes under any of its names give documents or problems, and every rule takes them."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

from fuzz.mutate import mutate
from fuzz.target import Target
from fuzz.wording import change
from vipkeeper.config.tree import Problem
from vipkeeper.lint.facts import Given
from vipkeeper.lint.load import assemble
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.run import run
from vipkeeper.lint.source import from_bytes

NAMES = (
    "etc/keepalived/keepalived.conf",
    "etc/haproxy/haproxy.cfg",
    "var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml",
    "etc/kubernetes/admin.conf",
    "etc/systemd/system/rke2-server.service.d/a.conf",
    "etc/rancher/rke2/config.yaml",
    "etc/rancher/k3s/config.yaml.d/b.yaml",
    "etc/default/rke2-server",
    "etc/vipkeeper/cluster.yaml",
    "values.yaml",
    "other.conf",
)
"""The first byte of an input chooses one; the rest is the file."""
_LONGEST = 4096
_TODAY = date(2027, 1, 1)
_WORDS = (
    *("token: ", "server: https://", "tls-san+:", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: *a", "---\n", "|\n"),
    *("vrrp_instance A {\n", "virtual_ipaddress {\n", "@cp1 ", "@^cp1 ", "$X=@a", "${X}", "include *.conf\n", "weight -2"),
    *("listen a\n", "bind :::6443\n", "server a [::1]:9345 check", "default-server", "http-check expect status 200"),
    *("kind: Pod\n", "kind: List\n", "kind: Config\n", "kind: HelmChart\n", "valuesContent: |\n", "env:\n", "ghcr.io/kube-vip/kube-vip:v1.2.3"),
    *("[Service]\n", "ExecStart=", "Environment=", "\\\n", "# vipkeeper: ignore VK1 until 2027 x", "#vipkeeper: ignore-file "),
    *("10.0.0.1/33", "fd00::1%eth0", "0x1f", "0o17", "1_0", "1:30", "9999999999999999999999", "-1", "٣", "\u2028", "\x85", "\x00", "\ufeff", "\t", "\r", '"', "'"),
)  # fmt: skip


def check(data: bytes) -> None:
    """Parse, judge, mask: nothing may be raised, and whatever is said is printable and has a place."""
    if not data:
        return
    name = NAMES[data[0] % len(NAMES)]
    source = from_bytes(data[1:], name, Path("/nowhere") / name)
    if isinstance(source, Problem):
        assert str(source).isprintable()
        return
    parsed = parse(source)
    if parsed is None:
        return
    documents = {"cp1": list(parsed.documents)}
    cluster = assemble(documents, list(parsed.problems), {name: source}, Given())
    outcome = run(cluster, _TODAY)
    for problem in parsed.problems:
        assert str(problem).isprintable()
    for finding in outcome.findings:
        span = finding.span
        assert span.line >= 1, f"{finding.code} {span}"
        assert span.column >= 1, f"{finding.code} {span}"
    for number, line in enumerate(source.lines, 1):
        assert len(outcome.secrets.line(source, number)) == len(line)


def in_words(data: bytes, rng: random.Random) -> bytes:
    """The file changed in words of its format, or in bytes."""
    head, text = data[:1] or b"\0", data[1:].decode("utf-8", "replace")
    changed = head + change(text, rng, _WORDS).encode("utf-8", "replace")
    return mutate(changed, rng, _LONGEST) if rng.random() < 0.2 else changed[:_LONGEST]


TARGET = Target("lint", check, longest=_LONGEST, mutate=in_words)
