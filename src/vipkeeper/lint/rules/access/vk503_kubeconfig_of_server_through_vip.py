"""The kubeconfig of a server goes through the VIP.

## What it does
Reports `rke2.yaml` and `k3s.yaml` of a server whose server is the VIP.

## Why it is bad
What runs on the server with this file, kube-vip and checks of health among them, asks whoever holds the VIP: a sick
server looks healthy, and when nobody holds the VIP nothing on it works. RKE2 writes the file anew with 127.0.0.1 at
the next start.

## Example
Bad:
```yaml
# /etc/rancher/rke2/rke2.yaml
server: https://10.10.10.100:6443
```

Good:
```yaml
# /etc/rancher/rke2/rke2.yaml
server: https://127.0.0.1:6443
```

## How to fix
Leave the file as the server writes it; change a copy for use elsewhere.

## How to verify
`grep server: /etc/rancher/rke2/rke2.yaml` shows 127.0.0.1.

## References
RKE2 docs, "Cluster Access"; kube-vip/kube-vip#799.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubeconfig import Kubeconfig
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK503", "kubeconfig-of-server-through-vip", Severity.WARNING, Reach.SERVER, (Kind.KUBECONFIG,)
)


def check(server: Server) -> Iterator[Finding]:
    """The file that the server itself has written."""
    for kubeconfig in server.all(Kubeconfig):
        if not kubeconfig.source.file.endswith(("rancher/rke2/rke2.yaml", "rancher/k3s/k3s.yaml")):
            continue
        for url in kubeconfig.servers:
            vip = server.facts.is_vip(host_of(url.text))
            if vip is not None:
                yield RULE.finding(
                    url.span,
                    f"what runs here asks whoever holds the VIP, {vip}, and not this server",
                    help="write https://127.0.0.1:6443; change a copy for use elsewhere",
                )
