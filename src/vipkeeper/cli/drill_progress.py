"""What a drill says while it plays: what begins, and a line for each act that has ended."""

from __future__ import annotations

from vipkeeper.cli import output
from vipkeeper.report.run import ActResult, MarkerKind, Verdict
from vipkeeper.report.style import milliseconds
from vipkeeper.text import printable


def begins(title: str) -> None:
    """Something begins that takes a while."""
    output.passing(f"... {title}")


def clear() -> None:
    """Nothing is going on any more."""
    output.passing("")


def ended(result: ActResult) -> None:
    """One line an act, with the figures that matter."""
    clear()
    if result.verdict is Verdict.PASSED:
        output.note(f"passed  {result.name:<20} {_figures(result)}")
    elif result.verdict is Verdict.SKIPPED:
        output.note(f"skipped {result.name:<20} {printable(result.reason)}")
    else:
        output.note(f"FAILED  {result.name:<20} {printable(result.reason)}")


def _figures(result: ActResult) -> str:
    if result.outage_ms is None:
        claimed = next((m for m in result.markers if m.kind is MarkerKind.CLAIMED), None)
        return f"{claimed.server} has the VIP after {claimed.at:.1f} s" if claimed else ""
    udp = _outage("client", result.outage_ms, result.udp.interval_ms)
    if result.service_outage_ms is None:
        return udp
    return f"{udp}, {_outage('TLS', result.service_outage_ms, result.tls.interval_ms)}"


def _outage(what: str, value_ms: float, interval_ms: float) -> str:
    if value_ms == 0:
        return f"{what} always answered"
    return f"{what} without answer for {milliseconds(value_ms, interval_ms)}"
