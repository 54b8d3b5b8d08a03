"""The text of a run: what it says, without colour, in ASCII, in any width."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from unit.report.sample import FULL, POWER_OFF, SKIPPED, SPLIT, run_report
from vipkeeper.report.run import Lane, Marker, MarkerKind, RunReport, Span
from vipkeeper.report.style import ColorChoice, use_ascii, use_color
from vipkeeper.report.terminal import render_run, render_timeline

GOLDEN = Path(__file__).with_name("golden")


def plain(report: RunReport, width: int = 100, *, ascii: bool = True) -> str:
    return render_run(report, ascii=ascii, color=False, width=width)


def lane(text: str, name: str) -> str:
    """The first lane of that name."""
    return next(line for line in text.splitlines() if re.match(rf"  {name}   ", line))


def row(text: str, name: str) -> list[str]:
    """The cells of an act's row in the table."""
    line = next(line for line in text.splitlines() if re.match(rf"{name} +\S", line))
    return re.split(r" {2,}", line)


@pytest.mark.parametrize(("name", "ascii"), [("run.ascii.txt", True), ("run.txt", False)])
def test_golden(name: str, ascii: bool) -> None:
    assert plain(FULL, ascii=ascii) == (GOLDEN / name).read_text(encoding="utf-8")


def test_several_runs_show_median_and_maximum_and_the_worst_run() -> None:
    text = plain(FULL)
    assert row(text, "power-off") == [
        "power-off", "3", "passed", "184 / 210 ms", "200 / 200 ms", "0 / 0 ms", "no", "1",
    ]  # fmt: skip
    assert "(run 2, the worst of 3)" in text


def test_a_failed_run_is_shown_before_a_slower_one_that_passed() -> None:
    text = plain(
        run_report(replace(POWER_OFF, name="freeze", outage_ms=9000.0), replace(SPLIT, run=2))
    )
    assert "(run 2, the worst of 2)" in text
    assert row(text, "freeze")[2] == "FAILED"


def test_a_skipped_act_has_no_figures_and_says_why() -> None:
    text = plain(run_report(SKIPPED))
    assert row(text, "etcd-quorum")[2:] == ["-", "-", "-", "-", "-"]
    assert "skipped: no network namespaces" in text


def test_two_servers_answering_are_seen_in_both_lanes_and_in_words() -> None:
    text = plain(run_report(SPLIT))
    assert lane(text, "cp1").count("!") == lane(text, "cp2").count("!") - lane(text, "cp3").count(
        "!"
    )
    assert "!" in lane(text, "cp1")
    assert "two servers answered at the same time for 500 ms" in text
    assert "left behind on a server" in text
    assert "FAIL never two servers answering (found: 500 ms)" in text


def test_a_vip_that_is_held_but_silent_differs_from_one_that_answers() -> None:
    cells = lane(plain(run_report(POWER_OFF)), "cp1").split()[1]
    assert re.fullmatch(r"=+-+", cells)


def test_an_answer_without_the_address_is_not_drawn_as_holding() -> None:
    stray = replace(POWER_OFF, lanes=(Lane("cp1", held=(), answered=(Span(0, 5),)),))
    assert "~~~~" in lane(plain(run_report(stray)), "cp1")


def test_an_outage_shorter_than_a_column_is_still_drawn() -> None:
    short = replace(
        POWER_OFF, udp=replace(POWER_OFF.udp, gaps=(Span(1.52, 1.532),)), outage_ms=12.0
    )
    line = lane(plain(run_report(short)), "client")
    assert line.count("x") == 1
    assert "outage 12 ms (probe every 2 ms)" in line


def test_without_colour_there_is_no_escape_and_ascii_is_ascii() -> None:
    foreign = replace(POWER_OFF, story="±1 – \x1b[31mred\x1b[0m \ud800 日本\r\n", reason="a\x00b")
    text = plain(run_report(foreign))
    assert text.isascii()
    assert "\x1b" not in text
    assert "+-1 - \\x1b[31mred\\x1b[0m \\ud800 \\u65e5\\u672c" in text
    assert "\x1b" not in plain(run_report(foreign), ascii=False)


def test_colour_adds_only_escapes() -> None:
    colored = render_run(FULL, ascii=False, color=True, width=100)
    assert "\x1b[" in colored
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert stripped == plain(FULL, ascii=False)


@pytest.mark.parametrize("width", [0, 60, 80, 100, 200])
def test_fits_the_width(width: int) -> None:
    expected = max(width, 84)
    assert max(map(len, plain(run_report(POWER_OFF, SPLIT), width).splitlines())) <= expected


def test_a_run_without_acts_and_an_act_without_time_can_be_shown() -> None:
    assert "no acts" in plain(run_report())
    assert "t/s" in plain(run_report(replace(POWER_OFF, length=0.0)))


@pytest.mark.parametrize(
    ("choice", "environment", "tty", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_on_colour(
    choice: str, environment: dict[str, str], tty: bool, expected: bool
) -> None:
    assert use_color(ColorChoice(choice), environment, tty) is expected


@pytest.mark.parametrize(
    ("asked", "environment", "encoding", "expected"),
    [
        (False, {}, "utf-8", False),
        (False, {}, "UTF8", False),
        (False, {}, "ANSI_X3.4-1968", True),
        (False, {}, None, True),
        (False, {"TERM": "dumb"}, "utf-8", True),
        (True, {}, "utf-8", True),
    ],
)
def test_who_decides_on_ascii(
    asked: bool, environment: dict[str, str], encoding: str | None, expected: bool
) -> None:
    assert use_ascii(asked, environment, encoding) is expected


def test_what_befalls_two_servers_at_once_is_told_once() -> None:
    text = "cp2 and cp1 lose power"
    both = tuple(Marker(1.5, MarkerKind.FAULT, text, name) for name in ("cp1", "cp2"))
    alike = tuple(Marker(1.6, MarkerKind.FAULT, "loses power", name) for name in ("cp1", "cp3"))
    act = replace(POWER_OFF, markers=(*both, *alike))
    drawn = render_timeline(act, ascii=True, color=False, width=100)
    assert drawn.count(text) == 1
    assert drawn.count("fault cp1: loses power") == drawn.count("fault cp3: loses power") == 1


def test_an_outage_that_was_not_over_with_the_act_is_at_least_so_long() -> None:
    gap = Span(1.5, POWER_OFF.length)
    waiting = (POWER_OFF.length - 1.5) * 1000
    still = replace(POWER_OFF, tls=replace(POWER_OFF.tls, gaps=(gap,)), service_outage_ms=waiting)
    text = plain(run_report(still))
    assert row(text, "power-off")[2:4] == ["184 ms", f"> {waiting:.0f} ms"]
    assert f"outage > {waiting:.0f} ms (probe every 20 ms)" in text
    assert "Behind a > the outage was not over when the act was" in " ".join(text.split())
    assert "Behind a >" not in plain(run_report(POWER_OFF))
    ended = replace(POWER_OFF, run=2)
    several = plain(run_report(still, ended, replace(ended, run=3)))
    assert row(several, "power-off")[4] == f"200 / > {waiting:.0f} ms"
