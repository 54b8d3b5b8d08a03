"""What a rule is given: one file, one server, or the whole cluster, with what is known of the VIP."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Generic

from vipkeeper.catalog.entry import Software
from vipkeeper.config.tree import Problem, Span
from vipkeeper.lint.document import D, Document, of_type
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.memo import once
from vipkeeper.lint.settings import Settings
from vipkeeper.lint.source import Source
from vipkeeper.lint.version import Version

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Vip:
    """An address that is known to be a VIP, and from where."""

    address: IPAddress
    origin: str
    """In words, for messages: `--vip`, `kube-vip's address`, `virtual_ipaddress of VI_1`."""
    span: Span | None = None
    is_for_api: bool = True
    """Whether its source says so; keepalived holds VIPs of other services too."""

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server that the user, our cluster.yaml or its own files name."""

    name: str
    address: IPAddress | None
    origin: str
    interfaces: tuple[tuple[IPAddress, IPNetwork | None], ...] = ()
    """All addresses that the user named with the subnet of each; None where nothing says how large it is."""

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """All that are known, the first one first."""
        others = (address for address, _ in self.interfaces if address != self.address)
        return (*(() if self.address is None else (self.address,)), *others)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the cluster beside the files at hand."""

    vips: tuple[Vip, ...]
    """From the surest source that there is, never a mixture of given and guessed ones."""
    servers: tuple[KnownServer, ...]
    complete: bool
    """Whether `servers` is known to be all of them."""
    tree: bool = False
    """Whether they are the folders of one folder: likely all of them."""
    releases: tuple[tuple[Software, Version], ...] = ()
    """What the user says about programs whose release no file says."""
    _by_address: dict[IPAddress, KnownServer] = field(init=False, repr=False, compare=False)
    _by_name: dict[str, list[KnownServer]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_address: dict[IPAddress, KnownServer] = {}
        by_name: dict[str, list[KnownServer]] = {}
        for server in self.servers:
            by_name.setdefault(server.name, []).append(server)
            for address in server.addresses:
                by_address.setdefault(address, server)
        object.__setattr__(self, "_by_address", by_address)
        object.__setattr__(self, "_by_name", by_name)

    def is_vip(self, text: str) -> Vip | None:
        """The VIP that a text names, with or without prefix length or brackets."""
        address = as_address(text)
        return next((vip for vip in self.vips if vip.address == address), None)

    def server_at(self, text: str) -> KnownServer | None:
        """The server that has this address."""
        address = as_address(text)
        return None if address is None else self._by_address.get(address)

    def named(self, name: str) -> tuple[KnownServer, ...]:
        """What is known of the server of this name; several where it was named with several addresses."""
        return tuple(self._by_name.get(name, ()))


@dataclass(frozen=True, slots=True)
class Server:
    """One server: its own files, and those that all servers share."""

    name: str
    """Empty when the files at hand are one server's without a name."""
    documents: tuple[Document, ...]
    settings: Settings
    facts: Facts
    is_agent: bool = field(init=False)
    """Whether the files show that it is an agent (worker) and no server."""

    def __post_init__(self) -> None:
        named = any("agent" in d.source.file.rpartition("/")[2] for d in self.documents)
        keys = (setting.key for setting in self.settings)
        object.__setattr__(
            self, "is_agent", named and all(key is None or key.agent for key in keys)
        )

    def all(self, wanted: type[D]) -> tuple[D, ...]:
        """The documents of one class: `server.all(Keepalived)`."""
        return of_type(self.documents, wanted)

    def of(self, *kinds: Kind) -> tuple[Document, ...]:
        """The documents of these kinds."""
        return tuple(document for document in self.documents if document.kind in kinds)

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """What is known of its own addresses: node-ip, or what names it elsewhere."""
        own = [as_address(value.text) for value in self.settings.values("node-ip")]
        named = self.facts.named(self.name) if self.name else ()
        given = [address for known in named for address in known.addresses]
        found = (address for address in (*own, *given) if address is not None)
        return tuple(dict.fromkeys(found))

    @property
    def joins(self) -> bool:
        """Whether it joins another server: `server` has a value."""
        return self.settings.value("server") is not None


@dataclass(frozen=True, slots=True)
class File(Generic[D]):
    """One document with the server that it belongs to."""

    document: D
    server: Server

    @property
    def facts(self) -> Facts:
        """What is known of the cluster."""
        return self.server.facts


@dataclass(frozen=True, slots=True)
class Cluster:
    """All servers."""

    servers: tuple[Server, ...]
    shared: tuple[Document, ...]
    """Files of no one server; every server's `documents` have them too."""
    facts: Facts
    problems: tuple[Problem, ...]
    """What could not be read."""
    sources: Mapping[str, Source]
    """Every file that was read, by the name that spans use."""
    memo: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """For `once`."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every document once."""
        return _documents(self)

    def all(self, wanted: type[D]) -> tuple[D, ...]:
        """The documents of one class."""
        return of_type(self.documents, wanted)

    @property
    def control_plane(self) -> tuple[Server, ...]:
        """The servers with settings of RKE2 or k3s that are no agents; a drop-in of a unit alone says too little."""
        return _control_plane(self)


@once
def _documents(cluster: Cluster) -> tuple[Document, ...]:
    shared = {id(document) for document in cluster.shared}
    own = (d for server in cluster.servers for d in server.documents if id(d) not in shared)
    return (*own, *cluster.shared)


@once
def _control_plane(cluster: Cluster) -> tuple[Server, ...]:
    return tuple(s for s in cluster.servers if s.settings.is_whole and not s.is_agent)


@functools.lru_cache(maxsize=4096)
def as_address(text: str) -> IPAddress | None:
    """The address in `10.0.0.1`, `10.0.0.1/24` or `[fd00::1]`; None for anything else."""
    try:
        return ip_address(text.strip().partition("/")[0].strip("[]"))
    except ValueError:
        return None


def distinct(vips: Iterable[Vip]) -> tuple[Vip, ...]:
    """The first of each address."""
    return tuple({vip.address: vip for vip in reversed(list(vips))}.values())[::-1]
