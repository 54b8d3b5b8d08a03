"""The errors that reach a user, and the exit code each of them means.

Three kinds: the user's mistake, the fault of this host or of a peer, and ours. Ours are not caught
anywhere but in `cli.main`, which prints one line (the traceback only with VIPKEEPER_DEBUG=1) and exits 70.
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What an exit code means, the same for every verb and every output format."""

    OK = 0
    FINDINGS = 1
    """Findings, a root cause, an expectation not met, a refused request."""
    USAGE = 2
    """The command line, our own configuration, or a missing permission or tool."""
    NOTHING = 3
    """Nothing to look at."""
    UNDETERMINED = 4
    INTERNAL = 70
    INTERRUPTED = 130
    """What a shell reports for a program that SIGINT ended."""


class VipkeeperError(Exception):
    """Base of the errors with a message fit for a user: what, where, what was expected, what to do."""

    exit_code = ExitCode.USAGE


class UsageError(VipkeeperError):
    """The user's mistake: command line or configuration. May carry several lines, one a mistake."""


class HostError(VipkeeperError):
    """This host lacks something (permission, kernel feature, tool) or refused a request."""


class RefusedError(VipkeeperError):
    """A live daemon refused what was asked of it, with the reason."""

    exit_code = ExitCode.FINDINGS


class NothingError(VipkeeperError):
    """There is nothing to look at."""

    exit_code = ExitCode.NOTHING
