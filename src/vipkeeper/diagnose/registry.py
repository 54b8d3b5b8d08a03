"""All hypotheses of the package `diagnose.hypotheses`: a file is registered by being there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass

from vipkeeper.catalog.entry import Cause, Remedy
from vipkeeper.diagnose import hypotheses
from vipkeeper.diagnose.hypothesis import Hypothesis
from vipkeeper.diagnose.page import Page, markdown, parse_page


@dataclass(frozen=True, slots=True)
class Registered:
    """A hypothesis with its docstring."""

    hypothesis: Hypothesis
    docstring: str

    @property
    def page(self) -> Page:
        """What the docstring says. Raises `PageError` when it is no page."""
        return parse_page(self.docstring)

    @property
    def cause(self) -> Cause:
        """Its entry in the table of codes. Raises `PageError` when its docstring is no page."""
        hypothesis, page = self.hypothesis, self.page
        return Cause(
            code=hypothesis.code,
            name=hypothesis.name,
            layer=hypothesis.layer.name.lower(),
            title=page.title,
            what=page.what,
            chain=hypothesis.chain,
            explains=tuple(symptom.value for symptom in hypothesis.explains),
            apart=page.apart,
            fixes=tuple(
                Remedy(s.risk.value, s.text, s.command, s.only_if) for s in hypothesis.fixes
            ),
            verify=hypothesis.verify,
            references=page.references,
            document=markdown(hypothesis, page),
        )


@functools.cache
def all_hypotheses() -> tuple[Registered, ...]:
    """Every hypothesis, by code."""
    found = []
    for family in pkgutil.iter_modules(hypotheses.__path__, f"{hypotheses.__name__}."):
        package = importlib.import_module(family.name)
        for info in pkgutil.iter_modules(package.__path__, f"{family.name}."):
            if info.name.rpartition(".")[2].startswith("vk"):
                module = importlib.import_module(info.name)
                found.append(Registered(module.HYPOTHESIS, module.__doc__ or ""))
    return tuple(sorted(found, key=lambda registered: registered.hypothesis.code))
