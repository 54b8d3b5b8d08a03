"""Asks the VIP from any machine who answers: `python -m vipkeeper.lab.ask --vip 10.77.0.100 --times 10`.

A second client for acts in which the network has two sides. Prints the names that answered, one a line.
"""

from __future__ import annotations

import argparse
import contextlib
import socket

from vipkeeper.lab.client import UDP_PORT

_PATIENCE = 0.1


def main() -> None:
    """Entry of `python -m vipkeeper.lab.ask`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.ask", description=__doc__)
    parser.add_argument("--vip", required=True)
    parser.add_argument("--times", type=int, default=10)
    options = parser.parse_args()
    found: dict[str, None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_PATIENCE)
        client.connect((options.vip, UDP_PORT))
        for _ in range(options.times):
            with contextlib.suppress(OSError):
                client.send(b"who")
                found[client.recv(64).split(b" ")[0].decode("ascii", "replace")] = None
    print(*found, sep="\n")  # noqa: T201 - what the lab reads


if __name__ == "__main__":
    main()
