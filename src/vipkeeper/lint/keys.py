"""The configuration keys of RKE2 and k3s: names, types, who reads them."""

from __future__ import annotations

import difflib
import enum
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


class Product(enum.Enum):
    """Whose configuration it is."""

    RKE2 = "rke2"
    K3S = "k3s"

    @property
    def title(self) -> str:
        """The name as it is written."""
        return "RKE2" if self is Product.RKE2 else "k3s"

    @property
    def supervisor_port(self) -> int:
        """The port that servers and agents join through."""
        return 9345 if self is Product.RKE2 else 6443


class Critical(enum.Enum):
    """Whether all servers must have the same value."""

    VALIDATED = "validated"
    """A joining server compares it and refuses to start where it differs."""
    UNCHECKED = "required-not-validated"
    """Must be the same, and nobody checks it."""
    DOCUMENTED = "documented"
    """The documentation says so; nobody checks it."""
    OTHERWISE = "enforced-otherwise"
    PARTLY = "partly"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of config.yaml."""

    name: str
    type: str
    """`string`, `bool`, `int`, `list` or `duration`."""
    server: bool
    agent: bool
    is_list: bool
    comma_split: bool
    values: tuple[str, ...]
    """The values it takes; empty: any."""
    env: tuple[str, ...]
    default: str
    """In words, as the program's help has it; empty: none."""
    critical: Critical | None
    deprecated: bool
    flag_only: bool
    """Must not stand in a file, since a file is read at every start."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """All keys of one product."""

    product: Product
    source: str
    """The release that the table was made from."""
    keys: Mapping[str, Key]
    ignored: frozenset[str]
    """Keys of k3s that RKE2 skips."""
    aliases: Mapping[str, str]

    def find(self, name: str) -> Key | None:
        """A key by name or alias."""
        return self.keys.get(self.aliases.get(name, name))

    def near(self, name: str) -> str | None:
        """The key that was perhaps meant."""
        wanted = name.lower().replace("_", "-").strip("-")
        if wanted in self.keys:
            return wanted
        found = difflib.get_close_matches(wanted, self.keys, n=1, cutoff=0.75)
        return found[0] if found else None


@functools.cache
def table(product: Product) -> KeyTable:
    """The keys of a product, as of the release named in `source`."""
    file = resources.files("vipkeeper.lint.data") / f"{product.value}-keys.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    keys = {name: _key(name, entry) for name, entry in data["keys"].items()}
    aliases = {
        alias: name for name, entry in data["keys"].items() for alias in entry.get("aliases", ())
    }
    return KeyTable(product, data["source"], keys, frozenset(data["ignored"]), aliases)


def _key(name: str, entry: dict[str, object]) -> Key:
    roles, values, env = (entry.get(k, ()) for k in ("roles", "values", "env"))
    assert isinstance(roles, list)
    critical = entry.get("critical")
    return Key(
        name=name,
        type=str(entry["type"]),
        server="server" in roles,
        agent="agent" in roles,
        is_list=bool(entry.get("list")),
        comma_split=bool(entry.get("comma_split")),
        values=tuple(str(v) for v in values) if isinstance(values, list) else (),
        env=tuple(str(v) for v in env) if isinstance(env, list) else (),
        default=_default(entry.get("default")),
        critical=Critical(critical) if critical else None,
        deprecated=bool(entry.get("deprecated")),
        flag_only=bool(entry.get("never_in_config_file")),
    )


def _default(entry: object) -> str:
    """`(computed)` says that the program works it out, which is no news to whoever sets the key."""
    return str(entry or "").removesuffix(" (computed)")
