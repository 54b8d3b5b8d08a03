"""Real daemons on the hosts of `support.namespaces.lan`, for lab tests. One run directory a host."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from support.namespaces import PATIENCE, Net, eventually, lan
from vipkeeper.daemon.protocol import Request, RequestVerb, ask
from vipkeeper.errors import VipkeeperError
from vipkeeper.lab.addresses import RTM_DELADDR, address_events, listen

VIP = "10.9.0.100"
KEY = "5a" * 32
ADDED, REMOVED = "added", "removed"
Status = dict[str, Any]


class Watch:
    """The kernel's own word on when a host got the VIP and lost it, from now on."""

    def __init__(self, net: Net) -> None:
        self._socket = listen(net.name)
        self._seen: list[str] = []

    @property
    def events(self) -> list[str]:
        """All so far, oldest first; a renewal is one more `added`."""
        with contextlib.suppress(BlockingIOError):
            while True:
                for kind, address in address_events(self._socket.recv(1 << 16)):
                    if address == ip_address(VIP).packed:
                        self._seen.append(REMOVED if kind == RTM_DELADDR else ADDED)
        return list(self._seen)

    def close(self) -> None:
        self._socket.close()


class Daemon:
    """`vipkeeper run` on one host."""

    def __init__(self, net: Net, directory: Path, config: Path, words: tuple[str, ...]) -> None:
        self.net = net
        self.directory = directory
        self.run_dir = directory / "run"
        self.log_file = directory / "log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command(net, directory, config, *words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def status(self) -> Status:
        """What it says of itself; empty while it says nothing."""
        try:
            return ask(self.run_dir, Request(RequestVerb.STATUS)).result or {}
        except VipkeeperError:
            return {}

    def until(self, condition: Callable[[Status], object]) -> Status:
        """Its status as soon as that fulfils the condition."""

        def fulfilled() -> Status:
            assert self.process.poll() is None, self.log
            status = self.status()
            return status if status and condition(status) else {}

        return eventually(fulfilled)

    def becomes(self, state: str) -> Status:
        """Its status as soon as it is in this state."""
        return self.until(lambda status: status["state"] == state)

    def says(self, text: str) -> None:
        """Wait until this is in its log."""
        eventually(lambda: text in self.log)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal that ends it; how it ended."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def verb(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another verb of the program for this daemon, such as `handover`."""
        program = [sys.executable, "-m", "vipkeeper", *words, "--run-dir", str(self.run_dir)]
        return subprocess.run(
            program, capture_output=True, text=True, check=False, timeout=PATIENCE
        )


def command(net: Net, directory: Path, config: Path, *words: str) -> list[str]:
    """The command line of a daemon on this host."""
    return [
        *("ip", "netns", "exec", net.name, sys.executable, "-m", "vipkeeper", "run"),
        *("--config", str(config), "--run-dir", str(directory / "run")),
        *("--state-dir", str(directory / "state"), *words),
    ]


@dataclass
class Site:
    """Some hosts cp1, cp2, ... on one LAN (10.9.0.11, .12, ...), and the daemons on them."""

    directory: Path
    nets: dict[str, Net]
    daemons: list[Daemon] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)

    def config(self, name: str = "cluster", **changes: object) -> Path:
        """Write a configuration of all hosts without health checks; `changes` replace keys, None removes."""
        servers = {name: f"10.9.0.{11 + place}" for place, name in enumerate(self.nets)}
        key = self.directory / "key"
        self.write_key(key, KEY)
        document: dict[str, object] = {
            "vip": VIP,
            "servers": servers,
            "distribution": "none",
            "key_file": str(key),
        }
        document |= changes
        kept = {name: value for name, value in document.items() if value is not None}
        path = self.directory / f"{name}.yaml"
        # JSON is YAML; a key on each line, so that messages name different lines.
        lines = [f"{name}: {json.dumps(value)}" for name, value in kept.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    @staticmethod
    def write_key(path: Path, key: str) -> None:
        path.touch(mode=0o600)
        path.write_text(f"{key}\n")

    def home(self, name: str) -> Path:
        """Where the daemon of a host keeps its things."""
        path = self.directory / name
        path.mkdir(exist_ok=True)
        return path

    def start(self, name: str, config: Path | None = None, *words: str) -> Daemon:
        """Start a daemon on a host."""
        daemon = Daemon(self.nets[name], self.home(name), config or self.config(), words)
        self.daemons.append(daemon)
        return daemon

    def run(
        self, name: str, config: Path, *words: str, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a daemon that must end by itself."""
        return subprocess.run(
            [*prefix, *command(self.nets[name], self.home(name), config, *words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def watch(self, name: str) -> Watch:
        """Watch the VIP in a host's kernel."""
        watch = Watch(self.nets[name])
        self.watches.append(watch)
        return watch

    def has_vip(self, name: str) -> bool:
        """Whether a host's kernel has the VIP."""
        return f"inet {VIP}/" in self.nets[name].ip("-4 addr show")


@contextlib.contextmanager
def site(directory: Path, *names: str) -> Iterator[Site]:
    """Hosts with these names; their daemons are killed and everything is taken down afterwards."""
    with lan(*names) as nets:
        here = Site(directory, dict(zip(names, nets, strict=True)))
        try:
            yield here
        finally:
            for daemon in here.daemons:
                daemon.process.kill()
                daemon.process.wait(PATIENCE)
            for watch in here.watches:
                watch.close()
