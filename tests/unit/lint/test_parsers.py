"""What the parsers of foreign formats make of the traps of each format."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.config.reader import read
from vipkeeper.config.tree import Mapping, Scalar, Trouble
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.kinds import Kind, Place
from vipkeeper.lint.parsers import envfile, haproxy, keepalived, systemd
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.parsers.helm import HelmValues
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.settings import Settings, merge
from vipkeeper.lint.source import Source, from_text
from vipkeeper.lint.source import read as read_file
from vipkeeper.lint.yaml11 import Meaning, resolve


def documents(text: str, file: str) -> tuple[Document, ...]:
    parsed = parse(from_text(text, file))
    assert parsed is not None
    assert not parsed.problems
    return parsed.documents


def settings(**files: str) -> Settings:
    names = {"main": "rancher/rke2/config.yaml", "env": "default/rke2-server"}
    found: list[Document] = []
    for key, text in files.items():
        found += documents(text, names.get(key, f"rancher/rke2/config.yaml.d/{key}.yaml"))
    return merge(found)


def conf(text: str) -> Keepalived:
    parsed = keepalived.parse(from_text(text, "keepalived.conf"), Kind.KEEPALIVED)
    assert not parsed.problems
    (document,) = parsed.documents
    assert isinstance(document, Keepalived)
    return document


class TestYaml:
    @pytest.mark.parametrize(
        ("text", "meaning", "received"),
        [
            ("0644", Meaning.OCTAL, "420"),
            ("'0644'", Meaning.TEXT, "0644"),
            ("yes", Meaning.BOOLEAN, "true"),
            ("Off", Meaning.BOOLEAN, "false"),
            ("!!str on", Meaning.TEXT, "on"),
            ("~", Meaning.NULL, ""),
            ("0x1F", Meaning.INTEGER, "31"),
            ("1_000", Meaning.INTEGER, "1000"),
            ("1.5", Meaning.FLOAT, "1.5"),
            ("10.10.10.10", Meaning.TEXT, "10.10.10.10"),
            ("0899", Meaning.TEXT, "0899"),
        ],
    )
    def test_version_1_1(self, text: str, meaning: Meaning, received: str) -> None:
        (root,) = read(f"a: {text}", "f").roots
        assert isinstance(root, Mapping)
        scalar = root.scalar("a")
        assert scalar is not None
        found = resolve(scalar)
        assert (found.meaning, found.text) == (meaning, received)

    def test_places_of_keys_and_values(self) -> None:
        (root,) = read("a:\n  - b: 'x y'\n", "f").roots
        assert isinstance(root, Mapping)
        value = root.scalar("a", 0, "b")
        assert value is not None
        assert (value.span.line, value.span.column, value.span.end_column) == (2, 8, 13)

    def test_aliases_and_merge_keys(self) -> None:
        (root,) = read("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "f").roots
        assert isinstance(root, Mapping)
        found = [root.scalar("b", name) for name in ("p", "q")]
        assert [scalar.text for scalar in found if scalar] == ["1", "3"]

    def test_the_last_of_a_key_given_twice_counts_and_is_told(self) -> None:
        found = read("a: 1\na: 2\n", "f")
        assert [p.trouble for p in found.problems] == [Trouble.DUPLICATE_KEY]
        (root,) = found.roots
        assert isinstance(root, Mapping)
        assert root.get("a") == Scalar(root.entries[0].value.span, "2")


class TestSettings:
    def test_a_later_file_replaces_and_plus_appends(self) -> None:
        found = settings(
            main="tls-san: [a]\nnode-label: x\n",
            **{"20": "tls-san+: b\nnode-label: z\n", "30": "tls-san+: [c]\n"},
        )
        assert [value.text for value in found.values("tls-san")] == ["a", "b", "c"]
        assert found.text("node-label") == "z"
        label = found.get("node-label")
        assert label is not None
        assert label.span.file.endswith("20.yaml")

    def test_drop_ins_are_read_by_their_names(self) -> None:
        found = settings(**{"20": "token: b\n", "10": "token: a\n"}, main="token: c\n")
        assert found.text("token") == "b"

    def test_the_environment_counts_only_for_missing_keys(self) -> None:
        found = settings(main="token: file\n", env="RKE2_TOKEN=env\nRKE2_URL=https://a:9345\n")
        assert (found.text("token"), found.text("server")) == ("file", "https://a:9345")

    def test_commas_split_only_where_the_product_splits_them(self) -> None:
        found = settings(main='tls-san: "a, b"\nnode-label: "a,b"\n')
        assert [value.text for value in found.values("tls-san")] == ["a", "b"]
        assert [value.text for value in found.values("node-label")] == ["a,b"]

    def test_an_empty_value_is_none(self) -> None:
        assert settings(main="server:\ntoken: a\n").value("server") is None


class TestKeepalived:
    def test_macros_conditions_comments_and_quotes(self) -> None:
        found = conf(
            "$ID=51 \nvrrp_instance VI_1 { ! first\n  @cp1 priority 150\n"
            '  virtual_router_id ${ID} # fifty-one\n  notify "/bin/x y { z"\n'
            "  virtual_ipaddress { 10.0.0.1/24 dev eth0\n 10.0.0.2 }\n}\n"
        )
        (instance,) = found.instances
        assert (instance.name, instance.vrid, instance.priority) == ("VI_1", 51, 150)
        assert [vip.text for vip in instance.vips] == ["10.0.0.1/24", "10.0.0.2"]
        priority = instance.block.first("priority")
        assert priority is not None
        assert priority.condition == "cp1"
        notify = instance.block.first("notify")
        assert notify is not None
        assert notify.value is not None
        assert notify.value.text == "/bin/x y { z"

    def test_a_brace_on_the_next_line(self) -> None:
        assert conf("vrrp_instance A\n{\n  virtual_router_id 7\n}\n").instances[0].vrid == 7

    def test_includes_are_read_where_they_stand(self, tmp_path: Path) -> None:
        (tmp_path / "conf.d").mkdir()
        (tmp_path / "conf.d" / "a.conf").write_text("vrrp_instance A {\n}\n")
        (tmp_path / "keepalived.conf").write_text("include conf.d/*.conf\n")
        source = read_file(tmp_path / "keepalived.conf", "x/keepalived.conf")
        assert isinstance(source, Source)
        parsed = keepalived.parse(source, Kind.KEEPALIVED)
        assert [found.file for found in parsed.included] == ["x/conf.d/a.conf"]
        document = parsed.documents[0]
        assert isinstance(document, Keepalived)
        assert document.instances[0].block.span.file == "x/conf.d/a.conf"

    def test_a_copy_never_reads_the_files_of_this_host(self, tmp_path: Path) -> None:
        (tmp_path / "keepalived.conf").write_text("include /etc/passwd\n")
        source = read_file(tmp_path / "keepalived.conf", "keepalived.conf")
        assert isinstance(source, Source)
        parsed = keepalived.parse(source, Kind.KEEPALIVED)
        assert not parsed.included
        assert [problem.trouble for problem in parsed.problems] == [Trouble.UNREADABLE]


def test_haproxy_binds_comments_and_defaults() -> None:
    text = (
        "defaults\n  timeout client 20s # short\nfrontend api\n  bind :6443,[::]:6443 v6only\n"
        "  bind /run/x.sock\nbackend b\n  timeout client 1m\n  server a\\ b 10.0.0.1:6443 check inter 2s\n"
    )
    (found,) = haproxy.parse(from_text(text, "haproxy.cfg"), Kind.HAPROXY).documents
    assert isinstance(found, Haproxy)
    assert [(bind.address, bind.port) for bind in found.binds] == [("", 6443), ("::", 6443)]
    frontend, backend = found.named("frontend", "api"), found.named("backend", "b")
    assert frontend is not None
    assert backend is not None
    times = [found.setting(section, "timeout", "client") for section in (frontend, backend)]
    assert [haproxy.milliseconds(t.words[2]) for t in times if t] == [20_000, 60_000]
    server = backend.first("server")
    assert server is not None
    inter = server.after("inter")
    assert (server.words[1].text, inter.text if inter else "") == ("a b", "2s")


def test_environment_quotes_and_the_last_of_two() -> None:
    parsed = envfile.parse(from_text("A='x y'\n; c\nA=\"z\"\nexport B=1\n", "e"), Kind.RKE2_ENV)
    (found,) = parsed.documents
    assert isinstance(found, envfile.EnvFile)
    last = found.get("A")
    assert last is not None
    assert last.value.text == "z"
    assert [problem.span.line for problem in parsed.problems] == [4]


def test_unit_continued_lines_and_resets() -> None:
    text = "[Service]\nExecStart=/a \\\n  # between\n  --b\nExecStart=\nExecStart=/c\n"
    source = from_text(text, "rke2-server.service.d/x.conf")
    (found,) = systemd.parse(source, Kind.SYSTEMD_UNIT).documents
    assert isinstance(found, systemd.Unit)
    assert found.name == "rke2-server.service"
    assert found.directives[0].value.text == "/a --b"
    assert [d.value.text for d in found.all("Service", "ExecStart")] == ["/c"]


class TestRecognition:
    def test_values_inside_a_chart_know_their_lines(self) -> None:
        text = (
            "apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata:\n  name: rke2-cilium\n"
            "spec:\n  valuesContent: |-\n    # values\n    k8sServiceHost: 10.10.10.100\n"
        )
        (found,) = documents(text, "cilium.yaml")
        assert isinstance(found, HelmValues)
        host = found.root.scalar("k8sServiceHost")
        assert host is not None
        assert (host.span.line, host.span.column) == (8, 21)

    def test_kube_vip_among_other_documents(self) -> None:
        text = (
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: kube-vip}\n---\napiVersion: v1\nkind: Pod\n"
            "spec:\n  containers:\n    - image: ghcr.io/kube-vip/kube-vip:v0.8.9@sha256:aa\n"
            "      args: [manager, --leaderElectionType, etcd]\n"
            "      env: [{name: address, value: '10.0.0.1,fd00::1'}]\n"
        )
        account, found = documents(text, "agent/pod-manifests/k.yaml")
        assert account.kind is Kind.OBJECT
        assert isinstance(found, KubeVip)
        assert (found.version, found.flag("leaderElectionType")) == ((0, 8, 9), "etcd")
        assert [address for address, _ in found.addresses] == ["10.0.0.1", "fd00::1"]
        assert found.place is Place.POD_MANIFESTS

    @pytest.mark.parametrize(
        ("file", "text", "kind"),
        [
            ("a.yaml", "token: x\ntls-san: [a]\n", Kind.RKE2_CONFIG),
            ("k3s/a.yaml", "token: x\ntls-san: [a]\n", Kind.K3S_CONFIG),
            ("a.yaml", "vip: 10.0.0.1\nservers: {a: 10.0.0.2}\n", Kind.OWN_CONFIG),
            ("a.conf", "global_defs {\n}\n", Kind.KEEPALIVED),
            ("a.cfg", "frontend x\n bind :1\n", Kind.HAPROXY),
            ("rke2.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n", Kind.KUBECONFIG),
            ("v.yaml", "env: {vip_arp: 'true'}\n", Kind.KUBEVIP_VALUES),
        ],
    )
    def test_by_content(self, file: str, text: str, kind: Kind) -> None:
        assert [document.kind for document in documents(text, file)] == [kind]

    @pytest.mark.parametrize(
        "text", ["a: 1\nb: 2\n", "- hosts: all\n  roles: [x]\n", "just text\n"]
    )
    def test_other_yaml_is_left_alone(self, text: str) -> None:
        assert parse(from_text(text, "playbook.yaml")) in (None, Parsed())
