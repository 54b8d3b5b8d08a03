"""Socket filters in classic BPF: which frames wake the daemon (Documentation/networking/filter.rst)."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Mapping, Sequence

SO_ATTACH_FILTER = 26
LD_H, LD_B, LD_W = 0x28, 0x30, 0x20
JEQ, RET, LDX_MSH, LD_H_IND, AND = 0x15, 0x06, 0xB1, 0x48, 0x54
VLAN_TAG = 0xFFFFF000 + 44
"""SKF_AD_OFF + SKF_AD_VLAN_TAG: the tag the kernel took out of the frame, 0 for none."""
Instruction = tuple[int, int, int, int]
"""Code, offset when true, offset when false, operand."""
Step = tuple[int, int | str, int | str, int]
"""An instruction whose jumps may be labels; an empty label is the next instruction."""
NOTHING: tuple[Instruction, ...] = ((RET, 0, 0, 0),)
"""Lets no frame through: the socket sleeps."""


def resolve(program: Sequence[Step], labels: Mapping[str, int]) -> list[Instruction]:
    """The program with offsets in place of labels; a label stands for the step with its number."""

    def offset(target: int | str, at: int) -> int:
        if isinstance(target, int):
            return target
        return labels[target] - at - 1 if target else 0

    return [
        (code, offset(yes, at), offset(no, at), operand)
        for at, (code, yes, no, operand) in enumerate(program)
    ]


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Put the filter on the socket, in place of an earlier one.

    Raises:
        OSError: the kernel refuses it.
    """
    packed = b"".join(struct.pack("=HBBI", *step) for step in program)
    memory = ctypes.create_string_buffer(packed)
    address = struct.pack("@HP", len(program), ctypes.addressof(memory))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, address)
