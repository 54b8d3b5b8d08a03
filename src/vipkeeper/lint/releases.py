"""Which release of a program is judged: what the files say, otherwise what the user says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vipkeeper.catalog.entry import Confidence, Software
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.scope import Cluster
from vipkeeper.lint.version import Version, covers


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases that are known."""

    given: Mapping[Software, Version]
    """By the user, for what no file says."""
    by_file: Mapping[str, Version | None]
    """Of kube-vip by the file with its image; None: two in one file, or a tag such as `latest`."""

    def of(self, software: Software, file: str) -> Version | None:
        """The release that a file is for."""
        own = self.by_file.get(file) if software is Software.KUBE_VIP else None
        return own or self.given.get(software)


def find(cluster: Cluster) -> Releases:
    """The releases of a cluster."""
    by_file: dict[str, Version | None] = {}
    for kubevip in cluster.all(KubeVip):
        file, release = kubevip.source.file, kubevip.version
        by_file[file] = release if by_file.get(file, release) == release else None
    return Releases(dict(cluster.facts.releases), by_file)


def applying(findings: Iterable[Finding], releases: Releases) -> Iterator[Finding]:
    """The findings that apply to the releases at hand.

    Where the release is not known a finding stays, says so and is at most likely; of several at one place,
    each for other releases, the first stays.
    """
    told = set()
    for finding in findings:
        if not finding.versions:
            yield finding
            continue
        release = releases.of(finding.versions[0].software, finding.span.file)
        if release is not None:
            if any(covers(versions, release) for versions in finding.versions):
                yield finding
        elif finding.span not in told:
            told.add(finding.span)
            yield _unsure(finding)


def _unsure(finding: Finding) -> Finding:
    ranges = " or ".join(map(str, finding.versions))
    sure = finding.confidence is Confidence.CERTAIN
    return replace(
        finding,
        message=f"{finding.message} ({ranges}; which release runs is not known)",
        confidence=Confidence.LIKELY if sure else finding.confidence,
    )
