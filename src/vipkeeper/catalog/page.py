"""Pages as they stand in the docstring of a rule, and as Markdown documents."""

from __future__ import annotations

import dataclasses
import inspect
import re

from vipkeeper.catalog.entry import Entry, Page

HEADINGS = (
    "What it does",
    "Why it is bad",
    "Example",
    "How to fix",
    "How to verify",
    "References",
)
"""The parts of every page, in this order. The example has two parts, `Bad:` and `Good:`."""
PARTS = tuple(field.name for field in dataclasses.fields(Page))
"""The names of the parts."""
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


class PageError(Exception):
    """A docstring that is no page; says which part is missing."""


def sections(docstring: str, headings: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The title of a docstring, and what stands under each heading.

    Raises:
        PageError: no title, or a heading is missing, unknown, twice or empty.
    """
    pieces = _HEADING.split(inspect.cleandoc(docstring))
    title, names, bodies = pieces[0].strip(), pieces[1::2], pieces[2::2]
    if not title or "\n" in title:
        raise PageError("the first line must be the title, followed by an empty line and headings")
    if tuple(names) != headings:
        raise PageError(f"headings are {names}, expected {list(headings)}")
    parts = {name: body.strip() for name, body in zip(names, bodies, strict=True)}
    for name, body in parts.items():
        if not body:
            raise PageError(f"nothing under '{name}'")
    return title, parts


def parse_page(docstring: str) -> Page:
    """The page in a docstring: a title line, then the headings.

    Raises:
        PageError: a heading is missing, unknown, twice or empty, or the example lacks a part.
    """
    title, parts = sections(docstring, HEADINGS)
    bad, found, good = parts["Example"].partition("\nGood:")
    if not found or not bad.startswith("Bad:"):
        raise PageError("the example needs 'Bad:' and 'Good:', each followed by a code block")
    return Page(
        title=title,
        what=parts["What it does"],
        why=parts["Why it is bad"],
        bad=bad.removeprefix("Bad:").strip(),
        good=good.strip(),
        fix=parts["How to fix"],
        verify=parts["How to verify"],
        references=parts["References"],
    )


def markdown(entry: Entry) -> str:
    """The page of a code as a Markdown document."""
    page = entry.page
    facts = [
        f"* severity: {entry.severity.value}, confidence: {entry.confidence.value}",
        f"* looks at: one {entry.reach.value} ({', '.join(entry.kinds)})",
        *(f"* applies to: {version}" for version in entry.versions),
    ]
    parts = [
        f"# {entry.code} {entry.name}",
        page.title,
        "\n".join(facts),
        f"## What it does\n\n{page.what}",
        f"## Why it is bad\n\n{page.why}",
        f"## Example\n\nBad:\n\n{page.bad}\n\nGood:\n\n{page.good}",
        f"## How to fix\n\n{page.fix}",
        f"## How to verify\n\n{page.verify}",
        f"## References\n\n{page.references}",
    ]
    return "\n\n".join(parts) + "\n"


def first_sentence(text: str) -> str:
    """The first sentence of a part, on one line: what a finding says in short."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    found = re.search(r"[.;](?= [A-Z`]|$)", paragraph)
    return f"{paragraph[: found.start()]}." if found else paragraph
