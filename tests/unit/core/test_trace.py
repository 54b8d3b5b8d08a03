"""The trace: what is written, what is read, and that docs/trace.md names all of it."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import types
import typing
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

from vipkeeper.core import actions, events, facts, trace
from vipkeeper.core.trace import Header, TraceRecord, TraceRejection, line, parse
from vipkeeper.core.types import Server, Settings
from vipkeeper.wire.types import Advert, Health, Heard, Role

DOCUMENT = (Path(__file__).parents[3] / "docs" / "trace.md").read_text(encoding="utf-8")
EVENTS: tuple[type, ...] = typing.get_args(events.Event)
ACTIONS: tuple[type, ...] = typing.get_args(actions.Action)
FACTS: tuple[type, ...] = typing.get_args(facts.Fact)
RECORDS = (Header, *EVENTS, *ACTIONS, *FACTS)


def leaves(annotation: Any) -> Iterator[Any]:
    """The classes an annotation is made of."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        for part in typing.get_args(annotation):
            yield from leaves(part)
    elif annotation not in (type(None), ...):
        yield annotation


def reachable(classes: tuple[type, ...]) -> set[type]:
    """These classes and everything their fields are made of."""
    found: set[type] = set()
    waiting = list(classes)
    while waiting:
        item = waiting.pop()
        if item not in found:
            found.add(item)
            if dataclasses.is_dataclass(item):
                for hint in typing.get_type_hints(item).values():
                    waiting.extend(leaves(hint))
    return found


ALL = reachable(RECORDS)
ENUMS = {item for item in ALL if issubclass(item, enum.Enum)}
DATACLASSES = {item for item in ALL if dataclasses.is_dataclass(item)}


def names(cls: type) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def sections() -> dict[str, list[str]]:
    """Documented fields by record or part: `### \\`Name\\`` and the table under it."""
    found: dict[str, list[str]] = {}
    for chunk in re.split(r"^#{2,3} ", DOCUMENT, flags=re.MULTILINE):
        title = re.match(r"`(\w+)`\n", chunk)
        if title is not None:
            assert title[1] not in found, f"{title[1]} is described twice"
            found[title[1]] = re.findall(r"^\| `(\w+)` \|", chunk, re.MULTILINE)
    return found


def test_the_document_names_every_record_and_field_and_no_other() -> None:
    assert sections() == {cls.__name__: names(cls) for cls in DATACLASSES}


def test_the_document_names_every_enum_and_member_and_no_other() -> None:
    table = DOCUMENT.partition("\n## Enums\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    documented = {name: re.findall(r"`(\w+)`", members) for name, members in rows}
    assert documented == {cls.__name__: [member.name for member in cls] for cls in ENUMS}


def test_the_lines_in_the_document_are_records() -> None:
    shown = re.findall(r"^\{.*\}$", DOCUMENT, re.MULTILINE)
    assert len(shown) >= 3
    for text in shown:
        record = parse(text)
        assert isinstance(record, TraceRecord), text
        cls = next(cls for cls in RECORDS if cls.__name__ == record.type)
        assert list(record.fields) == names(cls)


def test_names_of_records_are_unique_and_their_fields_are_not_reserved() -> None:
    assert len({cls.__name__ for cls in ALL}) == len(ALL)
    for cls in RECORDS:
        assert not {"t", "type", "writer"} & set(names(cls)), cls


def sample(annotation: Any) -> Any:
    """Some value of this annotation, with everything optional present."""
    if typing.get_origin(annotation) is tuple:
        return tuple(sample(part) for part in typing.get_args(annotation) if part is not ...)
    cls: Any = next(leaves(annotation))
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls)
        fields = {name: sample(hint) for name, hint in hints.items()}
        return typing.cast("typing.Callable[..., Any]", cls)(**fields)
    if issubclass(cls, enum.Enum):
        return list(cls)[-1]
    values = {
        int: 7,
        bool: True,
        str: 'Zürich "\n',
        bytes: b"\x00\xff",
        IPv4Address: IPv4Address("192.0.2.1"),
        IPv6Address: IPv6Address("2001:db8::1"),
    }
    return values[cls]


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_every_record_is_written_whole_on_one_line(cls: type) -> None:
    item = sample(cls)
    if cls is Header:
        item = dataclasses.replace(item, schema=trace.SCHEMA_VERSION)
    text = line(5, item)
    assert text.isascii()
    assert "\n" not in text
    record = parse(text)
    assert isinstance(record, TraceRecord)
    assert (record.at, record.type, record.writer) == (5, cls.__name__, None)
    assert list(record.fields) == names(cls)
    assert all(value is not None for value in record.fields.values())


def test_every_kind_of_value() -> None:
    advert = Advert(
        sender=IPv6Address("2001:db8::11"),
        boot_id=2**64 - 1,
        counter=42,
        epoch=7,
        role=Role.HOLDER,
        health=Health.API_ONLY,
        standby=False,
        interval_ms=100,
        cluster=bytes.fromhex("40038baada145e0f"),
        heard=(Heard(0, None), Heard(9, 12)),
        asks=True,
        follows=0,
    )
    event = events.AdvertReceived(IPv4Address("10.10.10.11"), advert, received=1234)
    assert json.loads(line(99, event)) == {
        "t": 99,
        "type": "AdvertReceived",
        "source": "10.10.10.11",
        "advert": {
            "sender": "2001:db8::11",
            "boot_id": 2**64 - 1,
            "counter": 42,
            "epoch": 7,
            "role": "HOLDER",
            "health": "API_ONLY",
            "standby": False,
            "interval_ms": 100,
            "cluster": "40038baada145e0f",
            "successor": None,
            "heard": [{"boot_id": 0, "age_ms": None}, {"boot_id": 9, "age_ms": 12}],
            "asks": True,
            "planned": False,
            "follows": 0,
        },
        "received": 1234,
    }


def test_a_field_called_kind_does_not_hide_what_the_record_is() -> None:
    alarm = actions.Alarm(actions.AlarmKind.NO_SUCCESSOR, "alone")
    assert json.loads(line(1, alarm)) == {
        "t": 1,
        "type": "Alarm",
        "kind": "NO_SUCCESSOR",
        "detail": "alone",
    }


def test_writer_and_extra_fields() -> None:
    text = line(1, events.Tick(), writer="cp2", lag=3, seen={"at": IPv4Address("10.0.0.1")})
    fields = {"lag": 3, "seen": {"at": "10.0.0.1"}}
    assert parse(text) == TraceRecord(1, "Tick", fields, writer="cp2")


@pytest.mark.parametrize("name", ["type", "t", "text"])
def test_an_extra_field_replaces_nothing(name: str) -> None:
    extra: dict[str, Any] = {name: 1}
    with pytest.raises(ValueError, match="is taken"):
        line(1, actions.Reply(1, ok=True, text=""), **extra)


def test_what_has_no_form_is_our_mistake() -> None:
    with pytest.raises(TypeError, match="str is no dataclass"):
        line(1, "text")
    with pytest.raises(TypeError, match="no form for object"):
        line(1, events.Tick(), extra=object())
    with pytest.raises(ValueError, match="not JSON compliant"):
        line(1, events.Tick(), extra=float("nan"))


def test_the_settings_in_a_trace_are_whole() -> None:
    settings = Settings(
        (IPv4Address("10.10.10.100"),), (Server("cp1", IPv4Address("10.10.10.11")),), 0, bytes(8)
    )
    record = parse(line(1, events.Reconfigured(settings)))
    assert isinstance(record, TraceRecord)
    assert record.fields["settings"]["servers"] == [{"name": "cp1", "address": "10.10.10.11"}]
    assert record.fields["settings"]["profile"] == "BARE_METAL"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", TraceRejection.NOT_JSON),
        ('{"t":1,"type":"Ti', TraceRejection.NOT_JSON),
        ('{"t":NaN,"type":"Tick"}', TraceRejection.NOT_JSON),
        ('{"t":1,"type":"Tick"} x', TraceRejection.NOT_JSON),
        (b'{"t":1,"type":"\xff"}', TraceRejection.NOT_JSON),
        ("[" * 100_000, TraceRejection.NOT_JSON),
        ('{"t":' + "9" * 5000 + ',"type":"Tick"}', TraceRejection.NOT_JSON),
        ("[]", TraceRejection.NOT_A_RECORD),
        ("7", TraceRejection.NOT_A_RECORD),
        ('{"type":"Tick"}', TraceRejection.NOT_A_RECORD),
        ('{"t":1}', TraceRejection.NOT_A_RECORD),
        ('{"t":true,"type":"Tick"}', TraceRejection.NOT_A_RECORD),
        ('{"t":1.5,"type":"Tick"}', TraceRejection.NOT_A_RECORD),
        ('{"t":"1","type":"Tick"}', TraceRejection.NOT_A_RECORD),
        ('{"t":1,"type":7}', TraceRejection.NOT_A_RECORD),
        ('{"t":1,"type":"Tick","writer":7}', TraceRejection.NOT_A_RECORD),
        ('{"t":1,"type":"Header","schema":2}', TraceRejection.UNKNOWN_SCHEMA),
        ('{"t":1,"type":"Header"}', TraceRejection.UNKNOWN_SCHEMA),
        (" " * (trace.MAX_LINE + 1), TraceRejection.TOO_LONG),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(
    text: str | bytes, reason: TraceRejection
) -> None:
    assert parse(text) is reason


def test_a_record_of_a_later_version_is_read() -> None:
    assert parse('{"t":1,"type":"Later","news":[1]}\n') == TraceRecord(1, "Later", {"news": [1]})
