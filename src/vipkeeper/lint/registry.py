"""All rules of the package `lint.rules`: a rule file is registered by being there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from vipkeeper.catalog.entry import Entry
from vipkeeper.catalog.page import parse_page
from vipkeeper.catalog.table import Table, make_table
from vipkeeper.lint import rules
from vipkeeper.lint.rule import Finding, Rule


@dataclass(frozen=True, slots=True)
class Registered:
    """A rule with its check and the module that both are in."""

    rule: Rule
    check: Callable[[Any], Iterator[Finding]]
    """Takes a `File`, `Server`, `Cluster` or `Run`, by `rule.reach`."""
    module: ModuleType

    @property
    def entry(self) -> Entry:
        """Its entry in the table of codes.

        Raises:
            PageError: its docstring is no page.
        """
        rule = self.rule
        return Entry(
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            confidence=rule.confidence,
            reach=rule.reach,
            kinds=tuple(kind.value for kind in rule.kinds) or ("any file",),
            versions=rule.versions,
            page=parse_page(self.module.__doc__ or ""),
        )


@functools.cache
def all_rules() -> tuple[Registered, ...]:
    """Every rule, by code."""
    found = []
    for family in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}."):
        package = importlib.import_module(family.name)
        for info in pkgutil.iter_modules(package.__path__, f"{family.name}."):
            if info.name.rpartition(".")[2].startswith("vk"):
                module = importlib.import_module(info.name)
                found.append(Registered(module.RULE, module.check, module))
    return tuple(sorted(found, key=lambda registered: registered.rule.code))


def catalog() -> Table:
    """The table of all codes."""
    return make_table(registered.entry for registered in all_rules())
