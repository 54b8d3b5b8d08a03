"""The configuration as values: what /etc/vipkeeper/cluster.yaml says."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vipkeeper.config.tree import Span
from vipkeeper.wire.types import IPAddress

MS = 1_000_000
SECOND = 1_000_000_000
DEFAULT_PORT = 9346
DEFAULT_KEY_FILE = Path("/etc/vipkeeper/key")


class Distribution(enum.Enum):
    """Whose control plane: decides the health checks."""

    RKE2 = "rke2"
    K3S = "k3s"
    KUBEADM = "kubeadm"
    NONE = "none"


class Profile(enum.Enum):
    """How patient silence is judged: suspect after 2 (bare-metal) or 3 (vm) advert intervals."""

    BARE_METAL = "bare-metal"
    VM = "vm"


class Election(enum.Enum):
    """How the holder is chosen."""

    PEERS = "peers"


class WhenUnready(enum.Enum):
    """What a holder does when no server is ready."""

    HOLD = "hold"


class GatewayMode(enum.Enum):
    """Where the gateway comes from when no address is given."""

    AUTO = "auto"
    NONE = "none"


class LogFormat(enum.Enum):
    """How the daemon logs."""

    TEXT = "text"
    JSON = "json"


class CheckKind(enum.Enum):
    """What a user-defined check does."""

    TCP = "tcp"
    HTTP = "http"
    EXEC = "exec"


class LeaseWord(enum.Enum):
    """What `kernel_lease` may be besides a time."""

    AUTO = "auto"
    """The lifetime of the address, with its default."""
    STRICT = "strict"
    """That, and a short lease of the packet filter (host.strict)."""


class CountsAs(enum.Enum):
    """Which part of a server's health a user-defined check speaks for."""

    API = "api"
    SUPERVISOR = "supervisor"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Server:
    """One control-plane server."""

    name: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class UserCheck:
    """One entry of `checks`."""

    kind: CheckKind
    counts_as: CountsAs
    target: str
    """tcp: HOST:PORT; http: the URL; exec: unused."""
    command: tuple[str, ...]
    expect_status: int
    timeout: int
    interval: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where metrics go; nowhere by default."""

    listen: tuple[str, int] | None = None
    textfile: Path | None = None


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """The whole file. Durations in nanoseconds."""

    path: Path
    vips: tuple[IPAddress, ...]
    servers: tuple[Server, ...]
    distribution: Distribution = Distribution.RKE2
    key_file: Path = DEFAULT_KEY_FILE
    interface: str | None = None
    gateway: IPAddress | GatewayMode = GatewayMode.AUTO
    """Asked when no server is heard, to tell whether this server is deaf."""
    advert_port: int = DEFAULT_PORT
    advert_interval: int = 100 * MS
    profile: Profile = Profile.BARE_METAL
    election: Election = Election.PEERS
    kernel_lease: int = 3 * SECOND
    move_budget: int = 6
    """Claims of a server in ten minutes after which it holds back; 0: never."""
    strict_lease: int | None = None
    """Lifetime of the packet filter's lease; None unless `kernel_lease` is `strict`."""
    preempt: bool = False
    preempt_delay: int = 30 * SECOND
    when_unready: WhenUnready = WhenUnready.HOLD
    checks: tuple[UserCheck, ...] | None = None
    """None: the distribution's preset."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    ca_file: Path | None = None
    metrics: Metrics = Metrics()
    log_format: LogFormat = LogFormat.TEXT
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    """Where the value of each given key stands, by its path: `vip`, `vip[1]`, `servers.cp2`."""

    def where(self, key: str) -> str:
        """FILE:LINE:COLUMN of a key for a message; only the file when the key was left out."""
        span = self.spans.get(key)
        return str(span) if span is not None else str(self.path)

    @property
    def server_addresses(self) -> tuple[IPAddress, ...]:
        """In the configured order."""
        return tuple(server.address for server in self.servers)

    @property
    def server_pairs(self) -> tuple[tuple[str, IPAddress], ...]:
        """For the digest that adverts carry."""
        return tuple((server.name, server.address) for server in self.servers)
