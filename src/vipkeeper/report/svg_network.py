"""The LAN an act was played on: machines on a bridge, the VIP at its holder, what was broken."""

from __future__ import annotations

import re

from vipkeeper.report.json import ReportError
from vipkeeper.report.run import ActResult, MarkerKind, Network, Station, StationRole
from vipkeeper.report.style import one_line
from vipkeeper.report.svg_parts import BOLD, Box, document, line, text

CARD = 128.0
GAP = 14.0
HEIGHT = 62.0
DROP = 46.0
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
    each = 2 if narrow else 5
    width = 36 + each * CARD + (each - 1) * GAP
    key = _key(act, narrow)
    parts = [text(18, 28, f"The network of {one_line(act.name)}"[: int(width / 9)], "ink t")]
    struck = {m.server: m.text for m in act.markers if m.kind is MarkerKind.FAULT and m.server}
    holder = _holder(act)
    y = 44.0
    columns = min(each, max(len(servers), len(others), 1))
    right = 18 + columns * CARD + (columns - 1) * GAP
    for row in _rows(servers, each):
        for index, station in enumerate(row):
            x = 18 + index * (CARD + GAP)
            parts += _card(station, x, y + TAG, struck)
            parts += _cable(x, y + TAG + HEIGHT, y + TAG + HEIGHT + DROP, station.name in struck)
            if station.name == holder:
                tag = Box(x, y, CARD, TAG - 2)
                parts.append(tag.draw("hold", radius=4, tip=f"{holder} holds {network.vip}"))
                parts.append(
                    text(x + CARD / 2, y + 15, f"VIP {network.vip}", "onhold b s", "middle")
                )
        y += TAG + HEIGHT + DROP
        parts += _bridge(network, right, y)
        y += 24
    for row in _rows(others, each):
        for index, station in enumerate(row):
            x = 18 + index * (CARD + GAP)
            parts += _cable(x, y, y + DROP / 2, station.name in struck)
            parts += _card(station, x, y + DROP / 2, struck)
        y += DROP / 2 + HEIGHT + 8
    y += 16
    for name, words in struck.items():
        parts.append(text(18, y, f"✗ {name}: {words}"[: int((width - 36) / BOLD)], "lost b"))
        y += 18
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


def _card(station: Station, x: float, y: float, struck: dict[str, str]) -> list[str]:
    room = int((CARD - 20) / BOLD)
    return [
        Box(x, y, CARD, HEIGHT).draw("outline", radius=6),
        text(x + 10, y + 20, one_line(station.name)[:room], "ink b"),
        text(x + 10, y + 37, one_line(station.address)[:17], "soft n s"),
        text(x + 10, y + 53, "✗ struck" if station.name in struck else station.role.value,
             "lost b s" if station.name in struck else "soft s"),
    ]  # fmt: skip


def _cable(x: float, top: float, bottom: float, struck: bool) -> list[str]:
    """A cable; dashed, with a cross, at a machine that is struck."""
    middle = x + CARD / 2
    if not struck:
        return [line("dash", middle, top, middle, bottom)]
    y = (top + bottom) / 2
    return [
        line("edge", middle, top, middle, bottom),
        line("bracket", middle - 6, y - 6, middle + 6, y + 6),
        line("bracket", middle - 6, y + 6, middle + 6, y - 6),
    ]


def _bridge(network: Network, right: float, y: float) -> list[str]:
    words = f"bridge {one_line(network.bridge)}"
    return [
        Box(18, y, right - 18, 24).draw("solid", radius=4),
        text((18 + right) / 2, y + 16, words, "page b s", "middle"),
    ]
