"""What every parser returns: documents, and problems for what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vipkeeper.config.tree import Mapping, Problem
from vipkeeper.lint.kinds import Kind, Place
from vipkeeper.lint.source import Source


@dataclass(frozen=True, slots=True)
class Document:
    """One document of one file. The parsers' classes say what can be asked of each kind."""

    kind: Kind
    source: Source
    memo: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """For `once`."""

    @property
    def place(self) -> Place:
        """Where on a server the file is."""
        return self.source.place


@dataclass(frozen=True, slots=True)
class YamlDocument(Document):
    """A YAML document whose root is a mapping. `root.scalar("a", "b", 0)` finds a value."""

    root: Mapping


D = TypeVar("D", bound=Document)


def of_type(documents: Iterable[Document], wanted: type[D]) -> tuple[D, ...]:
    """The documents of one class."""
    return tuple(document for document in documents if isinstance(document, wanted))


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that one file gave."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    included: tuple[Source, ...] = ()
    """Other files that were read on its behalf."""
