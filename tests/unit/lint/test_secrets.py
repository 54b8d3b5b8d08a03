"""No output shows a secret, whatever format holds it and whichever finding is near it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from vipkeeper.cli.lint import FORMATS
from vipkeeper.cli.main import main
from vipkeeper.lint import secrets
from vipkeeper.lint.source import from_text

LEAK = "hunter2Zebra"
LINES = {
    "yaml": "token: hunter2Zebra",
    "yaml with spaces": "password: my hunter2Zebra word  # comment",
    "quoted": 'agent-token: "hunter2Zebra # no comment"',
    "flow": "{server: 1, token: hunter2Zebra, tls-san: [a]}",
    "json": '"etcd-s3-secret-key": "hunter2Zebra",',
    "misspelt": "tokn: hunter2Zebra",
    "appended": "token+: hunter2Zebra",
    "next line": "token:\n  hunter2Zebra",
    "block": "token: |-\n  one\n\n  hunter2Zebra\nserver: x",
    "open quote": "token: 'one\ntwo hunter2Zebra'",
    "list": "token:\n- hunter2Zebra\n",
    "tabs": "\ttoken:\thunter2Zebra",
    "broken": "token: hunter2Zebra: : [",
    "env": "RKE2_TOKEN=hunter2Zebra",
    "env with spaces": "K3S_AGENT_TOKEN=one hunter2Zebra",
    "unit": 'Environment="A=1" "K3S_TOKEN=hunter2Zebra"',
    "flag": "ExecStart=/usr/local/bin/k3s server --token hunter2Zebra",
    "flag=": "ExecStart=/usr/local/bin/k3s server --agent-token='hunter2Zebra'",
    "datastore": "datastore-endpoint: postgres://k3s:hunter2Zebra@db:5432/k3s",
    "query": "datastore-endpoint: postgres://db/k3s?password=hunter2Zebra",
    "keepalived": "        auth_pass hunter2Zebra",
    "curl": 'script "/usr/bin/curl -u probe:hunter2Zebra https://127.0.0.1"',
    "bearer": "script \"curl -H 'Authorization: Bearer hunter2Zebra' x\"",
    "stats": "    stats auth admin:hunter2Zebra",
    "userlist": "  user admin insecure-password hunter2Zebra",
    "http-check": "http-check send hdr Authorization Basic\\ hunter2Zebra",
    "pod": "- name: BGP_PASSWORD\n  value: hunter2Zebra",
    "pod, other order": "- value: hunter2Zebra\n  name: packet_token",
    "pod in a line": "- {name: bgp_peerpass, value: hunter2Zebra}",
    "bgp": '- {name: bgp_peers, value: "10.0.0.1:65000:hunter2Zebra:false"}',
    "kubeconfig": "    client-key-data: hunter2Zebra",
    "key": "key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  hunter2Zebra\n  -----END RSA PRIVATE KEY-----",
    "object": "apiVersion: v1\nkind: Secret\nstringData:\n  a.conf: |\n    hunter2Zebra\n",
    "object, data first": "stringData: {x: hunter2Zebra}\nkind: Secret\n",
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_secret_is_covered_in_its_line_and_in_messages(text: str, ending: str) -> None:
    source = from_text(text.replace("\n", ending), "file")
    found = secrets.find([source])
    shown = [found.line(source, number) for number in range(1, len(source.lines) + 1)]
    assert LEAK not in "\n".join(shown)
    assert [len(line) for line in shown] == [len(line) for line in source.lines], "carets fit"
    assert LEAK not in found.hide(f"the value '{LEAK}' is wrong") or " " in text.partition(LEAK)[0]


@pytest.mark.parametrize(
    "text",
    [
        "token-file: /etc/rancher/token",
        "secrets-encryption: true",
        "automountServiceAccountToken: false",
        "secretName: api-tls",
        "token: ${RKE2_TOKEN}",
        "volumes:\n- secret:\n    secretName: tls",
        "kind: SecretStore\ndata:\n  a: b",
        "server: https://10.0.0.1:9345",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    source = from_text(text, "file")
    found = secrets.find([source])
    assert [found.line(source, n) for n in range(1, len(source.lines) + 1)] == list(source.lines)


def test_the_beginning_of_a_long_secret_is_hidden_too() -> None:
    found = secrets.find([from_text("token: K10abcdefghijklmnopqrstuvwxyz", "f")])
    assert found.hide("'K10abcdefghijklmnop...' is no token") == "'********...' is no token"
    assert found.hide("K10 and abcdef are fine") == "K10 and abcdef are fine"


def test_a_short_secret_hides_no_part_of_a_word() -> None:
    found = secrets.find([from_text("auth_pass server", "f")])
    assert found.hide("servers and 'server'") == "servers and '********'"


CONFIG = f"""\
token: {LEAK}${{X}}
tokn: {LEAK}
server: https://admin:{LEAK}@10.0.0.1:6443
token: {LEAK}
node-ip: 10.0.0.9
etcd-s3-secret-key: [{LEAK}]
agent-token: {LEAK}  # vipkeeper: ignore VK127 because {LEAK}
"""
KEEPALIVED = f"""\
vrrp_script c {{
  script "/usr/bin/curl -u x:{LEAK} http://127.0.0.1/"
}}
vrrp_instance A {{
  virtual_router_id 300
  authentication {{
    auth_type PASS
    auth_pass {LEAK}
  }}
  virtual_ipaddress {{ 10.0.0.9 }}
  track_script {{ c }}
}}
"""
HAPROXY = f"""\
{LEAK} before
listen a
  bind *:6443
  stats auth a:{LEAK}
  server a 10.0.0.1:6443 check-ssl password {LEAK}
"""
KUBEVIP = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: kube-vip}}
spec:
  containers:
    - image: ghcr.io/kube-vip/kube-vip:v1.2.3
      args: [manager]
      env:
        - {{name: bgp_peerpas, value: {LEAK}}}
        - {{name: bgp_peerpass, value: {LEAK}}}
        - {{name: vip_cidr, value: "24"}}
        - {{name: vip_leaseduration, value: {LEAK}}}
"""


def run(*words: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        main(["lint", *words])
    return out.getvalue() + err.getvalue()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "cp1/etc/rancher/rke2/config.yaml": CONFIG,
        "cp2/etc/rancher/rke2/config.yaml": CONFIG.replace(LEAK, LEAK + "Other"),
        "cp1/etc/keepalived/keepalived.conf": KEEPALIVED,
        "cp1/etc/haproxy/haproxy.cfg": HAPROXY,
        "cp1/etc/default/rke2-server": f"RKE2_TOKEN={LEAK}\nRKE2_TOKN={LEAK}\n",
        "cp1/var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml": KUBEVIP,
        "cp2/etc/systemd/system/k3s.service": f"[Service]\nExecStart=k3s --token {LEAK} --x\n",
        "cp2/broken.yaml": f"token: {LEAK}\nnode-ip: [a\n{LEAK}: x: y\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_secret(tree: Path, name: str) -> None:
    printed = run(str(tree), "--output", name)
    assert "config.yaml" in printed
    assert LEAK not in printed


@pytest.mark.parametrize("options", [["--diff"], ["--fix"]], ids=["diff", "fix"])
def test_no_preview_and_no_fix_shows_a_secret(tree: Path, options: list[str]) -> None:
    assert LEAK not in run(str(tree), "--unsafe-fixes", *options)


def test_a_fix_writes_the_file_with_its_secrets(tree: Path) -> None:
    run(str(tree), "--unsafe-fixes", "--fix")
    for path in tree.rglob("*"):
        assert not path.is_file() or "****" not in path.read_text(encoding="utf-8")
