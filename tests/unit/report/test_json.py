"""A run survives the way to a file and back; anything else is refused in one line that says where."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.report.sample import FULL
from vipkeeper.report.json import ReportError, dump_run, load_run
from vipkeeper.report.run import RunReport

DOCUMENT: dict[str, Any] = json.loads(dump_run(FULL))


def changed(path: str, value: object) -> str:
    """The sample with one place changed; `acts.0.lanes` is a path, None as value removes the key."""
    document = json.loads(dump_run(FULL))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(document)


def test_round_trip() -> None:
    assert load_run(dump_run(FULL)) == FULL


def test_schema_version_comes_first_and_bytes_are_stable_ascii() -> None:
    text = dump_run(FULL)
    assert text.splitlines()[1] == '  "schema_version": 1,'
    assert text.isascii()
    assert dump_run(load_run(text)) == text


def test_keys_of_a_later_program_of_the_same_schema_are_ignored() -> None:
    assert load_run(json.dumps(DOCUMENT | {"colour": "blue"})) == FULL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: not JSON: Expecting value"),
        ('{"a": 1,\n  b}', "2:3: not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "not JSON"),
        ("[]", "not a recorded run: expected a JSON object with 'schema_version'"),
        ("{}", "vipkeeper drill --output json=RUN.json"),
        ('{"schema_version": 2}', "schema_version: found 2, this program reads 1"),
        ('{"schema_version": true}', "schema_version: found true"),
        ('{"schema_version": 1}', "tool_version: missing"),
        (changed("acts", {}), "acts: found an object, expected a list"),
        (changed("acts.0", 3), "acts[0]: found 3, expected an object"),
        (changed("conditions", []), "conditions: found a list, expected an object"),
        (changed("conditions.kernel", 6), "conditions.kernel: found 6, expected a text"),
        (changed("acts.1.length", "long"), 'acts[1].length: found "long", expected a number'),
        (changed("acts.1.length", True), "acts[1].length: found true, expected a number"),
        (changed("acts.1.length", None), "acts[1].length: found null, expected a number"),
        (changed("acts.1.length", -1), "acts[1].length: found -1, expected a number from 0"),
        (changed("acts.1.length", 1e300), "acts[1].length: found 1e+300"),
        (changed("acts.1.length", float("nan")), "acts[1].length: found NaN"),
        (changed("acts.1.moves", 1.5), "acts[1].moves: found 1.5, expected a whole number"),
        (changed("acts.1.left_behind", 0), "acts[1].left_behind: found 0, expected true or false"),
        (changed("acts.1.verdict", "fine"), "expected one of: passed, failed, skipped"),
        (changed("acts.1.verdict", []), "acts[1].verdict: found a list"),
        (
            changed("acts.0.lanes.1.held.0.start", 9),
            "acts[0].lanes[1].held[0]: ends (5) before it starts (9)",
        ),
    ],
)
def test_what_is_no_run_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ReportError) as caught:
        load_run(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value inside a document."""
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else pairs:
        yield (*path, key)
        yield from places(item, (*path, key))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(place=st.sampled_from(sorted(places(DOCUMENT), key=str)), value=ANY)
def test_any_document_gives_a_run_or_a_named_rejection(
    place: tuple[str | int, ...], value: object
) -> None:
    document = json.loads(dump_run(FULL))
    target = document
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with contextlib.suppress(ReportError):
        assert isinstance(load_run(json.dumps(document)), RunReport)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    with pytest.raises(ReportError):
        load_run(text)
