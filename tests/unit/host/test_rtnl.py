"""The bytes of one command, read back by pyroute2; and what its socket makes of the kernel's answers."""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import ip_address
from typing import Any

import pytest
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from vipkeeper.host.rtnl import Command, CommandSocket, encode


def decoded(data: bytes) -> Any:
    message = ifaddrmsg(data)
    message.decode()
    return message


@pytest.mark.parametrize(
    ("text", "family", "flags"),
    [("10.9.0.100", socket.AF_INET, 0x200), ("fd09::100", socket.AF_INET6, 0x202)],
)
def test_an_addition_as_another_library_reads_it(text: str, family: int, flags: int) -> None:
    data = encode(Command.ADD, ip_address(text), 17, 3, 99)
    message = decoded(data)
    assert message["header"]["length"] == len(data)
    assert (message["header"]["type"], message["header"]["flags"]) == (20, 0x605)
    assert message["header"]["sequence_number"] == 99
    assert (message["family"], message["index"]) == (family, 17)
    assert message["prefixlen"] == (32 if family == socket.AF_INET else 128)
    assert message.get("IFA_LOCAL") == message.get("IFA_ADDRESS") == text
    assert message.get("IFA_FLAGS") == flags
    cache = message.get("IFA_CACHEINFO")
    assert (cache["ifa_preferred"], cache["ifa_valid"]) == (0, 3)


def test_replacing_and_deleting() -> None:
    vip = ip_address("10.9.0.100")
    assert decoded(encode(Command.REPLACE, vip, 1, 3))["header"]["flags"] == 0x505
    message = decoded(encode(Command.DELETE, vip, 1, 0))
    assert (message["header"]["type"], message["header"]["flags"]) == (21, 0x005)
    assert message.get("IFA_CACHEINFO") is None


class Kernel:
    """Answers with what the test says; `%` in place of the sequence number."""

    def __init__(self, *answers: tuple[int, int | None, int]) -> None:
        self.answers = list(answers)
        self.sequence = 0

    def send(self, data: bytes) -> None:
        (self.sequence,) = struct.unpack_from("=I", data, 8)

    def recv(self, _size: int) -> bytes:
        if not self.answers:
            raise BlockingIOError(errno.EAGAIN, "nothing")
        kind, sequence, error = self.answers.pop(0)
        number = self.sequence if sequence is None else sequence
        return struct.pack("=IHHIIi", 20, kind, 0, number, 0, error)

    def close(self) -> None:
        return


def carry_out(kernel: Kernel) -> None:
    commands = CommandSocket()
    commands.close()
    commands._socket = kernel  # type: ignore[assignment]
    commands.carry_out(Command.ADD, ip_address("10.9.0.100"), 1, 3)


def test_an_acknowledgement_is_success() -> None:
    carry_out(Kernel((2, None, 0)))


def test_an_error_is_raised_with_its_number() -> None:
    with pytest.raises(PermissionError) as caught:
        carry_out(Kernel((2, None, -errno.EPERM)))
    assert caught.value.errno == errno.EPERM


def test_the_answer_to_an_earlier_command_is_not_taken_for_this_one() -> None:
    with pytest.raises(FileExistsError):
        carry_out(Kernel((2, 12345, 0), (3, None, 0), (2, None, -errno.EEXIST)))


def test_no_acknowledgement_is_a_failure_and_never_waited_for() -> None:
    with pytest.raises(BlockingIOError):
        carry_out(Kernel((2, 12345, 0)))
    with pytest.raises(OSError, match="did not acknowledge"):
        carry_out(Kernel(*[(2, 12345, 0)] * 100))
