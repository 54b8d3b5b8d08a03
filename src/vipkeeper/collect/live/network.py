"""Who answers: ports of the VIP and of every server, their TLS and their /readyz."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.target import API_PORT, PEER_PORT, REGISTRATION_PORT, Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Hello, Key, Port, Ready
from vipkeeper.wire.types import IPAddress

CONNECT_LIMIT = 3.0
HELLO_LIMIT = 3.0
"""Seconds; a healthy API server needs milliseconds, one without etcd answers 500 after 2.3 s."""
AUTHORITIES = (
    "/var/lib/rancher/rke2/server/tls/server-ca.crt",
    "/var/lib/rancher/rke2/agent/server-ca.crt",
    "/var/lib/rancher/k3s/server/tls/server-ca.crt",
    "/var/lib/rancher/k3s/agent/server-ca.crt",
    "/etc/kubernetes/pki/ca.crt",
)
_BODY = 4096
_NO_ROUTE = (errno.EHOSTUNREACH, errno.EHOSTDOWN)
NO_WAY = "this host has no route there"
_ROUTES = "this host's routes"
_IPV4 = 4
NO_NETWORK = (errno.ENETUNREACH, errno.ENETDOWN)
"""This host has no way there at all: nothing is learnt about the other end."""
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "PACKET_LENGTH_TOO_LONG")


def connect(address: IPAddress, port: int, limit: float = CONNECT_LIMIT) -> tuple[Port, str]:
    """What a TCP connection meets, and the kernel's words.

    Raises:
        OSError: this host has no route there.
    """
    try:
        socket.create_connection((str(address), port), limit).close()
    except TimeoutError:
        return Port.SILENT, f"no answer within {limit:g} s"
    except ConnectionRefusedError as error:
        return Port.REFUSED, error.strerror or ""
    except OSError as error:
        if error.errno in NO_NETWORK:
            raise
        word = Port.UNREACHABLE if error.errno in _NO_ROUTE else Port.SILENT
        return word, error.strerror or str(error)
    return Port.OPEN, ""


def hello(address: IPAddress, port: int, authority: Path | None) -> tuple[Hello | None, str]:
    """What TLS meets; None when not even TCP connects."""
    # Without an authority nothing is verified, and the system's 140 need not be read.
    context = (
        ssl._create_unverified_context()
        if authority is None
        else ssl.create_default_context(cafile=str(authority))
    )
    try:
        with socket.create_connection((str(address), port), HELLO_LIMIT) as raw:
            try:
                with context.wrap_socket(raw, server_hostname=str(address)):
                    return (Hello.UNVERIFIED if authority is None else Hello.VALID), ""
            except ssl.SSLCertVerificationError as error:
                return _rejected(error), error.verify_message
            except ssl.SSLError as error:
                return (Hello.NOT_TLS if error.reason in _NOT_TLS else Hello.NO_ANSWER), str(error)
            except OSError as error:
                return Hello.NO_ANSWER, error.strerror or f"no ServerHello within {HELLO_LIMIT:g} s"
    except OSError:
        return None, ""


def _rejected(error: ssl.SSLCertVerificationError) -> Hello:
    """OpenSSL's X509_V_ERR_* codes (openssl-verification-options(1))."""
    by_code = {
        9: Hello.NOT_YET_VALID,
        10: Hello.EXPIRED,
        62: Hello.NAME_MISSING,
        64: Hello.NAME_MISSING,
    }
    return by_code.get(error.verify_code, Hello.OTHER_AUTHORITY)


def readyz(address: IPAddress, port: int = API_PORT) -> tuple[Ready, str]:
    """What GET /readyz?verbose says, without a credential. The certificate is judged elsewhere.

    Raises:
        OSError: this host has no route there.
    """
    word, raw, _ = readyz_and_clock(address, port)
    return word, raw


def readyz_and_clock(
    address: IPAddress, port: int = API_PORT
) -> tuple[Ready, str, tuple[int, str] | None]:
    """As `readyz`, and how many milliseconds the clock behind it is ahead of ours, with its `Date`; None: not said.

    Raises:
        OSError: this host has no route there.
    """
    context = ssl._create_unverified_context()
    client = http.client.HTTPSConnection(str(address), port, timeout=HELLO_LIMIT, context=context)
    try:
        client.request("GET", "/readyz?verbose", headers={"Accept": "*/*"})
        answer = client.getresponse()
        body = answer.read(_BODY).decode("utf-8", "replace")
    except ConnectionRefusedError as error:
        return Ready.REFUSED, error.strerror or "", None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.errno in NO_NETWORK:
            raise
        return Ready.NO_ANSWER, str(error), None
    finally:
        client.close()
    date = answer.headers.get("Date", "")
    ahead = ahead_of(date, time.time())
    raw = f"{answer.status} {_failed(body) or body[:80]}"
    return judge_readyz(answer.status, body), raw, None if ahead is None else (ahead, date)


def ahead_of(date: str, ours: float) -> int | None:
    """Milliseconds by which a `Date` (RFC 9110 section 6.6.1) is ahead of our clock, to half a second. Total."""
    if not date.endswith("GMT"):
        return None
    try:
        theirs = parsedate_to_datetime(date).timestamp() + 0.5
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return round((theirs - ours) * 1000)


def judge_readyz(status: int, body: str) -> Ready:
    """The word for an answer to /readyz?verbose. Total."""
    if status == http.client.OK:
        return Ready.OK
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return Ready.UNAUTHORIZED
    if status < http.client.INTERNAL_SERVER_ERROR:
        return Ready.OTHER
    failed = [line for line in body.splitlines() if line.startswith("[-]")]
    if failed and all(line.startswith(("[-]etcd", "[-]etcd-readiness")) for line in failed):
        return Ready.ETCD_FAILED
    return Ready.NOT_READY if "apiserver not ready" in body else Ready.CHECKS_FAILED


def _failed(body: str) -> str:
    return "; ".join(line for line in body.splitlines() if line.startswith("[-]"))


def authority(target: Target) -> Path | None:
    """The cluster's CA on this host, where there is one that may be read."""
    for name in AUTHORITIES:
        path = target.path(name)
        try:
            path.read_bytes()
        except OSError:
            continue
        return path
    return None


def look_at_vip(target: Target) -> Iterator[Fact]:
    """Ports, TLS and /readyz of the VIP, all at once."""
    ca = authority(target)
    yield from at_once(
        [
            *(_port_of_vip(target, port) for port in (API_PORT, REGISTRATION_PORT)),
            lambda: _hello_of_vip(target, ca),
            lambda: _readyz_of_vip(target),
            lambda: _route_to_vip(target),
        ]
    )


def at_once(looks: Sequence[Callable[[], Iterable[Fact]]]) -> Iterator[Fact]:
    """The facts of several looks, in their order, in the time of the slowest one."""
    with ThreadPoolExecutor(max(1, len(looks))) as pool:
        for found in pool.map(lambda look: tuple(look()), looks):
            yield from found


def _port_of_vip(target: Target, port: int) -> Callable[[], Iterable[Fact]]:
    def look() -> Iterable[Fact]:
        source = f"connect to {target.vip}:{port}"
        try:
            word, raw = connect(target.vip, port)
        except OSError:
            yield target.blind(Key.VIP_PORT, NO_WAY, source, aspect=str(port))
            return
        yield target.of_path(Key.VIP_PORT, word, source, raw=raw, aspect=str(port))

    return look


def _hello_of_vip(target: Target, ca: Path | None) -> Iterable[Fact]:
    word, raw = hello(target.vip, API_PORT, ca)
    if word is not None:
        source = f"TLS to {target.vip}:{API_PORT}"
        yield target.of_path(Key.VIP_HELLO, word, source, raw=raw, aspect=str(API_PORT))


def _readyz_of_vip(target: Target) -> Iterable[Fact]:
    source = f"https://{target.vip}:{API_PORT}/readyz"
    try:
        word, raw = readyz(target.vip)
    except OSError:
        yield target.blind(Key.VIP_READYZ, NO_WAY, source)
        return
    yield target.of_path(Key.VIP_READYZ, word, source, raw=raw)


def _route_to_vip(target: Target) -> Iterable[Fact]:
    """What the kernel would do with a packet for the VIP; none is sent."""
    family = socket.AF_INET if target.vip.version == _IPV4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((str(target.vip), API_PORT))
        except OSError as error:
            raw = error.strerror or ""
            if error.errno in (*NO_NETWORK, *_NO_ROUTE):
                yield target.of_path(Key.VIP_ROUTE, False, _ROUTES, raw=raw)
            return
    yield target.of_path(Key.VIP_ROUTE, True, _ROUTES)


def look_at_servers(target: Target) -> Iterator[Fact]:
    """Every other server's ports, /readyz, and whether its host is there at all."""
    looks = []
    for server in target.others:
        for port in (API_PORT, REGISTRATION_PORT, PEER_PORT):
            looks.append(_port_of_server(target, server.name, server.address, port))
        looks.append(_readyz_of_server(target, server.name, server.address))
        looks.append(_hello_of_server(target, server.name, server.address))
    found = list(at_once(looks)) if looks else []
    yield from found
    for server in target.others:
        ports = [
            f for f in found if f.key is Key.SERVER_PORT and f.about == server.name and f.known
        ]
        if not ports:
            yield target.blind(Key.SERVER_UP, NO_WAY, "its ports", about=server.name)
            continue
        speaks = any(f.value in (Port.OPEN, Port.REFUSED) for f in ports)
        if not speaks and resolved(target, server.address):
            # An entry outlives its host by half a minute, and longer where nobody sends.
            why = "its ports are silent, and the neighbour table may be old"
            yield target.blind(Key.SERVER_UP, why, "its ports", about=server.name)
            continue
        yield target.of_path(Key.SERVER_UP, speaks, "its ports", about=server.name)


def _port_of_server(
    target: Target, name: str, address: IPAddress, port: int
) -> Callable[[], Iterable[Fact]]:
    def look() -> Iterable[Fact]:
        source = f"connect to {address}:{port}"
        try:
            word, raw = connect(address, port)
        except OSError:
            yield target.blind(Key.SERVER_PORT, NO_WAY, source, about=name, aspect=str(port))
            return
        yield target.of_path(Key.SERVER_PORT, word, source, about=name, raw=raw, aspect=str(port))

    return look


def _readyz_of_server(
    target: Target, name: str, address: IPAddress
) -> Callable[[], Iterable[Fact]]:
    def look() -> Iterable[Fact]:
        source = f"https://{address}:{API_PORT}/readyz"
        try:
            word, raw, clock = readyz_and_clock(address)
        except OSError:
            yield target.blind(Key.SERVER_READYZ, NO_WAY, source, about=name)
            return
        yield target.of_path(Key.SERVER_READYZ, word, source, about=name, raw=raw)
        if clock is not None:
            ahead, date = clock
            source = f"Date of {source}"
            yield target.of_path(Key.CLOCK_OFFSET, ahead, source, about=name, raw=date)

    return look


def _hello_of_server(target: Target, name: str, address: IPAddress) -> Callable[[], Iterable[Fact]]:
    def look() -> Iterable[Fact]:
        word, raw = hello(address, API_PORT, authority(target))
        if word is not None:
            source, port = f"TLS to {address}:{API_PORT}", str(API_PORT)
            yield target.of_path(Key.SERVER_HELLO, word, source, about=name, raw=raw, aspect=port)

    return look


def neighbours(target: Target) -> dict[str, str]:
    """The MACs of the IPv4 neighbour table by address; incomplete entries are left out (proc(5))."""
    try:
        rows = target.path("/proc/net/arp").read_text().splitlines()[1:]
    except OSError:
        return {}
    cells = [row.split() for row in rows]
    return {c[0]: c[3].lower() for c in cells if len(c) >= 4 and int(c[2], 16) & 2}


def resolved(target: Target, address: IPAddress) -> bool:
    """Whether the address has a link-layer address in this host's table."""
    return str(address) in neighbours(target)


COLLECTORS = (
    Collector(
        "ports, TLS and /readyz of the VIP",
        frozenset({Key.VIP_PORT, Key.VIP_HELLO, Key.VIP_READYZ, Key.VIP_ROUTE}),
        look_at_vip,
        limit=2 * HELLO_LIMIT,
    ),
    Collector(
        "ports and /readyz of the servers",
        frozenset(
            {
                Key.SERVER_PORT,
                Key.SERVER_READYZ,
                Key.SERVER_HELLO,
                Key.SERVER_UP,
                Key.CLOCK_OFFSET,
            }
        ),
        look_at_servers,
        limit=2 * HELLO_LIMIT,
    ),
)
