"""Takes values out of a positioned tree and collects every problem instead of stopping at the first."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable
from enum import Enum
from ipaddress import ip_address, ip_interface
from typing import TypeVar

from vipkeeper.config.tree import Mapping, Node, Problem, Scalar, Sequence, Span
from vipkeeper.errors import UsageError
from vipkeeper.wire.types import IPAddress

E = TypeVar("E", bound=Enum)
_DURATION = re.compile(r"(\d{1,9})(ms|s|m)")
_UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000}


class ConfigError(UsageError):
    """Our own configuration is wrong; one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.span))
        super().__init__("\n".join(str(problem) for problem in self.problems))


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

    def only(self, known: Iterable[str]) -> None:
        """Every other key is a mistake."""
        names = list(known)
        for entry in self._root.entries:
            if entry.key.text not in names:
                hint = suggestion(entry.key.text, names) or f"; known keys: {', '.join(names)}"
                self.problem(entry.key.span, f"unknown key '{self._prefix}{entry.key.text}'{hint}")

    def has(self, key: str) -> bool:
        """True when the key is given."""
        return self._root.get(key) is not None

    def node(self, key: str) -> Node | None:
        """The value as it stands."""
        return self._root.get(key)

    def text(self, key: str, default: str | None = None) -> str | None:
        """A single value."""
        node = self._root.get(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or not node.text:
            self.problem(node.span, f"'{self._prefix}{key}' needs one value")
            return None
        return node.text

    def choice(self, key: str, kind: type[E], default: E) -> E:
        """One of the words of an enum."""
        text = self.text(key)
        if text is None:
            return default
        for member in kind:
            if member.value == text:
                return member
        words = [str(member.value) for member in kind]
        hint = suggestion(text, words) or f"; expected one of {', '.join(words)}"
        self.problem(self.span(key), f"'{text}' is no value for '{self._prefix}{key}'{hint}")
        return default

    def boolean(self, key: str, default: bool) -> bool:
        """true or false, written so."""
        text = self.text(key)
        if text is None:
            return default
        if text not in ("true", "false"):
            name = self._prefix + key
            self.problem(self.span(key), f"'{name}' must be true or false, not '{text}'")
        return text == "true"

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number in a range."""
        text = self.text(key)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
            self.problem(
                self.span(key),
                f"'{self._prefix}{key}' must be a whole number from {low} to {high}, not '{text}'",
            )
            return default
        return int(text)

    def duration(self, key: str, default: int, low: int, high: int) -> int:
        """A length of time in nanoseconds, written with its unit."""
        text = self.text(key)
        if text is None:
            return default
        found = _DURATION.fullmatch(text)
        value = int(found[1]) * _UNITS[found[2]] if found else -1
        if not low <= value <= high:
            bounds = f"{spell(low)} to {spell(high)}"
            self.problem(
                self.span(key),
                f"'{self._prefix}{key}' must be a time from {bounds}, such as {spell(default)}, "
                f"not '{text}'",
            )
            return default
        return value

    def sequence(self, key: str) -> tuple[Node, ...]:
        """A list, or a single value as a list of one."""
        node = self._root.get(key)
        if node is None:
            return ()
        return node.items if isinstance(node, Sequence) else (node,)

    def address(self, node: Node, what: str) -> IPAddress | None:
        """An IP address without a prefix length."""
        if not isinstance(node, Scalar):
            self.problem(node.span, f"{what} must be an IP address")
            return None
        with contextlib.suppress(ValueError):
            return ip_address(node.text)
        hint = ""
        if "/" in node.text:
            with contextlib.suppress(ValueError):
                hint = f": write {ip_interface(node.text).ip}, without a prefix length"
        self.problem(node.span, f"{what} must be an IP address, not '{node.text[:80]}'{hint}")
        return None


def spell(duration: int) -> str:
    """A duration as it would be written in the file."""
    for unit in ("m", "s"):
        if duration % _UNITS[unit] == 0:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration // _UNITS['ms']}ms"
