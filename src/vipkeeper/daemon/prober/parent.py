"""Ending with one's parent process: prctl(2), PR_SET_PDEATHSIG."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel for this signal when the parent ends.

    Raises:
        OSError: the kernel refused.
    """
    # prctl is variadic and reads unsigned longs.
    if _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
