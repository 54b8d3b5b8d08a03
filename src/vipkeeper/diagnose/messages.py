"""The table of log messages, and what finds them in bytes that stream by.

Logs are large and messages rare, so the search is made for lines that hold none. Most texts have a
letter that is not frequent in logs: the search jumps from one such letter to the next, as fast as
memory is read, and looks whether one of the texts goes on from there. The few other texts are
sought one by one. Only lines where one of both is found are compared with whole texts. No
expression here repeats anything, so the time is linear in the length of the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from vipkeeper.diagnose.log_messages import datastore, holder, joining, running
from vipkeeper.diagnose.message import SHORTEST, Message, stands_in

MESSAGES: tuple[Message, ...] = (
    *datastore.MESSAGES,
    *joining.MESSAGES,
    *holder.MESSAGES,
    *running.MESSAGES,
)
BY_NAME = {message.name: message for message in MESSAGES}

LONGEST_LINE = 64 * 1024
"""Bytes of a line that are looked at; the rest of a longer one is passed over."""
LONGEST_RAW = 512
"""Bytes of a line that are kept."""

_LETTERS = b"Afuwx"
"""Jumped to. Chosen by measurement (bench/): few, not frequent, and nearly every text has one."""

_SHORT = 8
"""Bytes: a shorter tail stands in lines of every log, so what is before the letter counts too."""

_Form = tuple[Message, tuple[bytes, ...]]
_Candidate = tuple[int, list[_Form]]
"""Where it is, and the texts it may be part of."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a message stands in a log, with its first and its last line, cut."""

    message: Message
    count: int
    first: bytes
    last: bytes


@dataclass(slots=True)
class _Tally:
    first: bytes
    last: bytes
    count: int = 1


@dataclass(frozen=True, slots=True)
class _Place:
    """A letter to jump to in a text: the rest of its piece, and the piece as far as it is needed."""

    letter: int
    tail: bytes
    before: bytes

    def expression(self) -> bytes:
        """What must stand behind the letter. The tail comes first: a wrong byte ends it at once."""
        needed = b"(?<=" + re.escape(self.before + self.tail) + b")" if self.before else b""
        return re.escape(self.tail) + needed


class _Filter:
    """Finds what may be part of a message, and says of which."""

    def __init__(self, messages: Iterable[Message]) -> None:
        places: dict[int, dict[_Place, list[_Form]]] = {letter: {} for letter in _LETTERS}
        self._singles: dict[bytes, list[_Form]] = {}
        for message in messages:
            for pieces in message.forms:
                place = _place(pieces)
                if place is None:
                    word = max(pieces, key=len)
                    self._singles.setdefault(word, []).append((message, pieces))
                else:
                    places[place.letter].setdefault(place, []).append((message, pieces))
        self._jumps = [(_jump(letter, of), _by_tail(of)) for letter, of in places.items()]

    def candidates(self, data: bytes, end: int) -> list[_Candidate]:
        """Where in the data something stands that may be part of a message, in order."""
        found: list[_Candidate] = []
        for jump, of in self._jumps:
            found += [(hit.start(), of[hit[1]]) for hit in jump.finditer(data, 0, end)]
        for word, forms in self._singles.items():
            at = data.find(word, 0, end)
            while at >= 0:
                found.append((at, forms))
                at = data.find(word, at + len(word), end)
        found.sort(key=itemgetter(0))
        return found


def _place(pieces: tuple[bytes, ...]) -> _Place | None:
    """The best place to jump to in this text, if there is one: with the longest tail."""
    places = [
        (len(piece) - at, piece, at)
        for piece in pieces
        for at in range(len(piece) - 1)
        if len(piece) >= SHORTEST and piece[at] in _LETTERS
    ]
    if not places:
        return None
    _, piece, at = max(places)
    tail = piece[at + 1 :]
    return _Place(piece[at], tail, b"" if len(tail) >= _SHORT else piece[: at + 1])


def _jump(letter: int, places: Iterable[_Place]) -> re.Pattern[bytes]:
    """The letter with a place behind it; the tail is not consumed, so all are found."""
    longer_first = sorted(places, key=lambda p: (-len(p.tail), p.tail, p.before))
    either = b"|".join(place.expression() for place in longer_first)
    return re.compile(re.escape(bytes([letter])) + b"(?=(" + either + b"))")


def _by_tail(places: dict[_Place, list[_Form]]) -> dict[bytes, list[_Form]]:
    """For each tail the texts it may stand for: also those with a tail that it begins with."""
    return {
        tail: [form for own, of in places.items() if tail.startswith(own.tail) for form in of]
        for tail in {place.tail for place in places}
    }


_FILTER = _Filter(MESSAGES)


class Scanner:
    """Finds messages in a log that is fed to it in blocks of any size."""

    def __init__(self) -> None:
        self._begun = b""
        self._cut = False
        self._tallies: dict[Message, _Tally] = {}

    def feed(self, block: bytes) -> None:
        """The next bytes of the log."""
        if self._cut:
            end = block.find(b"\n") + 1
            if not end:
                return
            block = block[end:]
            self._cut = False
        data = self._begun + block
        whole = data.rfind(b"\n") + 1
        self._look(data, whole)
        self._begun = data[whole:]
        if len(self._begun) > LONGEST_LINE:
            self._begun = self._begun[:LONGEST_LINE]
            self._end()
            self._cut = True

    def seen(self) -> tuple[Seen, ...]:
        """What stood in all that was fed; the log has ended. In the order of the table."""
        self._end()
        found = self._tallies
        return tuple(
            Seen(m, t.count, t.first[:LONGEST_RAW], t.last[:LONGEST_RAW])
            for m in MESSAGES
            if (t := found.get(m)) is not None
        )

    def _end(self) -> None:
        """The line that was begun is over."""
        self._look(self._begun, len(self._begun))
        self._begun = b""

    def _look(self, data: bytes, end: int) -> None:
        over = 0
        line = b""
        counted: list[Message] = []
        tried: set[int] = set()
        for found, forms in _FILTER.candidates(data, end):
            if found >= over:
                start = data.rfind(b"\n", 0, found) + 1
                over = data.find(b"\n", found, end) + 1 or end
                line = data[start : min(over, start + LONGEST_LINE)].rstrip(b"\r\n")
                counted, tried = [], set()
            if id(forms) in tried:
                continue
            tried.add(id(forms))
            for message, pieces in forms:
                if message not in counted and stands_in(pieces, line):
                    counted.append(message)
                    self._count(message, line)

    def _count(self, message: Message, line: bytes) -> None:
        tally = self._tallies.get(message)
        if tally is None:
            self._tallies[message] = _Tally(line, line)
        else:
            tally.count += 1
            tally.last = line
