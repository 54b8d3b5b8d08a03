"""A run as one HTML page that needs nothing else: no network, no script, light and dark, phone and desk."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from vipkeeper.report.json import dump_run
from vipkeeper.report.run import RunReport, Verdict
from vipkeeper.report.style import milliseconds, one_line
from vipkeeper.report.summary import ActSummary, counted, resolution, summaries, traced
from vipkeeper.report.svg import timeline
from vipkeeper.report.svg_parts import DARK, LIGHT, variables

PAGE_LIGHT = "#f6f8fa"
PAGE_DARK = "#010409"
MARK = '<meta name="generator" content="vipkeeper drill">'
"""By which a page in a report folder is known to be a report's."""


@dataclass(frozen=True, slots=True)
class _Longest:
    """The longest outage of a drill that one of its clients saw, and the act it belongs to."""

    text: str
    client: str
    name: str


def page(report: RunReport) -> str:
    """The page; the same text for the same run."""
    environment = templates()
    environment.filters["ms"] = milliseconds
    acts = summaries(report)
    raw = dump_run(report)
    verdicts = [act.verdict for act in acts]
    return (
        environment.from_string(file("page.html.j2")).render(
            report=report,
            acts=acts,
            css=stylesheet(),
            counted=counted(report),
            passed=verdicts.count(Verdict.PASSED),
            failed=verdicts.count(Verdict.FAILED),
            judged=verdicts.count(Verdict.PASSED) + verdicts.count(Verdict.FAILED),
            several=any(len(act.runs) > 1 for act in acts),
            two_holders_ms=max((run.two_holders_ms for run in report.acts), default=0.0),
            left_behind=_times(sum(act.left_behind for act in acts)),
            longest_waits=_longest(acts),
            resolution=resolution(report),
            traced=traced(report),
            drawing=timeline,
            raw=raw,
            mark=MARK,
            data_url=_data_url(raw),
        )
        + "\n"
    )


def templates() -> Environment:
    """Templates that escape whatever is put into them; `shown` makes recorded text one line."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["shown"] = one_line
    return environment


def file(name: str) -> str:
    """A file of this package."""
    return resources.files("vipkeeper.report").joinpath(name).read_text(encoding="utf-8")


def stylesheet() -> str:
    """The style of the page in the colours of the drawings. Holds nothing of the run."""
    light = variables("", LIGHT | {"page": PAGE_LIGHT})
    dark = variables("", DARK | {"page": PAGE_DARK})
    return (
        f":root{{{light}color-scheme:light dark}}\n"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n{file('page.css')}"
    )


def _times(count: int) -> str:
    return f"{count} times" if count > 1 else "once" if count else ""


def _longest(acts: tuple[ActSummary, ...]) -> Iterator[_Longest]:
    """The highest outage of all acts, of each client of which one was measured."""
    measured = (
        ("client", [(act.outage, act.name) for act in acts]),
        ("TLS", [(act.service_outage, act.name) for act in acts]),
    )
    for client, pairs in measured:
        figures = [(figure, name) for figure, name in pairs if figure is not None]
        if figures:
            figure, name = max(figures, key=lambda pair: pair[0].highest)
            yield _Longest(figure.worst, client, name)


def _data_url(raw: str) -> str:
    encoded = base64.b64encode(raw.encode("ascii")).decode("ascii")
    return f"data:application/json;base64,{encoded}"
