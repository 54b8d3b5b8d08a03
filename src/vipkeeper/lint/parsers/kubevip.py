"""kube-vip, however it is installed: Pod, DaemonSet, Helm values or HelmChart.

Source: kube-vip pkg/kubevip/config_envvar.go, its Helm chart's values.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.tree import Entry, Mapping, Node, Scalar, Sequence, Span
from vipkeeper.lint.document import YamlDocument
from vipkeeper.lint.version import Version, parse_version
from vipkeeper.lint.yaml11 import resolve


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable of the container."""

    name: Scalar
    value: Scalar | None
    """None where it comes from a field (`valueFrom`)."""
    source: Mapping | None
    """`valueFrom`."""

    @property
    def text(self) -> str:
        """What the program reads: empty where unknown."""
        return self.value.text if self.value is not None else ""

    @property
    def span(self) -> Span:
        """The value, or the name where there is none."""
        return self.value.span if self.value is not None else self.name.span


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of the container that comes from a volume."""

    path: Scalar
    host: Mapping | None
    """`hostPath` of the volume; None for volumes of another kind."""


@dataclass(frozen=True, slots=True)
class KubeVip(YamlDocument):
    """One installation of kube-vip."""

    values: bool
    """Whether `root` is Helm values and no Kubernetes object."""
    pod: Mapping | None
    """The pod specification; None for Helm values."""
    container: Mapping | None
    variables: tuple[Variable, ...]
    args: tuple[Scalar, ...]

    def variable(self, name: str) -> Variable | None:
        """An environment variable; the last one counts."""
        return next((v for v in reversed(self.variables) if v.name.text == name), None)

    def text(self, name: str, default: str = "") -> str:
        """The value of a variable; kube-vip takes an empty one as not set."""
        found = self.variable(name)
        return (found.text if found else "") or default

    def is_true(self, name: str) -> bool:
        """Whether a switch is on, as Go's ParseBool reads it."""
        return self.text(name) in ("1", "t", "T", "TRUE", "true", "True")

    def number(self, name: str, default: int) -> int:
        """A number; the default where it is none."""
        text = self.text(name)
        return int(text) if text.isdigit() and len(text) < 10 else default

    def flag(self, name: str) -> str | None:
        """The value of `--name=value` or `--name value` in the arguments; empty for a bare flag."""
        for index, word in enumerate(self.args):
            given, equals, value = word.text.lstrip("-").partition("=")
            if given != name or not word.text.startswith("-"):
                continue
            if equals:
                return value
            after = self.args[index + 1].text if index + 1 < len(self.args) else "-"
            return "" if after.startswith("-") else after
        return None

    def all(self, name: str) -> tuple[Variable, ...]:
        """Every mention of a variable."""
        return tuple(v for v in self.variables if v.name.text == name)

    @property
    def is_complete(self) -> bool:
        """Whether the variables are all there is: no chart, no flags, no `envFrom`, no old `start`."""
        if self.container is None or self.container.get("envFrom") is not None:
            return False
        if any(word.text == "start" for word in self.args):
            return False
        names = {word.text.lstrip("-").partition("=")[0] for word in self.args[1:]}
        return not self.variable("config_file") and names <= _HARMLESS_FLAGS

    def mount(self, path: str) -> Mount | None:
        """What is mounted at a path of the container, or above it."""
        container, pod = self.container, self.pod
        if container is None or pod is None:
            return None
        for item in container.items("volumeMounts"):
            at = item.scalar("mountPath") if isinstance(item, Mapping) else None
            if at is None or not f"{path}/".startswith(f"{at.text.rstrip('/')}/"):
                continue
            name = item.scalar("name") if isinstance(item, Mapping) else None
            volumes = (v for v in pod.items("volumes") if isinstance(v, Mapping))
            wanted = (v for v in volumes if name and _text(v.scalar("name")) == name.text)
            volume = next(wanted, None)
            return Mount(at, volume.mapping("hostPath") if volume is not None else None)
        return None

    def alias(self, host: str) -> Scalar | None:
        """The address that `hostAliases` gives a name."""
        for item in self.pod.items("hostAliases") if self.pod is not None else ():
            names = item.items("hostnames") if isinstance(item, Mapping) else ()
            if isinstance(item, Mapping) and host in map(_text, names):
                return item.scalar("ip")
        return None

    @property
    def is_daemonset(self) -> bool:
        """Whether Kubernetes runs it, in the cluster, with a service account."""
        return _text(self.root.scalar("kind")) not in ("Pod", "") and not self.values

    @property
    def uses_arp(self) -> bool:
        """Whether the VIP is an address of the holder's network card."""
        return self.is_true("vip_arp") or self.flag("arp") in ("", "true")

    @property
    def addresses(self) -> tuple[tuple[str, Span], ...]:
        """The VIPs that `address` (or the old `vip_address`) names."""
        found = self.variable("address") or self.variable("vip_address")
        if found is None or found.value is None:
            return ()
        parts = [part.strip() for part in found.text.split(",")]
        return tuple((part, found.span) for part in parts if part)

    @property
    def image(self) -> Scalar | None:
        """The image, for Helm values its tag."""
        if self.values:
            return self.root.scalar("image", "tag")
        return self.container.scalar("image") if self.container is not None else None

    @property
    def version(self) -> Version | None:
        """The release of kube-vip; None where the tag does not say."""
        image = self.image
        if image is None:
            return None
        tag = image.text.partition("@")[0]  # without the digest
        return parse_version(tag.rpartition(":")[2])


_HARMLESS_FLAGS = frozenset(["prometheusHTTPServer", "inCluster", "log"])
"""Flags that stand for no variable."""


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def is_kubevip(container: Mapping) -> bool:
    """Whether a container runs kube-vip."""
    image = container.scalar("image")
    repository = image.text.partition("@")[0].rpartition("/")[2] if image is not None else ""
    return repository.partition(":")[0] in ("kube-vip", "kube-vip-iptables")


def container_variables(container: Mapping) -> tuple[Variable, ...]:
    """`env` of a container."""
    found = []
    for item in container.items("env"):
        if not isinstance(item, Mapping):
            continue
        name = item.scalar("name")
        if name is not None:
            found.append(Variable(name, item.scalar("value"), item.mapping("valueFrom")))
    return tuple(found)


def container_args(container: Mapping) -> tuple[Scalar, ...]:
    """`args` of a container."""
    return tuple(item for item in container.items("args") if isinstance(item, Scalar))


def values_variables(root: Mapping) -> tuple[Variable, ...]:
    """What the Helm chart makes of its values: `config.address` and `env`."""
    found = []
    address = root.mapping("config")
    entry = address.entry("address") if address is not None else None
    if entry is not None:
        found += _variable(entry)
    environment = root.mapping("env")
    for item in environment.entries if environment is not None else ():
        found += _variable(item)
    return tuple(found)


def _variable(entry: Entry) -> list[Variable]:
    value = _resolved(entry.value)
    return [Variable(entry.key, value, None)] if value is not None else []


def _resolved(node: Node) -> Scalar | None:
    """A value as the chart writes it, quoted: `true` stays `true`, `yes` becomes `true`."""
    if isinstance(node, (Mapping, Sequence)):
        return None
    return Scalar(node.span, resolve(node).text, node.style, node.tag)
