"""What one message of a log is: its name, its words, and what they mean."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SHORTEST = 8
"""Bytes of the longest piece of a text, at least: shorter ones are in every log."""


class Where(enum.Enum):
    """Whose log a message is written to."""

    SUPERVISOR = "the journal of rke2-server, rke2-agent or k3s"
    ETCD = "the log of etcd"
    API_SERVER = "the log of kube-apiserver"
    KUBE_VIP = "the log of kube-vip"
    KEEPALIVED = "the log of keepalived"
    KERNEL = "the log of the kernel"
    CLIENT = "what kubectl or another client prints"
    OTHER = "the log of another part: the CNI, a load balancer"


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One line of the table; there is one object for each, so that it can be counted fast.

    Raises:
        ValueError: a name that is none, or a text without a piece that is long enough to look for.
    """

    name: str
    """Dashed words: the aspect of a fact about it."""
    texts: tuple[str, ...]
    """The words, each with '…' where anything may stand; one for each form releases have used."""
    meaning: str
    where: tuple[Where, ...]
    references: tuple[str, ...] = ()
    """Issues, or the source file that prints it."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a message")
        for pieces in self.forms:
            if max(map(len, pieces), default=0) < SHORTEST:
                raise ValueError(f"{self.name}: nothing in {pieces!r} is long enough to look for")

    @property
    def forms(self) -> tuple[tuple[bytes, ...], ...]:
        """The pieces of each text, which stand in a line in this order."""
        return tuple(tuple(p.encode() for p in text.split("…") if p) for text in self.texts)


def stands_in(pieces: tuple[bytes, ...], line: bytes) -> bool:
    """Whether the pieces are in the line, one after the other. Linear in the length of the line."""
    at = 0
    for piece in pieces:
        at = line.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
