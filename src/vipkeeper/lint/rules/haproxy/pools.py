"""What haproxy passes to the control plane: its pools of servers, and where clients come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vipkeeper.lint.memo import once
from vipkeeper.lint.parsers.haproxy import Bind, Directive, Haproxy, Section

API_PORTS = (6443, 9345)
"""The API server, and the supervisor of RKE2."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A `backend` or `listen` with servers of the control plane."""

    section: Section
    port: int
    """6443 or 9345."""
    servers: tuple[Directive, ...]
    fronts: tuple[Bind, ...]
    """Where its clients come in."""


def target(server: Directive) -> tuple[str, int | None]:
    """Address and port of a `server` line; no port: that of the client's request."""
    text = server.words[2].text if len(server.words) > 2 else ""
    address, colon, port = text.rpartition(":")
    if colon and port.isdigit() and len(port) < 6 and (":" not in address or "]" in address):
        return address.strip("[]"), int(port)
    return text.strip("[]"), None


def _fronts(haproxy: Haproxy) -> dict[str, list[Bind]]:
    """Where the clients of each backend come in, by its name."""
    found: dict[str, list[Bind]] = {}
    for bind in haproxy.binds:
        used = (*bind.section.all("default_backend"), *bind.section.all("use_backend"))
        for name in {line.words[1].text for line in used if len(line.words) > 1}:
            found.setdefault(name, []).append(bind)
    return found


@once
def pools(haproxy: Haproxy) -> Iterator[Pool]:
    """Every pool of the control plane, by the ports of its servers or of its clients."""
    by_name = _fronts(haproxy)
    for section in haproxy.of("backend", "listen"):
        servers = tuple(s for s in section.all("server") if len(s.words) > 2)
        name = section.name.text if section.name is not None else ""
        fronts = by_name.get(name, []) if section.kind.text == "backend" else []
        if section.kind.text == "listen":
            fronts = [bind for bind in haproxy.binds if bind.section is section]
        ports = {port for _, port in map(target, servers) if port is not None}
        api = [port for port in API_PORTS if port in ports]
        if not ports:
            api = [port for port in API_PORTS if any(bind.port == port for bind in fronts)]
        if servers and api:
            yield Pool(section, api[0], servers, tuple(fronts))


def mode_of(haproxy: Haproxy, section: Section) -> Directive | None:
    """`mode` of a section; None where it is the default, tcp."""
    return haproxy.setting(section, "mode")


def option(haproxy: Haproxy, section: Section, name: str) -> Directive | None:
    """An option of a section or its defaults, unless the section switches it off."""
    if section.all("no", "option", name):
        return None
    return haproxy.setting(section, "option", name)


def checked(haproxy: Haproxy, pool: Pool, server: Directive, *words: str) -> bool:
    """Whether a server line, or `default-server`, has one of these words."""
    if any(server.has(word) for word in words):
        return True
    line = haproxy.setting(pool.section, "default-server")
    return line is not None and any(line.has(word) for word in words)
