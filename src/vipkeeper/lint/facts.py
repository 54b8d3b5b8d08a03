"""What the files themselves say about the VIP and the servers, where the user does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vipkeeper.catalog.entry import Software
from vipkeeper.lint.document import Document, of_type
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.scope import Facts, IPAddress, IPNetwork, KnownServer, Vip, as_address, distinct
from vipkeeper.lint.settings import Settings
from vipkeeper.lint.version import Version


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says on the command line."""

    vips: tuple[IPAddress, ...] = ()
    servers: tuple[tuple[str, IPAddress], ...] = ()
    """Name and first address of each; with them the list of servers is complete."""
    releases: tuple[tuple[Software, Version], ...] = ()
    """Of programs whose release no file says."""
    interfaces: tuple[tuple[str, IPAddress, IPNetwork | None], ...] = ()
    """Every address of each server, by its name, and its subnet where the length of the prefix was given."""
    host: str = ""
    """The name of this host without its domain, where its own files are judged."""


def infer(
    given: Given,
    documents: Iterable[Document],
    servers: Mapping[str, Settings],
    named: bool,
    tree: bool = False,
) -> Facts:
    """The facts, each from its surest source.

    Args:
        given: what the user said; nothing else is asked then.
        documents: every document of every server.
        servers: the settings of each server, by its name.
        named: whether the user named the servers one by one, so that these are all.
        tree: whether each is a folder of one folder.
    """
    everything = list(documents)
    known, complete = _servers(given, everything, servers)
    vips = _vips(given, everything, servers, known)
    return Facts(vips, known, complete or named, tree, given.releases)


def _servers(
    given: Given, documents: list[Document], servers: Mapping[str, Settings]
) -> tuple[tuple[KnownServer, ...], bool]:
    if given.servers:
        own: dict[str, list[tuple[IPAddress, IPNetwork | None]]] = {}
        for owner, own_address, subnet in given.interfaces:
            own.setdefault(owner, []).append((own_address, subnet))
        named = ((n, a, tuple(own.get(n, ()))) for n, a in given.servers)
        return tuple(KnownServer(n, a, "--servers", found) for n, a, found in named), True
    for config in of_type(documents, OwnConfig):
        listed = [(n.text, as_address(a.text)) for n, a in config.servers]
        if listed:
            return tuple(KnownServer(n, a, config.source.file) for n, a in listed), True
    known = []
    for name, settings in servers.items():
        value = settings.value("node-ip")
        address = as_address(value.text) if value is not None else None
        known.append(KnownServer(name, address, value.span.file if value else ""))
    return tuple(known), False


def _vips(
    given: Given,
    documents: list[Document],
    servers: Mapping[str, Settings],
    known: tuple[KnownServer, ...],
) -> tuple[Vip, ...]:
    if given.vips:
        return distinct(Vip(address, "--vip") for address in given.vips)
    for source in (_own, _kubevip, _keepalived):
        found = distinct(source(documents))
        if found:
            return found
    return distinct(_joined(servers, known))


def _own(documents: list[Document]) -> Iterator[Vip]:
    for own in of_type(documents, OwnConfig):
        for scalar in own.vips:
            address = as_address(scalar.text)
            if address is not None:
                yield Vip(address, "'vip' of cluster.yaml", scalar.span)


def _kubevip(documents: list[Document]) -> Iterator[Vip]:
    for kubevip in of_type(documents, KubeVip):
        for text, span in kubevip.addresses:
            address = as_address(text)
            if address is not None:
                yield Vip(address, "the address of kube-vip", span)


def _keepalived(documents: list[Document]) -> Iterator[Vip]:
    for keepalived in of_type(documents, Keepalived):
        for instance in keepalived.instances:
            for word in instance.vips:
                address = as_address(word.text)
                if address is not None:
                    origin = f"virtual_ipaddress of {instance.name}"
                    yield Vip(address, origin, word.span, is_for_api=False)


def _joined(servers: Mapping[str, Settings], known: tuple[KnownServer, ...]) -> Iterator[Vip]:
    """An address that servers join through and that no server has is taken for the VIP."""
    own = {server.address for server in known}
    if None in own:
        return
    for settings in servers.values():
        value = settings.value("server")
        address = as_address(host_of(value.text)) if value is not None else None
        if value is not None and address is not None and address not in own:
            yield Vip(address, "the address that servers join through", value.span)


def host_of(url: str) -> str:
    """The host in a URL; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def port_of(url: str) -> int | None:
    """The port in a URL; None where there is none, or no valid one."""
    try:
        return urlsplit(url).port
    except ValueError:
        return None
