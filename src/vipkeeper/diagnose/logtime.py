"""When a line of a log was written, by its own account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?"
)
_KLOG = re.compile(r"\b[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6})")
_SYSLOG = re.compile(
    r"\b("
    + "|".join(MONTHS)
    + r") {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?: (\d{4}))?"
)
_HEAD = 256
"""Characters of a line in which its time stands."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a line does not say: the year, from a moment close to it, and the zone of its clock."""

    at: int
    """Milliseconds since 1970 at which the log was taken; 0: unknown."""
    offset: timedelta | None = None
    """Local time is so far ahead of UTC; None: unknown."""

    def year(self, month: int) -> int | None:
        """The year of a month that lies before the log was taken."""
        if not self.at:
            return None
        taken = moment(self.at) + timedelta(days=1)
        return taken.year if month <= taken.month else taken.year - 1


def moment(at: int) -> datetime:
    """Milliseconds since 1970 as a date; the first one there is when it is out of range."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def when(line: str, reference: Reference) -> int:
    """Milliseconds since 1970 at which a line was written; 0 when it does not say.

    Understands RFC 3339 (containerd, etcd, logrus), klog, and the dates of journalctl, syslog,
    `dmesg -T` and keepalived. A time without a zone counts only where the zone is known.
    """
    head = line[:_HEAD]
    found = [m for m in (_ISO.search(head), _SYSLOG.search(head), _KLOG.search(head)) if m]
    if not found:
        return 0
    first = min(found, key=lambda match: match.start())
    if first.re is _ISO:
        year, month, day, hour, minute, second, part, zone = first.groups()
        return _epoch((year, month, day, hour, minute, second), part, _zone(zone, reference))
    if first.re is _SYSLOG:
        name, day, hour, minute, second, part, year = first.groups()
        month = str(MONTHS.index(name) + 1)
    else:
        month, day, hour, minute, second, part = first.groups()
        year = None
    year = year or reference.year(int(month))
    return _epoch((year, month, day, hour, minute, second), part, reference.offset)


def _zone(text: str | None, reference: Reference) -> timedelta | None:
    if text is None:
        return reference.offset
    if text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return size if text[0] == "+" else -size


def _epoch(fields: tuple[str | int | None, ...], part: str | None, offset: timedelta | None) -> int:
    if offset is None or None in fields:
        return 0
    try:
        numbers = [int(field or 0) for field in fields]
        date = datetime(*numbers, tzinfo=timezone(offset))  # type: ignore[arg-type,misc]
        seconds = date.timestamp()
    except (ValueError, OverflowError):
        return 0
    return max(0, int(seconds) * 1000 + int((part or "0").ljust(3, "0")[:3]))
