"""A value of a variable of kube-vip is no text.

## What it does
Reports values under `env` that YAML reads as a switch or a number: `value: true`, `value: 6443`.

## Why it is bad
Kubernetes refuses the whole object: `cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of
type string`. kube-vip does not run and nobody holds the VIP.

## Example
Bad:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: kube-vip}
spec:
  containers:
    - image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - name: vip_arp
          value: true
```

Good:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: kube-vip}
spec:
  containers:
    - image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - name: vip_arp
          value: "true"
```

## How to fix
Put the value into quotes. Helm values need none: the chart writes them.

## How to verify
`kubectl apply --dry-run=server -f FILE` accepts it; a static pod shows up in `crictl pods`.

## References
Kubernetes API, EnvVar v1 core; kube-vip/kube-vip `config_generator.go` quotes every value.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Safety, Severity, replace
from vipkeeper.lint.scope import File
from vipkeeper.lint.yaml11 import Meaning, resolve

RULE = Rule(
    "VK204",
    "kube-vip-env-not-text",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
)
_WORDS = {
    Meaning.BOOLEAN: "a switch",
    Meaning.INTEGER: "a number",
    Meaning.OCTAL: "a number",
    Meaning.FLOAT: "a number",
}


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Every value that is written as a literal."""
    for variable in file.document.variables:
        if variable.value is None:
            continue
        meaning = resolve(variable.value).meaning
        if meaning in _WORDS:
            name = shown(variable.name.text)
            literal = (
                variable.value.text
                if meaning is not Meaning.BOOLEAN
                else resolve(variable.value).text
            )
            yield RULE.finding(
                variable.value.span,
                f"'{name}' is {_WORDS[meaning]} and no text: Kubernetes refuses this object",
                help=f'write "{shown(literal)}"',
                fix=replace(variable.value.span, f'"{literal}"', "quote the value", Safety.SAFE),
            )
