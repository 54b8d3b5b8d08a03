"""All codes together: look one up by code or name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from vipkeeper.catalog.entry import CODE, NAME, Cause, Entry, Retired

RETIRED: tuple[Retired, ...] = ()
"""Codes that were given up. A code is never used for something else."""


class CatalogError(Exception):
    """Two entries that cannot stand in one table."""


@dataclass(frozen=True, slots=True)
class Table:
    """The codes in order: of rules, of causes, and those given up."""

    entries: tuple[Entry, ...]
    retired: tuple[Retired, ...]
    causes: tuple[Cause, ...] = ()

    @property
    def everything(self) -> tuple[Entry | Cause | Retired, ...]:
        """Retired codes too."""
        return (*self.entries, *self.causes, *self.retired)

    def find(self, wanted: str) -> Entry | Cause | Retired | None:
        """The entry of a code (in any case) or of a name."""
        for entry in self.everything:
            if entry.code == wanted.upper() or entry.name == wanted.lower():
                return entry
        return None

    def near(self, wanted: str) -> str | None:
        """The code or name that was perhaps meant."""
        alive: tuple[Entry | Cause, ...] = (*self.entries, *self.causes)
        known = [word for entry in alive for word in (entry.code, entry.name)]
        near = difflib.get_close_matches(wanted.lower(), [word.lower() for word in known], n=1)
        return next((word for word in known if near and word.lower() == near[0]), None)


def make_table(
    entries: Iterable[Entry],
    retired: Iterable[Retired] = RETIRED,
    causes: Iterable[Cause] = (),
) -> Table:
    """The table of these entries.

    Raises:
        CatalogError: a code or name is malformed or used twice.
    """
    table = Table(
        tuple(sorted(entries, key=lambda entry: entry.code)),
        tuple(retired),
        tuple(sorted(causes, key=lambda cause: cause.code)),
    )
    seen: set[str] = set()
    for entry in table.everything:
        if not CODE.fullmatch(entry.code) or not NAME.fullmatch(entry.name):
            raise CatalogError(f"'{entry.code} {entry.name}' is not like 'VK101 server-not-url'")
        for word in (entry.code, entry.name):
            if word in seen:
                raise CatalogError(f"{word} is used twice")
            seen.add(word)
    return table
