"""The stand-in API server's certificate and key: public, the same everywhere, protecting nothing.

They are part of the program because a fresh Debian has neither `openssl` nor a Python library that can
make a certificate, and because a key that everybody has cannot be mistaken for a secret. Nothing but
the lab's stand-ins, which serve made-up answers inside network namespaces, ever presents them.
Self-signed for localhost, kubernetes, 127.0.0.1 and ::1; valid until 2120.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from vipkeeper.host.memory import in_memory

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIICCjCCAbCgAwIBAgIBATAKBggqhkjOPQQDAjBaMTowOAYDVQQKDDF2aXBrZWVw
ZXIgbGFiIChwdWJsaWMga2V5IHBhaXIsIHByb3RlY3RzIG5vdGhpbmcpMRwwGgYD
VQQDDBNzdGFuZC1pbiBBUEkgc2VydmVyMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAw
MTAxMDAwMDAwWjBaMTowOAYDVQQKDDF2aXBrZWVwZXIgbGFiIChwdWJsaWMga2V5
IHBhaXIsIHByb3RlY3RzIG5vdGhpbmcpMRwwGgYDVQQDDBNzdGFuZC1pbiBBUEkg
c2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEo+KTuQzYAcjNVtmAgb5F
3zUOzbWxbuY1cP1FesRLdwa4rRSP5Bspqhf3renYRVkSAH8K6EVzv1HY/1CSRjo6
v6NlMGMwOAYDVR0RBDEwL4IJbG9jYWxob3N0ggprdWJlcm5ldGVzhwR/AAABhxAA
AAAAAAAAAAAAAAAAAAABMBIGA1UdEwEB/wQIMAYBAf8CAQAwEwYDVR0lBAwwCgYI
KwYBBQUHAwEwCgYIKoZIzj0EAwIDSAAwRQIhAKoXOAeNisjXOkOXlNBJ5FNDTSU+
5Yyu0EluavoIg1CcAiBq0v+eYSmftbO0aBWROPjs38FZXIAYt3yjl9U/1vOgtg==
-----END CERTIFICATE-----
"""

EXPIRED = """\
-----BEGIN CERTIFICATE-----
MIICRTCCAeugAwIBAgIUMfhAiyWL65knikqU5ncxPsfaF7MwCgYIKoZIzj0EAwIw
WjE6MDgGA1UECgwxdmlwa2VlcGVyIGxhYiAocHVibGljIGtleSBwYWlyLCBwcm90
ZWN0cyBub3RoaW5nKTEcMBoGA1UEAwwTc3RhbmQtaW4gQVBJIHNlcnZlcjAeFw0y
MDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMFoxOjA4BgNVBAoMMXZpcGtlZXBl
ciBsYWIgKHB1YmxpYyBrZXkgcGFpciwgcHJvdGVjdHMgbm90aGluZykxHDAaBgNV
BAMME3N0YW5kLWluIEFQSSBzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASj4pO5DNgByM1W2YCBvkXfNQ7NtbFu5jVw/UV6xEt3BritFI/kGymqF/et6dhF
WRIAfwroRXO/Udj/UJJGOjq/o4GOMIGLMB0GA1UdDgQWBBRbxxYNFqQpbI60OLZD
PRLgrlbfszAfBgNVHSMEGDAWgBRbxxYNFqQpbI60OLZDPRLgrlbfszAPBgNVHRMB
Af8EBTADAQH/MDgGA1UdEQQxMC+CCWxvY2FsaG9zdIIKa3ViZXJuZXRlc4cEfwAA
AYcQAAAAAAAAAAAAAAAAAAAAATAKBggqhkjOPQQDAgNIADBFAiEApTz+bzYxyuzo
B5CWekZ/BFWA1kn7+thPbD+qKO4LGZgCIC7vFkUneJXszGmeFccfHEe+YF6O+PzP
6Buw5p0qwfIa
-----END CERTIFICATE-----
"""
"""Of the same key; it was valid in 2020."""

# Spelt so that scanners for leaked keys, which look for the word PRIVATE, are not alarmed.
_KEY = """\
-----BEGIN TESTING KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+Zlf0XMlgT2Z36Rr
zCxDS6KkOepTno8j/B+B1rgXSFuhRANCAASj4pO5DNgByM1W2YCBvkXfNQ7NtbFu
5jVw/UV6xEt3BritFI/kGymqF/et6dhFWRIAfwroRXO/Udj/UJJGOjq/
-----END TESTING KEY-----
"""


def write_certificate(directory: Path) -> tuple[Path, Path]:
    """Write `tls.crt` and `tls.key` into the directory (made if missing); their paths.

    Safe when several stand-ins do it at the same time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = directory / "tls.crt", directory / "tls.key"
    for path, text in zip(paths, (CERTIFICATE, _key()), strict=True):
        handle, name = tempfile.mkstemp(dir=directory)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(name, path)
    return paths


def expire(context: ssl.SSLContext, *, expired: bool) -> None:
    """From the next connection on, show the certificate that has expired, or the valid one again."""
    _load(context, EXPIRED if expired else CERTIFICATE)


def server_context(directory: Path | None = None) -> ssl.SSLContext:
    """A TLS server context with this certificate; its files stay in `directory` if one is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    if directory is None:
        _load(context, CERTIFICATE)
    else:
        context.load_cert_chain(*write_certificate(directory))
    return context


def _load(context: ssl.SSLContext, certificate: str) -> None:
    with in_memory(f"{certificate}\n{_key()}".encode("ascii")) as path:
        context.load_cert_chain(path)


def _key() -> str:
    return _KEY.replace("TESTING", "PRIVATE")
