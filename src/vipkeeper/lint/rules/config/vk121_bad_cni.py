"""`cni` has a value that RKE2 refuses.

## What it does
Reports plugins that RKE2 does not ship, `multus` alone or not as the first of two, and more than two values.

## Why it is bad
The server exits at start: `multus must be used alongside another primary cni selection` and the like. For a plugin of your own the
value is `none`.

## Example
Bad:
```yaml
cni:
  - cilium
  - multus
```

Good:
```yaml
cni:
  - multus
  - cilium
```

## How to fix
Name one of canal, calico, cilium, flannel or none; `multus` goes before it.

## How to verify
`kubectl -n kube-system get pods` shows the pods of that plugin.

## References
RKE2 `pkg/cli/cmds/server.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import RKE2
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK121", "bad-cni", Severity.ERROR, Reach.SERVER, RKE2)


def check(server: Server) -> Iterator[Finding]:
    """What RKE2 checks of `cni`, in the same order."""
    setting = server.settings.get("cni")
    if setting is None or setting.key is None:
        return
    values = [value for value in setting.values if value.text]
    known = setting.key.values
    names = [value.text for value in values]
    for value in values:
        if value.text not in known:
            yield RULE.finding(
                value.span,
                f"RKE2 has no CNI '{shown(value.text)}'",
                help=f"one of {', '.join(n for n in known if n != 'multus')}; none for an own one",
                confidence=Confidence.LIKELY,
            )
    if names == ["multus"]:
        message, advice = "'multus' needs another CNI beside it", "cni: [multus, canal]"
    elif len(names) == 2 and names[0] != "multus":
        rest = next((name for name in names if name != "multus"), names[0])
        message = f"of two CNIs the first must be 'multus', not '{shown(names[0])}'"
        advice = f"cni: [multus, {rest}]" if "multus" in names else "name one"
    elif len(names) > 2:
        message, advice = f"{len(names)} CNIs; RKE2 takes one, or 'multus' and one", "name one"
    else:
        return
    yield RULE.finding(setting.span, message, help=advice)
