"""The keys of RKE2 and k3s for editors: a JSON Schema of config.yaml and its drop-ins.

Made from the tables that the rules use, so that an editor and `lint` say the same of a key.
"""

from __future__ import annotations

import re
from typing import Any

from vipkeeper.lint.keys import Critical, Key, KeyTable, Product, table

Schema = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
"""What becomes text on the way to a flag; an empty value is as if the key were not there."""
_FORMS: dict[str, Schema] = {
    "text": {"anyOf": [SCALAR, {"type": "array", "maxItems": 1, "items": SCALAR}]},
    "switch": {
        "anyOf": [
            {"type": ["boolean", "null"]},
            {"enum": [0, 1]},
            {"type": "string", "pattern": "^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$"},
        ]
    },
    "number": {
        "anyOf": [
            {"type": ["integer", "null"]},
            {"type": "string", "pattern": "^[-+]?(?:[0-9]+|0[xX][0-9a-fA-F]+)$"},
        ]
    },
    "time": {
        "anyOf": [
            {"enum": [0, None]},
            {
                "type": "string",
                "pattern": "^[-+]?(?:0|(?:(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:ns|us|µs|ms|s|m|h))+)$",
            },
        ]
    },
    "list": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]},
}
"""The forms of values: Go's `strconv.ParseBool`, `strconv.ParseInt`, `time.ParseDuration`."""
_MODE_TEXT: Schema = {"type": ["string", "null"], "pattern": "^(?:[0-7]{2,3}[0145])?$"}
"""VK141: three or four octal digits, and not for everybody to write."""
_MODE_NUMBERS = tuple(int(f"{a}{b}{c}") for a in (4, 6) for b in (0, 4, 6) for c in (0, 4))
"""Without quotes or a zero in front, `644`: those of files. 420, which YAML 1.1 makes of `0644`, is none of them."""
_OF_TYPE = {"string": "text", "bool": "switch", "int": "number", "duration": "time", "list": "list"}
_SHARED = {
    Critical.VALIDATED: "The same on all servers; one that joins is refused otherwise.",
    Critical.UNCHECKED: "Must be the same on all servers, and nobody checks it.",
    Critical.DOCUMENTED: "Must be the same on all servers, and nobody checks it.",
}


def settings_schema(product: Product) -> Schema:
    """JSON Schema (draft 2020-12) of config.yaml.

    Says less than the rules: nothing about addresses, other files or other servers.
    """
    keys = table(product)
    properties: Schema = {}
    for name, key in keys.keys.items():
        properties[name] = _property(key)
        if key.is_list or key.type == "list":
            properties[f"{name}+"] = _appending(key, properties[name])
    for alias, name in keys.aliases.items():
        properties[alias] = properties[name] | {"description": f"Short for `{name}`."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"config.yaml of {product.title}",
        "$comment": f"Written by tools/schemas.py. Keys as of {_release(keys)}.",
        "type": ["object", "null"],
        "properties": dict(sorted(properties.items())),
        "additionalProperties": False,
        "$defs": _FORMS,
    }


def _release(keys: KeyTable) -> str:
    return f"{keys.product.title} {keys.source}"


def _property(key: Key) -> Schema:
    found: Schema = {"description": _description(key)}
    if key.flag_only:
        return found | ({"enum": [False, None]} if key.type == "bool" else {"type": "null"})
    if key.deprecated:
        found["deprecated"] = True
    if key.name == "write-kubeconfig-mode":
        return found | {"anyOf": [_MODE_TEXT, {"enum": list(_MODE_NUMBERS)}]}
    if key.values:
        return found | _words(key)
    return found | {"$ref": f"#/$defs/{_OF_TYPE[key.type]}"}


def _words(key: Key) -> Schema:
    """One of a few words; some take options behind `=`, lists are also written with commas."""
    word = f"(?:{'|'.join(map(re.escape, key.values))})(?:=[^,]*)?"
    if not (key.is_list or key.type == "list"):
        return {"type": ["string", "null"], "pattern": f"^(?:{word})?$"}
    text = {"type": ["string", "null"], "pattern": f"^{word}(?:,{word})*$"}
    return {"anyOf": [text, {"type": "array", "items": text}]}


def _appending(key: Key, own: Schema) -> Schema:
    return own | {"description": f"Appends to the `{key.name}` of the files before this one."}


def _description(key: Key) -> str:
    """Who reads it, what it is where it is not set, and what must be the same."""
    who = {(True, False): "Servers only.", (False, True): "Agents only."}
    parts = [who.get((key.server, key.agent), "Servers and agents.")]
    if key.flag_only:
        parts.append("Not for a file: it would be done at every start.")
    if key.default:
        parts.append(f"Default: {key.default}.")
    if key.critical in _SHARED:
        parts.append(_SHARED[key.critical])
    if key.env:
        parts.append(f"Environment: {', '.join(key.env)}.")
    return " ".join(parts)
