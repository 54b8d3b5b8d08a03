"""A check that RKE2 and k3s always refuse.

## What it does
Reports `option httpchk` of `/readyz`, `/livez` or `/healthz` on port 6443 that takes 2xx, 3xx or 200 for health,
without a client certificate, where the servers run RKE2 or k3s.

## Why it is bad
Both forbid anonymous requests: the answer is 401 even when all is well. All servers are DOWN and haproxy refuses
every client.

## Example
Bad:
```
# cp1/etc/rancher/rke2/config.yaml
token: abc

# lb1/etc/haproxy/haproxy.cfg
backend api
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none
    server cp1 10.10.10.11:6443
```

Good:
```
# cp1/etc/rancher/rke2/config.yaml
token: abc

# lb1/etc/haproxy/haproxy.cfg
backend api
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none crt /etc/haproxy/check.pem
    server cp1 10.10.10.11:6443
```

## How to fix
Give the check a client certificate (`crt`) of a user that may read `/readyz` only. Expecting 401 proves only that the
API server listens.

## How to verify
The statistics page shows the servers UP (L7OK).

## References
k3s `pkg/daemons/control/server.go` (anonymous-auth=false).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import checked, option, pools
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK415", "haproxy-check-refused", Severity.ERROR, Reach.CLUSTER, (Kind.HAPROXY,))
_PATHS = ("/readyz", "/livez", "/healthz")


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each pool that is checked by HTTP, if all servers refuse anonymous requests."""
    servers = cluster.control_plane
    allowed = any(
        "anonymous-auth=true" in value.text
        for server in servers
        for value in server.settings.values("kube-apiserver-arg")
    )
    start = next((s.settings.start for s in servers if s.settings.start), None)
    if start is None or allowed:
        return
    for haproxy in cluster.all(Haproxy):
        for pool in pools(haproxy):
            http = option(haproxy, pool.section, "httpchk")
            if http is None or pool.port != 6443 or not any(p in http.text for p in _PATHS):
                continue
            expected = " ".join(line.text for line in pool.section.all("http-check", "expect"))
            if "401" in expected or "rstatus" in expected or "Authorization" in http.text:
                continue
            sends = " ".join(line.text for line in pool.section.all("http-check", "send"))
            blind = [s for s in pool.servers if not checked(haproxy, pool, s, "crt")]
            if blind and "authorization" not in sends.lower():
                yield RULE.finding(
                    http.span,
                    f"{servers[0].settings.product.value} answers 401 to this: all servers are DOWN",
                    help="give the check a client certificate: crt FILE",
                    related=[Related(start, "anonymous requests are refused here")],
                )
