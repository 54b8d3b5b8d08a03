"""Our own cluster.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.tree import Mapping, Scalar, Sequence
from vipkeeper.lint.document import YamlDocument


@dataclass(frozen=True, slots=True)
class OwnConfig(YamlDocument):
    """The tree; `config.load` checks it. Here only what other files are compared with."""

    @property
    def vips(self) -> tuple[Scalar, ...]:
        """What `vip` names."""
        node = self.root.get("vip")
        items = node.items if isinstance(node, Sequence) else (node,)
        return tuple(item for item in items if isinstance(item, Scalar))

    @property
    def servers(self) -> tuple[tuple[Scalar, Scalar], ...]:
        """Name and address of each server."""
        node = self.root.get("servers")
        if not isinstance(node, Mapping):
            return ()
        return tuple((e.key, e.value) for e in node.entries if isinstance(e.value, Scalar))
