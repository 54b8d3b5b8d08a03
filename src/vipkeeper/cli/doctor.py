"""`vipkeeper doctor`: whether this host can run the daemon, and what to mend."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vipkeeper import __version__
from vipkeeper.cli import output
from vipkeeper.cli.output import Style, Tone
from vipkeeper.errors import ExitCode, UsageError
from vipkeeper.host.inspect import Address, Facts, Query, collect, read_network
from vipkeeper.host.inspect_finding import Expected, Finding, Group, Verdict
from vipkeeper.host.inspect_verdicts import judge
from vipkeeper.text import printable
from vipkeeper.wire.types import IPAddress

if TYPE_CHECKING:
    from vipkeeper.config.cluster import ClusterConfig

NAME = "doctor"
HELP = """\
Whether this host can run the daemon, and what to mend. Reads only; the kernel is tried in a network
namespace that is gone afterwards. Run it as root on every server before 'vipkeeper run'.

Exit codes: 0 fine (warnings included), 1 a problem of this host, 2 the configuration is wrong."""

DEFAULT_CONFIG = Path("/etc/vipkeeper/cluster.yaml")
SERVER_FILES = {
    "rke2": Path("/etc/rancher/rke2/config.yaml"),
    "k3s": Path("/etc/rancher/k3s/config.yaml"),
}
_GLYPHS = {
    Verdict.OK: ("√", "ok", Tone.GOOD),
    Verdict.INFO: ("i", "i", Tone.FAINT),
    Verdict.UNKNOWN: ("?", "?", Tone.WARN),
    Verdict.WARNING: ("‼", "!", Tone.WARN),
    Verdict.PROBLEM: ("✗", "X", Tone.BAD),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found."""

    findings: tuple[Finding, ...]

    @property
    def configuration_wrong(self) -> bool:
        """Whether a problem is one of the configuration."""
        return any(f.of_own_configuration for f in self.problems)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What keeps the daemon from doing its work."""
        return tuple(f for f in self.findings if f.verdict is Verdict.PROBLEM)

    @property
    def exit_code(self) -> ExitCode:
        """What the process says to a script."""
        if self.configuration_wrong:
            return ExitCode.USAGE
        return ExitCode.FINDINGS if self.problems else ExitCode.OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"the configuration to check (default: {DEFAULT_CONFIG})",
    )
    output.add_output_option(parser)
    output.add_ascii_option(parser)


def main(args: argparse.Namespace) -> int:
    """Look, judge, print."""
    asked = output.targets(args)
    diagnosis = examine(args.config)
    output.deliver(
        asked,
        {
            "text": lambda style: "\n".join(render(diagnosis, style)),
            "json": lambda style: output.to_json(to_document(diagnosis)),
        },
        ascii_only=args.ascii,
    )
    return diagnosis.exit_code


def examine(path: Path) -> Diagnosis:
    """Judge this host against the configuration file; without a usable one, what needs none."""
    config, findings = _configuration(path)
    expected, query = None, Query()
    if config is not None:
        _, addresses = read_network()
        expected = expect(config, addresses or ())
        query = Query(
            interface=expected.interface,
            port=expected.port,
            gateway=_gateway(config, expected),
            config_file=SERVER_FILES.get(expected.distribution),
        )
    facts: Facts = collect(query)
    return Diagnosis((*findings, *judge(facts, expected)))


def _configuration(path: Path) -> tuple[ClusterConfig | None, list[Finding]]:
    """The configuration if it can be used, and what is to be said of the file and of the key."""
    from vipkeeper.config.load import load, read_keys

    try:
        config = load(path)
    except UsageError as error:
        return None, _problems("configuration file", str(error))
    good = Finding(Group.CONFIGURATION, "configuration file", Verdict.OK, f"{path} is valid")
    if config.key_file is None:
        return config, [good]
    try:
        read_keys(config.key_file)
    except UsageError as error:
        return config, [good, *_problems("key file", str(error))]
    text = f"{config.key_file} can be used"
    return config, [good, Finding(Group.CONFIGURATION, "key file", Verdict.OK, text)]


def _problems(name: str, text: str) -> list[Finding]:
    lines = text.splitlines()
    group, verdict = Group.CONFIGURATION, Verdict.PROBLEM
    return [Finding(group, name, verdict, line, of_own_configuration=True) for line in lines]


def expect(config: ClusterConfig, addresses: Sequence[Address]) -> Expected:
    """What the configuration says of the host that has these addresses."""
    here = {address.address.ip for address in addresses}
    own = next((s.address for s in config.servers if s.address in here), None)
    return Expected(
        vips=tuple(config.vips),
        own=own,
        port=config.advert_port,
        distribution=config.distribution.value,
        bare_metal=config.profile.value == "bare-metal",
        interface=config.interface or _interface_for(config.vips, addresses),
        servers=len(config.servers),
        gateway=getattr(config.gateway, "value", None) or str(config.gateway),
        strict=config.strict_lease is not None,
    )


def _gateway(
    config: ClusterConfig, expected: Expected
) -> Callable[[], Awaitable[IPAddress | None]]:
    """Finds the gateway the way the daemon will."""

    async def find() -> IPAddress | None:
        from vipkeeper.daemon.settings import gateway_rule
        from vipkeeper.host import clock
        from vipkeeper.host.netlink import Addresses

        own = expected.own or config.servers[0].address
        rule = gateway_rule(config)
        addresses = Addresses(config.vips, own, config.interface, clock.now, rule)
        addresses.open()
        try:
            return addresses.view().gateway
        finally:
            addresses.close()

    return find


def _interface_for(vips: Sequence[IPAddress], addresses: Iterable[Address]) -> str | None:
    """The interface with a subnet that holds the first VIP."""
    for local in addresses:
        network = local.address.network
        if local.address.ip in vips or network.prefixlen == network.max_prefixlen:
            continue
        if vips[0].version == network.version and vips[0] in network:
            return local.interface
    return None


def render(diagnosis: Diagnosis, style: Style) -> list[str]:
    """The diagnosis as lines of text, grouped; meaning and fix only where something is to be known."""
    lines: list[str] = []
    for group in Group:
        findings = [f for f in diagnosis.findings if f.group is group]
        if findings:
            lines += [style.paint(group.value, Tone.STRONG), *_render_all(findings, style), ""]
    return [*lines, _summary(diagnosis, style)]


def _render_all(findings: Iterable[Finding], style: Style) -> Iterable[str]:
    for finding in findings:
        nice, plain, tone = _GLYPHS[finding.verdict]
        mark = style.paint(style.glyph(nice, plain.ljust(2)), tone)
        yield f"  {mark} {finding.name}: {printable(finding.text)}"
        if finding.meaning:
            yield f"       {printable(finding.meaning)}"
        if finding.fix:
            yield f"       {style.glyph('→', '->')} {printable(finding.fix)}"


def _summary(diagnosis: Diagnosis, style: Style) -> str:
    counts = {v: sum(f.verdict is v for f in diagnosis.findings) for v in Verdict}
    of_configuration = sum(f.of_own_configuration for f in diagnosis.problems)
    counts[Verdict.PROBLEM] -= of_configuration
    parts = [
        f"{counts[verdict]} {one if counts[verdict] == 1 else many}"
        for verdict, one, many in (
            (Verdict.PROBLEM, "problem", "problems"),
            (Verdict.WARNING, "warning", "warnings"),
            (Verdict.UNKNOWN, "not known", "not known"),
        )
        if counts[verdict]
    ]
    details = f" ({', '.join(parts)})" if parts else ""
    if diagnosis.configuration_wrong:
        many = "" if of_configuration == 1 else "s"
        of_host = f"; of this host: {', '.join(parts)}" if parts else ""
        text = f"The configuration is wrong ({of_configuration} problem{many}){of_host}."
        return style.paint(text, Tone.BAD)
    if counts[Verdict.PROBLEM]:
        return style.paint(f"This host cannot run the daemon yet{details}.", Tone.BAD)
    return style.paint(f"This host can run the daemon{details}.", Tone.GOOD)


def to_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis for `--output json`."""
    return {
        "schema_version": 1,
        "tool": {"name": "vipkeeper", "version": __version__},
        "exit_code": int(diagnosis.exit_code),
        "findings": [
            {
                "group": finding.group.value,
                "name": finding.name,
                "verdict": finding.verdict.value,
                "text": finding.text,
                "meaning": finding.meaning,
                "fix": finding.fix,
            }
            for finding in diagnosis.findings
        ],
    }
