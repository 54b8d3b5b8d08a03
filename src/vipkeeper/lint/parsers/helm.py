"""Helm values: as a file, or in the text of a HelmChart or HelmChartConfig of RKE2 and k3s."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.reader import Documents, read
from vipkeeper.config.tree import Mapping, Scalar, Style
from vipkeeper.lint.document import YamlDocument
from vipkeeper.lint.source import Source


@dataclass(frozen=True, slots=True)
class HelmValues(YamlDocument):
    """Values of Cilium or Calico; `root` is the values, `chart` the object around them."""

    chart: Mapping | None


def inner_values(source: Source, block: Scalar) -> Documents:
    """The YAML inside `valuesContent: |-`, with the places it has in the file around it."""
    if block.style not in (Style.LITERAL, Style.FOLDED):
        return read(block.text, source.file)
    first, last = block.span.line, block.span.end_line
    body = source.lines[first : last if block.span.end_column > 1 else last - 1]
    return read("\n" * first + "\n".join(body), source.file)
