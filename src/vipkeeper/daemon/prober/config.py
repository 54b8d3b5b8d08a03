"""What the prober is told to check: plain data, made by the keeper, sent to the prober as one JSON line.

The presets follow what RKE2, k3s and kubeadm listen on by default (docs/health-checks.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vipkeeper.core.events import CheckName

LOOPBACK = "127.0.0.1"
ETCD_HEALTH_PORT = 2381
"""Where RKE2, k3s and kubeadm let etcd serve /health and /metrics by plain HTTP, on loopback only."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How to speak TLS to one server. All paths are read by the prober only."""

    ca_file: str | None = None
    """CA that must have signed the server's certificate; None: not verified."""
    certificate_file: str | None = None
    key_file: str | None = None
    """Key of the client certificate; None: it is in `certificate_file`."""
    server_name: str | None = None
    """Name expected in the server's certificate; None: the address."""


@dataclass(frozen=True, slots=True)
class Etcd:
    """The local etcd, which decides where the API server answers 401 or 403 to an anonymous /readyz."""

    address: str = LOOPBACK
    port: int = ETCD_HEALTH_PORT
    data_directory: str | None = None
    """Its data directory; when it does not exist and the port refuses, no etcd runs on this server."""


@dataclass(frozen=True, slots=True)
class ApiCheck:
    """GET /readyz of the local API server over TLS. Sampled as `CheckName.API`."""

    address: str = LOOPBACK
    port: int = 6443
    path: str = "/readyz"
    tls: Tls = Tls()
    etcd: Etcd | None = None
    """None: an API server that answers 401 or 403 counts as ready."""
    timeout: float = 3.0
    """Seconds for connection, handshake and answer together; etcd gets as much once more."""
    interval: float = 1.0
    """Seconds between two samples while all is well."""

    @property
    def name(self) -> CheckName:
        """The check it is reported as."""
        return CheckName.API


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """GET over HTTP (`tls` None) or HTTPS; exactly one status is good."""

    address: str
    port: int
    path: str = "/"
    tls: Tls | None = None
    status: int = 200
    timeout: float = 3.0
    interval: float = 1.0
    name: CheckName = CheckName.EXTRA


@dataclass(frozen=True, slots=True)
class TcpCheck:
    """A connection that is accepted."""

    address: str
    port: int
    timeout: float = 3.0
    interval: float = 1.0
    name: CheckName = CheckName.EXTRA


@dataclass(frozen=True, slots=True)
class ExecCheck:
    """A program that exits with 0; killed with its whole process group after `timeout` seconds.

    Its output goes nowhere: it may hold secrets and nothing is read from it.
    """

    argv: tuple[str, ...]
    timeout: float = 3.0
    interval: float = 5.0
    name: CheckName = CheckName.EXTRA


Check = ApiCheck | HttpCheck | TcpCheck | ExecCheck


@dataclass(frozen=True, slots=True)
class ProberConfig:
    """Everything the prober needs to know."""

    checks: tuple[Check, ...] = ()

    def to_json(self) -> str:
        """One line of JSON; the inverse of `from_json`."""
        return json.dumps({"checks": [_encode(check) for check in self.checks]})

    @classmethod
    def from_json(cls, text: str) -> ProberConfig:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not that (another version of the program wrote it).
        """
        try:
            return cls(tuple(_decode(item) for item in json.loads(text)["checks"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a prober configuration: {error!r}") from error


_TYPES: Mapping[str, type[Check]] = {
    "api": ApiCheck,
    "http": HttpCheck,
    "tcp": TcpCheck,
    "exec": ExecCheck,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}


def _encode(check: Check) -> dict[str, Any]:
    fields = asdict(check)
    if "name" in fields:
        fields["name"] = check.name.value
    return {"type": _NAMES[type(check)], **fields}


def _decode(item: Mapping[str, Any]) -> Check:
    fields = dict(item)
    kind = _TYPES[fields.pop("type")]
    if fields.get("tls") is not None:
        fields["tls"] = Tls(**fields["tls"])
    if fields.get("etcd") is not None:
        fields["etcd"] = Etcd(**fields["etcd"])
    if "argv" in fields:
        fields["argv"] = tuple(fields["argv"])
    if "name" in fields:
        fields["name"] = CheckName(fields["name"])
    return kind(**fields)


_ETCD_DIRECTORIES: Mapping[str, tuple[str, str]] = {
    "rke2": ("/var/lib/rancher/rke2", "/server/db/etcd"),
    "k3s": ("/var/lib/rancher/k3s", "/server/db/etcd"),
    "kubeadm": ("/var/lib/etcd", ""),
}
"""Default data directory, and where etcd's own is below it."""

DISTRIBUTIONS = (*_ETCD_DIRECTORIES, "none")
"""The names `preset` knows."""


def preset(
    distribution: str,
    *,
    address: str = LOOPBACK,
    api_port: int = 6443,
    supervisor_port: int = 9345,
    etcd_port: int = ETCD_HEALTH_PORT,
    data_directory: str | None = None,
    tls: Tls | None = None,
    timeout: float = 3.0,
    interval: float = 1.0,
    extra: tuple[Check, ...] = (),
) -> ProberConfig:
    """The checks of a distribution (one of `DISTRIBUTIONS`) and the user's own after them.

    `address` is where the control plane listens: loopback of the family of the servers' addresses.
    `data_directory` is RKE2's or k3s's `data-dir`, for kubeadm etcd's own; None: the default.
    `supervisor_port` matters to RKE2 only: k3s has its supervisor on the API port, kubeadm has none.

    Raises:
        ValueError: the distribution is not known.
    """
    if distribution == "none":
        return ProberConfig(extra)
    if distribution not in _ETCD_DIRECTORIES:
        raise ValueError(f"distribution {distribution!r}: expected {', '.join(DISTRIBUTIONS)}")
    base, below = _ETCD_DIRECTORIES[distribution]
    transport = tls or Tls()
    api = ApiCheck(
        address=address,
        port=api_port,
        tls=transport,
        etcd=Etcd(address, etcd_port, (data_directory or base).rstrip("/") + below),
        timeout=timeout,
        interval=interval,
    )
    if distribution == "kubeadm":
        return ProberConfig((api, *extra))
    supervisor = HttpCheck(
        address=address,
        port=api_port if distribution == "k3s" else supervisor_port,
        path="/ping",
        # /ping needs no client certificate, so it is not shown one.
        tls=Tls(ca_file=transport.ca_file, server_name=transport.server_name),
        timeout=timeout,
        interval=interval,
        name=CheckName.SUPERVISOR,
    )
    return ProberConfig((api, supervisor, *extra))
