"""An instance tracks a script that is not defined.

## What it does
Reports names under `track_script` without a `vrrp_script` of that name.

## Why it is bad
keepalived logs `track script ... not found, ignoring` and goes on without the check: the VIP stays where the API
server is dead.

## Example
Bad:
```
vrrp_script check_api {
    script "/etc/keepalived/check.sh"
}
vrrp_instance VI_1 {
    track_script {
        chk_api
    }
}
```

Good:
```
vrrp_script check_api {
    script "/etc/keepalived/check.sh"
}
vrrp_instance VI_1 {
    track_script {
        check_api
    }
}
```

## How to fix
Write the name of the `vrrp_script`.

## How to verify
`keepalived -t` says nothing.

## References
keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.scope import File

RULE = Rule("VK308", "check-not-defined", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Each name that is tracked."""
    conf = file.document
    defined = [block.value.text for block in conf.blocks("vrrp_script") if block.value]
    for block in (*conf.blocks("vrrp_instance"), *conf.blocks("vrrp_sync_group")):
        for line in (line for lines in block.all("track_script") for line in lines.children):
            if line.keyword in defined:
                continue
            near = get_close_matches(line.keyword, defined, n=1)
            yield RULE.finding(
                line.words[0].span,
                f"no vrrp_script is named '{shown(line.keyword)}': keepalived ignores this check",
                help=f"did you mean '{near[0]}'?" if near else "define it",
                fix=replace(line.words[0].span, near[0], f"rename to {near[0]}") if near else None,
            )
