"""keepalived.conf with lines behind `@ID` whose server runs with an unknown id: judged once for each id that it may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from vipkeeper.config.tree import shown
from vipkeeper.lint.document import Document, of_type
from vipkeeper.lint.parsers import keepalived
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding
from vipkeeper.lint.scope import File, Server

MAX_IDS = 16
"""Ids of one server that are tried; keepalived.conf of more is judged by the first of them."""
_ANOTHER = "@"
"""An id that no line names: none begins like this."""
Judged = File[Document] | Server
T = TypeVar("T", bound=Judged)


class Variants:
    """Files and servers as the ids of one run make them; each is made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], Document] = {}

    def apply(self, check: Callable[[Any], Iterator[Finding]], thing: Judged) -> Iterator[Finding]:
        """The findings of a check; those that some ids make are likely at most, and say which."""
        ids = _ids(thing)
        if not ids:
            yield from check(thing)
            return
        found: dict[tuple[object, ...], tuple[Finding, list[str]]] = {}
        for config_id in ids:
            for finding in check(self._with(thing, config_id)):
                key = (finding.span, finding.message)
                having = found.setdefault(key, (finding, []))[1]
                if config_id not in having:
                    having.append(config_id)
        for finding, having in found.values():
            yield finding if len(having) == len(ids) else _unsure(finding, having, ids)

    def _with(self, thing: T, config_id: str) -> T:
        if isinstance(thing, File):
            return replace(thing, document=self._judged(thing.document, config_id))
        documents = tuple(self._judged(document, config_id) for document in thing.documents)
        return type(thing)(thing.name, documents, thing.settings, thing.facts)

    def _judged(self, document: Document, config_id: str) -> Document:
        if not isinstance(document, Keepalived) or not _is_open(document):
            return document
        key = (id(document), config_id)
        if key not in self._made:
            parsed = keepalived.parse(document.source, document.kind, config_id)
            self._made[key] = parsed.documents[0]
        return self._made[key]


def _is_open(document: Keepalived) -> bool:
    return bool(document.ids) and document.config_id is None


def _ids(thing: Judged) -> list[str]:
    """Those that may be the server's; of one id alone not all servers have it, of several each has one."""
    documents = (thing.document,) if isinstance(thing, File) else thing.documents
    open_ones = [conf for conf in of_type(documents, Keepalived) if _is_open(conf)]
    ids = sorted(frozenset[str]().union(*(conf.ids for conf in open_ones)))[:MAX_IDS]
    return [*ids, _ANOTHER] if len(ids) == 1 else ids


def _unsure(finding: Finding, having: list[str], ids: list[str]) -> Finding:
    named = [f"'{shown(config_id)}'" for config_id in having if config_id != _ANOTHER]
    where = f"is {' or '.join(named)}" if named else f"is not '{shown(ids[0])}'"
    sure = finding.confidence is Confidence.CERTAIN
    return replace(
        finding,
        message=f"{finding.message} (where keepalived's id {where})",
        confidence=Confidence.LIKELY if sure else finding.confidence,
    )
