"""What an error on the network says about the server behind it."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass

from vipkeeper.core.events import Outcome

_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL: every client refuses such a server."""
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a server found."""

    outcome: Outcome
    detail: str


class CheckFailed(Exception):  # noqa: N818 - an outcome, no error of the program
    """A check ended early, with this verdict."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.verdict = Verdict(outcome, detail)


def failure(error: OSError) -> CheckFailed:
    """The meaning of an error from connecting, shaking hands, reading or writing.

    Nobody there is hard, somebody who does not serve is soft, and what lies with us (no file
    descriptors left, the wrong CA configured) is unknown, since it says nothing about the server.
    """
    text = os.strerror(error.errno) if error.errno else str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        outcome = Outcome.SOFT if error.verify_code == _EXPIRED else Outcome.UNKNOWN
        return CheckFailed(outcome, f"certificate not accepted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return CheckFailed(Outcome.SOFT, f"TLS failed: {error.reason or text}")
    if isinstance(error, ConnectionRefusedError):
        return CheckFailed(Outcome.HARD, "connection refused")
    if isinstance(error, ConnectionError):
        # asyncio reports an end of file in the handshake as a reset without a number.
        if error.errno is None:
            return CheckFailed(Outcome.SOFT, "closed without a TLS ServerHello")
        return CheckFailed(Outcome.HARD, "connection reset")
    if error.errno in _UNREACHABLE or isinstance(error, socket.gaierror):
        return CheckFailed(Outcome.SOFT, text.lower())
    return CheckFailed(Outcome.UNKNOWN, text.lower())
