"""Foreign text in messages."""

import pytest

from vipkeeper.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ü 10.0.0.1", "ü 10.0.0.1"),
        ("a\x1b[2J\nb", "a\\x1b[2J\\nb"),
        ("\u2028\u202e", "\\u2028\\u202e"),
        ("\udc80\ud7ff", "\\udc80\\ud7ff"),
    ],
    ids=["letters", "terminal", "bidirectional", "no character"],
)
def test_foreign_text_cannot_drive_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
