"""Takes values out of a positioned tree and collects every problem instead of stopping at the first."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_interface

from vipkeeper.config.table import (
    AddressOr,
    AnyKey,
    Choice,
    E,
    Flag,
    Key,
    Number,
    Text,
    Time,
    TimeOrWord,
)
from vipkeeper.config.tree import Mapping, Node, Problem, Scalar, Sequence, Span, shown
from vipkeeper.errors import UsageError
from vipkeeper.wire.types import IPAddress

MAX_REPORTED = 40
"""Problems of one file that are printed; the rest is only counted."""
DURATION = re.compile(r"([0-9]{1,9})(ms|s|m)")
_UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000}


class ConfigError(UsageError):
    """Our own configuration is wrong; one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.span))
        lines = [str(problem) for problem in self.problems[:MAX_REPORTED]]
        if len(self.problems) > MAX_REPORTED:
            lines.append(f"and {len(self.problems) - MAX_REPORTED} more problems")
        super().__init__("\n".join(lines))


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' when a known word is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


class Checker:
    """One mapping under examination. Every method returns a value or None after noting a problem."""

    def __init__(self, root: Mapping, problems: list[Problem], prefix: str = "") -> None:
        self._root = root
        self._prefix = prefix
        self.problems = problems

    def span(self, key: str) -> Span:
        """Where the value of a key stands; the mapping itself when it is not there."""
        node = self._root.get(key)
        return node.span if node is not None else self._root.span

    def problem(self, span: Span, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(span, message))

    def only(self, known: Iterable[AnyKey]) -> None:
        """Every other key is a mistake."""
        names = [key.name for key in known]
        for entry in self._root.entries:
            if entry.key.text not in names:
                name = shown(entry.key.text)
                near = suggestion(name, names) if len(self.problems) < MAX_REPORTED else ""
                hint = near or f"; known keys: {', '.join(names)}"
                self.problem(entry.key.span, f"unknown key '{self._prefix}{name}'{hint}")

    def has(self, key: str) -> bool:
        """True when the key is given."""
        return self._root.get(key) is not None

    def node(self, key: str) -> Node | None:
        """The value as it stands."""
        return self._root.get(key)

    def text(self, key: str) -> str | None:
        """A single value."""
        node = self._root.get(key)
        if node is None:
            return None
        if not isinstance(node, Scalar) or not node.text:
            self.problem(node.span, f"'{self._prefix}{key}' needs one value")
            return None
        return node.text

    def choice(self, key: Key[Choice[E]]) -> E:
        """One of the words of an enum; the default after a problem."""
        kind = key.kind
        text = self.text(key.name)
        if text is None:
            return kind.default
        found = _word(kind.words, text)
        if found is not None:
            return found
        words = [str(member.value) for member in kind.words]
        if text in kind.later:
            self._not_yet(key.name, text, kind.default.value)
        else:
            hint = suggestion(text, words) or f"; expected one of {', '.join(words)}"
            name = self._prefix + key.name
            self.problem(self.span(key.name), f"'{shown(text)}' is no value for '{name}'{hint}")
        return kind.default

    def address_or(self, key: Key[AddressOr[E]]) -> IPAddress | E:
        """An address, or one of the words; the default after a problem."""
        node = self._root.get(key.name)
        if node is None:
            return key.kind.default
        found = _word(key.kind.words, node.text) if isinstance(node, Scalar) else None
        if found is not None:
            return found
        words = ", ".join(str(member.value) for member in key.kind.words)
        name = f"'{self._prefix}{key.name}' ({words}, or an address)"
        return self.address(node, name) or key.kind.default

    def _not_yet(self, key: str, text: str, use: str) -> None:
        self.problem(self.span(key), f"'{key}: {text}' is not in this version; use {use}")

    def boolean(self, key: Key[Flag]) -> bool:
        """true or false, written so."""
        text = self.text(key.name)
        if text is None:
            return key.kind.default
        if text not in ("true", "false"):
            name = self._prefix + key.name
            self.problem(
                self.span(key.name), f"'{name}' must be true or false, not '{shown(text)}'"
            )
        return text == "true"

    def number(self, key: Key[Number]) -> int:
        """A whole number in a range; the default after a problem."""
        kind = key.kind
        text = self.text(key.name)
        if text is None:
            return kind.default
        name, span = self._prefix + key.name, self.span(key.name)
        digits = (
            text.isascii() and text.isdigit() and len(text) <= 12
        )  # int() refuses very long ones
        if not (digits and kind.low <= int(text) <= kind.high):
            bounds = f"from {kind.low} to {kind.high}"
            self.problem(span, f"'{name}' must be a whole number {bounds}, not '{shown(text)}'")
            return kind.default
        number = int(text)
        owner = dict(kind.taken).get(number)
        if owner is not None:
            use = f"choose another, or leave it out for {kind.default}"
            self.problem(span, f"{name} {number} belongs to {owner}; {use}")
        return number

    def duration(self, key: Key[Time]) -> int:
        """A length of time in nanoseconds; the default after a problem."""
        kind = key.kind
        text = self.text(key.name)
        if text is None:
            return kind.default
        value = _time(text)
        if not kind.low <= value <= kind.high:
            bounds = f"{spell(kind.low)} to {spell(kind.high)}"
            self.problem(
                self.span(key.name),
                f"'{self._prefix}{key.name}' must be a time from {bounds}, such as "
                f"{spell(kind.default)}, not '{shown(text)}'",
            )
            return kind.default
        return value

    def duration_or_word(self, key: Key[TimeOrWord[E]]) -> int | E:
        """A length of time in nanoseconds, or a word; the default after a problem."""
        kind = key.kind
        text = self.text(key.name)
        if text is None:
            return kind.default
        found = _word(kind.words, text)
        if found is not None:
            return found
        value = _time(text)
        if not kind.low <= value <= kind.high:
            bounds = f"{spell(kind.low)} to {spell(kind.high)}"
            words = " or ".join(str(member.value) for member in kind.words)
            self.problem(
                self.span(key.name),
                f"'{self._prefix}{key.name}' must be {words}, or a time from {bounds} such as "
                f"{spell(kind.example)}, not '{shown(text)}'",
            )
            return kind.default
        return value

    def form(self, key: Key[Text]) -> str | None:
        """Text of the key's form; None when it is not given or not of that form."""
        text = self.text(key.name)
        if text is not None and not re.fullmatch(key.kind.pattern, text):
            name = self._prefix + key.name
            self.problem(
                self.span(key.name), f"'{name}' must be {key.kind.form}, not '{shown(text)}'"
            )
            return None
        return text

    def sequence(self, key: str) -> tuple[Node, ...]:
        """A list, or a single value as a list of one."""
        node = self._root.get(key)
        if node is None:
            return ()
        return node.items if isinstance(node, Sequence) else (node,)

    def address(self, node: Node, what: str) -> IPAddress | None:
        """An address that other machines reach: no prefix length, no zone, one of a single host."""
        if not isinstance(node, Scalar):
            self.problem(node.span, f"{what} must be an IP address")
            return None
        with contextlib.suppress(ValueError):
            address = ip_address(node.text)
            unfit = unreachable(address)
            if unfit is not None:
                self.problem(node.span, f"{what} must be reachable from others: {address} {unfit}")
            return address if unfit is None else None
        hint = ""
        if "/" in node.text:
            with contextlib.suppress(ValueError):
                hint = f": write {ip_interface(node.text).ip}, without a prefix length"
        self.problem(node.span, f"{what} must be an IP address, not '{shown(node.text)}'{hint}")
        return None


def unreachable(address: IPAddress) -> str | None:
    """Why no client can reach one host by this address; None when it can."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return f"is an IPv4 address in IPv6 form; write {address.ipv4_mapped}"
    if address.is_link_local:
        return "is a link-local address"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "has a zone; write it without"
    if address.is_loopback:
        return "is a loopback address"
    if address.is_multicast:
        return "is a multicast address"
    if address.is_unspecified or (address.version == 4 and address.packed[0] == 0):
        return "is no address of a host"
    if address.version == 4 and address.is_reserved:
        return "is a broadcast or reserved address"
    return None


def _word(words: type[E], text: str) -> E | None:
    """The member that is written so."""
    return next((member for member in words if member.value == text), None)


def _time(text: str) -> int:
    """Nanoseconds; -1 when the text is no length of time."""
    found = DURATION.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else -1


def spell(duration: int) -> str:
    """A duration as it would be written in the file."""
    for unit in ("m", "s"):
        if duration % _UNITS[unit] == 0:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration // _UNITS['ms']}ms"
