"""a node took the VIP for its own address

## What it is
Without `node-ip` RKE2 and k3s take the first address of the interface with the default route. After a DHCP renewal, a link
that went down and up, or a VIP that was left by a crash, that first address can be the VIP. It then goes into etcd's
peer URL, the kubelet and the certificates, and moves away with the next take-over.

## How to tell it apart
The node shows the VIP as its InternalIP. etcd then says `this server is not a member of the etcd cluster. Found ...,
expect: ...VIP`, which looks like a server whose address was changed on purpose (VK809).

## References
rancher/rke2#1263, #4250; kube-vip/kube-vip#741, #1017; rules VK105 and VK117.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.joining import vip_is_node_ip
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK847",
    name="vip-is-node-ip",
    layer=Layer.CONFIGURATION,
    requires=(vip_is_node_ip,),
    supports=(in_files("no_own_address", "`node-ip` is missing or is the VIP", "VK105", "VK117"),),
    chain=(
        "the VIP was the first address of the interface as the server started",
        "the server took it for its own and told etcd and the kubelet so",
        "the VIP moves on, and etcd and the kubelet have lost their address",
    ),
    explains=(Symptom.NOT_STARTING, Symptom.SERVER_ERROR),
    fixes=(
        Step(
            Risk.SAFE,
            "set `node-ip` to the server's own address in /etc/rancher/rke2/config.yaml (k3s: /etc/rancher/k3s/config.yaml) on every server",
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart this server; when it then says `this server is not a member of the etcd cluster`, etcd knows it by "
            "the VIP: go on as for VK809",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("kubectl get nodes -o wide",),
    probes=(
        Probe("kubectl get nodes -o wide", "any server", frozenset({Key.VIP_IS_NODE_IP}), cost=3),
    ),
)
