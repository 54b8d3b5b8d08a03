"""What files of this host say: pure parsers of /proc, networkd, NetworkManager and RKE2/k3s texts.

Every parser is total: a text that makes no sense yields the empty value, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from vipkeeper.wire.types import IPAddress

CAPABILITIES = {
    10: "CAP_NET_BIND_SERVICE",
    12: "CAP_NET_ADMIN",
    13: "CAP_NET_RAW",
    14: "CAP_IPC_LOCK",
    21: "CAP_SYS_ADMIN",
    23: "CAP_SYS_NICE",
}
"""The capabilities that matter here, by their bit (linux/capability.h)."""


def effective_capabilities(status: str) -> frozenset[str] | None:
    """The capabilities in `CapEff` of a /proc/PID/status text; None when it says none."""
    found = re.search(r"^CapEff:\s*([0-9a-fA-F]{1,16})\s*$", status, re.MULTILINE)
    if found is None:
        return None
    mask = int(found.group(1), 16)
    return frozenset(name for bit, name in CAPABILITIES.items() if mask >> bit & 1)


@dataclass(frozen=True, slots=True)
class UdpSocket:
    """One bound UDP socket of this network namespace."""

    address: IPAddress
    port: int
    inode: int


def udp_sockets(text: str) -> tuple[UdpSocket, ...]:
    """The sockets in a /proc/net/udp or /proc/net/udp6 text."""
    sockets = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        address, _, port = fields[1].partition(":")
        try:
            bound = _kernel_address(bytes.fromhex(address))
            sockets.append(UdpSocket(bound, int(port, 16), int(fields[9])))
        except ValueError:
            continue
    return tuple(sockets)


def _kernel_address(data: bytes) -> IPAddress:
    """An address as /proc/net writes it: 32-bit words in host order (little endian on our hosts)."""
    swapped = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
    return IPv4Address(swapped) if len(swapped) == 4 else IPv6Address(swapped)


def setting(text: str, section: str, key: str) -> str | None:
    """The last value of a key in a section of a systemd-like file; None when it is not there."""
    current, value = "", None
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            current = line[1:-1]
        elif current == section and not line.startswith(("#", ";")):
            name, equals, rest = line.partition("=")
            if equals and name.strip() == key:
                value = rest.strip()
    return value


def assignment(text: str, key: str) -> str | None:
    """The value of `KEY=value` in a file without sections, as networkd keeps in /run."""
    for line in text.splitlines():
        name, equals, rest = line.partition("=")
        if equals and name == key:
            return rest
    return None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What RKE2's or k3s' configuration says about addresses."""

    files: tuple[str, ...]
    """The files that were read, in order; empty when there are none."""
    unreadable: tuple[str, ...]
    """Files that are no YAML mapping."""
    bind_address: str | None
    node_ip: tuple[str, ...]
    advertise_address: str | None
    tls_san: tuple[str, ...]


def read_server_config(main: Path) -> ServerConfig:
    """Read config.yaml and the drop-ins beside it; nothing in it when there is none."""
    drop_ins = Path(f"{main}.d")
    paths = [main]
    if drop_ins.is_dir():
        paths += sorted(p for p in drop_ins.iterdir() if p.suffix in (".yaml", ".yml"))
    texts = []
    for path in paths:
        try:
            texts.append((str(path), path.read_text(encoding="utf-8", errors="replace")))
        except OSError:
            continue
    return server_config(texts)


def server_config(files: Sequence[tuple[str, str]]) -> ServerConfig:
    """Read config.yaml and its drop-ins, given as (path, text) in the order they are read.

    A key in a later file replaces, `key+` appends. Lists of these keys may be written with commas.
    """
    import yaml

    values: dict[str, list[str]] = {}
    read, unreadable = [], []
    for path, text in files:
        try:
            document = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            unreadable.append(path)
            continue
        if document is None:
            document = {}
        if not isinstance(document, dict):
            unreadable.append(path)
            continue
        read.append(path)
        _merge(values, document)
    return ServerConfig(
        files=tuple(read),
        unreadable=tuple(unreadable),
        bind_address=_last(values, "bind-address"),
        node_ip=tuple(values.get("node-ip", ())),
        advertise_address=_last(values, "advertise-address"),
        tls_san=tuple(values.get("tls-san", ())),
    )


def _merge(values: dict[str, list[str]], document: Mapping[Any, Any]) -> None:
    for key, value in document.items():
        if not isinstance(key, str):
            continue
        listed = value if isinstance(value, list) else [value]
        texts = [
            part.strip() for item in listed if item is not None for part in str(item).split(",")
        ]
        name = key.removesuffix("+")
        before = values.get(name, []) if key.endswith("+") else []
        values[name] = [*before, *(text for text in texts if text)]


def _last(values: Mapping[str, Sequence[str]], key: str) -> str | None:
    return values[key][-1] if values.get(key) else None


def is_address(text: str, address: IPAddress) -> bool:
    """True when the text is that address in any spelling."""
    try:
        return ip_address(text) == address
    except ValueError:
        return False


_NFT_CHAIN = re.compile(r"type filter hook (input|prerouting)\b[^;]*;\s*policy (\w+);")


def input_drops(nft: str | None, iptables: str | None) -> bool | None:
    """True when a base chain of input drops what no rule accepts; None when nothing could be read."""
    if nft is None and iptables is None:
        return None
    dropping = any(policy == "drop" for _, policy in _NFT_CHAIN.findall(nft or ""))
    return dropping or re.search(r"^:INPUT DROP\b", iptables or "", re.MULTILINE) is not None


def mentions_port(port: int, *rulesets: str | None) -> bool:
    """True when a ruleset names the UDP port in any rule (whether the rule is reached is not judged)."""
    pattern = re.compile(rf"(?:udp|th) [^\n]*\bdport\b[^\n]*\b{port}\b|-p udp\b[^\n]*\b{port}\b")
    return any(pattern.search(text) for text in rulesets if text)
