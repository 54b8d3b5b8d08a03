"""What a userspace wire does to each frame: a seeded schedule. No I/O, no clock.

The frames carry the header that AF_PACKET adds and takes with PACKET_VNET_HDR (virtio_net_hdr, packet(7)):
veth leaves checksums to the receiver, and only with that header they survive the way through a process.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from vipkeeper.core.types import MILLISECOND
from vipkeeper.wire.checksum import checksum

VNET_HEADER = 10
"""Bytes before the frame."""
_NEEDS_CHECKSUM = 1
_FLAGS_TO_CHECKSUM = struct.Struct("=BBHHHH")
_ETHERNET = 14
LONGEST_JITTER = 2_000 * MILLISECOND
_TAIL = 1.2
"""Shape of the Pareto distribution of a heavy tail: its mean is finite, its variance is not."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a wire treats frames, each by itself and each direction alike. Times in milliseconds."""

    delay: float = 0.0
    delay_to: float = 0.0
    """Where it is more than `delay`: the delay rises to it in `ramp` seconds."""
    ramp: float = 0.0
    window: float = 0.0
    """Each frame is late by up to so much more, so that frames overtake each other."""
    tail: float = 0.0
    """The least of a heavy-tailed delay: one frame in ten has it, few have very much more."""
    copies: int = 1
    corrupt: int = 0
    """How many frames of a hundred arrive broken: a bit turned, cut short, or with bytes behind."""
    burst: float = 0.0
    """For so long nothing passes, each `burst_every` seconds."""
    burst_every: float = 0.0


def words(course: Course) -> list[str]:
    """Command-line options for `vipkeeper.lab.wire`."""
    plain = Course()
    return [
        word
        for name in Course.__slots__
        if getattr(course, name) != getattr(plain, name)
        for word in (f"--{name.replace('_', '-')}", str(getattr(course, name)))
    ]


def passage(course: Course, rng: random.Random, age: int, frame: bytes) -> list[tuple[int, bytes]]:
    """What comes of one frame: (nanoseconds from now, bytes to send) for each copy that arrives.

    `age`: nanoseconds since the wire began to do this.
    """
    if course.burst and age % int(course.burst_every * 1e9) < course.burst * MILLISECOND:
        return []
    delay = course.delay
    if course.delay_to > course.delay and course.ramp:
        delay += (course.delay_to - course.delay) * min(1.0, age / (course.ramp * 1e9))
    arrivals = []
    for _ in range(course.copies):
        late = delay + (rng.uniform(0.0, course.window) if course.window else 0.0)
        if course.tail and rng.random() < 0.1:
            late += course.tail * rng.paretovariate(_TAIL)
        broken = bool(course.corrupt) and rng.randrange(100) < course.corrupt
        due = min(int(late * MILLISECOND), LONGEST_JITTER)
        arrivals.append((due, damaged(rng, frame) if broken else frame))
    return arrivals


def damaged(rng: random.Random, frame: bytes) -> bytes:
    """The frame with a bit turned behind its Ethernet header, cut short, or with random bytes behind."""
    whole = bytearray(with_checksum(frame))
    first = VNET_HEADER + _ETHERNET
    if len(whole) <= first + 1:
        return bytes(whole)
    match rng.randrange(3):
        case 0:
            at = rng.randrange(first, len(whole))
            whole[at] ^= 1 << rng.randrange(8)
        case 1:
            del whole[rng.randrange(first + 1, len(whole)) :]
        case _:
            whole += rng.randbytes(rng.randrange(1, 64))
    # No offload is asked for: to the receiver this is a frame as it came.
    return bytes(VNET_HEADER) + bytes(whole[VNET_HEADER:])


def with_checksum(frame: bytes) -> bytes:
    """The frame with the checksum that its sender left to the hardware (virtio_net.h)."""
    if len(frame) < VNET_HEADER or not frame[0] & _NEEDS_CHECKSUM:
        return frame
    *_, start, offset = _FLAGS_TO_CHECKSUM.unpack_from(frame)
    body = bytearray(frame[VNET_HEADER:])
    if start + offset + 2 > len(body):
        return frame
    # 0 would say that there is none (RFC 768).
    struct.pack_into("!H", body, start + offset, checksum(bytes(body[start:])) or 0xFFFF)
    return bytes(VNET_HEADER) + bytes(body)
