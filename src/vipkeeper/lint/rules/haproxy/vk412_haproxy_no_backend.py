"""haproxy sends clients to a backend that does not exist.

## What it does
Reports a `default_backend` or `use_backend` that no `backend` or `listen` of the file has as name.

## Why it is bad
haproxy does not start: `unable to find required default_backend`.

## Example
Bad:
```
frontend api
    default_backend apis
backend api
```

Good:
```
frontend api
    default_backend api
backend api
```

## How to fix
Write the name of the backend.

## How to verify
`haproxy -c -f /etc/haproxy/haproxy.cfg` says that the file is valid.

## References
haproxy 2.6, tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK412", "haproxy-no-backend", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,), Confidence.LIKELY
)


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each name against those of the file; haproxy may be given further files."""
    haproxy = file.document
    known = [s.name.text for s in haproxy.of("backend", "listen") if s.name is not None]
    for section in haproxy.of("frontend", "listen"):
        for line in (*section.all("default_backend"), *section.all("use_backend")):
            word = line.words[1] if len(line.words) > 1 else None
            if word is None or word.text in known or "%[" in word.text:
                continue
            near = get_close_matches(word.text, known, n=1)
            yield RULE.finding(
                word.span,
                f"no backend is named '{shown(word.text)}': haproxy does not start",
                help=f"did you mean '{near[0]}'?" if near else "add it",
                fix=replace(word.span, near[0], f"rename to {near[0]}") if near else None,
            )
