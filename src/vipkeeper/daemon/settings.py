"""From the configuration file to what core and prober need."""

from __future__ import annotations

import re

from vipkeeper.config.cluster import (
    CheckKind,
    ClusterConfig,
    Distribution,
    GatewayMode,
    UserCheck,
)
from vipkeeper.core.events import CheckName
from vipkeeper.core.types import SECOND, Profile, Server, Settings
from vipkeeper.daemon.prober.config import (
    LOOPBACK,
    Check,
    ExecCheck,
    HttpCheck,
    ProberConfig,
    TcpCheck,
    Tls,
    preset,
)
from vipkeeper.host.frames import API_PORT
from vipkeeper.host.gateway import GatewayRule
from vipkeeper.wire.advert import cluster_digest

_URL = re.compile(r"(https?)://(.+):(\d+)(/.*)?")


def core_settings(config: ClusterConfig, own: int) -> Settings:
    """The election's settings for the server at this index."""
    return Settings(
        vips=config.vips,
        servers=tuple(Server(server.name, server.address) for server in config.servers),
        own=own,
        cluster=cluster_digest(config.vips, config.server_pairs),
        advert_interval=config.advert_interval,
        profile=Profile(config.profile.value),
        kernel_lease=config.kernel_lease,
        move_budget=config.move_budget,
        strict_lease=config.strict_lease,
        preempt_after=config.preempt_delay if config.preempt else None,
        checked=bool(prober_config(config).checks),
    )


def api_port(config: ClusterConfig) -> int | None:
    """The TCP port on which a suspect server's API server is asked; None: it is not."""
    return None if config.distribution is Distribution.NONE else API_PORT


def gateway_rule(config: ClusterConfig) -> GatewayRule | None:
    """Which gateway is asked when nobody is heard; None: none."""
    if config.gateway is GatewayMode.NONE:
        return None
    fixed = None if isinstance(config.gateway, GatewayMode) else config.gateway
    return GatewayRule(fixed, (*config.vips, *config.server_addresses))


def prober_config(config: ClusterConfig) -> ProberConfig:
    """What the prober checks: the distribution's preset, or the user's own list instead of it."""
    tls = Tls(
        ca_file=_text(config.ca_file),
        certificate_file=_text(config.client_certificate),
        key_file=_text(config.client_key),
    )
    if config.checks is not None:
        return ProberConfig(tuple(_user_check(check, tls) for check in config.checks))
    if config.distribution is Distribution.NONE:
        return ProberConfig()
    loopback = "::1" if config.servers[0].address.version == 6 else LOOPBACK
    return preset(config.distribution.value, tls=tls, address=loopback)


def _text(path: object) -> str | None:
    return str(path) if path is not None else None


def _user_check(check: UserCheck, tls: Tls) -> Check:
    name = CheckName(check.counts_as.value)
    timeout, interval = check.timeout / SECOND, check.interval / SECOND
    if check.kind is CheckKind.EXEC:
        return ExecCheck(check.command, timeout, interval, name)
    if check.kind is CheckKind.TCP:
        host, _, port = check.target.rpartition(":")
        return TcpCheck(host.strip("[]"), int(port), timeout, interval, name)
    found = _URL.fullmatch(check.target)
    assert found is not None, "checked when the configuration was read"
    return HttpCheck(
        address=found[2].strip("[]"),
        port=int(found[3]),
        path=found[4] or "/",
        tls=tls if found[1] == "https" else None,
        status=check.expect_status,
        timeout=timeout,
        interval=interval,
        name=name,
    )
