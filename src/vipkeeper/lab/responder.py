"""A UDP responder that names the server: `python -m vipkeeper.lab.responder --name cp1 --port 7007`.

Each datagram is answered with the name, a space and the datagram itself, from the address it was sent
to (the VIP, when the client asked the VIP: IP_PKTINFO, ip(7)). It stands for "this machine answers", so
it asks for real-time scheduling: a busy lab must not look like a machine that does not answer.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import socket
import sys

from vipkeeper.lab.probe import prefer

LONGEST = 1472
"""Bytes of a datagram that are sent back: what fits one Ethernet frame."""
# The socket module has no names for these (linux/in.h, linux/in6.h).
_IP_PKTINFO = 8
_IN_PKTINFO_SIZE = 12
_IN6_PKTINFO_SIZE = 20


def _open(family: socket.AddressFamily, port: int) -> socket.socket:
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        receiver.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    receiver.bind(("", port))
    return receiver


def _source(level: int, kind: int, data: bytes) -> tuple[int, int, bytes]:
    """The control message that sends from the address another one says was asked.

    in_pktinfo is (interface, local address, header destination), in6_pktinfo (address, interface);
    the interface is left out so that routing decides. From the header destination, not the local
    address, since the two differ only for broadcasts, which have no answer.
    """
    if level == socket.IPPROTO_IP:
        return level, kind, bytes(4) + data[8:12] + bytes(4)
    return level, kind, data[:16] + bytes(4)


def answer(receiver: socket.socket, name: bytes) -> None:
    """Answer one waiting datagram.

    An answer that cannot be sent (the VIP has just left this server) is not sent.
    """
    room = socket.CMSG_SPACE(_IN6_PKTINFO_SIZE)
    data, controls, _, client = receiver.recvmsg(LONGEST, room)
    source = [_source(*control) for control in controls if len(control[2]) >= _IN_PKTINFO_SIZE]
    with contextlib.suppress(OSError):
        receiver.sendmsg([name, b" ", data], source, 0, client)


def main() -> None:
    """Entry of `python -m vipkeeper.lab.responder`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.responder", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, default=7007)
    options = parser.parse_args()
    name = options.name.encode()
    ready = selectors.DefaultSelector()
    port = options.port
    for family in (socket.AF_INET, socket.AF_INET6):
        if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
            continue
        receiver = _open(family, port)
        port = receiver.getsockname()[1]
        ready.register(receiver, selectors.EVENT_READ)
    sys.stdout.write(f'{{"port": {port}}}\n')
    sys.stdout.flush()
    prefer()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for key, _ in ready.select():
                assert isinstance(key.fileobj, socket.socket)
                answer(key.fileobj, name)


if __name__ == "__main__":
    main()
