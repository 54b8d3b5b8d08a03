"""A wire in userspace: `python -m vipkeeper.lab.wire --between cp1 cp1-in --seed 7 --delay 5`.

Moves frames between two interfaces of its namespace, in both directions, and does to each what the
schedule says (`course`). For kernels without netem, and for faults that netem cannot repeat from a seed.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import itertools
import random
import re
import select
import signal
import socket
import sys
from dataclasses import dataclass, field

from vipkeeper.lab.course import Course, passage
from vipkeeper.lab.kernel import now
from vipkeeper.lab.probe import end_quietly, prefer

READY = "ready"
_SOL_PACKET, _PACKET_VNET_HDR, _PACKET_ADD_MEMBERSHIP, _PACKET_IGNORE_OUTGOING = 263, 15, 1, 23
_PROMISCUOUS = 1
_ETH_P_ALL = 3
_LONGEST = 1 << 17
_QUEUE = 1 << 22
_OUTGOING = 4


@dataclass(slots=True)
class _Waiting:
    """Frames on their way, by the time they are due."""

    heap: list[tuple[int, int, socket.socket, bytes]] = field(default_factory=list)
    count: itertools.count[int] = field(default_factory=itertools.count)

    def put(self, due: int, end: socket.socket, frame: bytes) -> None:
        heapq.heappush(self.heap, (due, next(self.count), end, frame))

    def send_due(self) -> None:
        while self.heap and self.heap[0][0] <= now():
            _, _, end, frame = heapq.heappop(self.heap)
            # The interface may be down, and a broken frame is sometimes more than it takes.
            with contextlib.suppress(OSError):
                end.send(frame)

    @property
    def wait_seconds(self) -> float:
        """Until the next one is due; negative: none is on its way."""
        return max(0.0, (self.heap[0][0] - now()) / 1e9) if self.heap else -1.0


@dataclass(slots=True)
class Counts:
    """Frames that came, and those that did not go on at once and as they were."""

    frames: int = 0
    touched: int = 0

    def __str__(self) -> str:
        return f"{self.touched} of {self.frames} frames"

    @classmethod
    def read(cls, words: str) -> Counts:
        """From the last words of a wire; nothing where it did not say."""
        found = re.fullmatch(r"(\d+) of (\d+) frames", words)
        return cls(int(found[2]), int(found[1])) if found else cls()


@dataclass(slots=True)
class Passage:
    """What becomes of frames, counted."""

    course: Course
    rng: random.Random
    counts: Counts

    def of(self, age: int, frame: bytes) -> list[tuple[int, bytes]]:
        """As `passage`."""
        found = passage(self.course, self.rng, age, frame)
        self.counts.frames += 1
        self.counts.touched += found != [(0, frame)]
        return found


def _end(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    end.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
    end.bind((interface, _ETH_P_ALL))
    index = socket.if_nametoindex(interface)
    membership = index.to_bytes(4, sys.byteorder) + _PROMISCUOUS.to_bytes(2, sys.byteorder)
    end.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership + bytes(10))
    end.setblocking(False)
    return end


def main() -> None:
    """Entry of `python -m vipkeeper.lab.wire`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.wire", description=__doc__)
    parser.add_argument("--between", nargs=2, required=True, metavar="INTERFACE")
    parser.add_argument("--seed", default="0")
    for name, kind in _options():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=getattr(_PLAIN, name))
    options = parser.parse_args()
    end_quietly()
    course = Course(**{name: getattr(options, name) for name, _ in _options()})
    one, other = (_end(interface) for interface in options.between)
    across = {one.fileno(): (one, other), other.fileno(): (other, one)}
    poll = select.epoll()
    for descriptor in across:
        poll.register(descriptor, select.EPOLLIN)
    prefer()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    counts = Counts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _move(poll, across, Passage(course, random.Random(options.seed), counts))
    finally:
        sys.stdout.write(f"{counts}\n")
        sys.stdout.flush()


_PLAIN = Course()


def _options() -> list[tuple[str, type[int] | type[float]]]:
    return [(name, type(getattr(_PLAIN, name))) for name in Course.__slots__]


def _move(
    poll: select.epoll, across: dict[int, tuple[socket.socket, socket.socket]], passing: Passage
) -> None:
    began, waiting = now(), _Waiting()
    while True:
        for descriptor, _ in poll.poll(waiting.wait_seconds):
            source, target = across[descriptor]
            for frame in _received(source):
                at = now()
                for late, bytes_of_it in passing.of(at - began, frame):
                    waiting.put(at + late, target, bytes_of_it)
        waiting.send_due()


def _received(source: socket.socket, most: int = 64) -> list[bytes]:
    """What has come in; bounded, so that frames on their way the other way get their turn."""
    frames: list[bytes] = []
    with contextlib.suppress(OSError):
        while len(frames) < most:
            frame, address = source.recvfrom(_LONGEST)
            if address[2] != _OUTGOING:
                frames.append(frame)
    return frames


if __name__ == "__main__":
    main()
