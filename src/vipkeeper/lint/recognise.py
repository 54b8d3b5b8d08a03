"""What a file is, by its path where that says it, otherwise by its content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from vipkeeper.config.reader import read
from vipkeeper.config.tree import Mapping, Node, Problem, Scalar, Trouble
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.keys import Product, table
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers import envfile, haproxy, keepalived, systemd
from vipkeeper.lint.parsers.config_file import ConfigFile
from vipkeeper.lint.parsers.helm import HelmValues, inner_values
from vipkeeper.lint.parsers.kubeconfig import Kubeconfig
from vipkeeper.lint.parsers.kubernetes import KubeObject, containers, pod_spec
from vipkeeper.lint.parsers.kubevip import (
    KubeVip,
    container_args,
    container_variables,
    is_kubevip,
    values_variables,
)
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.source import Source

_PATHS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"(^|/)rancher/rke2/config\.yaml$", Kind.RKE2_CONFIG),
        (r"(^|/)rancher/k3s/config\.yaml$", Kind.K3S_CONFIG),
        (r"(^|/)rancher/k3s/config\.yaml\.d/[^/]+\.ya?ml$", Kind.K3S_DROPIN),
        (r"(^|/)config\.yaml\.d/[^/]+\.ya?ml$", Kind.RKE2_DROPIN),
        (r"(^|/)(default|sysconfig|system)/rke2-(server|agent)(\.env)?$", Kind.RKE2_ENV),
        (r"(^|/)rke2-(server|agent)\.env$", Kind.RKE2_ENV),
        (r"(^|/)(default|sysconfig)/k3s(-agent)?$", Kind.K3S_ENV),
        (r"(^|/)k3s(-agent)?(\.service)?\.env$", Kind.K3S_ENV),
        (r"(^|/)keepalived\.conf$", Kind.KEEPALIVED),
        (r"(^|/)(default|sysconfig)/keepalived$", Kind.KEEPALIVED_ENV),
        (r"(^|/)haproxy\.cfg$", Kind.HAPROXY),
        (r"\.service(\.d/[^/]+\.conf)?$", Kind.SYSTEMD_UNIT),
        (r"(^|/)vipkeeper/cluster\.yaml$", Kind.OWN_CONFIG),
    )
)
_READERS: dict[Kind, Callable[[Source, Kind], Parsed]] = {
    Kind.RKE2_ENV: envfile.parse,
    Kind.K3S_ENV: envfile.parse,
    Kind.KEEPALIVED_ENV: envfile.parse,
    Kind.KEEPALIVED: keepalived.parse,
    Kind.HAPROXY: haproxy.parse,
    Kind.SYSTEMD_UNIT: systemd.parse,
}
_YAML_NAME = re.compile(r"\.(ya?ml|json)$|(^|/)(super-)?admin\.conf$|(^|/)[^/]*kubeconfig[^/]*$")
_KEEPALIVED = re.compile(r"^\s*(vrrp_instance|global_defs|vrrp_script)\b", re.MULTILINE)
_HAPROXY = re.compile(r"^(frontend|backend|listen)\s+\S+", re.MULTILINE)
_OURS = frozenset({"vip", "servers"})


def kind_by_path(file: str) -> Kind | None:
    """The kind that a path alone says."""
    return next((kind for pattern, kind in _PATHS if pattern.search(file)), None)


def may_matter(file: str) -> bool:
    """Whether a file found in a folder is worth opening."""
    suffix = file.rpartition(".")[2]
    return bool(
        kind_by_path(file) or _YAML_NAME.search(file) or suffix in ("conf", "cfg", "kubeconfig")
    )


MAX_LINES = 20_000
"""No hand writes more for keepalived, haproxy or systemd."""
MAX_PROBLEMS = 50
"""Problems of one file that are told; a file of another format has one in each line."""


def parse(source: Source) -> Parsed | None:
    """The documents of a file; None where it is nothing that we know."""
    found = _parse(source)
    if found is None or len(found.problems) <= MAX_PROBLEMS:
        return found
    told = found.problems[:MAX_PROBLEMS]
    more = f"and {len(found.problems) - MAX_PROBLEMS} more problems in this file"
    rest = Problem(found.problems[MAX_PROBLEMS].span, more)
    return replace(found, problems=(*told, rest))


def _parse(source: Source) -> Parsed | None:
    named = kind_by_path(_full(source))
    if named in _READERS:
        return _lines(source, named)
    if named is not None or _YAML_NAME.search(source.file):
        return _yaml(source, named)
    for pattern, kind in ((_KEEPALIVED, Kind.KEEPALIVED), (_HAPROXY, Kind.HAPROXY)):
        if pattern.search(source.text):
            return _lines(source, kind)
    return None


def _lines(source: Source, kind: Kind) -> Parsed:
    """A file of a format that goes line by line; of YAML the reader counts the values itself."""
    if len(source.lines) > MAX_LINES:
        message = f"more than {MAX_LINES} lines; nothing in it was judged"
        return Parsed((), (Problem(source.start, message, Trouble.TOO_LARGE),))
    return _READERS[kind](source, kind)


def _full(source: Source) -> str:
    """The path to judge by: where the file really is, if that is known."""
    return str(source.path) if source.path is not None else source.file


def _yaml(source: Source, named: Kind | None) -> Parsed | None:
    read_all = read(source.text, source.file)
    documents: list[Document] = []
    problems = list(read_all.problems)
    for root in read_all.roots:
        if isinstance(root, Mapping):
            documents += _document(source, root, named, problems)
        elif named is not None:
            problems.append(Problem(root.span, "expected keys such as 'token: ...'"))
    if not read_all.roots and not problems and named is not None:
        problems.append(Problem(source.start, "the file is empty", Trouble.EMPTY))
    if not documents and not problems and named is None:
        return None
    return Parsed(tuple(documents), tuple(problems))


def _document(
    source: Source, root: Mapping, named: Kind | None, problems: list[Problem]
) -> Iterator[Document]:
    if named is Kind.OWN_CONFIG:
        yield OwnConfig(named, source, root)
    elif root.get("kind") is not None and root.get("apiVersion") is not None:
        yield from _object(source, root, problems)
    elif named is not None:
        yield ConfigFile(named, source, root)
    else:
        found = _by_keys(source, root)
        if found is not None:
            yield found


def _by_keys(source: Source, root: Mapping) -> Document | None:
    names = {entry.key.text for entry in root.entries}
    if names >= _OURS:
        return OwnConfig(Kind.OWN_CONFIG, source, root)
    kubevip = root.mapping("env")
    if kubevip is not None and any(e.key.text.startswith(("vip_", "cp_")) for e in kubevip.entries):
        return _kubevip_values(source, root, Kind.KUBEVIP_VALUES)
    if names & {"kubeProxyReplacement", "k8sServiceHost"}:
        return HelmValues(Kind.CILIUM_VALUES, source, root, None)
    if "kubernetesServiceEndpoint" in names or {"installation", "tigeraOperator"} <= names:
        return HelmValues(Kind.CALICO_VALUES, source, root, None)
    return _config_by_keys(source, root, names)


def _config_by_keys(source: Source, root: Mapping, written: set[str]) -> ConfigFile | None:
    """A configuration of RKE2 or k3s that lies somewhere else."""
    names = {name.removesuffix("+").replace("_", "-") for name in written}
    rke2, k3s = table(Product.RKE2), table(Product.K3S)
    known = {name for name in names if rke2.find(name) or k3s.find(name)}
    telling = {"token", "tls-san", "server", "node-ip", "cluster-cidr", "cni"} & known
    usual = source.file.rpartition("/")[2] in ("config.yaml", "config.yml")
    if not telling or (len(known) * 2 < len(names) and not usual):
        return None
    is_k3s = "k3s" in _full(source) or any(n in k3s.keys and n not in rke2.keys for n in names)
    return ConfigFile(Kind.K3S_CONFIG if is_k3s else Kind.RKE2_CONFIG, source, root)


def _object(source: Source, root: Mapping, problems: list[Problem]) -> Iterator[Document]:
    kind = root.scalar("kind")
    word = kind.text if kind is not None else ""
    if word == "List":
        for item in root.items("items"):
            if isinstance(item, Mapping):
                yield from _object(source, item, problems)
    elif word == "Config" and root.get("clusters") is not None:
        yield Kubeconfig(Kind.KUBECONFIG, source, root)
    elif word in ("HelmChart", "HelmChartConfig"):
        yield _chart(source, root, problems) or KubeObject(Kind.OBJECT, source, root)
    else:
        yield _workload(source, root, word) or KubeObject(Kind.OBJECT, source, root)


def _workload(source: Source, root: Mapping, word: str) -> KubeVip | None:
    pod = pod_spec(root)
    container = next((c for c in containers(pod) if is_kubevip(c)), None)
    if container is None:
        return None
    kind = Kind.KUBEVIP_POD if word == "Pod" else Kind.KUBEVIP_DAEMONSET
    return KubeVip(
        kind,
        source,
        root,
        values=False,
        pod=pod,
        container=container,
        variables=container_variables(container),
        args=container_args(container),
    )


def _kubevip_values(source: Source, root: Mapping, kind: Kind) -> KubeVip:
    variables = values_variables(root)
    return KubeVip(
        kind, source, root, values=True, pod=None, container=None, variables=variables, args=()
    )


def _chart(source: Source, root: Mapping, problems: list[Problem]) -> Document | None:
    """What a chart installs, where we know the chart."""
    names = [_text(root.at("metadata", "name")), _text(root.at("spec", "chart"))]
    chart = " ".join(names).lower()
    block = root.scalar("spec", "valuesContent")
    inner = inner_values(source, block) if block is not None else None
    if inner is not None:
        problems += inner.problems
    values = inner.roots[0] if inner is not None and inner.roots else None
    tree = values if isinstance(values, Mapping) else Mapping(root.span, ())
    if "kube-vip" in chart and "cloud-provider" not in chart:
        return _kubevip_values(source, tree, Kind.KUBEVIP_CHART)
    if "cilium" in chart:
        return HelmValues(Kind.CILIUM_VALUES, source, tree, root)
    if "calico" in chart or "tigera" in chart:
        return HelmValues(Kind.CALICO_VALUES, source, tree, root)
    return None


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
