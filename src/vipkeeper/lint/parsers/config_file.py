"""config.yaml of RKE2 and k3s and its drop-ins, one file each. `settings.merge` puts them together."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.lint.document import YamlDocument


@dataclass(frozen=True, slots=True)
class ConfigFile(YamlDocument):
    """One file as written. For what counts in the end ask `Server.settings`."""
