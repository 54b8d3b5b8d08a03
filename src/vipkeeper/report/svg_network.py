"""The LAN an act was played on: machines on a bridge, the VIP at its holder, what was broken."""

from __future__ import annotations

import re
import textwrap

from vipkeeper.report.json import ReportError
from vipkeeper.report.run import ActResult, MarkerKind, Network, Station, StationRole
from vipkeeper.report.style import one_line
from vipkeeper.report.svg_parts import BOLD, CHARACTER, Box, document, line, text

WIDE, NARROW = 128.0, 98.0
"""Width of a machine for a desk and for a phone."""
GAP = 11.0
HEIGHT = 62.0
DROP = 26.0
"""Length of a cable."""
TAG = 24.0


def topology(act: ActResult, *, narrow: bool = False) -> str:
    """The act's network just before its fault: servers above the bridge, the others below.

    Raises:
        ReportError: the record does not say what the network was.
    """
    network = act.network
    if network is None:
        raise ReportError(f"the record has no network of act '{one_line(act.name)}'")
    servers = [s for s in network.stations if s.role is StationRole.SERVER]
    others = [s for s in network.stations if s.role is not StationRole.SERVER]
    card = NARROW if narrow else WIDE
    columns = min(3 if narrow else 5, max(len(servers), len(others), 3))
    right = 18 + columns * card + (columns - 1) * GAP
    width = right + 18
    struck = {m.server: m.text for m in act.markers if m.kind is MarkerKind.FAULT and m.server}
    holder = _holder(act)
    parts = [text(18, 28, "The network", "ink t")]
    subtitle = f"{one_line(act.name)}: before the fault, VIP {one_line(network.vip)}"
    y = 48.0
    for row in textwrap.wrap(subtitle, int((width - 36) / CHARACTER)):
        parts.append(text(18, y, row, "soft s"))
        y += 16
    for machines in _rows(servers, columns):
        for index, station in enumerate(machines):
            x = 18 + index * (card + GAP)
            parts += _card(station, x, y + TAG, card, struck)
            middle = x + card / 2
            parts.append(line("dash", middle, y + TAG + HEIGHT, middle, y + TAG + HEIGHT + DROP))
            if station.name == holder:
                tag = Box(x, y, card, TAG - 2)
                parts.append(tag.draw("hold", radius=4, tip=f"{holder} holds {network.vip}"))
                parts.append(text(middle, y + 15, "holds the VIP", "onhold b s", "middle"))
        y += TAG + HEIGHT + DROP
        parts.append(Box(18, y, right - 18, 24).draw("solid", radius=4))
        words = f"bridge {one_line(network.bridge)}"
        parts.append(text((18 + right) / 2, y + 16, words, "page b s", "middle"))
        y += 24
    for machines in _rows(others, columns):
        for index, station in enumerate(machines):
            x = 18 + index * (card + GAP)
            parts.append(line("dash", x + card / 2, y, x + card / 2, y + DROP))
            parts += _card(station, x, y + DROP, card, struck)
        y += DROP + HEIGHT
    y += 24
    for name, words in struck.items():
        for row in textwrap.wrap(f"✗ {name}: {one_line(words)}", int((width - 36) / BOLD)):
            parts.append(text(18, y, row, "lost b"))
            y += 18
    key = _key(act, narrow)
    return document(key, f"Network of {act.name}", describe(act, network), (width, y), parts)


def describe(act: ActResult, network: Network) -> str:
    """The picture in words."""
    said = [f"{s.name} ({s.role.value}, {s.address})" for s in network.stations]
    holder = _holder(act)
    broken = [m.text for m in act.markers if m.kind is MarkerKind.FAULT]
    return (
        f"One bridge, {network.bridge}, with {', '.join(said)}. "
        f"The VIP {network.vip} is on {holder or 'no server'} at first. "
        f"Broken: {'; '.join(dict.fromkeys(broken)) or 'nothing'}."
    )


def _holder(act: ActResult) -> str | None:
    """Who holds the VIP first."""
    held = [(span.start, lane.server) for lane in act.lanes for span in lane.held]
    return min(held)[1] if held else None


def _key(act: ActResult, narrow: bool) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", act.name.lower()).strip("-") or "act"
    return f"vk-net-{slug}-{act.run}{'n' if narrow else ''}"


def _rows(stations: list[Station], each: int) -> list[list[Station]]:
    return [stations[i : i + each] for i in range(0, len(stations), each)]


def _card(station: Station, x: float, y: float, card: float, struck: dict[str, str]) -> list[str]:
    """A machine; one that is struck has a dashed edge and a cross."""
    hit = station.name in struck
    role = "✗ struck" if hit else station.role.value
    return [
        Box(x, y, card, HEIGHT).draw("stray" if hit else "outline", radius=6),
        text(x + 10, y + 20, one_line(station.name)[: int((card - 16) / BOLD)], "ink b"),
        text(x + 10, y + 37, one_line(station.address)[: int((card - 12) / 6)], "soft n s"),
        text(x + 10, y + 53, role, "lost b s" if hit else "soft s"),
    ]
