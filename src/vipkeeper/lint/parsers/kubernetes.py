"""Kubernetes objects of any kind, and the parts of them that rules ask for."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.tree import Mapping, Scalar
from vipkeeper.lint.document import YamlDocument

_POD_PATHS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "DaemonSet": ("spec", "template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
}


@dataclass(frozen=True, slots=True)
class KubeObject(YamlDocument):
    """One object of a manifest."""

    @property
    def object_kind(self) -> str:
        """`kind`."""
        return _text(self.root.scalar("kind"))

    @property
    def api_version(self) -> str:
        """`apiVersion`."""
        return _text(self.root.scalar("apiVersion"))

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return _text(self.root.scalar("metadata", "name"))

    @property
    def namespace(self) -> str:
        """`metadata.namespace`."""
        return _text(self.root.scalar("metadata", "namespace"))

    @property
    def pod(self) -> Mapping | None:
        """The specification of its pods."""
        return pod_spec(self.root)

    @property
    def containers(self) -> tuple[Mapping, ...]:
        """The containers of its pods."""
        return containers(self.pod)


def pod_spec(root: Mapping) -> Mapping | None:
    """The pod specification inside an object; None where it has none."""
    path = _POD_PATHS.get(_text(root.scalar("kind")))
    return root.mapping(*path) if path else None


def containers(pod: Mapping | None) -> tuple[Mapping, ...]:
    """The containers of a pod specification."""
    items = pod.items("containers") if pod is not None else ()
    return tuple(item for item in items if isinstance(item, Mapping))


def _text(scalar: Scalar | None) -> str:
    return scalar.text if scalar is not None else ""
