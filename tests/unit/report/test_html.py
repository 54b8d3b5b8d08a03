"""The page: self-contained, escaped, complete."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

from unit.report.sample import FULL, POWER_OFF, SPLIT, run_report
from vipkeeper.report.html import page
from vipkeeper.report.json import load_run
from vipkeeper.report.run import Span

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Reader(HTMLParser):
    """Elements and attributes of a page; insists that they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_needs_no_network_and_runs_no_script() -> None:
    reader = Reader(page(FULL))
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "iframe", "img", "object", "embed", "base", "form"}
    targets = [a["href"] or "" for _, a in reader.elements if "href" in a]
    assert all(target.startswith(("#", "data:application/json")) for target in targets)
    assert not any(name.startswith("on") for _, a in reader.elements for name in a)
    policy = next(a["content"] or "" for _, a in reader.elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_every_link_has_its_target_and_ids_are_unique() -> None:
    reader = Reader(page(FULL))
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = {
        (a["href"] or "")[1:] for _, a in reader.elements if (a.get("href") or "").startswith("#")
    }
    assert len(links) == 3
    assert links <= set(ids)


def test_foreign_text_is_escaped() -> None:
    evil = "</style></title><script>alert(1)</script>\x00\ud800"
    act = replace(POWER_OFF, name=evil, title=evil, story=evil, reason=evil)
    report = replace(run_report(act), manager=evil, conditions={evil: evil}, notes=(evil,))
    text = page(report)
    assert "<script" not in text
    text.encode("utf-8")
    Reader(text)


def test_the_raw_data_can_be_taken_out() -> None:
    found = re.search(r'href="data:application/json;base64,([^"]+)"', page(FULL))
    assert found is not None
    assert load_run(base64.b64decode(found[1]).decode()) == FULL


def test_bad_news_stand_at_the_top() -> None:
    text = page(run_report(SPLIT))
    head = text[: text.index("<main>")]
    assert re.search(r'class="bad"><b>0 of 1</b> acts passed', head)
    assert re.search(r'class="bad"><b>500 ms</b> with two servers answering', head)
    assert re.search(r'class="bad"><b>once</b> VIP left behind', head)
    good = page(run_report(POWER_OFF))
    assert 'class="bad"' not in good


def test_the_longest_outage_of_each_client_stands_at_the_top() -> None:
    still = replace(
        POWER_OFF,
        name="api-dead",
        outage_ms=0.0,
        udp=replace(POWER_OFF.udp, gaps=()),
        tls=replace(POWER_OFF.tls, gaps=(Span(1.5, POWER_OFF.length),)),
        service_outage_ms=3500.0,
    )
    text = page(run_report(POWER_OFF, still))
    head = text[: text.index("<main>")]
    assert "<b>184 ms</b> longest client outage <small>(power-off)</small>" in head
    assert "<b>&gt; 3500 ms</b> longest TLS outage <small>(api-dead)</small>" in head


def test_a_run_without_acts_is_still_a_page() -> None:
    Reader(page(run_report()))
