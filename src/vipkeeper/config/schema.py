"""The table of keys for others: a JSON Schema for editors, a reference for people.

`tools/schemas.py` writes both: the schema as docs/cluster.schema.json, the reference between two markers of
docs/configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from vipkeeper.config import table
from vipkeeper.config.checker import DURATION, spell
from vipkeeper.config.table import AnyKey

Schema = dict[str, Any]

BEGIN = "<!-- keys: written by tools/schemas.py -->"
END = "<!-- end of keys -->"


def json_schema() -> Schema:
    """JSON Schema (draft 2020-12) of cluster.yaml.

    It cannot say all that `load` checks: ranges of times, addresses that differ, the lease against the
    advert interval. What it refuses, `load` refuses too, except quoted numbers and booleans.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vipkeeper cluster.yaml",
        **_object(table.KEYS),
        "dependentRequired": {
            table.CLIENT_CERTIFICATE.name: [table.CLIENT_KEY.name],
            table.CLIENT_KEY.name: [table.CLIENT_CERTIFICATE.name],
        },
    }


def _object(keys: Iterable[AnyKey]) -> Schema:
    keys = tuple(keys)
    schema: Schema = {
        "type": "object",
        "properties": {key.name: {"description": key.help, **_kind(key)} for key in keys},
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return {**schema, "required": required} if required else schema


def _kind(key: AnyKey) -> Schema:
    """What one key takes."""
    match key.kind:
        case table.Choice(words=words, default=default):
            known = [word.value for word in words]
            return {"enum": known, **({} if key.required else {"default": default.value})}
        case table.Time(default=default):
            return {
                "type": "string",
                "pattern": _whole(DURATION.pattern),
                "default": spell(default),
            }
        case table.TimeOrWord(words=words, default=default):
            known = [re.escape(word.value) for word in words]
            pattern = _whole("|".join([DURATION.pattern, *known]))
            return {"type": "string", "pattern": pattern, "default": default.value}
        case table.Number(default=default, low=low, high=high, taken=taken):
            schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
            return {**schema, "not": {"enum": [n for n, _ in taken]}} if taken else schema
        case table.Flag(default=default):
            return {"type": "boolean", "default": default}
        case table.Text(pattern=pattern, default=text):
            schema = {"type": "string", "pattern": _whole(pattern)}
            return {**schema, "default": text} if text is not None else schema
        case table.Addresses():
            many = {"type": "array", "items": _ADDRESS, "minItems": 1, "uniqueItems": True}
            return {"oneOf": [_ADDRESS, many]}
        case table.AddressOr(words=words, default=default):
            known = [word.value for word in words]
            return {"anyOf": [{"enum": known}, _ADDRESS], "default": default.value}
        case table.Servers():
            return {
                "type": "object",
                "propertyNames": {"pattern": _whole(table.SERVER_NAME)},
                "additionalProperties": _ADDRESS,
                "minProperties": 1,
                "maxProperties": table.MAX_SERVERS,
            }
        case table.Words():
            return {"type": "array", "items": {"type": "string"}, "minItems": 1}
        case table.Group(keys=keys):
            return _object(keys)
        case table.CheckList():
            return {"type": "array", "items": {"oneOf": list(_checks())}}


_ADDRESS: Schema = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def _checks() -> Iterator[Schema]:
    for kind, own in table.CHECK_OWN.items():
        schema = _object((*table.CHECK_COMMON, *own))
        schema["properties"]["type"] = {"const": kind.value, "description": table.CHECK_TYPE.help}
        yield schema


def _whole(pattern: str) -> str:
    """The pattern for the whole text: JSON Schema searches, the loader matches."""
    return f"^(?:{pattern})$"


def reference() -> str:
    """Every key as Markdown tables."""
    lines = [*_rows(table.KEYS), "", "Keys of a check:", "", *_rows(table.CHECK_COMMON)]
    for kind, own in table.CHECK_OWN.items():
        lines += ["", f"Only with `type: {kind.value}`:", "", *_rows(own)]
    return "\n".join(lines)


def _rows(keys: Iterable[AnyKey]) -> Iterator[str]:
    yield "| key | takes | default | what it is for |"
    yield "|---|---|---|---|"
    for name, key in _flat(keys, ""):
        default = "required" if key.required else _default(key)
        yield f"| `{name}` | {_takes(key)} | {default} | {key.help} |"


def _flat(keys: Iterable[AnyKey], prefix: str) -> Iterator[tuple[str, AnyKey]]:
    for key in keys:
        if isinstance(key.kind, table.Group):
            yield from _flat(key.kind.keys, f"{prefix}{key.name}.")
        else:
            yield prefix + key.name, key


def _takes(key: AnyKey) -> str:
    match key.kind:
        case table.Choice(words=words):
            return ", ".join(f"`{word.value}`" for word in words)
        case table.Time(low=low, high=high):
            return f"a time from {spell(low)} to {spell(high)}"
        case table.TimeOrWord(words=words, low=low, high=high):
            known = ", ".join(f"`{word.value}`" for word in words)
            return f"{known}, or a time from {spell(low)} to {spell(high)}"
        case table.Number(low=low, high=high):
            return f"a number from {low} to {high}"
        case table.Flag():
            return "`true`, `false`"
        case table.Text(form=form):
            return form
        case table.Addresses():
            return "an IPv4 or IPv6 address without a prefix length, or a list of them"
        case table.AddressOr(words=words):
            names = ", ".join(f"`{word.value}`" for word in words)
            return f"{names}, or an IPv4 or IPv6 address"
        case table.Servers():
            return f"`NAME: ADDRESS`, 1 to {table.MAX_SERVERS} of them"
        case table.Words():
            return "a list of words"
        case table.Group():
            return "keys"
        case table.CheckList():
            return "a list of checks"


def _default(key: AnyKey) -> str:
    match key.kind:
        case (
            table.Choice(default=word)
            | table.AddressOr(default=word)
            | table.TimeOrWord(default=word)
        ):
            return f"`{word.value}`"
        case table.Time(default=time):
            return f"`{spell(time)}`"
        case table.Number(default=number):
            return f"`{number}`"
        case table.Flag(default=flag):
            return "`true`" if flag else "`false`"
        case table.Text(default=text, default_means=means):
            return f"`{text}`" if text is not None else means
        case table.CheckList():
            return "those of `distribution`"
        case _:
            return "none"


def with_reference(page: str) -> str:
    """The page with the reference of this version between its markers.

    Raises:
        ValueError: the page has no markers.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"
