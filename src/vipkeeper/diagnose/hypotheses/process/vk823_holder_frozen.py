"""the server with the VIP takes connections and does nothing

## What it is
A process that is stopped by a signal, waits for a dead disk, or runs in a virtual machine that is paused keeps its
sockets: the kernel completes TCP, and nothing reads. A manager on such a host cannot give the VIP up either.

## How to tell it apart
TCP connects within a millisecond, and TLS never begins, on the VIP and on the server's own address. If only large
packets are lost (MTU), TLS begins. `ps` shows the state T or D.

## References
kube-vip/kube-vip#1787; proc_pid_stat(5).
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.serving import (
    server_is_silent,
    vip_connects_silently,
    vip_leads_to_silent,
)
from vipkeeper.diagnose.probes import ADDRESSES, FROM_ELSEWHERE, READYZ, SUPERVISOR

HYPOTHESIS = Hypothesis(
    code="VK823",
    name="holder-frozen",
    layer=Layer.PROCESS,
    requires=(
        vip_connects_silently,
        server_is_silent,
        vip_leads_to_silent,
    ),
    chain=(
        "the API server with the VIP is frozen, or its host is",
        "the kernel goes on taking connections for it",
        "clients connect, and nothing ever answers",
    ),
    explains=(
        Symptom.NO_HELLO,
        Symptom.TIMEOUT,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "see what it waits for",
            'ps -eo pid,stat,wchan:32,comm | grep -E "kube-apiserver|k3s|rke2|etcd"',
        ),
        Step(Risk.DISRUPTIVE, "state T: let it go on", "kill -CONT PID"),
        Step(
            Risk.DISRUPTIVE,
            "state D, or the whole host: restart the host; another server takes the VIP",
        ),
    ),
    verify=("curl -sk --max-time 5 https://VIP:6443/livez",),
    probes=(
        FROM_ELSEWHERE,
        READYZ,
        ADDRESSES,
        SUPERVISOR,
    ),
)
