"""The lines the prober writes: one JSON object a line, a sample or a sign of life."""

from __future__ import annotations

import json

from vipkeeper.core.events import CheckName, HealthSampled, Outcome

HEARTBEAT = b"{}\n"
"""Written when nothing else was to say for `HEARTBEAT_INTERVAL`."""
HEARTBEAT_INTERVAL = 1.0
"""Seconds."""
LINE_LIMIT = 4096
"""Longest line in bytes; details are cut far below it."""
DETAIL_LIMIT = 200
"""Longest detail in characters."""

OTHER_VERSION = 78
"""Exit code of a prober that cannot read what the keeper asks of it (EX_CONFIG, sysexits.h)."""


def tidy(detail: str) -> str:
    """The detail as one short printable line, since parts of it come from foreign servers."""
    line = "".join(c if c.isprintable() else " " for c in detail).strip()
    return line if len(line) <= DETAIL_LIMIT else line[: DETAIL_LIMIT - 1] + "…"


def encode(sample: HealthSampled) -> bytes:
    """The line of one sample."""
    record = {
        "check": sample.check.value,
        "outcome": sample.outcome.value,
        "detail": tidy(sample.detail),
    }
    return json.dumps(record).encode() + b"\n"


def decode(line: bytes) -> HealthSampled | None:
    """The sample of a line; None for a heartbeat.

    Raises:
        ValueError: neither of them.
    """
    try:
        record = json.loads(line)
        if record == {}:
            return None
        detail = record.get("detail", "")
        if not isinstance(detail, str):
            raise ValueError("detail is not text")
        return HealthSampled(CheckName(record["check"]), Outcome(record["outcome"]), tidy(detail))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a line of the prober: {line[:80]!r}") from error
