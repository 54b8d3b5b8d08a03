"""`vipkeeper init`: write the configuration, the key and the systemd unit."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from vipkeeper.cli import output
from vipkeeper.cli.unit import UNIT_NAME, unit
from vipkeeper.config.cluster import Distribution, Profile
from vipkeeper.config.load import ConfigError, load_text, read_keys
from vipkeeper.errors import ExitCode, HostError, UsageError

NAME = "init"
HELP = """\
Write cluster.yaml with comments and the key that authenticates adverts, and print the next steps.
Nothing that exists is overwritten: an existing key is kept, an existing cluster.yaml needs --force and is
saved beside the new one.

Exit codes: 0 written, 2 something is wrong with the options or the directory."""

DIRECTORY = Path("/etc/vipkeeper")
UNIT_DIRECTORY = Path("/etc/systemd/system")
_VIRTUAL_NAMES = (
    "kvm",
    "qemu",
    "vmware",
    "virtualbox",
    "xen",
    "openstack",
    "hyper-v",
    "amazon ec2",
)


@dataclass(frozen=True, slots=True)
class Written:
    """What was done with one file."""

    path: Path
    what: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--vip",
        action="append",
        required=True,
        metavar="ADDRESS",
        help="the address to hold; repeatable (dual stack, several VIPs)",
    )
    parser.add_argument(
        "--server",
        action="append",
        required=True,
        metavar="NAME=ADDRESS",
        help="a control-plane server; once for each, all servers in the same order",
    )
    parser.add_argument(
        "--distribution",
        choices=[d.value for d in Distribution],
        default="rke2",
        help="whose control plane, for the health checks (default: rke2)",
    )
    parser.add_argument(
        "--profile",
        choices=[p.value for p in Profile],
        help="bare-metal or vm (default: what this host looks like)",
    )
    parser.add_argument(
        "--interface", metavar="NAME", help="default: the one whose subnet holds the VIP"
    )
    parser.add_argument(
        "--directory", type=Path, default=DIRECTORY, help=f"where to write (default: {DIRECTORY})"
    )
    parser.add_argument(
        "--key-from",
        type=Path,
        metavar="FILE",
        help="copy the key of another server instead of making one",
    )
    parser.add_argument("--systemd", action="store_true", help="also write the unit")
    parser.add_argument(
        "--unit-directory", type=Path, default=UNIT_DIRECTORY, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--force", action="store_true", help="replace cluster.yaml; the old one is kept as .bak"
    )


def main(args: argparse.Namespace) -> int:
    """Check everything first, then write."""
    servers = _servers(args.server)
    virtual = is_virtual()
    profile = args.profile or (Profile.VM.value if virtual else Profile.BARE_METAL.value)
    directory = args.directory.absolute()
    text = render(args, servers, profile, directory / "key")
    target = directory / "cluster.yaml"
    try:
        load_text(text.encode(), target)
    except ConfigError as error:
        lines = "\n".join(problem.message for problem in error.problems)
        raise UsageError(lines) from None
    if target.exists() and not args.force:
        raise UsageError(f"{target} exists: --force replaces it and keeps the old one as .bak")
    try:
        written = _write(args, directory, target, text)
    except OSError as error:
        where = error.filename or directory
        raise HostError(f"cannot write {where}: {error.strerror}") from error
    output.emit(_report(args, servers, profile, virtual, written))
    return ExitCode.OK


def _servers(items: list[str]) -> list[tuple[str, str]]:
    servers: list[tuple[str, str]] = []
    problems = []
    for item in items:
        name, separator, address = item.partition("=")
        if not separator or not name or not address:
            problems.append(f"--server {item}: expected NAME=ADDRESS, such as cp1=10.10.10.11")
        elif name in (known for known, _ in servers):
            problems.append(f"--server {item}: the name {name} is given twice")
        else:
            servers.append((name, address))
    if problems:
        raise UsageError("\n".join(problems))
    return servers


def render(
    args: argparse.Namespace, servers: list[tuple[str, str]], profile: str, key: Path
) -> str:
    """The text of cluster.yaml."""
    vips = args.vip
    lines = [
        "# vipkeeper: the same file on every server. `vipkeeper doctor` checks it against this host.",
        "",
        "# The address clients use. It must be free, in the servers' subnet, and in RKE2's tls-san.",
        f"vip: {_quoted(vips[0])}" if len(vips) == 1 else "vip:",
        *([f"  - {_quoted(vip)}" for vip in vips] if len(vips) > 1 else []),
        "",
        "# All control-plane servers, in order of preference. One server is a valid cluster.",
        "servers:",
        *[f"  {_quoted(name)}: {_quoted(address)}" for name, address in servers],
        "",
        "# Whose control plane is checked: rke2, k3s, kubeadm or none.",
        f"distribution: {args.distribution}",
        "",
        "# Authenticates adverts between the servers; the same key on all, readable by root only.",
        f"key_file: {_quoted(str(key))}",
        "",
        "# How patient silence is judged: bare-metal (suspect after 2 intervals) or vm (after 3).",
        f"profile: {profile}",
        "",
        "# Everything else has a default:",
        "# advert_interval: 100ms",
        "# kernel_lease: auto      # 3s: the kernel removes the VIP that long after its last renewal; or strict",
        "# preempt: false          # true: a better-ranked server takes the VIP back after preempt_delay",
    ]
    if args.interface:
        lines += ["", f"interface: {_quoted(args.interface)}"]
    else:
        lines += ["# interface: eth0         # default: the one whose subnet holds the VIP"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    plain = text.replace(".", "").replace("-", "").replace("/", "").replace("_", "")
    if plain.isascii() and plain.isalnum() and not plain.isdigit() and "\n" not in text:
        return text
    try:
        ip_address(text)
    except ValueError:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        return f'"{escaped}"'
    return f'"{text}"' if ":" in text else text


def _write(args: argparse.Namespace, directory: Path, target: Path, text: str) -> list[Written]:
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    written = [_key(args.key_from, directory / "key")]
    if target.exists():
        backup = target.with_suffix(".yaml.bak")
        shutil.copy2(target, backup)
        written.append(Written(backup, "the earlier configuration"))
    target.write_text(text, encoding="utf-8")
    written.append(Written(target, "the configuration, the same for every server"))
    if args.systemd:
        args.unit_directory.mkdir(parents=True, exist_ok=True)
        path = args.unit_directory / UNIT_NAME
        path.write_text(unit(_program(), target), encoding="utf-8")
        written.append(Written(path, "the systemd unit"))
    return written


def _key(source: Path | None, path: Path) -> Written:
    if path.exists():
        read_keys(path)
        return Written(path, "the key that was there, kept")
    if source is not None:
        read_keys(source)
        data = source.read_bytes()
    else:
        data = (secrets.token_hex(32) + "\n").encode()
    fileno = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fileno, "wb") as file:
        file.write(data)
    return Written(path, "the key (mode 0600): copy it to every server, never into version control")


def _program() -> Path:
    found = shutil.which(sys.argv[0]) or shutil.which("vipkeeper")
    return Path(found).absolute() if found else Path("/usr/local/bin/vipkeeper")


def is_virtual() -> bool:
    """True when this host looks like a virtual machine."""
    try:
        cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cpu = ""
    if any(line.startswith("flags") and " hypervisor" in line for line in cpu.splitlines()):
        return True
    for name in ("sys_vendor", "product_name"):
        try:
            text = (Path("/sys/class/dmi/id") / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if any(word in text.lower() for word in _VIRTUAL_NAMES):
            return True
    return False


def _report(
    args: argparse.Namespace,
    servers: list[tuple[str, str]],
    profile: str,
    virtual: bool,
    written: list[Written],
) -> str:
    lines = [f"wrote {entry.path}: {entry.what}" for entry in written]
    if args.profile is None:
        seen = "this host is a virtual machine" if virtual else "this host is no virtual machine"
        lines.append(f"profile {profile}, because {seen} (change it with --profile)")
    directory = args.directory.absolute()
    lines += ["", "Next:"]
    steps = []
    if len(servers) > 1:
        others = ", ".join(name for name, _ in servers)
        steps.append(
            f"copy {directory}/cluster.yaml and {directory}/key to the same place on every server "
            f"({others})"
        )
    else:
        steps.append(
            "one server is a valid cluster: it holds the VIP, but nobody can take it over when the "
            "server is down"
        )
    if args.distribution in ("rke2", "k3s"):
        name = args.distribution
        sans = ", ".join(args.vip)
        steps.append(f"list the VIP under tls-san in /etc/rancher/{name}/config.yaml: {sans}")
        steps.append(
            f"set node-ip there to the server's own address, so that {name} never takes the VIP"
        )
    steps.append("on each server: vipkeeper doctor")
    start = (
        f"systemctl daemon-reload && systemctl enable --now {UNIT_NAME.removesuffix('.service')}"
    )
    steps.append(f"on each server: {start if args.systemd else 'vipkeeper run'}")
    steps.append("watch it: vipkeeper status --watch")
    lines += [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return "\n".join(lines)
