"""The page of a hypothesis: its docstring, and what its data says about the chain, the fix and the check."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from vipkeeper.diagnose.hypothesis import Hypothesis, Step

HEADINGS = ("What it is", "How to tell it apart", "References")
"""The parts of every docstring, in this order, after a title line."""
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


class PageError(Exception):
    """A docstring that is no page; says which part is missing."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a docstring says. Each part is Markdown."""

    title: str
    what: str
    apart: str
    references: str


def parse_page(docstring: str) -> Page:
    """The page in a docstring.

    Raises:
        PageError: no title, or a heading is missing, unknown, twice or empty.
    """
    pieces = _HEADING.split(inspect.cleandoc(docstring))
    title, headings, bodies = pieces[0].strip(), pieces[1::2], pieces[2::2]
    if not title or "\n" in title:
        raise PageError("the first line must be the title, followed by an empty line and headings")
    if tuple(headings) != HEADINGS:
        raise PageError(f"headings are {headings}, expected {list(HEADINGS)}")
    parts = [body.strip() for body in bodies]
    if not all(parts):
        raise PageError(f"nothing under '{HEADINGS[parts.index('')]}'")
    return Page(title, *parts)


def markdown(hypothesis: Hypothesis, page: Page) -> str:
    """The whole page as a document."""
    chain = "\n".join(f"{n}. {link}" for n, link in enumerate(hypothesis.chain, 1))
    symptoms = "\n".join(f"* {symptom.value}" for symptom in hypothesis.explains)
    fixes = "\n".join(f"{n}. {step_text(step)}" for n, step in enumerate(hypothesis.fixes, 1))
    verify = "\n".join(f"* `{command}`" for command in hypothesis.verify)
    return f"""\
# {hypothesis.code} {hypothesis.name}: {page.title}

## What it is

{page.what}

## How it leads to the symptom

{chain}

## What it explains

{symptoms}

## How to tell it apart

{page.apart}

## How to mend it

{fixes}

## How to verify

{verify}

## References

{page.references}
"""


def step_text(step: Step) -> str:
    """One step of a fix on one line."""
    condition = f", only if {step.only_if}" if step.only_if else ""
    command = f": `{step.command}`" if step.command else ""
    return f"[{step.risk.value}{condition}] {step.text}{command}"
