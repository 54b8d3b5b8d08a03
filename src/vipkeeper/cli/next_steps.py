"""What is left to do after `init`, and what would keep the unit from starting."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.cli.unit import SERVICE

HIDDEN = tuple(Path(p) for p in ("/tmp", "/var/tmp", "/home", "/root", "/run/user"))
"""What PrivateTmp and ProtectHome of the unit hide (systemd.exec(5))."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What `init` was asked for and did."""

    directory: Path
    """Of cluster.yaml and key."""
    default_directory: Path
    vips: tuple[str, ...]
    servers: tuple[str, ...]
    """Names."""
    distribution: str
    unit: bool
    """Whether the unit was written."""

    @property
    def config(self) -> str:
        """The option that leads a verb to cluster.yaml; empty where it looks by itself."""
        return self._option("--config", self.directory / "cluster.yaml")

    @property
    def place(self) -> str:
        """The option that leads `init` to the directory; empty where it looks by itself."""
        return self._option("--directory", self.directory)

    def _option(self, name: str, path: Path) -> str:
        if self.directory == self.default_directory:
            return ""
        return f" {name} {shlex.quote(str(path))}"


def after_all(at: Situation) -> list[str]:
    """The steps after `init` wrote the configuration, in order."""
    return [*_others(at), *_distribution(at), *_start(at, "on each server: ")]


def after_unit(at: Situation) -> list[str]:
    """The steps after `init --unit-only` on one of the servers."""
    missing = [name for name in ("cluster.yaml", "key") if not (at.directory / name).exists()]
    copy = f"copy {' and '.join(missing)} to {at.directory} from the server where init was run"
    return [*([copy] if missing else []), *_start(at, "")]


def _others(at: Situation) -> list[str]:
    if len(at.servers) == 1:
        return [
            "one server is a valid cluster: it holds the VIP, but nobody can take it over when the "
            "server is down"
        ]
    folder = shlex.quote(str(at.directory))
    files = " ".join(shlex.quote(str(at.directory / name)) for name in ("cluster.yaml", "key"))
    steps = [
        f"on every other server (of {', '.join(at.servers)}): install vipkeeper, and mkdir -p {folder}",
        f"to each of them: scp -p {files} SERVER:{folder}/",
    ]
    if at.unit:
        steps.append(f"on each of them: vipkeeper init --unit-only{at.place}")
    return steps


def _distribution(at: Situation) -> list[str]:
    if at.distribution not in ("rke2", "k3s"):
        return []
    name = at.distribution
    return [
        f"list the VIP under tls-san in /etc/rancher/{name}/config.yaml: {', '.join(at.vips)}",
        f"set node-ip there to the server's own address, so that {name} never takes the VIP",
    ]


def _start(at: Situation, where: str) -> list[str]:
    enable = f"systemctl daemon-reload && systemctl enable --now {SERVICE}"
    start = enable if at.unit else f"vipkeeper run{at.config}"
    return [
        f"{where}vipkeeper doctor{at.config}",
        f"{where}{start}",
        "watch it: vipkeeper status --watch",
    ]


def obstacles(program: Path, parts: Sequence[Path], config: Path) -> list[str]:
    """What the unit would not find when systemd starts it, a line each with what to do.

    `parts`: what the program needs besides itself, such as its interpreter and its package.
    """
    found = []
    hidden = next((path for path in (program, *parts) if _hider(path) is not None), None)
    if hidden is not None:
        found.append(
            f"the unit cannot run {program}: it needs {hidden}, and PrivateTmp and ProtectHome hide "
            f"{_hider(hidden)} from it; install it elsewhere "
            "(/usr/bin/python3 -m venv /opt/vipkeeper && /opt/vipkeeper/bin/pip install .) "
            "and write the unit anew: /opt/vipkeeper/bin/vipkeeper init --unit-only"
        )
    elif not program.exists():
        found.append(
            f"the unit runs {program}, which is not there: install vipkeeper or link it there"
        )
    if _hider(config) is not None:
        found.append(
            f"the unit cannot read {config}: PrivateTmp and ProtectHome hide {_hider(config)} from "
            "it; choose another --directory"
        )
    return found


def _hider(path: Path) -> Path | None:
    """The hidden directory that a path, or what it is a link to, lies in."""
    places = (path, path.resolve())
    return next((top for top in HIDDEN if any(p.is_relative_to(top) for p in places)), None)
