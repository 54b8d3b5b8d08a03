"""Where the bench begins. From `entry` on Ctrl-C, SIGTERM and SIGHUP end it in a line, as they do later.

A KeyboardInterrupt would not do while modules are imported: the machinery of imports prints it, or turns
it into another error, where it comes at the wrong instant. Nothing is there yet to be cleared away.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` adds enumerations, which take milliseconds
import os
import sys

INTERRUPTED = 130
SAID = "interrupted; the same command goes on from here"
"""To whom it was that interrupted a measurement."""
_UNTOUCHED = {
    _signal.SIGINT: _signal.default_int_handler,
    _signal.SIGTERM: _signal.SIG_DFL,
    _signal.SIGHUP: _signal.SIG_DFL,
}


def _leave(_number: int, _frame: object) -> None:
    try:
        os.write(2, f"bench: {SAID}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def entry() -> None:
    """Start of the program."""
    for number, before in _UNTOUCHED.items():
        # It may be ignored, as by nohup.
        if _signal.getsignal(number) == before:
            _signal.signal(number, _leave)
    from bench.command import main

    raise SystemExit(main(sys.argv[1:]))
