"""`status`: the one sentence that must never lie, and a table that survives odd documents."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.daemon.test_protocol import FACTS, status
from vipkeeper.cli.output import Style
from vipkeeper.cli.status import View, headline, render
from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.status import CheckStatus
from vipkeeper.daemon.protocol import status_to_json

PLAIN = Style(colour=False, ascii=True)


def view(**changes: Any) -> View:
    document = status_to_json(dataclasses.replace(status(), **changes), FACTS)
    return View(json.loads(json.dumps(document)))


def test_a_holder_and_its_successor() -> None:
    text = headline(view(successor="cp2"))
    assert text.startswith("cp1 holds 10.0.0.100 since 2023-11-1")
    assert text.endswith(", successor cp2")


def test_no_successor_is_said_aloud() -> None:
    assert headline(view()).endswith("NO SUCCESSOR")


def test_another_holder_has_no_since_of_ours() -> None:
    assert headline(view(holder="cp2", successor="cp1")) == "cp2 holds 10.0.0.100, successor cp1"


def test_nobody_holds() -> None:
    assert headline(view(holder=None)) == "nobody holds 10.0.0.100; no successor"
    assert headline(view(holder=None, successor="cp2")).endswith("cp2 would claim it")


def test_the_table_marks_holder_and_own_server() -> None:
    lines = render(view(holder="cp2"), PLAIN)
    own = next(line for line in lines if " cp1 " in line and "10.0.0.11" in line)
    other = next(line for line in lines if " cp2 " in line and "10.0.0.12" in line)
    assert own.startswith(" * ")
    assert other.startswith(">  ")
    assert "never heard" in other
    assert "unknown" in other


def test_alarms_and_failing_checks_are_below() -> None:
    bad = CheckStatus(CheckName.API, Outcome.SOFT, "500 from /readyz", 0)
    text = "\n".join(render(view(checks=(bad,)), PLAIN))
    assert "check api: soft, 500 from /readyz" in text
    assert "! no successor (2 times, last 2023-11-1" in text


def test_a_daemon_cannot_move_the_cursor() -> None:
    document = status_to_json(status(), FACTS) | {"holder": "cp1\x1b[2J\n"}
    assert "\x1b" not in "\n".join(render(View(document), PLAIN))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(status_to_json(status(), FACTS))), JSON_VALUES)
def test_any_odd_field_still_renders(key: str, value: object) -> None:
    assert render(View(status_to_json(status(), FACTS) | {key: value}), PLAIN)


@given(st.sampled_from(sorted(status_to_json(status(), FACTS)["servers"][0])), JSON_VALUES)
def test_any_odd_server_still_renders(key: str, value: object) -> None:
    document = status_to_json(status(), FACTS)
    document["servers"][0][key] = value
    assert render(View(document), PLAIN)


@pytest.mark.parametrize("document", [{}, {"servers": 7}, {"servers": [1, {}]}, {"alarms": [{}]}])
def test_a_document_of_another_version_renders(document: dict[str, Any]) -> None:
    assert render(View(document), PLAIN)[0] == "nobody holds the VIP; no successor"


def test_an_alarm_that_came_once_says_so() -> None:
    document = {"alarms": [{"text": "deaf", "count": 1, "last": None}]}
    assert "! deaf (once at an unknown time)" in render(View(document), PLAIN)
