"""Network namespaces on one bridge, and code that runs inside them, for lab tests of the host layer.

A socket belongs to the namespace of the thread that made it: `Net.call` runs a function in a
throw-away thread inside, and what it opened can be used from anywhere afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import os
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vipkeeper.core.events import Event
from vipkeeper.host.frames import Wire

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
PATIENCE = 10.0
"""Seconds until something that must come is given up; nothing ever waits for them to pass."""
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Net:
    """One namespace."""

    name: str

    def ip(self, command: str, text: str | None = None) -> str:
        """Run `ip` inside, with `text` as its stdin; its output."""
        return _run("ip", "-n", self.name, *command.split(), text=text)

    def nft(self, ruleset: str) -> None:
        """Load nftables rules inside."""
        _run("ip", "netns", "exec", self.name, "nft", "-f", "-", text=ruleset)

    def sysctl(self, key: str, value: int) -> None:
        """Set one kernel setting inside."""
        self.call(
            lambda: Path("/proc/sys", key.replace(".", "/")).write_text(
                str(value), encoding="ascii"
            )
        )

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in a thread inside the namespace."""
        with ThreadPoolExecutor(1, initializer=self._enter) as pool:
            return pool.submit(function).result()

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine function in an event loop inside the namespace."""
        return self.call(lambda: asyncio.run(main()))

    def mac(self, interface: str = "eth0") -> bytes:
        """The hardware address of an interface."""
        text = self.call(
            lambda: _run("ip", "-n", self.name, "-o", "link", "show", "dev", interface)
        )
        return bytes.fromhex(text.split("link/ether ")[1].split()[0].replace(":", ""))

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        handle = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(handle, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(handle)


@contextlib.contextmanager
def lan(*hosts: str) -> Iterator[list[Net]]:
    """A namespace for each host on one bridge, `eth0` in each: host number N (from 1) has 10.9.0.1N/24
    and fd09::1N/64. Everything is gone afterwards."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("lab tests need root and iproute2")
        pytest.skip("lab tests need root and iproute2")
    prefix = f"vkh{os.getpid()}-{next(_serial)}"
    switch = Net(f"{prefix}-sw")
    nets = [Net(f"{prefix}-{host}") for host in hosts]
    made: list[Net] = []
    try:
        for net in (switch, *nets):
            _run("ip", "netns", "add", net.name)
            made.append(net)
            net.sysctl("net.ipv6.conf.default.accept_dad", 0)
            net.ip("link set lo up")
        switch.ip("link add br0 type bridge mcast_snooping 0")
        switch.ip("link set br0 up")
        for number, net in enumerate(nets, start=1):
            plug(switch, net, f"p{number}")
            net.ip(f"addr add 10.9.0.{10 + number}/24 dev eth0")
            net.ip(f"addr add fd09::{10 + number}/64 dev eth0 nodad")
        yield nets
    finally:
        for net in made:
            subprocess.run(["ip", "netns", "del", net.name], check=False)


def plug(switch: Net, net: Net, port: str, interface: str = "eth0", mac: str = "") -> None:
    """A cable from the bridge to a new interface."""
    address = ("address", mac) if mac else ()
    _run(
        *("ip", "-n", switch.name, "link", "add", port, "type", "veth", "peer", "name", interface),
        *(*address, "netns", net.name),
    )
    switch.ip(f"link set {port} master br0 up")
    net.ip(f"link set {interface} up")


def switch_of(net: Net) -> Net:
    """The namespace of the bridge."""
    return Net(net.name.rpartition("-")[0] + "-sw")


def eventually(check: Callable[[], T]) -> T:
    """Ask until the answer is true; for what the kernel does without telling."""
    end = time.monotonic() + PATIENCE
    while not (answer := check()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return answer


def events_until(wire: Wire, wanted: Callable[[Sequence[Event]], bool]) -> list[Event]:
    """What the wire brings until there is what is wanted."""
    found: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not wanted(found):
        left = end - time.monotonic()
        assert left > 0, f"never came; there was only {found}"
        select.select(wire.filenos, [], [], left)
        found.extend(wire.drain())
    return found


def packet_socket(net: Net, interface: str = "eth0") -> socket.socket:
    """Sees and sends every frame of an interface."""

    def make() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        sock.bind((interface, 0x0003))
        sock.settimeout(PATIENCE)
        return sock

    return net.call(make)


def _run(*words: str, text: str | None = None) -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
