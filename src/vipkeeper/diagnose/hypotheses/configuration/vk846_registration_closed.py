"""port 9345 does not listen on the VIP

## What it is
The API answers on the VIP and joining does not: the supervisor listens on other addresses of the holder only. With
`bind-address` it takes that address and loopback, while the API server stays on all addresses. A load balancer that
passes on 6443 alone looks the same to a joiner. k3s has one port for both and no such case.

## How to tell it apart
Ask 9345 on the holder's own address. Refused there too: the supervisor is stopped (VK825). Open there and silent on the
VIP: a filter (VK867), or the port is taken by kube-proxy or the CNI (VK870).

## References
k3s-io/k3s#10474, #10653; harvester/harvester#8643; lablabs/ansible-role-rke2#287; rules VK109 and VK402.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.holders import holder_listens_elsewhere
from vipkeeper.diagnose.predicates.network import holder_filters
from vipkeeper.diagnose.probes import RULES
from vipkeeper.diagnose.symptoms import registration_closed
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK846",
    name="registration-closed",
    layer=Layer.CONFIGURATION,
    requires=(registration_closed, holder_listens_elsewhere),
    forbids=(holder_filters,),
    supports=(in_files("files_close_it", "the files keep 9345 off the VIP", "VK109", "VK402"),),
    chain=(
        "the supervisor of the holder listens on its own address, not on all",
        "a connection to port 9345 of the VIP finds no listener",
        "servers and agents that join through the VIP are refused",
    ),
    explains=(Symptom.REGISTRATION_CLOSED, Symptom.NOT_STARTING),
    fixes=(
        Step(
            Risk.SAFE,
            "delete `bind-address` from /etc/rancher/rke2/config.yaml and its drop-ins on every server",
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart the servers one after the other; joining stops for a minute each",
            "systemctl restart rke2-server",
        ),
        Step(Risk.SAFE, "pass 9345 on as well as 6443", only_if="a load balancer has the VIP"),
    ),
    verify=("curl -sk https://VIP:9345/ping",),
    probes=(
        Probe(
            "ss -Hltn sport = :9345",
            "the server with the VIP",
            frozenset({Key.REGISTRATION_ON_VIP, Key.REGISTRATION_PORT}),
            cost=1,
        ),
        RULES,
    ),
)
