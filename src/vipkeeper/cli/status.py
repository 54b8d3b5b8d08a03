"""`vipkeeper status`: who holds the VIP, who would be next, how every server is."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vipkeeper.cli import output
from vipkeeper.cli.output import Style, Tone
from vipkeeper.daemon.protocol import JSON, RUN_DIR, Request, RequestVerb, ask
from vipkeeper.errors import ExitCode, HostError, RefusedError, UsageError
from vipkeeper.text import printable

NAME = "status"
HELP = """\
Who holds the VIP, who would be next, and how every server is, as the daemon of this server sees it.

Exit codes: 0 somebody holds the VIP, 1 nobody does, 3 no daemon runs here."""

REDRAW_EVERY = 0.5
_CLEAR = "\x1b[H\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--watch", "-w", action="store_true", help="show it again every 500 ms")
    output.add_output_option(parser)
    output.add_ascii_option(parser)
    output.add_run_dir_option(parser, RUN_DIR)


def main(args: argparse.Namespace) -> int:
    """Show the status once, or until interrupted."""
    asked = output.targets(args)
    if args.watch:
        if [target.format for target in asked] != ["text"] or asked[0].path is not None:
            raise UsageError("--watch shows text on stdout: leave --output away")
        return _watch(args)
    document = _fetch(args)
    view = View(document)
    output.deliver(
        asked,
        {
            "text": lambda style: "\n".join(render(view, style)),
            "json": lambda style: output.to_json(document),
        },
        ascii_only=args.ascii,
    )
    return ExitCode.OK if view.holder else ExitCode.FINDINGS


def _fetch(args: argparse.Namespace) -> JSON:
    response = ask(args.run_dir, Request(RequestVerb.STATUS))
    if not response.ok:
        raise RefusedError(response.text)
    if response.result is None:
        raise HostError("the daemon sent an empty status; is it of another version?")
    return response.result


def _watch(args: argparse.Namespace) -> int:
    """Redraw on a terminal; elsewhere append, with an empty line between. Ends by an interrupt only."""
    style = Style.of(sys.stdout, args.ascii)
    terminal = sys.stdout is not None and sys.stdout.isatty()
    while True:
        started = time.monotonic()
        try:
            lines = render(View(_fetch(args)), style)
        except HostError as error:
            lines = [style.paint(str(error), Tone.BAD)]
        text = "\n".join(lines) + "\n"
        output.emit(_CLEAR + text if terminal else text + " \n")
        if sys.stdout is not None:
            sys.stdout.flush()
        time.sleep(max(0.0, REDRAW_EVERY - (time.monotonic() - started)))


class View:
    """Reads a status document of any version: what is missing or odd shows as unknown, never as an error."""

    def __init__(self, document: JSON) -> None:
        self._document = document
        self.holder = _text(document, "holder")
        self.successor = _text(document, "successor")
        self.server = _text(document, "server") or "?"
        self.state = _text(document, "state") or "?"
        self.since = _text(document, "since")
        self.standby = document.get("standby") is True
        self.vips = [printable(v) for v in _list(document, "vips") if isinstance(v, str)]
        self.servers = [Row.of(row) for row in _list(document, "servers") if isinstance(row, dict)]
        self.alarms = [a for a in _list(document, "alarms") if isinstance(a, dict)]
        self.checks = [c for c in _list(document, "checks") if isinstance(c, dict)]
        self.lease_ms = _number(document, "lease_remaining_ms")
        host = document.get("host")
        self.host_detail = _text(host, "detail") if isinstance(host, dict) else None


@dataclass(frozen=True, slots=True)
class Row:
    """One server of the table."""

    name: str
    address: str
    own: bool
    role: str
    health: str
    standby: bool
    epoch: str
    age_ms: float | None
    live: bool
    differs: bool

    @classmethod
    def of(cls, document: JSON) -> Row:
        """The row of one element of `servers`."""
        epoch = _number(document, "epoch")
        return cls(
            name=_text(document, "name") or "?",
            address=_text(document, "address") or "?",
            own=document.get("own") is True,
            role=_text(document, "role") or "never heard",
            health=_text(document, "health") or "unknown",
            standby=document.get("standby") is True,
            epoch="?" if epoch is None else f"{epoch:.0f}",
            age_ms=_number(document, "last_advert_age_ms"),
            live=document.get("live") is True,
            differs=document.get("configuration_differs") is True,
        )

    def cells(self, holder: str | None, style: Style) -> list[str]:
        """The texts of the table's columns."""
        marks = (style.glyph("▶", ">") if self.name == holder else " ") + ("*" if self.own else " ")
        ready = {"ready": "yes", "api-only": "API only", "unready": "no"}.get(
            self.health, "unknown"
        )
        if self.own:
            age = "own"
        elif self.age_ms is None:
            age = "never"
        else:
            age = output.duration(self.age_ms) + ("" if self.live else " (silent)")
        notes = [n for n, on in (("standby", self.standby), ("differs", self.differs)) if on]
        role = self.role if self.live or self.role == "never heard" else f"was {self.role}"
        return [marks, self.name, self.address, role, ready, age, self.epoch, " ".join(notes)]


_HEADER = ["", "SERVER", "ADDRESS", "ROLE", "READY", "LAST ADVERT", "EPOCH", "NOTES"]


def headline(view: View) -> str:
    """The whole truth in one sentence."""
    what = ", ".join(view.vips) or "the VIP"
    if view.holder is None:
        who = f"nobody holds {what}"
        return (
            f"{who}; {view.successor} would claim it" if view.successor else f"{who}; no successor"
        )
    since = ""
    if view.holder == view.server and view.since:
        since = f" since {output.local_time(view.since)}"
    successor = f"successor {view.successor}" if view.successor else "NO SUCCESSOR"
    return f"{view.holder} holds {what}{since}, {successor}"


def render(view: View, style: Style) -> list[str]:
    """The status as lines of text."""
    tone = Tone.BAD if view.holder is None else Tone.GOOD if view.successor else Tone.WARN
    lines = [style.paint(headline(view), tone), f"this server: {_own_line(view)}", ""]
    header, *rows = output.table(_HEADER, [row.cells(view.holder, style) for row in view.servers])
    lines.append(style.paint(header, Tone.FAINT))
    lines += [
        style.paint(text, Tone.STRONG) if row.name == view.holder else text
        for text, row in zip(rows, view.servers, strict=True)
    ]
    lines += _check_lines(view, style) + _alarm_lines(view, style)
    lines += ["", style.paint(f"{style.glyph('▶', '>')} holder, * this server", Tone.FAINT)]
    return lines


def _own_line(view: View) -> str:
    parts = [f"{view.server}, {view.state}"]
    if view.since:
        parts.append(f"since {output.local_time(view.since)}")
    if view.lease_ms is not None:
        parts.append(f"kernel lease ends in {output.duration(view.lease_ms)} unless renewed")
    if view.standby:
        parts.append("standby: does not claim until 'vipkeeper standby off'")
    if view.host_detail:
        parts.append(view.host_detail)
    return ", ".join(parts)


def _check_lines(view: View, style: Style) -> list[str]:
    bad = [check for check in view.checks if _text(check, "outcome") != "ok"]
    lines = [""] if bad else []
    for check in bad:
        name, outcome = _text(check, "check") or "?", _text(check, "outcome") or "?"
        detail = _text(check, "detail")
        line = f"check {name}: {outcome}" + (f", {detail}" if detail else "")
        lines.append(style.paint(line, Tone.WARN))
    return lines


def _alarm_lines(view: View, style: Style) -> list[str]:
    lines = [""] if view.alarms else []
    for alarm in view.alarms:
        text, detail = _text(alarm, "text") or "?", _text(alarm, "detail")
        count, last = _number(alarm, "count"), _text(alarm, "last")
        line = f"{style.glyph('‼', '!')} {text}" + (f": {detail}" if detail else "")
        often = "once" if count == 1 else f"{count or 0:.0f} times, last"
        line += f" ({often} {output.local_time(last) if last else 'at an unknown time'})"
        lines.append(style.paint(line, Tone.WARN))
    return lines


def _text(document: JSON, key: str) -> str | None:
    value = document.get(key)
    return printable(value) if isinstance(value, str) else None


def _number(document: JSON, key: str) -> float | None:
    value = document.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _list(document: JSON, key: str) -> Sequence[Any]:
    value = document.get(key)
    return value if isinstance(value, list) else []
