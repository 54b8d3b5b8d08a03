"""kube-proxy or the CNI takes packets to the VIP

## What it is
A Service of type LoadBalancer carries the VIP, or kube-proxy in IPVS mode or Cilium knows it as one. On such a node packets
to the VIP never leave: they go to the Service's pods, or to nobody. Agents then cannot join, while hosts outside reach
the VIP.

## How to tell it apart
Ask from a node and from a host outside the cluster. If both fail, it is not this. `kubectl get svc -A` shows the VIP as an
external address; `ip addr show kube-ipvs0` shows it under IPVS.

## References
rancher/rke2#6208, #6304; cilium/cilium#36136; kube-vip/kube-vip#745; rules VK135, VK228 and VK231.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.network import captured, capturing_node_gets_no_answer
from vipkeeper.diagnose.probes import RULES
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK870",
    name="vip-captured",
    layer=Layer.NETWORK,
    requires=(captured, capturing_node_gets_no_answer),
    supports=(
        in_files(
            "files_hand_it_over",
            "the files give the VIP to a Service or to IPVS",
            "VK135",
            "VK228",
            "VK231",
        ),
    ),
    chain=(
        "a Service or IPVS on the node carries the VIP",
        "packets to the VIP are taken before they reach the network",
        "they end at pods, or nowhere",
    ),
    explains=(
        Symptom.REFUSED,
        Symptom.TIMEOUT,
        Symptom.NO_ROUTE,
        Symptom.REGISTRATION_CLOSED,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(Risk.SAFE, "find what carries the VIP", "kubectl get svc -A -o wide"),
        Step(
            Risk.DISRUPTIVE,
            "give that Service another address, or leave the VIP to nobody but the control plane",
            only_if="a Service has the VIP",
        ),
        Step(
            Risk.DISRUPTIVE,
            "exclude the VIP: `kube-proxy-arg: [ipvs-exclude-cidrs=VIP/32, ipvs-strict-arp=true]`, then restart",
            "systemctl restart rke2-server",
            only_if="kube-proxy runs in IPVS mode",
        ),
    ),
    verify=("curl -sk https://VIP:6443/ping",),
    probes=(
        RULES,
        Probe(
            "curl -sk --max-time 3 https://VIP:6443/ping",
            "the node that cannot reach the VIP",
            frozenset({Key.VIP_PORT}),
            cost=3,
        ),
    ),
)
