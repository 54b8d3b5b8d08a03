"""Where a server's own supervisor listens, beside haproxy."""

from __future__ import annotations

from vipkeeper.lint.keys import Product
from vipkeeper.lint.scope import IPAddress, Server, as_address


def only_on(server: Server) -> IPAddress | None:
    """The one address that the supervisor listens on beside loopback; None: on all (k3s `pkg/util/net.go`)."""
    found = as_address(server.settings.text("bind-address"))
    return None if found is None or found.is_unspecified else found


def is_rke2_server(server: Server) -> bool:
    """Whether RKE2's supervisor, where others join, runs on this machine."""
    settings = server.settings
    return settings.start is not None and not server.is_agent and settings.product is Product.RKE2
