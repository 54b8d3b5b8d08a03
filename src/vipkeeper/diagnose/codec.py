"""Facts as JSON objects, one a line: how bundles and recorded cases keep them.

{"key": "api.port", "about": "cp1", "value": "refused", "at": 1700000000000, "source": "connect"}
{"key": "etcd.health", "about": "cp2", "unknown": "no permission to read the certificate"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.vocabulary import BY_WORD, Kind, Word

_TEXTS = ("about", "vantage", "aspect", "source", "raw", "unknown")
_FIELDS = frozenset(("key", "value", "at", *_TEXTS))
MOST = 1 << 63
"""A number beyond it counts nothing that we know."""
LONGEST_LIST = 1000
"""Servers of one cluster, or hosts that answer for one address."""
LONGEST_LINE = 64 * 1024
"""Characters; a longer line is no fact of ours."""


class FactError(ValueError):
    """A line that is no fact; says why."""


def to_json(fact: Fact) -> dict[str, Any]:
    """A fact as an object; fields that say nothing are left out."""
    document: dict[str, Any] = {"key": fact.key.word}
    document |= {name: text for name in _TEXTS if (text := getattr(fact, name))}
    if fact.value is not None:
        document["value"] = _plain(fact.value)
    if fact.at:
        document["at"] = fact.at
    return document


def from_json(document: object) -> Fact:
    """The fact in an object.

    Raises:
        FactError: an unknown key or field, a value of the wrong kind, a subject that is missing.
    """
    if not isinstance(document, dict):
        raise FactError("not an object")
    unfit = sorted(str(name) for name in document if name not in _FIELDS)
    if unfit:
        raise FactError(f"unknown field {unfit[0]}")
    key = BY_WORD.get(str(document.get("key")))
    if key is None:
        raise FactError(f"unknown key {document.get('key')}")
    texts = {name: document[name] for name in _TEXTS if name in document}
    if not all(isinstance(text, str) for text in texts.values()):
        raise FactError("a text is none")
    at = document.get("at", 0)
    if type(at) is not int or not 0 <= at < MOST:
        raise FactError("'at' is no time")
    texts = {name: _whole(text) for name, text in texts.items()}
    value = document.get("value")
    try:
        typed = None if value is None else _typed(key.meaning.kind, value)
        return Fact(key=key, value=typed, at=at, **texts)
    except ValueError as error:
        raise FactError(str(error)) from None


def dump(facts: Iterable[Fact]) -> str:
    """Facts as lines."""
    return "".join(json.dumps(to_json(f), ensure_ascii=False) + "\n" for f in facts)


def load(text: str) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Facts and, for each line that holds none, why ('line 3: unknown key x')."""
    facts, wrong = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE:
                raise FactError(f"longer than {LONGEST_LINE} characters")
            facts.append(from_json(_object(line)))
        except FactError as error:
            wrong.append(f"line {number}: {error}")
        except RecursionError:
            wrong.append(f"line {number}: nested too deeply")
    return tuple(facts), tuple(wrong)


def _object(line: str) -> object:
    """What a line of JSON says; the words of the parser mean nothing to a reader."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise FactError("not JSON") from None


def _plain(value: Value) -> Any:
    if isinstance(value, Word):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _typed(kind: Kind, value: object) -> Value:
    if issubclass(kind, Word):
        return kind(value)
    if kind is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise FactError("not a list of texts")
        if len(value) > LONGEST_LIST:
            raise FactError("a list is longer than any of ours")
        return tuple(map(_whole, value))
    if type(value) is not kind:
        raise FactError(f"{value!r} is no {kind.__name__}")
    if type(value) is int and abs(value) >= MOST:
        raise FactError("a number is larger than any of ours")
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    """The text with a sign for each lone surrogate: JSON can spell one, and no file can hold it."""
    return text.encode(errors="replace").decode()
