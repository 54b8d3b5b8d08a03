"""One look of a check of the prober, as the prober takes it."""

from __future__ import annotations

from vipkeeper.daemon.prober.checks import Checker
from vipkeeper.daemon.prober.verdict import CheckFailed, Verdict


async def look(checker: Checker) -> Verdict:
    """What a check finds, also where it fails."""
    try:
        return await checker.look()
    except CheckFailed as failed:
        return failed.verdict
