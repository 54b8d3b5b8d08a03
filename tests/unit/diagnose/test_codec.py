"""Facts as lines: what is written is read again, and what is no fact is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.diagnose.codec import dump, load, to_json
from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.vocabulary import Key, Subject, Word

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    key = draw(st.sampled_from(list(Key)))
    kind = key.meaning.kind
    values: st.SearchStrategy[Value]
    if issubclass(kind, Word):
        values = st.sampled_from(list(kind))
    elif kind is bool:
        values = st.booleans()
    elif kind is int:
        values = st.integers(1 - 2**63, 2**63 - 1)
    elif kind is str:
        values = TEXT
    else:
        values = st.lists(TEXT, max_size=3).map(tuple)
    value = draw(st.none() | values)
    return Fact(
        key,
        value,
        about=draw(TEXT.filter(bool)) if key.meaning.subject is Subject.SERVER else draw(TEXT),
        vantage=draw(TEXT),
        aspect=draw(TEXT.filter(bool)) if key.meaning.aspect else "",
        at=draw(st.integers(0, 2**63 - 1)),
        source=draw(TEXT),
        raw=draw(TEXT),
        unknown="" if value is not None else "no permission",
    )


@given(st.lists(facts(), max_size=5))
def test_what_is_written_is_read_again(told: list[Fact]) -> None:
    assert load(dump(told)) == (tuple(told), ())


@given(st.text())
def test_any_text_is_facts_or_named_rejections(text: str) -> None:
    found, wrong = load(text)
    assert len(found) + len(wrong) == sum(bool(line.strip()) for line in text.split("\n"))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "not an object"),
        ({"key": "vip", "value": "x", "colour": "red"}, "unknown field colour"),
        ({"key": "vip.colour", "value": "red"}, "unknown key vip.colour"),
        ({"key": "vip"}, "either a value or a reason"),
        ({"key": "vip", "value": "x", "unknown": "y"}, "either a value or a reason"),
        ({"key": "vip", "value": 3}, "3 is no str"),
        ({"key": "vip", "value": "x", "at": -1}, "'at' is no time"),
        ({"key": "vip.present", "value": True}, "none is named"),
        ({"key": "vip.port", "value": "open"}, "aspect '' is missing"),
        ({"key": "vip.port", "value": "ajar", "aspect": "1"}, "'ajar' is not a valid Port"),
        ({"key": "vip.macs", "value": [1]}, "not a list of texts"),
    ],
)
def test_what_is_no_fact_is_named(document: object, why: str) -> None:
    found, wrong = load(json.dumps(document))
    assert not found
    assert why in wrong[0]
    assert wrong[0].startswith("line 1: ")


def test_fields_that_say_nothing_are_left_out() -> None:
    assert to_json(Fact(Key.VIP, "192.0.2.1")) == {"key": "vip", "value": "192.0.2.1"}


def test_what_json_can_spell_and_no_file_can_hold_comes_in_without_it() -> None:
    line = '{"key": "servers", "value": ["\\ud800"], "raw": "a\\udfffb", "source": "\\ud800"}'
    (fact,), wrong = load(line)
    assert not wrong
    assert dump([fact]).encode().decode() == dump([fact])
    assert (fact.value, fact.raw, fact.source) == (("?",), "a?b", "?")


@pytest.mark.parametrize(
    "line",
    [
        '{"key": "clock.offset", "about": "cp1", "value": 1%s}' % ("0" * 400),
        '{"key": "clock.offset", "about": "cp1", "value": -1%s}' % ("0" * 400),
        '{"key": "api.port", "about": "cp1", "value": "open", "at": 1%s}' % ("0" * 400),
        json.dumps({"key": "servers", "value": ["cp"] * 1001}),
    ],
    ids=["large", "small", "far", "long"],
)
def test_what_is_beyond_all_measure_is_no_fact(line: str) -> None:
    facts, wrong = load(line)
    assert (facts, len(wrong)) == ((), 1)
