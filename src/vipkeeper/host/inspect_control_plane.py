"""Judges what RKE2's or k3s' own files mean for a VIP on this server. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.host.inspect import Facts
from vipkeeper.host.inspect_files import ServerConfig, is_address
from vipkeeper.host.inspect_finding import Expected, Finding, Group, Verdict


def judge(facts: Facts, expected: Expected) -> Iterator[Finding]:
    """What bind-address, node-ip and tls-san mean for the VIP; nothing when none was asked about."""
    group, config = Group.CONTROL_PLANE, facts.server_config
    if config is None:
        return
    for path in config.unreadable:
        yield Finding(group, "configuration file", Verdict.WARNING, f"{path} is no YAML mapping")
    if not config.files:
        text = f"no configuration file of {expected.distribution} here; its defaults hold"
        yield Finding(group, "configuration file", Verdict.INFO, text)
    yield _bind_address(config, expected)
    yield _node_ip(config, expected)
    yield from _names(config, expected)


def _bind_address(config: ServerConfig, expected: Expected) -> Finding:
    group, name = Group.CONTROL_PLANE, "bind-address"
    bind = config.bind_address
    if bind is None or bind in ("0.0.0.0", "::"):
        return Finding(group, name, Verdict.OK, "listens on every address, the VIP included")
    rke2 = expected.distribution == "rke2"
    refused = "the supervisor (port 9345)" if rke2 else "the API server (port 6443)"
    return Finding(
        group,
        name,
        Verdict.PROBLEM,
        f"bind-address is {bind}",
        f"{refused} listens on that address and on loopback only: the VIP is refused",
        f"remove bind-address from {', '.join(config.files)} and restart the server",
    )


def _node_ip(config: ServerConfig, expected: Expected) -> Finding:
    group, name = Group.CONTROL_PLANE, "node-ip"
    node_ip = config.node_ip
    own = expected.own or "ADDRESS"
    if any(is_address(text, vip) for text in node_ip for vip in expected.vips):
        return Finding(
            group,
            name,
            Verdict.PROBLEM,
            "node-ip is the VIP",
            "etcd and the kubelet bind to an address that moves away",
            f"node-ip: {own} (this server's own address)",
        )
    if node_ip:
        return Finding(group, name, Verdict.OK, f"node-ip is {', '.join(node_ip)}")
    six = any(vip.version == 6 for vip in expected.vips)
    meaning = (
        f"{expected.distribution} takes the first address of the interface as its node address"
    )
    if six:
        meaning += (
            "; Linux lists the newest IPv6 address first, so the VIP is taken whenever it is here"
        )
    else:
        meaning += "; vipkeeper keeps the VIP behind it, but another tool may change the order"
    return Finding(
        group,
        name,
        Verdict.PROBLEM if six else Verdict.WARNING,
        "node-ip is not set",
        meaning,
        f"node-ip: {own} in the configuration of {expected.distribution}, before its first start",
    )


def _names(config: ServerConfig, expected: Expected) -> Iterator[Finding]:
    if not config.files:
        return
    for vip in expected.vips:
        if any(is_address(text, vip) for text in config.tls_san):
            yield Finding(Group.CONTROL_PLANE, "tls-san", Verdict.OK, f"{vip} is in tls-san")
            continue
        yield Finding(
            Group.CONTROL_PLANE,
            "tls-san",
            Verdict.WARNING,
            f"{vip} is not in tls-san",
            "clients that use the VIP may be told a certificate for other names",
            f"add {vip} to tls-san on every server and restart them one after the other",
        )
