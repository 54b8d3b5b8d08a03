"""kubeconfig files: which API server their users talk to."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.tree import Mapping, Scalar
from vipkeeper.lint.document import YamlDocument


@dataclass(frozen=True, slots=True)
class Kubeconfig(YamlDocument):
    """A kubeconfig."""

    @property
    def servers(self) -> tuple[Scalar, ...]:
        """The `server` URL of every cluster."""
        clusters = [item for item in self.root.items("clusters") if isinstance(item, Mapping)]
        found = (cluster.scalar("cluster", "server") for cluster in clusters)
        return tuple(server for server in found if server is not None)
