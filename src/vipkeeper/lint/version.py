"""Release numbers in image tags, and whether a range of releases covers one."""

from __future__ import annotations

import re

from vipkeeper.catalog.entry import VersionRange

Version = tuple[int, int, int]
_VERSION = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:[-+].*)?")


def parse_version(text: str) -> Version | None:
    """`v1.2.3`, `1.2`, `v1.30.4-rke2r1`; None for anything else, `latest` too."""
    match = _VERSION.fullmatch(text.strip())
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0)) if match else None


def covers(given: VersionRange, version: Version | None) -> bool:
    """Whether a release is in the range; one that is not known counts as inside."""
    if version is None:
        return True
    since, before = parse_version(given.since), parse_version(given.before)
    return (since is None or version >= since) and (before is None or version < before)
