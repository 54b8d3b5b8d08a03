"""One run of the linter: every rule over every file, server and the cluster; then the ignore comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from vipkeeper.config.tree import Trouble
from vipkeeper.lint import ignores, releases, secrets
from vipkeeper.lint.document import Document
from vipkeeper.lint.ignores import Ignore
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.registry import Registered, all_rules
from vipkeeper.lint.rule import Finding, Reach, Severity
from vipkeeper.lint.scope import Cluster, File, Server
from vipkeeper.lint.secrets import Secrets
from vipkeeper.lint.variants import Variants


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules run and how bad their findings are. A pattern is a code, its beginning, or a name."""

    select: tuple[str, ...] = ()
    """Empty: all."""
    ignore: tuple[str, ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()
    """Other severities, by pattern; the last that fits counts."""

    def runs(self, registered: Registered) -> bool:
        """Whether a rule is selected."""
        chosen = not self.select or any(matches(p, registered) for p in self.select)
        return chosen and not any(matches(p, registered) for p in self.ignore)

    def graded(self, finding: Finding, registered: Registered) -> Finding:
        """The finding with the severity that the user wants."""
        for pattern, severity in reversed(self.severities):
            if matches(pattern, registered):
                return replace(finding, severity=severity)
        return finding


@dataclass(frozen=True, slots=True)
class Quiet:
    """A finding that a comment keeps quiet."""

    finding: Finding
    ignore: Ignore


@dataclass(frozen=True, slots=True)
class Run:
    """What the rules about the linter itself are given."""

    ignores: tuple[Ignore, ...]
    used: frozenset[Ignore]
    """Those that kept a finding quiet, or would have but for their date."""
    judged: frozenset[str]
    """Codes and names of the rules that ran."""
    known: frozenset[str]
    """Codes and names of all rules."""
    today: date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found."""

    cluster: Cluster
    findings: tuple[Finding, ...]
    """By file, line and column."""
    quiet: tuple[Quiet, ...]
    rules: tuple[Registered, ...] = field(repr=False)
    """Those that were selected."""
    secrets: Secrets = field(repr=False)
    """What no output may show."""

    @property
    def files(self) -> int:
        """How many files were judged."""
        return len(self.cluster.sources)

    @property
    def unread(self) -> int:
        """How many places could not be read, also where their findings are not selected."""
        mild = (Trouble.DUPLICATE_KEY, Trouble.EMPTY)
        return sum(problem.trouble not in mild for problem in self.cluster.problems)

    def count(self, severity: Severity) -> int:
        """How many findings are this bad."""
        return sum(finding.severity is severity for finding in self.findings)


def matches(pattern: str, registered: Registered) -> bool:
    """Whether a pattern names a rule: `VK1`, `VK101`, `server-not-url`."""
    rule = registered.rule
    return rule.name == pattern.lower() or rule.code.startswith(pattern.upper())


def run(
    cluster: Cluster,
    today: date,
    selection: Selection = Selection(),
    rules: Sequence[Registered] | None = None,
) -> Outcome:
    """Judge a cluster."""
    every = all_rules() if rules is None else tuple(rules)
    chosen = tuple(registered for registered in every if selection.runs(registered))
    found: dict[tuple[object, ...], Finding] = {}
    known = releases.find(cluster)
    index = _Index(cluster)
    for registered in chosen:
        for finding in releases.applying(_apply(registered, index), known):
            graded = selection.graded(finding, registered)
            found.setdefault((graded.code, graded.span, graded.message), graded)
    names = {registered.rule.code: registered.rule.name for registered in every}
    comments = tuple(ignores.find(cluster.sources.values()))
    loud, quiet, used = _sift(list(found.values()), comments, names, today)
    state = Run(
        ignores=comments,
        used=frozenset(used),
        judged=frozenset(word for r in chosen for word in (r.rule.code, r.rule.name)),
        known=frozenset(word for r in every for word in (r.rule.code, r.rule.name)),
        today=today,
    )
    for registered in chosen:
        if registered.rule.reach is Reach.RUN:
            loud += [selection.graded(f, registered) for f in registered.check(state)]
    hidden = secrets.find(cluster.sources.values())
    told = tuple(sorted(map(hidden.finding, loud), key=_order))
    kept = tuple(_hidden(hidden, one) for one in quiet)
    return Outcome(cluster, told, kept, chosen, hidden)


def _hidden(hidden: Secrets, quiet: Quiet) -> Quiet:
    ignore = replace(quiet.ignore, reason=hidden.hide(quiet.ignore.reason))
    return Quiet(hidden.finding(quiet.finding), ignore)


class _Index:
    """The servers and files of each choice of kinds; the rules have few different ones."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._by_kind = tuple((server, _by_kind(server)) for server in cluster.servers)
        self.kinds = frozenset(kind for _, found in self._by_kind for kind in found)
        self._servers: dict[tuple[Kind, ...], list[Server]] = {}
        self._files: dict[tuple[Kind, ...], list[File[Document]]] = {}
        self.variants = Variants()

    def servers(self, kinds: tuple[Kind, ...]) -> list[Server]:
        """Those that have a file of these kinds."""
        if kinds not in self._servers:
            some = (s for s, found in self._by_kind if any(kind in found for kind in kinds))
            self._servers[kinds] = list(some)
        return self._servers[kinds]

    def files(self, kinds: tuple[Kind, ...]) -> list[File[Document]]:
        """The files of these kinds, shared ones once."""
        if kinds not in self._files:
            found: dict[int, File[Document]] = {}
            for server, own in self._by_kind:
                for document in (d for kind in kinds for d in own.get(kind, ())):
                    found.setdefault(id(document), File(document, server))
            self._files[kinds] = list(found.values())
        return self._files[kinds]


def _by_kind(server: Server) -> dict[Kind, list[Document]]:
    found: dict[Kind, list[Document]] = {}
    for document in server.documents:
        found.setdefault(document.kind, []).append(document)
    if server.settings.units:
        k3s = server.settings.product is Product.K3S
        found.setdefault(Kind.K3S_CONFIG if k3s else Kind.RKE2_CONFIG, [])  # its arguments are one
    return found


def _apply(registered: Registered, index: _Index) -> Iterator[Finding]:
    """Call a check for everything that it is about."""
    rule = registered.rule
    about: Sequence[Cluster | Server | File[Document]] = ()
    if rule.reach is Reach.CLUSTER and (not rule.kinds or index.kinds.intersection(rule.kinds)):
        about = (index.cluster,)
    elif rule.reach is Reach.SERVER:
        about = index.servers(rule.kinds)
    elif rule.reach is Reach.FILE:
        about = index.files(rule.kinds)
    for thing in about:
        if isinstance(thing, Cluster) or rule.conditional:
            yield from registered.check(thing)
        else:
            yield from index.variants.apply(registered.check, thing)


def _sift(
    findings: list[Finding], comments: tuple[Ignore, ...], names: dict[str, str], today: date
) -> tuple[list[Finding], list[Quiet], set[Ignore]]:
    """Findings that count, those kept quiet, and the comments that were about any."""
    loud, quiet, used = [], [], set()
    by_file: dict[str, list[Ignore]] = {}
    for comment in comments:
        by_file.setdefault(comment.span.file, []).append(comment)
    for finding in findings:
        near = by_file.get(finding.span.file, ())
        about = [c for c in near if c.covers(finding, names[finding.code])]
        used.update(about)
        valid = [comment for comment in about if comment.until is None or comment.until >= today]
        if valid:
            quiet.append(Quiet(finding, valid[0]))
        else:
            loud.append(finding)
    return loud, quiet, used


def _order(finding: Finding) -> tuple[object, ...]:
    return finding.span, finding.code, finding.message
