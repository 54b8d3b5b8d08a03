"""Every picture in a real browser: nothing covers a text, nothing is cut off, nothing is too small to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.browser import Browser, program
from support.pictures import drawings, pages

WIDTHS = {"phone": 390, "desk": 1280}
SMALLEST = 10.0
"""Height of the smallest text in CSS pixels as it is shown, by its font size."""
MEASURE = """() => {
  const root = document.documentElement, shown = [];
  for (const element of document.querySelectorAll('svg text')) {
    const box = element.getBoundingClientRect();
    if (!box.width) continue;
    const svg = element.ownerSVGElement, frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    const style = getComputedStyle(element);
    shown.push({text: element.textContent, drawing: [...document.querySelectorAll('svg')].indexOf(svg),
      left: box.left, right: box.right, top: box.top, bottom: box.bottom,
      outside: Math.max(frame.left - box.left, box.right - frame.right,
                        frame.top - box.top, box.bottom - frame.bottom),
      size: parseFloat(style.fontSize) * scale, color: style.fill});
  }
  return {shown, wider: root.scrollWidth - root.clientWidth, width: root.clientWidth,
          paper: getComputedStyle(document.querySelector('svg .paper')).fill};
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    executable = program()
    if executable is None:
        assert not os.environ.get("CI"), "chromium is not here; ./dev test installs it for root"
        pytest.skip("chromium is not installed")
    with Browser(executable, tmp_path_factory.mktemp("browser")) as found:
        yield found


def covered(shown: list[dict[str, Any]]) -> list[str]:
    """Pairs of texts of one drawing that lie over each other by more than the room around letters."""
    found = []
    for index, one in enumerate(shown):
        for other in shown[index + 1 :]:
            across = min(one["right"], other["right"]) - max(one["left"], other["left"])
            down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            if one["drawing"] == other["drawing"] and across > 1 and down > 4:
                found.append(f"{one['text']!r} and {other['text']!r}")
    return found


def check(browser: Browser, html: str, width: int, dark: bool) -> None:
    browser.show(html, width=width, dark=dark)
    seen = browser.ask(MEASURE)
    assert seen["width"] == width
    assert seen["wider"] <= 0, "the page scrolls sideways"
    assert seen["paper"] == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    assert seen["shown"]
    assert covered(seen["shown"]) == []
    assert [one["text"] for one in seen["shown"] if one["outside"] > 0.5] == []
    assert [one["text"] for one in seen["shown"] if one["size"] < SMALLEST] == []
    folder = os.environ.get("VIPKEEPER_SCREENSHOTS")
    taken = browser.picture(whole=folder is not None)
    assert taken.startswith(b"\x89PNG")
    assert len(taken) > 5000
    if folder is not None:
        name = os.environ["PYTEST_CURRENT_TEST"].split("[")[1].split("]")[0]
        Path(folder, f"{name}.png").write_bytes(taken)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", WIDTHS)
def test_pictures_can_be_read(browser: Browser, kind: str, dark: bool) -> None:
    every = "".join(
        f"<div>{drawing}</div>" for drawing in drawings(narrow=kind == "phone").values()
    )
    html = (
        '<!doctype html><meta name="viewport" content="width=device-width">'
        f'<body style="margin:0">{every}</body>'
    )
    check(browser, html, WIDTHS[kind], dark)


@pytest.mark.parametrize(("kind", "dark"), [("phone", False), ("desk", True)])
@pytest.mark.parametrize("name", ["run", "trace", "soak", "bench"])
def test_a_page_can_be_read(browser: Browser, name: str, kind: str, dark: bool) -> None:
    check(browser, pages()[name], WIDTHS[kind], dark)


def test_texts_that_cover_each_other_are_found(browser: Browser) -> None:
    text = '<text x="10" y="20">one text</text><text x="30" y="22">another</text>'
    browser.show(
        f'<svg viewBox="0 0 200 50" width="200"><rect class="paper"/>{text}</svg>',
        width=390,
        dark=False,
    )
    assert covered(browser.ask(MEASURE)["shown"]) == ["'one text' and 'another'"]
