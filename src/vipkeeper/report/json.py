"""A recorded run as JSON and back.

The document has the names of `report.run` as keys, in their order, behind `schema_version`. Within one
schema version keys may be added, so unknown keys are ignored; a document of another version is refused.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import types
import typing
from typing import Any

from vipkeeper.errors import UsageError
from vipkeeper.report.run import SCHEMA_VERSION, RunReport, Span

LONGEST = 1e7
"""No time, figure or count of a run is larger; keeps a damaged file from drawing endless axes."""


class ReportError(UsageError):
    """Text that is not a recorded run; says where and what was expected."""


def dump_run(report: RunReport) -> str:
    """The run as JSON text, ASCII only, the same bytes for the same run."""
    document = {"schema_version": report.schema_version} | _plain(report)
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def load_run(text: str) -> RunReport:
    """The run in a JSON text.

    Raises:
        ReportError: the text is not JSON, not a run, of another schema version, or out of range.
    """
    document = _parse(text)
    if not isinstance(document, dict) or "schema_version" not in document:
        raise ReportError(
            "not a recorded run: expected a JSON object with 'schema_version' "
            "(write one with 'vipkeeper drill --output json=RUN.json')"
        )
    version = document["schema_version"]
    if type(version) is not int or version != SCHEMA_VERSION:
        raise ReportError(
            f"schema_version: found {_shown(version)}, this program reads {SCHEMA_VERSION}; "
            "use the vipkeeper that recorded the run"
        )
    report = read_value(RunReport, document, "")
    assert isinstance(report, RunReport)
    return report


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and enums as what JSON knows."""
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ReportError(f"{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise ReportError("not a recorded run: nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise ReportError(f"not JSON: {error}") from None


def read_value(kind: Any, value: Any, path: str) -> Any:
    """The value as the annotated type, or a `ReportError` that names the path to it."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_object(kind, value, path)
    if typing.get_origin(kind) is tuple:
        items = _expect(list, value, path, "a list")
        item_kind = typing.get_args(kind)[0]
        return tuple(read_value(item_kind, item, f"{path}[{i}]") for i, item in enumerate(items))
    if typing.get_origin(kind) is dict:
        pairs = _expect(dict, value, path, "an object")
        return {key: read_value(str, item, f"{path}.{key}") for key, item in pairs.items()}
    if isinstance(kind, types.UnionType):
        wanted = next(k for k in typing.get_args(kind) if k is not type(None))
        return None if value is None else read_value(wanted, value, path)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _read_enum(kind, value, path)
    return _read_scalar(kind, value, path)


def _read_object(kind: type, value: Any, path: str) -> Any:
    found = _expect(dict, value, path, "an object")
    hints = typing.get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        where = f"{path}.{field.name}" if path else field.name
        if field.name in found:
            arguments[field.name] = read_value(hints[field.name], found[field.name], where)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ReportError(f"{where}: missing")
    made = kind(**arguments)
    if isinstance(made, Span) and made.end < made.start:
        raise ReportError(f"{path}: ends ({made.end}) before it starts ({made.start})")
    return made


def _read_enum(kind: type[enum.Enum], value: Any, path: str) -> enum.Enum:
    for member in kind:
        if member.value == value:
            return member
    expected = ", ".join(str(member.value) for member in kind)
    raise ReportError(f"{path}: found {_shown(value)}, expected one of: {expected}")


def _read_scalar(kind: type, value: Any, path: str) -> Any:
    if kind is str:
        return _expect(str, value, path, "a text")
    if kind is bool:
        return _expect(bool, value, path, "true or false")
    number = None if isinstance(value, bool) else value
    expected = "a whole number" if kind is int else "a number"
    _expect(int if kind is int else (int, float), number, path, expected, value)
    if not (isinstance(value, int) or math.isfinite(value)) or not 0 <= value <= LONGEST:
        raise ReportError(f"{path}: found {_shown(value)}, expected a number from 0 to {LONGEST:g}")
    return value


def _expect(
    kind: type | tuple[type, ...], value: Any, path: str, expected: str, found: Any = None
) -> Any:
    if isinstance(value, kind):
        return value
    where = f"{path}: " if path else ""
    raise ReportError(
        f"{where}found {_shown(value if found is None else found)}, expected {expected}"
    )


def _shown(value: Any) -> str:
    """A value for a message, short and on one line."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
