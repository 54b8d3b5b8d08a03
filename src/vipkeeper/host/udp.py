"""The advert socket."""

from __future__ import annotations

import functools
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address

from vipkeeper.core.types import Instant
from vipkeeper.errors import HostError
from vipkeeper.host import clock
from vipkeeper.wire.advert import MAX_LENGTH
from vipkeeper.wire.types import IPAddress

SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_READS_PER_WAKE = 256
_CLASS_CONTROL = 0xC0


class AdvertSocket:
    """Bound to the server's own address, so that every advert leaves from it and none to a VIP arrives."""

    def __init__(self, own: IPAddress, port: int) -> None:
        """Open and bind.

        Raises:
            HostError: the port is in use, or the address is not on this host.
        """
        v4 = isinstance(own, IPv4Address)
        self._port = port
        self.send_errors = 0
        self._socket = socket.socket(
            socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        )
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 6)
        if v4:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _CLASS_CONTROL)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _CLASS_CONTROL)
        try:
            self._socket.bind((str(own), port))
        except OSError as error:
            self._socket.close()
            raise HostError(
                f"cannot listen for adverts on UDP {own} port {port}: {error.strerror}; "
                f"see who has it with 'ss -lunp sport = :{port}', or set another `port` on all servers"
            ) from error

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def drain(self) -> list[tuple[IPAddress, bytes, Instant]]:
        """Every datagram that waits (bounded): source, bytes, when the kernel received it."""
        found: list[tuple[IPAddress, bytes, Instant]] = []
        for _ in range(_READS_PER_WAKE):
            try:
                data, ancillary, _, source = self._socket.recvmsg(MAX_LENGTH + 1, 64)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of an earlier send; the next read goes on
            found.append((_address(source[0]), data, _received(ancillary)))
        return found

    def send(self, data: bytes, to: Sequence[IPAddress]) -> None:
        """Send to each address; a failure is counted and nothing else."""
        for address in to:
            try:
                self._socket.sendto(data, (str(address), self._port))
            except OSError:
                self.send_errors += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@functools.lru_cache(maxsize=256)
def _address(text: str) -> IPAddress:
    """The same few senders, ten times a second each."""
    return ip_address(text.partition("%")[0])


def _received(ancillary: list[tuple[int, int, bytes]]) -> Instant:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return clock.from_realtime(seconds * 1_000_000_000 + nanoseconds)
    return clock.now()
