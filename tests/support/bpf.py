"""A small interpreter of classic BPF: what the kernel does with a filter of ours and a frame."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vipkeeper.host.bpf import Instruction


def run(program: Sequence[Instruction], frame: bytes, vlan_tag: int = 0) -> int:
    """What the kernel does (Documentation/networking/filter.rst): a load outside the frame drops it."""
    a = x = at = 0
    sizes = {0x20: ">I", 0x28: ">H", 0x30: ">B", 0x48: ">H"}
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x20 and k >= 0xFFFFF000:
            assert k == 0xFFFFF000 + 44
            a = vlan_tag
        elif code in sizes:
            start = k + (x if code == 0x48 else 0)
            try:
                (a,) = struct.unpack_from(sizes[code], frame, start)
            except struct.error:
                return 0
        elif code == 0xB1:
            if k >= len(frame):
                return 0
            x = 4 * (frame[k] & 0xF)
        elif code == 0x54:
            a &= k
        elif code == 0x15:
            at += yes if a == k else no
        elif code == 0x06:
            return k
        else:
            raise AssertionError(f"no such instruction: {code:#x}")
