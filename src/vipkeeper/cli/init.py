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

import vipkeeper
from vipkeeper.cli import output
from vipkeeper.cli.next_steps import Situation, after_all, after_unit, obstacles
from vipkeeper.cli.unit import UNIT_NAME, unit
from vipkeeper.config.cluster import Distribution, Profile
from vipkeeper.config.load import ConfigError, load_text, read_keys
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.host.inspect import read_network

NAME = "init"
HELP = """\
Write cluster.yaml with comments and the key that authenticates adverts, and print the next steps.
Nothing that exists is overwritten: an existing key is kept, an existing cluster.yaml needs --force and is
saved beside the new one. The systemd unit has nothing of yours in it and is written anew.

Run it on one server; the others get cluster.yaml and key as copies, and the unit by
`vipkeeper init --unit-only`, since the program may lie elsewhere there.

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
        metavar="ADDRESS",
        help="the address to hold; repeatable (dual stack, several VIPs)",
    )
    parser.add_argument(
        "--server",
        action="append",
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
    where = UNIT_DIRECTORY / UNIT_NAME
    parser.add_argument(
        "--systemd", action="store_true", help=f"also write the systemd unit, {where}"
    )
    parser.add_argument(
        "--unit-only",
        action="store_true",
        help="write only that unit, on a server that gets cluster.yaml and key from another one",
    )
    parser.add_argument(
        "--unit-directory", type=Path, default=UNIT_DIRECTORY, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--force", action="store_true", help="replace cluster.yaml; the old one is kept as .bak"
    )


def main(args: argparse.Namespace) -> int:
    """Check everything first, then write."""
    _check_options(args)
    if args.unit_only:
        return _unit_only(args)
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
    _warn_of_subnet(args)
    if args.systemd:
        _warn(target)
    return ExitCode.OK


def _check_options(args: argparse.Namespace) -> None:
    if args.key_from is not None and not os.path.lexists(args.key_from):
        raise UsageError(
            f"init: --key-from {args.key_from}: no such file; name the key that another server has, "
            "or leave the option out and a new one is made"
        )
    if args.unit_only:
        given = ("--vip", args.vip), ("--server", args.server), ("--key-from", args.key_from)
        extra = [name for name, value in given if value]
        if extra:
            raise UsageError(f"init: --unit-only writes no cluster.yaml: leave {extra[0]} out")
        return
    missing = [
        name for name, value in (("--vip", args.vip), ("--server", args.server)) if not value
    ]
    if missing:
        needed = " and ".join(missing)
        raise UsageError(f"init: {needed} must be given (see 'vipkeeper init --help')")


def _unit_only(args: argparse.Namespace) -> int:
    directory = args.directory.absolute()
    target = directory / "cluster.yaml"
    try:
        written = _unit(args.unit_directory, target)
    except OSError as error:
        where = error.filename or args.unit_directory
        raise HostError(f"cannot write {where}: {error.strerror}") from error
    steps = after_unit(Situation(directory, DIRECTORY, (), (), "", unit=True))
    output.emit("\n".join([f"wrote {written.path}: {written.what}", *_numbered(steps)]))
    _warn(target)
    return ExitCode.OK


def _warn(target: Path) -> None:
    program, parts = _program()
    for line in obstacles(program, parts, target):
        output.note(f"init: {line}")


def _warn_of_subnet(args: argparse.Namespace) -> None:
    """Says where this host could not hold the VIP, which `doctor` would refuse."""
    _, addresses = read_network()
    if args.interface or addresses is None:
        return
    networks = (
        a.address.network for a in addresses if a.address.ip not in map(ip_address, args.vip)
    )
    subnets = [network for network in networks if network.prefixlen < network.max_prefixlen]
    far = [vip for vip in args.vip if not any(ip_address(vip) in subnet for subnet in subnets)]
    if far:
        output.note(
            f"init: no interface of this host has a subnet that holds {', '.join(far)}: if this host is one of the "
            "servers, choose a VIP of their subnet or name the --interface"
        )


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
        "# The configuration of vipkeeper, the same on every server; `vipkeeper doctor` checks it against this host.",
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
        written.append(_unit(args.unit_directory, target))
    return written


def _unit(folder: Path, config: Path) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / UNIT_NAME
    program, _ = _program()
    path.write_text(unit(program, config), encoding="utf-8")
    return Written(path, f"the systemd unit, which runs {program}")


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


def _program() -> tuple[Path, tuple[Path, ...]]:
    """What the unit is to run, and what that needs as far as this process can tell."""
    own = shutil.which(sys.argv[0])
    if own is not None:
        package = Path(vipkeeper.__file__).parent
        return Path(own).absolute(), (Path(sys.prefix), Path(sys.base_prefix), package)
    found = shutil.which("vipkeeper")
    return (Path(found).absolute() if found else Path("/usr/local/bin/vipkeeper")), ()


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
    at = Situation(
        directory=args.directory.absolute(),
        default_directory=DIRECTORY,
        vips=tuple(args.vip),
        servers=tuple(name for name, _ in servers),
        distribution=args.distribution,
        unit=args.systemd,
    )
    return "\n".join([*lines, *_numbered(after_all(at))])


def _numbered(steps: list[str]) -> list[str]:
    return ["", "Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]
