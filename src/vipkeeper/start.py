"""Where the program begins. From its first line on Ctrl-C ends it without a word, as long as no verb is at work.

A KeyboardInterrupt would not do while modules are imported: the machinery of imports prints it, or turns
it into another error, where it comes at the wrong instant. Nothing is there yet to be cleared away.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` adds enumerations, which take milliseconds
import os

_INTERRUPTED = 130
"""`errors.ExitCode` has it, whose enumeration takes as long to import."""


def _leave(_number: int, _frame: object) -> None:
    os._exit(_INTERRUPTED)


def _change(before: object, after: object) -> None:
    """Another handler for Ctrl-C, unless somebody else has set one: it may be ignored."""
    if _signal.getsignal(_signal.SIGINT) is before:
        _signal.signal(_signal.SIGINT, after)


class AtWork:
    """While it lasts Ctrl-C is a KeyboardInterrupt, so that what was begun is cleared away."""

    def __enter__(self) -> None:
        _change(_leave, _signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        _change(_signal.default_int_handler, _leave)


_change(_signal.default_int_handler, _leave)


def entry() -> None:
    """Start of the installed program."""
    from vipkeeper.cli import main

    main.entry(AtWork)
