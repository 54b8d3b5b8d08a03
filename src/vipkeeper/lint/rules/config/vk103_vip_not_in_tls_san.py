"""The VIP is missing in `tls-san`.

## What it does
Reports servers whose `tls-san` does not name every VIP. Of several VIPs of keepalived one that is missing while
another is named is information only: it may be that of an ingress.

## Why it is bad
The API server's certificate does not name the VIP, so whoever comes through it is refused:
`x509: certificate is valid for` the server's own names and addresses, `not` the VIP. If only some servers have it, that
happens after the VIP has moved to one of the others, at the worst moment.

## Example
Bad:
```yaml
tls-san:
  - api.example.org
```

Good:
```yaml
tls-san:
  - api.example.org
  - 10.10.10.100
```

## How to fix
Name the VIP, and the DNS name if there is one, in `tls-san` of every server, and restart one after the other.

## How to verify
`openssl s_client -connect VIP:6443 </dev/null | openssl x509 -noout -ext subjectAltName` names the VIP.

## References
kubernetes-sigs/kubespray#9098, k3s-io/k3s#10369, rancher/rke2#4250.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import is_proven
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import IPAddress, Server, Vip, as_address

RULE = Rule(
    "VK103", "vip-not-in-tls-san", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)


def check(server: Server) -> Iterator[Finding]:
    """Compare `tls-san` with the VIPs."""
    settings = server.settings
    if (
        server.is_agent
        or settings.start is None
        or (settings.is_part and "tls-san" not in settings)
    ):
        return
    named = {as_address(value.text) for value in settings.values("tls-san")}
    given = settings.get("tls-san")
    span = given.span if given else settings.start
    proven = is_proven(server)
    for vip in server.facts.vips:
        if vip.address in named:
            continue
        other = not vip.is_for_api and _has_another(server, named, vip)
        sure = proven and not other
        lack = "'tls-san' does not name" if given else "there is no 'tls-san' that names"
        whose = f" of {server.name}" if server.name else ""
        perhaps = ", unless this is an agent" if not proven else ""
        perhaps = ", unless it is that of another service" if other else perhaps
        yield RULE.finding(
            span,
            f"{lack} the VIP {vip}{whose}{perhaps}",
            help=f"add to tls-san, on every server: - {vip}",
            related=[Related(vip.span, f"the VIP ({vip.origin})")] if vip.span else (),
            severity=None if sure else Severity.INFO,
            confidence=None if sure else Confidence.POSSIBLE,
        )


def _has_another(server: Server, named: set[IPAddress | None], vip: Vip) -> bool:
    """Whether `tls-san` names another VIP of this family: then this one may be for Services."""
    return any(
        known.address in named and known.address.version == vip.address.version
        for known in server.facts.vips
    )
