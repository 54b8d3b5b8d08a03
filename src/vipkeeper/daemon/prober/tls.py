"""TLS contexts, made before they are needed and made again when their files change."""

from __future__ import annotations

import os
import ssl

from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober.config import Tls
from vipkeeper.daemon.prober.verdict import CheckFailed


class Contexts:
    """The client context of one server's checks."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._files = [
            file for file in (tls.ca_file, tls.certificate_file, tls.key_file) if file is not None
        ]
        self._made_of: list[tuple[int, int]] | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def current(self) -> ssl.SSLContext:
        """The context; read anew when certificates were rotated since the last call.

        Raises:
            CheckFailed: a file cannot be read or is no certificate or key: nothing is known.
        """
        try:
            made_of = [(status.st_ino, status.st_mtime_ns) for status in map(os.stat, self._files)]
            if made_of != self._made_of:
                self._context = _context(self._tls)
                self._made_of = made_of
        except OSError as error:
            name = error.filename or " and ".join(self._files)
            reason = "not PEM, or key and certificate do not match"
            if not isinstance(error, ssl.SSLError):
                reason = os.strerror(error.errno or 0).lower()
            raise CheckFailed(Outcome.UNKNOWN, f"cannot use {name}: {reason}") from None
        return self._context


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if tls.ca_file is not None:
        context.load_verify_locations(tls.ca_file)
    else:
        # On loopback nobody but root can stand in the way, and the question is whether the server
        # answers: without a CA to ask for, any certificate will do. No secret is sent either way.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate_file is not None:
        # An encrypted key must fail here and not wait for a pass phrase on a terminal.
        context.load_cert_chain(tls.certificate_file, tls.key_file, password=lambda: "")
    return context
