"""Values compared between servers: which server has another one than most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vipkeeper.config.tree import Span
from vipkeeper.lint.document import of_type
from vipkeeper.lint.kinds import Place
from vipkeeper.lint.memo import once
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.scope import Cluster, Server


@dataclass(frozen=True, slots=True)
class Held:
    """What one server has."""

    text: str
    """Compared; equal texts mean the same."""
    span: Span | None = None
    """Where it is written; None: left out."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A server that has another value than most, and one of those that have the common one."""

    server: Server
    held: Held
    span: Span
    other: Server
    common: Held
    other_span: Span

    @property
    def who(self) -> str:
        """Both servers, for messages."""
        return f"{shown_name(self.server)} and {shown_name(self.other)}"


def shown_name(server: Server) -> str:
    """A server in messages."""
    return server.name or "this server"


def deviations(
    servers: Iterable[Server], value_of: Callable[[Server], Held | None]
) -> Iterator[Deviation]:
    """Every server whose value is not the one that most have; of a tie the first counts.

    Args:
        servers: those to compare.
        value_of: the value of a server; None leaves it out of the comparison.
    """
    groups: dict[str, list[tuple[Server, Held]]] = {}
    for server in servers:
        held = value_of(server)
        if held is not None and server.settings.start is not None:
            groups.setdefault(held.text, []).append((server, held))
    if len(groups) < 2:
        return
    common = max(groups.values(), key=len)
    other, usual = common[0]
    for group in groups.values():
        for server, held in group if group is not common else ():
            place, there = (
                held.span or server.settings.start,
                usual.span or other.settings.start,
            )
            if place is not None and there is not None:
                yield Deviation(server, held, place, other, usual, there)


@once
def proven_servers(cluster: Cluster) -> tuple[Server, ...]:
    """The servers that cannot be agents.

    A file with `server`, `token` and keys that both know may be an agent's: it counts only where
    something else shows a server.
    """
    return tuple(s for s in cluster.control_plane if is_proven(s))


def is_proven(server: Server) -> bool:
    """Whether these files cannot be an agent's."""
    given = any(known.origin == "--servers" for known in server.facts.named(server.name))
    keys = any(s.key is not None and not s.key.agent for s in server.settings)
    places = any(
        d.place is Place.SERVER_MANIFESTS or "rke2-server" in d.source.file
        for d in server.documents
    )
    return given or keys or places or not joins(server)


def joins(server: Server) -> bool:
    """Whether a server joins another one, by its settings or by the arguments of its unit."""
    return server.joins or has_argument(server, "--server")


def has_argument(server: Server, flag: str) -> bool:
    """Whether a unit of RKE2 or k3s is started with this flag."""
    commands = (
        directive.value.text
        for unit in of_type(server.documents, Unit)
        for directive in unit.all("Service", "ExecStart")
    )
    words = (word.strip("'\"") for command in commands for word in command.split())
    return any(word.partition("=")[0] == flag for word in words)
