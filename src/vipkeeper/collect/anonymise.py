"""Addresses and host names rewritten, the same one always the same way, so that a bundle still tells its story."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_COLONS = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:%[\w.-]{1,15})?(?![\w:])")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
_NETWORK4 = 198 << 24 | 18 << 16
"""198.18.0.0/15, which no network uses (RFC 2544)."""
_NETWORK6 = 0x20010DB8 << 96
"""2001:db8::/32 (RFC 3849)."""


class Anonymiser:
    """Rewrites texts. Which address became which is kept nowhere but here.

    Two addresses of one /24 (of one /64) stay in one network. Loopback, multicast, link-local and
    unspecified addresses and netmasks say nothing about a place and stay.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Args: names: host names and domains to rewrite, besides all addresses."""
        known = sorted({name.lower() for name in names if name})
        self._names = {name: f"host{number}" for number, name in enumerate(known, 1)}
        self._networks: dict[int | str, int] = {}
        self._hosts: dict[int | str, dict[int, int]] = {}
        self._macs: dict[str, str] = {}
        longer_first = sorted(known, key=lambda name: (-len(name), name))
        either = "|".join(map(re.escape, longer_first))
        self._host = re.compile(rf"(?<![\w])(?:{either})(?![\w])", re.I) if known else None

    def text(self, text: str) -> str:
        """The text with every address and every given name rewritten."""
        text = _COLONS.sub(self._colons, text)
        text = _V4.sub(self._v4, text)
        if self._host is not None:
            text = self._host.sub(lambda match: self._names[match[0].lower()], text)
        return text

    def _v4(self, match: re.Match[str]) -> str:
        try:
            address = IPv4Address(match[0])
        except ValueError:
            return match[0]
        if _says_nothing(address) or address.packed[0] == 255:
            return match[0]
        network, host = self._place(int(address) >> 8, int(address) & 255)
        return str(IPv4Address(_NETWORK4 + (network % 512 << 8) + host % 256))

    def _colons(self, match: re.Match[str]) -> str:
        word, percent, zone = match[0].partition("%")
        if _MAC.fullmatch(word):
            return self._macs.setdefault(word.lower(), _mac(len(self._macs) + 1))
        try:
            address = ip_address(word)
        except ValueError:
            return match[0]
        if not isinstance(address, IPv6Address) or _says_nothing(address):
            return match[0]
        prefix, low = divmod(int(address), 1 << 64)
        network, host = self._place(f"v6 {prefix}", low)
        return str(IPv6Address(_NETWORK6 + (network << 64) + host)) + percent + zone

    def _place(self, network: int | str, host: int) -> tuple[int, int]:
        number = self._networks.setdefault(network, len(self._networks))
        hosts = self._hosts.setdefault(network, {})
        return number, hosts.setdefault(host, len(hosts) + 1)


def _mac(number: int) -> str:
    return ":".join(f"{byte:02x}" for byte in (0x02_00_00_00_00_00 + number).to_bytes(6, "big"))


def _says_nothing(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or (address.version == 4 and address.is_link_local)
    )
