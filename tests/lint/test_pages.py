"""The pages of the rules say a thing once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from vipkeeper.lint.registry import Registered, all_rules

WORTH_SAYING = 30
"""Characters from which on a sentence is no chance repetition."""


@pytest.mark.parametrize("registered", all_rules(), ids=lambda registered: registered.rule.code)
def test_no_sentence_stands_twice_on_a_page(registered: Registered) -> None:
    prose = re.sub(r"```.*?```", "", registered.module.__doc__ or "", flags=re.DOTALL)
    parts = re.split(r"(?<=[.:])\s|\n\n", prose)
    sentences = Counter(" ".join(part.split()) for part in parts)
    assert [s for s, times in sentences.items() if times > 1 and len(s) > WORTH_SAYING] == []


def test_pytest_looks_for_no_tests_in_fixtures(request: pytest.FixtureRequest) -> None:
    """Some hold links that lead in a circle (VK005)."""
    config = request.config
    for folder in ("fixtures", "corpus"):
        path = Path(__file__).parent / folder
        assert config.hook.pytest_ignore_collect(collection_path=path, config=config)
