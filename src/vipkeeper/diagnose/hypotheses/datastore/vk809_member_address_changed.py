"""the address of this server is not the one in the member list

## What it is
etcd knows each member by its address. When the server comes up with another one, by DHCP, a second card, or because
the VIP was taken for the node's address, the supervisor refuses: `this server is not a member of the etcd cluster`.

## How to tell it apart
The message names both addresses: found, and expected. If the found one is the VIP, the VIP was taken as node address;
set `node-ip`. A member that the others removed says something else.

## References
rancher/rke2#1263, #3176; k3s-io/k3s#5352, #3551; kubernetes/kubernetes#5128.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.serving import api_of_changed_down
from vipkeeper.diagnose.probes import ON_EVERY_SERVER, READYZ
from vipkeeper.diagnose.steps import CLUSTER_RESET

address_differs = logged(
    "address_differs",
    "etcd knows a server under another address",
    "member-address-changed",
)

HYPOTHESIS = Hypothesis(
    code="VK809",
    name="member-address-changed",
    layer=Layer.DATASTORE,
    requires=(
        address_differs,
        api_of_changed_down,
    ),
    chain=(
        "the server comes up with an address that etcd does not know",
        "its supervisor refuses to use the datastore, so no API server runs",
        "on the only server, or the one with the VIP, the VIP leads nowhere",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "set node-ip to the address that etcd knows, in /etc/rancher/rke2/config.yaml, and restart",
            "systemctl restart rke2-server",
        ),
        Step(
            Risk.DESTRUCTIVE,
            "only server, and the new address is meant to stay: reset the membership to the new address",
            CLUSTER_RESET,
            only_if="the cluster has one server",
        ),
        Step(
            Risk.DESTRUCTIVE,
            "one of several, and the new address is meant to stay: remove it and join it anew",
            "kubectl delete node NAME; mv /var/lib/rancher/rke2/server/db /var/lib/rancher/rke2/old-db",
            only_if="the others have quorum",
        ),
    ),
    verify=("curl -sk https://127.0.0.1:9345/db/info",),
    caused_by=("VK847",),
    probes=(
        ON_EVERY_SERVER,
        READYZ,
    ),
)
