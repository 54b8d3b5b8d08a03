"""The drawing of an act: well formed, self-contained, and true to the run."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.report.sample import POWER_OFF, SKIPPED, SPLIT
from vipkeeper.report.run import ActResult, Client, Lane, Marker, MarkerKind, Span
from vipkeeper.report.svg import describe, timeline
from vipkeeper.report.svg_parts import DARK, LIGHT

NS = "{http://www.w3.org/2000/svg}"


def drawn(act: ActResult, *, narrow: bool = False) -> ET.Element:
    return ET.fromstring(timeline(act, narrow=narrow))


def boxes(root: ET.Element, kind: str) -> list[ET.Element]:
    """Rectangles of a class, without those of the legend."""
    return [box for box in root.iter(f"{NS}rect") if box.get("class") == kind and len(box)]


def words(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{NS}text")]


@pytest.mark.parametrize("act", [POWER_OFF, SPLIT, SKIPPED], ids=lambda act: act.name)
@pytest.mark.parametrize("narrow", [False, True])
def test_is_well_formed_and_asks_for_nothing(act: ActResult, narrow: bool) -> None:
    text = timeline(act, narrow=narrow)
    ET.fromstring(text)
    assert text == timeline(act, narrow=narrow)
    links = re.findall(r"(?:href|src)=|@import|url\((?!#)|<script|on\w+=", text)
    assert links == []
    assert re.findall(r"https?://\S+?\"", text) == ['http://www.w3.org/2000/svg"']


def test_bars_are_where_the_spans_are() -> None:
    root = drawn(replace(POWER_OFF, lanes=(Lane("a", (Span(0, 5),), (Span(1, 3.5),)),)))
    (held,), (answered,) = boxes(root, "quiet"), boxes(root, "hold")
    left, full = float(held.attrib["x"]), float(held.attrib["width"])
    assert float(answered.attrib["x"]) == pytest.approx(left + full / 5, abs=0.2)
    assert float(answered.attrib["width"]) == pytest.approx(full / 2, abs=0.2)


def test_two_servers_answering_are_drawn_in_both_lanes_and_only_then() -> None:
    assert boxes(drawn(POWER_OFF), "two") == []
    tips = [box[0].text or "" for box in boxes(drawn(SPLIT), "two")]
    assert sorted(tips) == [
        "cp1 and another server answer 2.000 to 2.500 s",
        "cp2 and another server answer 2.000 to 2.500 s",
        "cp2 and another server answer 4.000 to 4.500 s",
        "cp3 and another server answer 4.000 to 4.500 s",
    ]


def test_holding_is_not_drawn_where_only_the_wire_answers() -> None:
    root = drawn(replace(POWER_OFF, lanes=(Lane("a", (), (Span(1, 3),)),)))
    assert boxes(root, "hold") == []
    assert len(boxes(root, "stray")) == 1


def test_the_outage_has_its_figure_and_its_resolution() -> None:
    said = words(drawn(POWER_OFF))
    assert "184 ms outage, ±2 ms" in said
    assert "200 ms outage, ±20 ms" in said


def test_no_outage_and_no_probe_are_different() -> None:
    calm = replace(POWER_OFF, outage_ms=0.0, udp=replace(POWER_OFF.udp, gaps=()))
    assert "no outage seen, probe every 2 ms" in words(drawn(calm))
    blind = replace(POWER_OFF, outage_ms=None, udp=Client(2, 0, 0, ()))
    assert "not probed" in words(drawn(blind))


def test_an_outage_to_the_end_of_the_act_is_at_least_so_long() -> None:
    gap = Span(1.5, POWER_OFF.length)
    still = replace(POWER_OFF, udp=replace(POWER_OFF.udp, gaps=(gap,)), outage_ms=3500.0)
    assert "> 3500 ms outage, ±2 ms" in words(drawn(still))
    assert "Longest client outage 3500 ms, to the end of the act." in describe(still)


def test_words_for_those_who_do_not_see_it() -> None:
    root = drawn(SPLIT)
    ids = root.attrib["aria-labelledby"].split()
    labels = [next(e.text for e in root.iter() if e.get("id") == i) for i in ids]
    assert labels == [SPLIT.title, describe(SPLIT)]
    assert "cp1 held the VIP 0.00 to 5.00 s." in describe(SPLIT)
    assert "Two servers answered at the same time for 500 ms." in describe(SPLIT)


def test_foreign_text_is_text() -> None:
    evil = '</svg><script>x</script>"\x00\ud800\u202e'
    lanes = (Lane(evil, (Span(0, 1),), (Span(0, 1),)),)
    marker = Marker(1, MarkerKind.FAULT, evil, evil)
    act = replace(POWER_OFF, name=evil, title=evil, lanes=lanes, markers=(marker,))
    root = drawn(act)
    assert root.findall(f".//{NS}script") == []
    assert any("</svg><script>" in word for word in words(root))


def test_crowded_events_get_flags_that_do_not_cover_each_other() -> None:
    crowd = tuple(Marker(4.99, MarkerKind.CLAIMED, f"event {i}") for i in range(20))
    root = drawn(replace(POWER_OFF, markers=crowd))
    places = [float(flag.attrib["cx"]) for flag in root.iter(f"{NS}circle")]
    assert all(b - a >= 18 for a, b in itertools.pairwise(places))
    assert max(places) <= 960
    assert "and 6 more in the raw data" in words(root)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "under", "least"),
    [
        ("ink", "paper", 4.5),
        ("soft", "paper", 4.5),
        ("ok", "paper", 4.5),
        ("lost", "paper", 4.5),
        ("two", "paper", 4.5),
        ("hold", "paper", 3),
        ("fault", "paper", 3),
        ("onhold", "hold", 4.5),
    ],
)
def test_contrast_of_wcag_2(palette: dict[str, str], name: str, under: str, least: float) -> None:
    dark, light = sorted((luminance(palette[name]), luminance(palette[under])))
    assert (light + 0.05) / (dark + 0.05) >= least


TIMES = st.floats(0, 1e7, allow_nan=False)
SPANS = st.lists(
    st.tuples(TIMES, TIMES).map(lambda pair: Span(min(pair), max(pair))), max_size=4
).map(tuple)


@given(
    length=TIMES,
    lanes=st.lists(st.builds(Lane, st.text(), SPANS, SPANS), max_size=4).map(tuple),
    gaps=SPANS,
    faults=SPANS,
    markers=st.lists(
        st.builds(Marker, TIMES, st.sampled_from(MarkerKind), st.text(), st.none() | st.text()),
        max_size=4,
    ).map(tuple),
    narrow=st.booleans(),
)
def test_any_act_can_be_drawn(
    length: float,
    lanes: tuple[Lane, ...],
    gaps: tuple[Span, ...],
    faults: tuple[Span, ...],
    markers: tuple[Marker, ...],
    narrow: bool,
) -> None:
    act = replace(
        POWER_OFF,
        length=length,
        lanes=lanes,
        udp=Client(2, 10, 1, gaps),
        faults=faults,
        markers=markers,
    )
    drawn(act, narrow=narrow)
