"""The facts about this host that `vipkeeper doctor` judges. Everything here only reads.

What could not be read is None (or an `UNKNOWN` trial), never a guess.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from pathlib import Path

from vipkeeper.errors import HostError
from vipkeeper.host.inspect_files import (
    ServerConfig,
    UdpSocket,
    assignment,
    effective_capabilities,
    read_server_config,
    setting,
    udp_sockets,
)
from vipkeeper.host.inspect_kernel import KernelTrials, try_kernel
from vipkeeper.host.processes import in_own_network
from vipkeeper.wire.types import IPAddress

COMMAND_LIMIT = 5.0
"""Seconds a program that lists firewall rules may take."""
_IFA_F_PERMANENT, _IFA_F_DADFAILED = 0x80, 0x08
_SYSCTLS = ("arp_ignore", "arp_announce", "arp_filter", "rp_filter", "promote_secondaries")
_MANAGERS = ("keepalived", "kube-vip", "ucarp", "vrrpd", "heartbeat", "firewalld", "vipkeeper")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of this host."""

    interface: str
    address: IPv4Interface | IPv6Interface
    permanent: bool
    """False when it has a lifetime."""
    dad_failed: bool = False
    """IPv6 found it on another host and does not use it."""


@dataclass(frozen=True, slots=True)
class Link:
    """One network interface."""

    name: str
    index: int
    up: bool
    carrier: bool


@dataclass(frozen=True, slots=True)
class Interface:
    """Who else manages the interface the VIP is to be on, and how the kernel treats ARP there."""

    name: str
    networkd_file: str | None
    """The .network file systemd-networkd applies to it; None when it does not manage it."""
    networkd_keep: str | None
    """KeepConfiguration= in that file or its drop-ins."""
    network_manager: bool
    """True when NetworkManager manages it."""
    sysctls: tuple[tuple[str, int], ...]
    """net.ipv4.conf: the value in force (the larger of `all` and the interface's)."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running program that matters here."""

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Clock:
    """Two readings of the clock the election runs on."""

    boottime: int
    later: int
    monotonic: int
    source: str | None
    """The kernel's current clock source."""


@dataclass(frozen=True, slots=True)
class PortUser:
    """Who has a UDP port open."""

    socket: UdpSocket
    process: str | None
    """Its command line; None when it cannot be known."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Whom the daemon would ask here when it hears no server."""

    address: IPAddress | None
    """None: nobody it could ask."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything `doctor` judges."""

    capabilities: frozenset[str] | None
    trials: KernelTrials
    memlock_limit: int | None
    """Bytes; None: unlimited."""
    links: tuple[Link, ...] | None
    addresses: tuple[Address, ...] | None
    interface: Interface | None
    """Of the interface that was asked about."""
    processes: tuple[Process, ...]
    nft: str | None
    iptables: str | None
    port_users: tuple[PortUser, ...]
    clock: Clock
    virtual: str | None
    """Name of the hypervisor; empty: a real machine; None: unknown."""
    server_config: ServerConfig | None
    """None when no distribution was asked about."""
    gateway: Gateway | None = None
    """None when it was not asked about, or could not be read."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look at; the parts no configuration names are None."""

    interface: str | None = None
    port: int | None = None
    gateway: Callable[[], Awaitable[IPAddress | None]] | None = None
    """Finds the gateway as the daemon does.

    Raises:
        HostError: the kernel cannot be read."""
    config_file: Path | None = None
    """config.yaml of RKE2 or k3s; its drop-ins are in the directory `config.yaml.d` beside it."""


def collect(query: Query) -> Facts:
    """Read everything. Takes about two seconds: one lifetime of one second has to end."""
    links, addresses = read_network()
    return Facts(
        capabilities=effective_capabilities(_read(Path("/proc/self/status")) or ""),
        trials=try_kernel(),
        memlock_limit=_memlock_limit(),
        links=links,
        addresses=addresses,
        interface=None if query.interface is None else _interface(query.interface, links or ()),
        processes=_processes(),
        nft=program_output("nft", "list", "ruleset"),
        iptables=program_output("iptables-save"),
        port_users=() if query.port is None else _port_users(query.port),
        clock=_clock(),
        virtual=_virtual(),
        gateway=None if query.gateway is None else _gateway(query.gateway),
        server_config=None if query.config_file is None else read_server_config(query.config_file),
    )


def _gateway(find: Callable[[], Awaitable[IPAddress | None]]) -> Gateway | None:
    async def ask() -> IPAddress | None:
        return await find()

    try:
        return Gateway(asyncio.run(ask()))
    except HostError:
        return None


def read_network() -> tuple[tuple[Link, ...] | None, tuple[Address, ...] | None]:
    """Interfaces and addresses in kernel order; None where netlink did not answer."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as netlink:
            links = tuple(
                Link(
                    name=message.get_attr("IFLA_IFNAME"),
                    index=message["index"],
                    up=bool(message["flags"] & 1),
                    carrier=bool(message.get_attr("IFLA_CARRIER")),
                )
                for message in netlink.get_links()
            )
            names = {link.index: link.name for link in links}
            addresses = []
            for message in netlink.get_addr():
                text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                flags = message.get_attr("IFA_FLAGS") or message["flags"]
                addresses.append(
                    Address(
                        interface=names.get(message["index"], "?"),
                        address=ip_interface(f"{text}/{message['prefixlen']}"),
                        permanent=bool(flags & _IFA_F_PERMANENT),
                        dad_failed=bool(flags & _IFA_F_DADFAILED),
                    )
                )
            return links, tuple(addresses)
    except (OSError, NetlinkError, ValueError):
        return None, None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None


def program_output(*command: str) -> str | None:
    """What a program prints; None when it is missing or fails."""
    program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _memlock_limit() -> int | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft


def _interface(name: str, links: Iterable[Link]) -> Interface:
    index = next((link.index for link in links if link.name == name), 0)
    state = _read(Path(f"/run/systemd/netif/links/{index}")) or ""
    network_file = assignment(state, "NETWORK_FILE") or None
    drop_ins = (assignment(state, "NETWORK_FILE_DROPINS") or "").strip('"').split()
    keep = None
    for path in [network_file, *drop_ins] if network_file else []:
        keep = setting(_read(Path(path or "")) or "", "Network", "KeepConfiguration") or keep
    device = _read(Path(f"/run/NetworkManager/devices/{index}")) or ""
    return Interface(
        name=name,
        networkd_file=network_file,
        networkd_keep=keep,
        network_manager=setting(device, "device", "managed") == "true",
        sysctls=tuple(_sysctls(name)),
    )


def _sysctls(interface: str) -> Iterable[tuple[str, int]]:
    for key in _SYSCTLS:
        texts = [_read(Path("/proc/sys/net/ipv4/conf", i, key)) for i in ("all", interface)]
        values = [int(text) for text in texts if text is not None and text.strip().isdigit()]
        if values:
            yield key, max(values)


def _processes() -> tuple[Process, ...]:
    found = []
    for entry in in_own_network(Path("/proc")):
        name = (_read(entry / "comm") or "").strip()
        if name in _MANAGERS and int(entry.name) != os.getpid():
            found.append(Process(int(entry.name), name))
    return tuple(found)


def _port_users(port: int) -> tuple[PortUser, ...]:
    sockets = [
        socket
        for path in ("/proc/net/udp", "/proc/net/udp6")
        for socket in udp_sockets(_read(Path(path)) or "")
        if socket.port == port
    ]
    owners = _owners({socket.inode for socket in sockets}) if sockets else {}
    return tuple(PortUser(socket, owners.get(socket.inode)) for socket in sockets)


def _owners(inodes: set[int]) -> dict[int, str]:
    """The command line of the process that has each socket; only what this user may see."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    owners: dict[int, str] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            targets = [str(handle.readlink()) for handle in (process / "fd").iterdir()]
        except OSError:
            continue
        for target in wanted.keys() & set(targets):
            line = (_read(process / "cmdline") or "").replace("\0", " ").strip()
            owners[wanted[target]] = f"{line} (pid {process.name})"
    return owners


def _clock() -> Clock:
    boottime = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    monotonic = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    later = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    source = _read(Path("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
    return Clock(boottime, later, monotonic, source.strip() if source else None)


def _virtual() -> str | None:
    detected = None
    program = shutil.which("systemd-detect-virt")
    if program is not None:
        try:
            done = subprocess.run(
                [program, "--vm"],
                capture_output=True,
                text=True,
                timeout=COMMAND_LIMIT,
                check=False,
            )
            detected = done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            detected = None
    if detected:
        return "" if detected == "none" else detected
    flags = _read(Path("/proc/cpuinfo"))
    if flags is None:
        return None
    return "a hypervisor" if " hypervisor" in flags else ""
