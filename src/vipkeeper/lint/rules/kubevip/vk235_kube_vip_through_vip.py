"""kube-vip asks for the VIP through the VIP.

## What it does
Reports a `kubernetes_addr`, or a server in the kubeconfig that `k8s_config_file` names, that is the VIP.

## Why it is bad
As long as nobody holds the VIP kube-vip reaches no API server, so nobody ever holds it: after a cold start the log
repeats `dial tcp VIP:6443: connect: no route to host`.

## Example
Bad:
```yaml
env:
  - {name: address, value: 10.10.10.100}
  - {name: kubernetes_addr, value: "https://10.10.10.100:6443"}
```

Good:
```yaml
env:
  - {name: address, value: 10.10.10.100}
  - {name: kubernetes_addr, value: "https://127.0.0.1:6443"}
```

## How to fix
Name the API server of this host.

## How to verify
Restart all servers at once: the VIP comes back.

## References
kube-vip/kube-vip#799; kubernetes-sigs/cluster-api-provider-vsphere#1516; dell/omnia#4992.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubeconfig import Kubeconfig
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import ADMIN_CONF
from vipkeeper.lint.scope import Server

RULE = Rule("VK235", "kube-vip-through-vip", Severity.ERROR, Reach.SERVER, KUBEVIP)


def check(server: Server) -> Iterator[Finding]:
    """The address and the file that kube-vip is given."""
    for kubevip in server.all(KubeVip):
        address = kubevip.variable("kubernetes_addr")
        text = address.text if address is not None else ""
        host = host_of(text) if "//" in text else host_of(f"//{text}")
        if address is not None and server.facts.is_vip(host):
            yield RULE.finding(
                address.span,
                f"kube-vip asks for the VIP through the VIP, {shown(host)}",
                help="write https://127.0.0.1:6443",
            )
        file = kubevip.text("k8s_config_file")
        mount = kubevip.mount(file) if file and file != ADMIN_CONF else None
        path = mount.host.scalar("path") if mount is not None and mount.host else None
        for kubeconfig in server.all(Kubeconfig) if path is not None else ():
            if path is None or not kubeconfig.source.file.endswith(path.text):
                continue
            for url in kubeconfig.servers:
                if server.facts.is_vip(host_of(url.text)):
                    yield RULE.finding(
                        url.span,
                        f"kube-vip asks for the VIP through the VIP, {shown(url.text)}",
                        help="write https://127.0.0.1:6443",
                        related=[Related(path.span, "kube-vip uses this file")],
                    )
