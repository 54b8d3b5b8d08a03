"""The check of a value from JSON against a form: TypedDicts, lists, dicts, unions of scalars, and rules upon them.

Keys that a form does not name are passed over. A figure is a finite number.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from vipkeeper.report.style import one_line

LARGEST = 1e15
"""No figure of a measurement is larger: what is summed and divided stays a number."""
LONGEST_SHOWN = 40
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class Some:
    """Of a list or an object: something must be in it."""


@dataclass(frozen=True, slots=True)
class Above:
    """Of a number: it is divided by."""

    limit: float


@dataclass(frozen=True, slots=True)
class Reads:
    """Of a text: a pattern for all of it."""

    pattern: str
    example: str


SOME = Some()


def fault(value: object, form: Any, place: str = "") -> str:
    """Where a value from JSON is not of a form, and what was expected there, one line; empty where it is."""
    found = _fault(value, form, place)
    return one_line(found) if found else ""


def _fault(value: object, form: Any, place: str) -> str:
    if get_origin(form) is Annotated:
        kind, *rules = get_args(form)
        wrong = _fault(value, kind, place)
        return wrong or next((w for rule in rules if (w := _breaks(value, rule, place))), "")
    if get_origin(form) is UnionType:
        return _one_of(value, get_args(form), place)
    if is_typeddict(form):
        return _object(value, form, place)
    if get_origin(form) is dict:
        return _mapping(value, get_args(form)[1], place)
    if get_origin(form) is list:
        if not isinstance(value, list):
            return _not(value, "a list", place)
        every = enumerate(value)
        item = get_args(form)[0]
        return next((w for i, one in every if (w := _fault(one, item, f"{place}[{i}]"))), "")
    return _scalar(value, form, place)


def _breaks(value: Any, rule: object, place: str) -> str:
    match rule:
        case Some() if not value:
            return f"{place}: nothing is in it"
        case Above(limit) if value <= limit:
            return _not(value, f"a number above {limit:g}", place)
        case Reads(pattern, example) if not re.fullmatch(pattern, value, re.ASCII):
            return _not(value, f"a text such as '{example}'", place)
    return ""


def _one_of(value: object, forms: tuple[Any, ...], place: str) -> str:
    if not all(_fault(value, form, place) for form in forms):
        return ""
    return _not(value, " or ".join(_WORDS.get(form, "an object") for form in forms), place)


def _object(value: object, form: Any, place: str) -> str:
    if not isinstance(value, dict):
        return _not(value, "an object", place)
    for key, kind, needed in _keys(form):
        where = f"{place}.{key}" if place else key
        if key not in value:
            if needed:
                return f"{where}: missing"
        elif wrong := _fault(value[key], kind, where):
            return wrong
    return ""


@cache
def _keys(form: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Its keys, what each of them holds, whether it must be there.

    As annotations are texts here, `__required_keys__` does not know of `NotRequired`.
    """
    return tuple(
        (key, get_args(kind)[0], get_origin(kind) is Required)
        if get_origin(kind) in (Required, NotRequired)
        else (key, kind, form.__total__)
        for key, kind in get_type_hints(form, include_extras=True).items()
    )


def _mapping(value: object, kind: Any, place: str) -> str:
    if not isinstance(value, dict):
        return _not(value, "an object", place)
    for key, one in value.items():
        if wrong := _scalar(key, str, place) or _fault(one, kind, f"{place}.{key}"):
            return wrong
    return ""


def _scalar(value: object, kind: type, place: str) -> str:
    match value:
        case bool():
            fits = kind is bool
        case int():
            fits = kind in (int, float) and abs(value) <= LARGEST
        case float():
            fits = kind is float and math.isfinite(value) and abs(value) <= LARGEST
        case str():
            fits = kind is str and _whole(value)
        case _:
            fits = value is None and kind is NoneType
    return "" if fits else _not(value, _WORDS[kind], place)


_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "null",
}


def _whole(text: str) -> bool:
    """Whether a page can hold it: JSON can say half a character."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def _not(value: object, expected: str, place: str) -> str:
    match value:
        case dict():
            found = "an object"
        case list():
            found = "a list"
        case None:
            found = "null"
        case bool():
            found = "true" if value else "false"
        case str():
            found = ascii(value)
        case _:
            found = str(value)
    short = found if len(found) <= LONGEST_SHOWN else found[: LONGEST_SHOWN - 3] + "..."
    return f"{place}: found {short}, expected {expected}"
