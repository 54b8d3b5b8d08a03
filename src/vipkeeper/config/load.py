"""From the file to a `ClusterConfig`, or to all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from vipkeeper.config.checker import Checker, ConfigError
from vipkeeper.config.checks import read_checks
from vipkeeper.config.cluster import (
    DEFAULT_KEY_FILE,
    DEFAULT_PORT,
    MS,
    SECOND,
    ClusterConfig,
    Distribution,
    Election,
    LogFormat,
    Metrics,
    Profile,
    Server,
    WhenUnready,
)
from vipkeeper.config.keys import read_keys
from vipkeeper.config.tree import Mapping, Problem, Scalar, Span, parse
from vipkeeper.wire.types import IPAddress

__all__ = ["ConfigError", "load", "load_text", "read_keys"]

KEYS = (
    "vip",
    "servers",
    "distribution",
    "key_file",
    "interface",
    "port",
    "advert_interval",
    "profile",
    "election",
    "kernel_lease",
    "preempt",
    "preempt_delay",
    "when_unready",
    "checks",
    "client_certificate",
    "client_key",
    "ca_file",
    "metrics",
    "log_format",
)
MAX_SERVERS = 31
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
_INTERFACE = re.compile(r"[^/\s:]{1,15}")
_TAKEN_PORTS = {
    6443: "the API server",
    9345: "the RKE2 supervisor",
    8472: "VXLAN",
    2379: "etcd",
    2380: "etcd",
}
_LATER = {
    "election": ("vrrp", "etcd", "kubernetes"),
    "kernel_lease": ("strict", "auto"),
}


def load(path: Path) -> ClusterConfig:
    """Read and check the file.

    Raises:
        ConfigError: it cannot be read, or anything in it is wrong; all problems at once.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        message = "the file does not exist: `vipkeeper init` writes one"
        raise ConfigError([Problem(Span(str(path), 1, 1), message)]) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ConfigError([Problem(Span(str(path), 1, 1), message)]) from None
    return load_text(data, path)


def load_text(data: bytes, path: Path) -> ClusterConfig:
    """Check the text of a file; `path` is only named in messages.

    Raises:
        ConfigError: anything in it is wrong; all problems at once.
    """
    tree = parse(data, str(path))
    if isinstance(tree, list):
        raise ConfigError(tree)
    if not isinstance(tree, Mapping):
        raise ConfigError([Problem(tree.span, "expected keys such as 'vip:' and 'servers:'")])
    problems: list[Problem] = []
    config = _config(Checker(tree, problems), path)
    if problems:
        raise ConfigError(problems)
    return config


def _config(checker: Checker, path: Path) -> ClusterConfig:
    checker.only(KEYS)
    for key, words in _LATER.items():
        _not_yet(checker, key, words)
    vips = _vips(checker)
    servers = _servers(checker, vips)
    interval = checker.duration("advert_interval", 100 * MS, 10 * MS, 5 * SECOND)
    return ClusterConfig(
        path=path,
        vips=vips,
        servers=servers,
        distribution=checker.choice("distribution", Distribution, Distribution.RKE2),
        key_file=_path(checker, "key_file") or DEFAULT_KEY_FILE,
        interface=_interface(checker),
        advert_port=_port(checker),
        advert_interval=interval,
        profile=checker.choice("profile", Profile, Profile.BARE_METAL),
        election=Election.PEERS
        if checker.text("election") in _LATER["election"]
        else checker.choice("election", Election, Election.PEERS),
        kernel_lease=_lease(checker, interval),
        preempt=checker.boolean("preempt", False),
        preempt_delay=checker.duration("preempt_delay", 30 * SECOND, 0, 3600 * SECOND),
        when_unready=checker.choice("when_unready", WhenUnready, WhenUnready.HOLD),
        checks=read_checks(checker),
        **_certificates(checker),
        metrics=_metrics(checker),
        log_format=checker.choice("log_format", LogFormat, LogFormat.TEXT),
    )


def _not_yet(checker: Checker, key: str, words: Sequence[str]) -> None:
    node = checker.node(key)
    if isinstance(node, Scalar) and node.text in words:
        use = "peers" if key == "election" else "a time such as 3s"
        checker.problem(node.span, f"'{key}: {node.text}' is not in this version; use {use}")


def _vips(checker: Checker) -> tuple[IPAddress, ...]:
    if not checker.has("vip"):
        checker.problem(checker.span("vip"), "'vip' is missing: the address that is to be held")
        return ()
    found: list[IPAddress] = []
    for node in checker.sequence("vip"):
        vip = checker.address(node, "'vip'")
        if vip is None:
            continue
        if vip.is_loopback or vip.is_multicast or vip.is_unspecified or vip.is_link_local:
            checker.problem(node.span, f"{vip} cannot be a VIP: clients must be able to reach it")
        elif vip in found:
            checker.problem(node.span, f"{vip} is given twice")
        else:
            found.append(vip)
    if not found and not checker.problems:
        checker.problem(checker.span("vip"), "'vip' names no address")
    return tuple(found)


def _servers(checker: Checker, vips: Sequence[IPAddress]) -> tuple[Server, ...]:
    node = checker.node("servers")
    if node is None:
        checker.problem(checker.span("servers"), "'servers' is missing: NAME: ADDRESS, one a line")
        return ()
    if not isinstance(node, Mapping) or not node.entries:
        checker.problem(node.span, "'servers' must be NAME: ADDRESS, one a line")
        return ()
    if len(node.entries) > MAX_SERVERS:
        checker.problem(node.span, f"more than {MAX_SERVERS} servers")
    servers: list[Server] = []
    for entry in node.entries:
        name = entry.key.text
        if not _NAME.fullmatch(name):
            checker.problem(entry.key.span, f"'{name[:80]}' is no server name: use its host name")
        address = checker.address(entry.value, f"the address of server '{name[:80]}'")
        if address is None:
            continue
        twin = next((s for s in servers if s.address == address), None)
        if address in vips:
            checker.problem(
                entry.value.span,
                f"{address} is the VIP and the address of server '{name}': the VIP must be a free "
                "address of its own",
            )
        elif twin is not None:
            checker.problem(
                entry.value.span, f"{address} is already the address of server '{twin.name}'"
            )
        else:
            servers.append(Server(name, address))
    if len({server.address.version for server in servers}) > 1:
        checker.problem(node.span, "all servers must have addresses of one family")
    return tuple(servers)


def _interface(checker: Checker) -> str | None:
    name = checker.text("interface")
    if name is not None and not _INTERFACE.fullmatch(name):
        checker.problem(checker.span("interface"), f"'{name[:80]}' is no interface name")
        return None
    return name


def _port(checker: Checker) -> int:
    port = checker.number("port", DEFAULT_PORT, 1, 65535)
    if port in _TAKEN_PORTS:
        checker.problem(
            checker.span("port"),
            f"port {port} belongs to {_TAKEN_PORTS[port]}; adverts use {DEFAULT_PORT} by default",
        )
    return port


def _lease(checker: Checker, interval: int) -> int:
    if checker.text("kernel_lease") in _LATER["kernel_lease"]:
        return 3 * SECOND
    lease = checker.duration("kernel_lease", 3 * SECOND, 2 * SECOND, 60 * SECOND)
    if lease % SECOND:
        checker.problem(checker.span("kernel_lease"), "'kernel_lease' must be whole seconds")
    if lease < 4 * interval:
        checker.problem(
            checker.span("kernel_lease"), "'kernel_lease' must be at least 4 times advert_interval"
        )
    return lease


def _path(checker: Checker, key: str) -> Path | None:
    text = checker.text(key)
    if text is None:
        return None
    if not text.startswith("/") or "\0" in text:
        checker.problem(checker.span(key), f"'{key}' must be an absolute path, not '{text[:80]}'")
        return None
    return Path(text)


def _certificates(checker: Checker) -> dict[str, Path | None]:
    certificate, key = checker.has("client_certificate"), checker.has("client_key")
    if certificate != key:
        given = "client_certificate" if certificate else "client_key"
        checker.problem(
            checker.span(given), "'client_certificate' and 'client_key' go together: give both"
        )
    return {name: _path(checker, name) for name in ("client_certificate", "client_key", "ca_file")}


def _metrics(checker: Checker) -> Metrics:
    node = checker.node("metrics")
    if node is None:
        return Metrics()
    if not isinstance(node, Mapping):
        checker.problem(node.span, "'metrics' needs 'listen' or 'textfile' below it")
        return Metrics()
    inner = Checker(node, checker.problems, "metrics.")
    inner.only(("listen", "textfile"))
    listen = inner.text("listen")
    target = None
    if listen is not None:
        host, _, port = listen.rpartition(":")
        target = _loopback(host.strip("[]"), port)
        if target is None:
            inner.problem(
                inner.span("listen"),
                f"'metrics.listen' must be a loopback address with a port, such as 127.0.0.1:9347, "
                f"not '{listen[:80]}'",
            )
    return Metrics(target, _path(inner, "textfile"))


def _loopback(host: str, port: str) -> tuple[str, int] | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if not address.is_loopback or not (port.isascii() and port.isdigit()):
        return None
    return (host, int(port)) if len(port) <= 5 and 0 < int(port) < 65536 else None
