"""the manifest of the VIP is of no kind that exists, or lies where nobody runs it

## What it is
RKE2 and k3s bring nothing that holds a VIP. A manifest of kind `KubeVipConfig` is refused, as no such kind exists; a
DaemonSet among the static pods or a Pod in a foreign folder is not run. Nothing then takes the VIP, however well the
servers are.

## How to tell it apart
The file alone does not prove it: something else may hold the VIP. Look whether any manager runs on a server. When the
control plane is down as well, both are wrong, and mending the control plane alone does not bring the VIP.

## References
kube-vip/kube-vip (no custom resources); rancher/turtles#1456; rules VK201 and VK203.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.files import in_files_or_logs
from vipkeeper.diagnose.predicates.holders import no_manager_there
from vipkeeper.diagnose.probes import FILES, SERVICES

HYPOTHESIS = Hypothesis(
    code="VK850",
    name="manifest-does-nothing",
    layer=Layer.CONFIGURATION,
    requires=(
        in_files_or_logs(
            "manifest_is_void",
            "the manifest of the VIP's manager is of a kind that does not exist or in the wrong folder",
            ("VK201", "VK203"),
            ("unknown-kind",),
        ),
        no_manager_there,
    ),
    chain=(
        "the manifest that should deploy the VIP's manager deploys nothing",
        "no server has anything that would put the VIP on an interface",
        "nobody answers ARP for the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "take the manifest out of /var/lib/rancher/rke2/server/manifests (k3s: /var/lib/rancher/k3s/server/manifests)",
        ),
        Step(
            Risk.SAFE,
            "put a DaemonSet of kube-vip with its RBAC there, or a static pod into /var/lib/rancher/rke2/agent/pod-manifests, or install vipkeeper",
        ),
    ),
    verify=("ip -br addr",),
    probes=(
        SERVICES,
        FILES,
    ),
)
