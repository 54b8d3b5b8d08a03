"""The one table of all codes: rules of `lint` and causes of `why`."""

from __future__ import annotations

from vipkeeper.catalog.table import Table, make_table
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.lint.registry import all_rules


def all_codes() -> Table:
    """Every code once.

    Raises:
        CatalogError: a code or a name means two things.
        PageError: a docstring is no page.
    """
    rules = (registered.entry for registered in all_rules())
    return make_table(rules, causes=(registered.cause for registered in all_hypotheses()))
