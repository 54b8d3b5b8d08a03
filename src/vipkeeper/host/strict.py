"""The strict kernel lease: a table of nftables that silences the VIP once its daemon is silent.

A chain at the egress of each VIP's interface takes small frames of the daemon's own and renews with
them an element whose timeout is the lease; the packet filter counts that down in the kernel. Once it
has ended, ARP, neighbour advertisements and IP packets of the VIP leave the host no more, and IP
packets to it do not get in. The address stays: its own lifetime is the other lease (host.netlink).

Two kinds of frames, told apart by a random mark each. One arms the lease, right after a claim. The
other renews a lease that still runs and cannot revive one that has ended: a daemon that was frozen
between its decision and its frame stays silent. Both are dropped by the rule that takes them, so that
nothing of this is seen on the wire, and the sender learns whether there was a rule.

Source: nft(8); the egress hook came with Linux 5.16 (CONFIG_NETFILTER_EGRESS).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from vipkeeper.core.types import MILLISECOND, Duration
from vipkeeper.errors import HostError
from vipkeeper.wire.ethernet import ETHERTYPE_LOCAL
from vipkeeper.wire.types import IPAddress

TABLE = "netdev vipkeeper"
NEEDS = "nft (package nftables) and Linux 5.16 or newer with CONFIG_NETFILTER_EGRESS"
MARK_LENGTH = 8
MARGIN: Duration = 10 * MILLISECOND
"""The kernel counts in ticks of at most 10 ms; its lease must not end before ours does."""
_ABSENT = f"add table {TABLE}\ndelete table {TABLE}\n"
"""Removes the table whether it is there or not, in the transaction it is part of."""
_TIME_LIMIT = 5.0
"""Seconds nft may take."""
_UNFIT = frozenset('"\\*')
"""nft has no way to quote these in the name of an interface."""


@dataclass(frozen=True, slots=True)
class Guard:
    """An interface and the VIPs that belong on it."""

    interface: str
    index: int
    vips: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The first bytes of our frames after the Ethernet header: of this run of the daemon only."""

    arm: bytes
    renew: bytes


def frame_payload(mark: bytes) -> bytes:
    """What follows the Ethernet header, of the smallest length there is."""
    return (mark + b"vipkeeper strict lease").ljust(46, b"\0")


def render(guards: Sequence[Guard], lease: Duration, marks: Marks, *, armed: bool = False) -> str:
    """The table in place of the one that is there, in one transaction; silent unless `armed`.

    Raises:
        HostError: the name of an interface cannot be written for nft.
    """
    timeout = f"timeout {(lease + MARGIN) // MILLISECOND}ms"
    names = [_quoted(guard.interface) for guard in guards]
    running = ", ".join(f"{name} {timeout}" for name in names)
    elements = f"elements = {{ {running} }}; " if armed else ""
    lines = [
        f"table {TABLE} {{",
        f"set lease {{ type iface_index; size 1024; flags dynamic,timeout; {timeout}; {elements}}}",
    ]
    for guard, name in zip(guards, names, strict=True):
        lines += _egress(guard, name, timeout, marks)
        lines += _ingress(guard, name)
    return _ABSENT + "\n".join([*lines, "}"]) + "\n"


def _egress(guard: Guard, name: str, timeout: str, marks: Marks) -> Iterable[str]:
    update = f"update @lease {{ meta oif {timeout} }} drop"
    frame = f"ether type {ETHERTYPE_LOCAL:#x} @ll,112,{8 * MARK_LENGTH}"
    yield f"chain egress_{guard.index} {{"
    yield f"type filter hook egress device {name} priority 0; policy accept;"
    yield f"{frame} 0x{marks.renew.hex()} meta oif @lease {update}"
    yield f"{frame} 0x{marks.arm.hex()} {update}"
    yield "meta oif @lease accept"
    for vip in guard.vips:
        if isinstance(vip, IPv4Address):
            # By offset: the sender of ARP for IPv4 over Ethernet (RFC 826).
            yield f"ether type arp @nh,112,32 0x{vip.packed.hex()} drop"
            yield f"ip saddr {vip} drop"
        else:
            # The target of a neighbour advertisement (RFC 4861 section 4.4), after 8 bytes of ICMPv6.
            yield f"icmpv6 type nd-neighbor-advert @th,64,128 0x{vip.packed.hex()} drop"
            yield f"ip6 saddr {vip} drop"
    yield "}"


def _ingress(guard: Guard, name: str) -> Iterable[str]:
    yield f"chain ingress_{guard.index} {{"
    yield f"type filter hook ingress device {name} priority 0; policy accept;"
    yield "meta iif @lease accept"
    for vip in guard.vips:
        yield f"{'ip' if vip.version == 4 else 'ip6'} daddr {vip} drop"
    yield "}"


def _quoted(interface: str) -> str:
    if _UNFIT & set(interface) or not interface.isprintable():
        raise HostError(
            f"kernel_lease: strict cannot be used on interface {interface!r}: nft has no way to "
            "write its name; use kernel_lease: auto"
        )
    return f'"{interface}"'


async def check(vips: Sequence[IPAddress], lease: Duration) -> None:
    """See that this host can do it: the kernel judges such a table, and nothing is installed.

    Raises:
        HostError: it cannot, and why.
    """
    marks = Marks(b"\1" * MARK_LENGTH, b"\2" * MARK_LENGTH)
    try:
        await _nft("-c", "-f", "-", text=render([Guard("lo", 1, tuple(vips))], lease, marks))
    except HostError as error:
        raise HostError(
            f"kernel_lease: strict needs {NEEDS}: {error}; use kernel_lease: auto without it"
        ) from error


async def install(ruleset: str) -> None:
    """Put what `render` made into the kernel.

    Raises:
        HostError: nft is missing or the kernel refused.
    """
    await _nft("-f", "-", text=ruleset)


async def left_over() -> bool:
    """Whether such a table is there; False where it cannot be known."""
    try:
        await _nft("list", "table", *TABLE.split())
    except HostError:
        return False
    return True


async def remove() -> None:
    """Remove the table, if it is there.

    Raises:
        HostError: nft is missing or the kernel refused.
    """
    await _nft("-f", "-", text=_ABSENT)


async def _nft(*words: str, text: str = "") -> None:
    program = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        raise HostError("nft is not installed")
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            program, *words, stdin=pipe, stdout=nowhere, stderr=pipe
        )
    except OSError as error:
        raise HostError(f"nft cannot be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(_TIME_LIMIT):
            _, told = await process.communicate(text.encode())
    except TimeoutError:
        raise HostError(f"nft did not end within {_TIME_LIMIT:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise HostError(_reason(told.decode(errors="replace")))


def _reason(text: str) -> str:
    """The first complaint of nft, without the place in a file nobody has."""
    lines = [line for line in text.splitlines() if "Error:" in line] or text.splitlines()
    return lines[0].rpartition("Error:")[2].strip()[:160] if lines else "nft failed"
