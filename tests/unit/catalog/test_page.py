"""What a page says in short."""

from __future__ import annotations

import pytest

from vipkeeper.catalog.page import first_sentence
from vipkeeper.report.codes import all_codes


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("One. Two.", "One."),
        ("It reads `420`; RKE2 then\nreads more.", "It reads `420`."),
        ("As of 1.2 all.\n\nMore.", "As of 1.2 all."),
    ],
)
def test_the_first_sentence_ends_as_one(text: str, short: str) -> None:
    assert first_sentence(text) == short


def test_no_reason_of_a_rule_ends_in_the_middle() -> None:
    said = {e.code: first_sentence(e.page.why) for e in all_codes().entries}
    assert {code for code, text in said.items() if text.endswith(";")} == set()
