"""What a collection is about: the VIP, the servers, and the place that looks."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.wire.types import IPAddress

API_PORT = 6443
REGISTRATION_PORT = 9345
SUPERVISOR_FOLDERS = (
    "/var/lib/rancher/rke2/server",
    "/var/lib/rancher/k3s/server",
    "/etc/kubernetes/manifests",
)
"""One of these is on every control-plane server."""
FUTURE_MS = 60_000
"""What is dated so far ahead was written by a clock that cannot be held against ours."""
PEER_PORT = 2380
"""Where etcd's members talk to each other."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """One control-plane server."""

    name: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at, from where."""

    vip: IPAddress
    servers: tuple[ServerAddress, ...] = ()
    complete: bool = False
    """Whether `servers` are all there are."""
    own: str = ""
    """The name of the server that this host is; empty when it is none."""
    place: str = field(default_factory=socket.gethostname)
    """The name of the place that looks."""
    root: bool = field(default_factory=lambda: os.geteuid() == 0)
    files: Path = Path("/")
    """Where this host's files begin; another folder in tests."""

    @property
    def others(self) -> tuple[ServerAddress, ...]:
        """The servers that this host is not."""
        return tuple(server for server in self.servers if server.name != self.own)

    @property
    def join_port(self) -> int | None:
        """The port that nodes join through: k3s and kubeadm have one for all; None where no file shows what this is."""
        there = [folder for folder in SUPERVISOR_FOLDERS if self.path(folder).is_dir()]
        if not there:
            return None
        return REGISTRATION_PORT if there[0] == SUPERVISOR_FOLDERS[0] else API_PORT

    def path(self, absolute: str) -> Path:
        """A file of this host."""
        return self.files / absolute.lstrip("/")

    def of_own(
        self, key: Key, value: Value, source: str, *, raw: str = "", aspect: str = ""
    ) -> Fact:
        """A fact about this server as it sees itself."""
        return Fact(key, value, self.own, self.own, aspect, now(), source, raw_text(raw))

    def of_path(
        self,
        key: Key,
        value: Value,
        source: str,
        *,
        about: str = "",
        raw: str = "",
        aspect: str = "",
    ) -> Fact:
        """A fact about a server, or without `about` about the VIP, as seen from here."""
        return Fact(key, value, about, self.place, aspect, now(), source, raw_text(raw))

    def blind(self, key: Key, why: str, source: str, *, about: str = "", aspect: str = "") -> Fact:
        """The fact that something could not be known."""
        return Fact(key, None, about, self.place, aspect, now(), source, unknown=why)


LONGEST_RAW = 200


def raw_text(text: str) -> str:
    """What is kept of the words that were read: the first line, cut."""
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= LONGEST_RAW else line[: LONGEST_RAW - 3] + "..."


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
