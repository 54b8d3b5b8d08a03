"""the first server waits for the VIP that only it could serve

## What it is
Every server has `server: https://VIP:9345`, the first one too. On a new cluster nobody has data, nobody starts one, and
each waits for an answer from the VIP. RKE2 ends with `failed to get CA certs: ... no route to host`, or `connection
refused` where the VIP is already on this very host.

## How to tell it apart
It takes the files of every server to see it: a bundle of each, or all named. A joiner that is early shows the same message, but then one server has no `server`, or data of a cluster. When some
server has data, it starts without the VIP, and the message is a warning only.

## References
rke2 tests/e2e/kubevip (the first server must not point at the VIP); kube-vip/kube-vip#799; rules VK108 and VK603.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.joining import (
    every_server_joins,
    no_server_was_in_a_cluster,
    some_server_serves,
)
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.probes import DATA_OF_ETCD, FILES, ON_EVERY_SERVER, SERVER_LOG

HYPOTHESIS = Hypothesis(
    code="VK842",
    name="first-server-joins-vip",
    layer=Layer.CONFIGURATION,
    requires=(
        every_server_joins,
        logged(
            "join_gets_no_answer",
            "nobody answers where it joins",
            "join-no-route",
            "join-refused",
            "join-timeout",
        ),
        no_server_was_in_a_cluster,
    ),
    forbids=(some_server_serves,),
    chain=(
        "every server has `server` set and asks the VIP for certificates",
        "no server has data of a cluster, so nobody serves them",
        "each supervisor ends and is started again, for ever",
        "without an API server nobody takes the VIP",
    ),
    explains=(
        Symptom.NOT_STARTING,
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
        Symptom.REFUSED,
        Symptom.TIMEOUT,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "on one server, and only on one, delete the line `server`",
            only_if="no server has been in this cluster before",
        ),
        Step(
            Risk.SAFE,
            "start that one, wait until it has the VIP, then start the others",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("ip -br addr", "curl -sk https://VIP:9345/ping"),
    probes=(ON_EVERY_SERVER, DATA_OF_ETCD, FILES, SERVER_LOG),
)
