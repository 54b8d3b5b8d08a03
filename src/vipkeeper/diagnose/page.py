"""The page of a hypothesis: its docstring, and what its data says about the chain, the fix and the check."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.catalog.page import sections
from vipkeeper.diagnose.hypothesis import Hypothesis

HEADINGS = ("What it is", "How to tell it apart", "References")
"""The parts of every docstring, in this order, after a title line."""


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
    title, parts = sections(docstring, HEADINGS)
    return Page(title, *(parts[heading] for heading in HEADINGS))


def markdown(hypothesis: Hypothesis, page: Page) -> str:
    """The whole page as a document."""
    chain = "\n".join(f"{n}. {link}" for n, link in enumerate(hypothesis.chain, 1))
    symptoms = "\n".join(f"* {symptom.value}" for symptom in hypothesis.explains)
    fixes = "\n".join(f"{n}. {step.line('`')}" for n, step in enumerate(hypothesis.fixes, 1))
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
