"""Changes of a JSON document that leave it one: what a parser behind `json.loads` must stand."""

from __future__ import annotations

import json
import random
from typing import Any

from fuzz.mutate import mutate

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**63, 2**64, 10**40, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "\ud800", "\udfff y", "\x00\n\r\x1b[31m", "\u2028", "é" * 40, "x" * 5000, [], {}),
    *([[]] * 3, {"": {}}, [0] * 50, "holder", "cp2", "status", "standby", "api", "soft", "Header"),
)
_KEYS = (
    "",
    "to",
    "verb",
    "on",
    "limit",
    "t",
    "type",
    "schema",
    "epoch",
    "\ud800",
    "result",
    "x" * 300,
)
_RAW = (
    b"1" * 5000,
    b"[" * 3000,
    b'{"a":' * 2000,
    b"\xef\xbb\xbf{}",
    b"1e999",
    b"-0",
    b"NaN",
    b"\xff\xfe",
)
LONGEST = 8192


def change(data: bytes, rng: random.Random) -> bytes:
    """One value, key or piece of the document replaced, put in or taken out."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return mutate(data, rng, LONGEST)
    if rng.random() < 0.03:
        return rng.choice(_RAW)
    for _ in range(rng.choice((1, 1, 2, 3))):
        document = _changed(document, rng)
    try:
        return json.dumps(document, separators=(",", ":")).encode()[:LONGEST]
    except (ValueError, RecursionError):
        return data


def _changed(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.15:
        return rng.choice(_VALUES)
    if isinstance(value, dict) and value:
        return _object(dict(value), rng)
    if isinstance(value, list) and value:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(_VALUES)


def _object(value: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    key = rng.choice(list(value))
    match rng.randrange(6):
        case 0:
            del value[key]
        case 1:
            value[rng.choice(_KEYS)] = rng.choice(_VALUES)
        case 2:
            value[rng.choice(_KEYS)] = value.pop(key)
        case _:
            value[key] = _changed(value[key], rng)
    return value
