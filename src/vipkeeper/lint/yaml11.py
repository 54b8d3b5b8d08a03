"""What a plain scalar means to YAML 1.1, which RKE2 and k3s read their files with.

Source: gopkg.in/yaml.v2 resolve.go, k3s pkg/configfilearg/parser.go (`fmt.Sprintf("%v", value)`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from vipkeeper.config.tree import Scalar

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F_]+")
_BINARY = re.compile(r"[-+]?0b[01_]+")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\d[\d_]*)?\.\d+([eE][-+]?\d+)?|[-+]?\d[\d_]*(\.\d*)?[eE][-+]?\d+")


class Meaning(enum.Enum):
    """The type that YAML 1.1 gives a scalar."""

    TEXT = enum.auto()
    BOOLEAN = enum.auto()
    INTEGER = enum.auto()
    OCTAL = enum.auto()
    """An integer because it begins with 0: `0644` is 420."""
    FLOAT = enum.auto()
    NULL = enum.auto()


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the reader of the file gets."""

    meaning: Meaning
    text: str
    """As the program receives it: `0644` is `420`, `yes` is `true`, nothing is empty."""


def resolve(scalar: Scalar) -> Resolved:
    """What YAML 1.1 makes of a scalar."""
    text = scalar.text
    if scalar.quoted or scalar.tag == "tag:yaml.org,2002:str":
        return Resolved(Meaning.TEXT, text)
    if text in _NULL:
        return Resolved(Meaning.NULL, "")
    if text in _TRUE or text in _FALSE:
        return Resolved(Meaning.BOOLEAN, "true" if text in _TRUE else "false")
    if len(text) <= 40:
        number = _number(text)
        if number is not None:
            return number
    return Resolved(Meaning.TEXT, text)


def _number(text: str) -> Resolved | None:
    digits = text.replace("_", "")
    if _OCTAL.fullmatch(text):
        return Resolved(Meaning.OCTAL, str(int(digits.replace("0o", "0"), 8)))
    if _HEX.fullmatch(text) and digits.lower().rstrip("+-") not in ("0x",):
        return _based(digits, 16)
    if _BINARY.fullmatch(text):
        return _based(digits, 2)
    if _INTEGER.fullmatch(text):
        return Resolved(Meaning.INTEGER, str(int(digits)))
    if _FLOAT.fullmatch(text):
        return Resolved(Meaning.FLOAT, digits)
    return None


def _based(digits: str, base: int) -> Resolved | None:
    try:
        return Resolved(Meaning.INTEGER, str(int(digits, base)))
    except ValueError:
        return None
