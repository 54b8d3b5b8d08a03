"""From the file to a `ClusterConfig`, or to all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

from vipkeeper.config import table
from vipkeeper.config.checker import Checker, ConfigError
from vipkeeper.config.checks import read_checks
from vipkeeper.config.cluster import (
    MS,
    SECOND,
    ClusterConfig,
    GatewayMode,
    LeaseWord,
    Metrics,
    Server,
)
from vipkeeper.config.keys import read_keys
from vipkeeper.config.reader import parse
from vipkeeper.config.tree import MAX_BYTES, Mapping, Node, Problem, Scalar, Span, shown
from vipkeeper.wire.types import IPAddress

__all__ = ["ConfigError", "examine", "is_sound", "load", "load_text", "read_keys"]

STRICT_LEASE = 400 * MS
"""The strict lease at short advert intervals; at longer ones it is four of them."""


def load(path: Path) -> ClusterConfig:
    """Read and check the file.

    Raises:
        ConfigError: it cannot be read, or anything in it is wrong; all problems at once.
    """
    return load_text(_read(path), path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = "the file does not exist: `vipkeeper init` writes one"
        raise ConfigError([Problem(Span(str(path), 1, 1), message)]) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ConfigError([Problem(Span(str(path), 1, 1), message)]) from None


def load_text(data: bytes, path: Path) -> ClusterConfig:
    """Check the text of a file; `path` is only named in messages.

    Raises:
        ConfigError: anything in it is wrong; all problems at once.
    """
    config, problems = _examine_text(data, path)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def examine(path: Path) -> tuple[ClusterConfig | None, list[Problem]]:
    """The file and its key file with all that is wrong with either; see `is_sound` for what may be used.

    None: the file cannot be read as YAML, so nothing is known of the key file.
    """
    try:
        data = _read(path)
    except ConfigError as error:
        return None, list(error.problems)
    config, problems = _examine_text(data, path)
    if config is not None and is_sound(config, problems, "key_file"):
        try:
            read_keys(config.key_file)
        except ConfigError as error:
            problems += error.problems
    return config, problems


def is_sound(config: ClusterConfig, problems: Sequence[Problem], *keys: str) -> bool:
    """Whether none of these problems is about the values of these keys."""
    spans = {span for name, span in config.spans.items() if re.split(r"[.\[]", name)[0] in keys}
    return not any(problem.span in spans for problem in problems)


def _examine_text(data: bytes, path: Path) -> tuple[ClusterConfig | None, list[Problem]]:
    tree = parse(data, str(path))
    if isinstance(tree, list):
        return None, tree
    if not isinstance(tree, Mapping):
        return None, [Problem(tree.span, "expected keys such as 'vip:' and 'servers:'")]
    problems: list[Problem] = []
    config = _config(Checker(tree, problems), path, dict(_spans(tree, "")))
    return config, problems


def _spans(node: Node, path: str) -> Iterator[tuple[str, Span]]:
    """Where the value of every key and item stands, by its path: `servers.cp2`, `vip[1]`."""
    if path:
        yield path, node.span
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield from _spans(entry.value, f"{path}.{entry.key.text}" if path else entry.key.text)
    elif not isinstance(node, Scalar):
        for index, item in enumerate(node.items):
            yield from _spans(item, f"{path}[{index}]")


def _config(checker: Checker, path: Path, spans: dict[str, Span]) -> ClusterConfig:
    checker.only(table.KEYS)
    vips = _vips(checker)
    servers = _servers(checker, vips)
    interval = checker.duration(table.ADVERT_INTERVAL)
    client_certificate, client_key = _certificate(checker)
    kernel_lease, strict_lease = _leases(checker, interval)
    return ClusterConfig(
        path=path,
        vips=vips,
        servers=servers,
        distribution=checker.choice(table.DISTRIBUTION),
        key_file=_path(checker, table.KEY_FILE) or Path(table.KEY_FILE.kind.default or ""),
        interface=checker.form(table.INTERFACE),
        gateway=_gateway(checker, vips, servers),
        advert_port=checker.number(table.PORT),
        advert_interval=interval,
        profile=checker.choice(table.PROFILE),
        election=checker.choice(table.ELECTION),
        move_budget=checker.number(table.MOVE_BUDGET),
        kernel_lease=kernel_lease,
        strict_lease=strict_lease,
        preempt=checker.boolean(table.PREEMPT),
        preempt_delay=checker.duration(table.PREEMPT_DELAY),
        when_unready=checker.choice(table.WHEN_UNREADY),
        checks=read_checks(checker),
        client_certificate=client_certificate,
        client_key=client_key,
        ca_file=_path(checker, table.CA_FILE),
        metrics=_metrics(checker),
        log_format=checker.choice(table.LOG_FORMAT),
        spans=spans,
    )


def _vips(checker: Checker) -> tuple[IPAddress, ...]:
    if not checker.has("vip"):
        checker.problem(checker.span("vip"), "'vip' is missing: the address that is to be held")
        return ()
    nodes = checker.sequence("vip")
    if not nodes:
        checker.problem(checker.span("vip"), "'vip' names no address")
    found: list[IPAddress] = []
    for node in nodes:
        vip = checker.address(node, "'vip'")
        if vip is None:
            continue
        if vip in found:
            checker.problem(node.span, f"{vip} is given twice")
        else:
            found.append(vip)
    return tuple(found)


def _servers(checker: Checker, vips: Sequence[IPAddress]) -> tuple[Server, ...]:
    node = checker.node("servers")
    if node is None:
        checker.problem(checker.span("servers"), "'servers' is missing: NAME: ADDRESS, one a line")
        return ()
    if not isinstance(node, Mapping) or not node.entries:
        checker.problem(node.span, "'servers' must be NAME: ADDRESS, one a line")
        return ()
    if len(node.entries) > table.MAX_SERVERS:
        checker.problem(node.span, f"more than {table.MAX_SERVERS} servers")
    servers: list[Server] = []
    for entry in node.entries:
        name = shown(entry.key.text)
        _check_name(checker, entry.key, servers)
        address = checker.address(entry.value, f"the address of server '{name}'")
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
        message = "all servers must have addresses of one family: adverts go from one to the other"
        checker.problem(node.span, message)
    return tuple(servers)


def _check_name(checker: Checker, key: Scalar, servers: Sequence[Server]) -> None:
    name = shown(key.text)
    if not re.fullmatch(table.SERVER_NAME, key.text):
        checker.problem(key.span, f"'{name}' is no server name: use its host name")
    twin = next((s.name for s in servers if s.name.lower() == name.lower()), None)
    if twin is not None:
        checker.problem(key.span, f"'{name}' is the same host name as '{twin}'")


def _gateway(
    checker: Checker, vips: Sequence[IPAddress], servers: Sequence[Server]
) -> IPAddress | GatewayMode:
    """Somebody else than those whose silence is to be judged. Its subnet is known on the host only."""
    gateway = checker.address_or(table.GATEWAY)
    if isinstance(gateway, GatewayMode):
        return gateway
    span = checker.span("gateway")
    twin = next((server.name for server in servers if server.address == gateway), None)
    if gateway in vips:
        checker.problem(span, f"'gateway' must be another machine: {gateway} is the VIP")
    elif twin is not None:
        checker.problem(span, f"'gateway' must be another machine: {gateway} is server '{twin}'")
    elif vips and gateway.version not in {vip.version for vip in vips}:
        checker.problem(span, "'gateway' must have an address of the VIP's family, in its subnet")
    return gateway


def _leases(checker: Checker, interval: int) -> tuple[int, int | None]:
    """The lifetime of the address, and that of the packet filter's lease where it is asked for."""
    asked = checker.duration_or_word(table.KERNEL_LEASE)
    lease = table.KERNEL_LEASE.kind.example if isinstance(asked, LeaseWord) else asked
    strict = max(STRICT_LEASE, 4 * interval) if asked is LeaseWord.STRICT else None
    span = checker.span("kernel_lease" if checker.has("kernel_lease") else "advert_interval")
    if lease % SECOND:
        checker.problem(span, "'kernel_lease' must be whole seconds")
    if lease < 4 * interval:
        checker.problem(span, "'kernel_lease' must be at least 4 times advert_interval")
    return lease, strict


def _path(checker: Checker, key: table.Key[table.Text]) -> Path | None:
    text = checker.form(key)
    return Path(text) if text is not None else None


def _certificate(checker: Checker) -> tuple[Path | None, Path | None]:
    both = (table.CLIENT_CERTIFICATE, table.CLIENT_KEY)
    given = [key.name for key in both if checker.has(key.name)]
    if len(given) == 1:
        checker.problem(
            checker.span(given[0]), "'client_certificate' and 'client_key' go together: give both"
        )
    certificate, key = both
    return _path(checker, certificate), _path(checker, key)


def _metrics(checker: Checker) -> Metrics:
    node = checker.node(table.METRICS.name)
    if node is None:
        return Metrics()
    if not isinstance(node, Mapping):
        checker.problem(node.span, "'metrics' needs 'listen' or 'textfile' below it")
        return Metrics()
    inner = Checker(node, checker.problems, "metrics.")
    inner.only(table.METRICS.kind.keys)
    listen = None
    text = inner.form(table.LISTEN_ADDRESS)
    if text is not None:
        listen = _loopback(text)
        if listen is None:
            form = table.LISTEN_ADDRESS.kind.form
            inner.problem(
                inner.span("listen"), f"'metrics.listen' must be {form}, not '{shown(text)}'"
            )
    return Metrics(listen, _path(inner, table.TEXTFILE))


def _loopback(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (host, int(port)) if address.is_loopback and 0 < int(port) < 65536 else None
