"""nothing is there that would hold the VIP

## What it is
RKE2 and k3s have no VIP of their own: they ship neither kube-vip nor keepalived, and `tls-san` only adds a name to
certificates. An address that nobody puts on an interface is on no interface.

## How to tell it apart
No server has the VIP, a manifest, a unit or a process that would hold it. A manifest of a kind that does not exist
(`KubeVipConfig`) deploys nothing.

## References
rancher/rke2#4976; kube-vip documentation, "Static pods", "K3s".
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.manager import no_manager
from vipkeeper.diagnose.predicates.vip import nobody_answers, vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ON_EVERY_SERVER

HYPOTHESIS = Hypothesis(
    code="VK828",
    name="manager-not-deployed",
    layer=Layer.CONFIGURATION,
    requires=(
        no_manager,
        vip_nowhere,
    ),
    supports=(nobody_answers,),
    caused_by=("VK841", "VK842", "VK848", "VK850"),
    chain=(
        "nothing on any server would hold the VIP",
        "so no interface has it, and nobody answers for it",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "deploy what holds it: vipkeeper, keepalived, or kube-vip in /var/lib/rancher/rke2/agent/pod-manifests of every server",
        ),
    ),
    verify=("ip -brief address",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
    ),
)
