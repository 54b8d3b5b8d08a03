"""JSON Schemas of what `lint` and `explain` write with `--output json` (draft 2020-12).

They allow fields that are not named: within a schema version fields are added.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vipkeeper.catalog.entry import CODE, NAME, Confidence, Reach, Severity
from vipkeeper.catalog.page import PARTS
from vipkeeper.diagnose.hypothesis import Layer, Risk, Symptom
from vipkeeper.lint.rule import Safety

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_LINE: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_ONE_UP: Schema = {"type": "integer", "minimum": 1}
_CODE: Schema = {"type": "string", "pattern": f"^{CODE.pattern}$"}
_NAME: Schema = {"type": "string", "pattern": f"^{NAME.pattern}$"}


def lint_schema() -> Schema:
    """Of `vipkeeper lint --output json`, schema version 1."""
    return {
        "$schema": _DRAFT,
        "title": "vipkeeper lint --output json",
        **_object(
            schema_version={"const": 1},
            tool=_object(name={"const": "vipkeeper lint"}, version=_LINE),
            files=_list(_TEXT, "Every file that was read."),
            unread=_COUNT | {"description": "Places that could not be read or understood."},
            vips=_list(_object(address=_LINE, origin=_LINE)),
            servers=_list(
                _object(name=_TEXT, address=_or_null(_LINE), origin=_TEXT),
                "The name is empty for files that no server was named with, the origin where "
                "nothing says an address.",
            ),
            servers_complete={
                "type": "boolean",
                "description": "Whether these are known to be all.",
            },
            counts=_object(**{severity.value: _COUNT for severity in Severity}),
            findings=_list({"$ref": "#/$defs/finding"}),
            ignored=_list(
                {"$ref": "#/$defs/ignored"}, "Findings that comments in the files keep quiet."
            ),
        ),
        "$defs": _definitions(),
    }


def _definitions() -> Schema:
    place = {
        "file": _TEXT,
        "line": _ONE_UP,
        "column": _ONE_UP,
        "end_line": _or_null(_ONE_UP),
        "end_column": _or_null(_ONE_UP) | {"description": "Behind the last character."},
    }
    finding = {
        "code": _CODE,
        "name": _NAME,
        "severity": _words(Severity),
        "confidence": _words(Confidence),
        "message": _LINE,
        "place": _object(**place),
        "related": _list(_object(**place, message=_LINE)),
        "help": _TEXT | {"description": "What to write instead; empty: what the page says."},
        "fix": _or_null({"$ref": "#/$defs/fix"}),
    }
    fix = {"title": _LINE, "safety": _words(Safety), "edits": _list(_object(**place, text=_TEXT))}
    until = _or_null({"type": "string", "format": "date"})
    return {
        "finding": _object(**finding),
        "ignored": _object(**finding, reason=_LINE, until=until),
        "fix": _object(**fix),
    }


def explain_schema() -> Schema:
    """Of `vipkeeper explain --output json`, schema version 1."""
    page = _object(**dict.fromkeys(PARTS, _LINE))
    entry = _object(
        code=_CODE,
        name=_NAME,
        type={"const": "rule"},
        retired={"const": False},
        severity=_words(Severity),
        confidence=_words(Confidence),
        reach=_words(Reach),
        kinds=_list(_LINE, "The kinds of files that are read."),
        versions=_list(_LINE, "Releases in which it applies; none: all."),
        page=page | {"description": "Each part is Markdown."},
    )
    cause = _object(
        code=_CODE,
        name=_NAME,
        type={"const": "cause"},
        retired={"const": False},
        layer={"enum": [layer.name.lower() for layer in Layer]},
        title=_LINE,
        what=_LINE,
        chain=_list(_LINE, "How it leads to the symptoms, step by step."),
        explains=_list(_words(Symptom)),
        apart=_LINE | {"description": "How to tell it from its rivals."},
        fixes=_list(_object(risk=_words(Risk), text=_LINE, command=_TEXT, only_if=_TEXT)),
        verify=_list(_LINE),
        references=_LINE,
    )
    retired = _object(code=_CODE, name=_NAME, retired={"const": True}, since=_LINE, reason=_LINE)
    return {
        "$schema": _DRAFT,
        "title": "vipkeeper explain --output json",
        **_object(schema_version={"const": 1}, codes=_list({"oneOf": [entry, cause, retired]})),
    }


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema, description: str = "") -> Schema:
    found = {"type": "array", "items": items}
    return found | {"description": description} if description else found


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _words(words: Iterable[Any]) -> Schema:
    return {"enum": [word.value for word in words]}
