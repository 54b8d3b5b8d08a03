"""the name of a server is taken

## What it is
Two servers have one name, or a server was installed anew under the name that it had. etcd refuses with `duplicate node
name found, please use a unique name for this node`, or the node password is rejected. The cluster itself stays well.

## How to tell it apart
Ask `kubectl get nodes` for the address behind the name. Another machine's: give this one a name of its own. This one's
own: it was installed anew, and its former self must be removed first.

## References
k3s-io/k3s#2769, #4803, #4210; rancher/rke2#7372, #4478; rule VK608.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.joining import supervisor_not_up
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.probes import SERVER_LOG, SERVICES

HYPOTHESIS = Hypothesis(
    code="VK849",
    name="duplicate-name",
    layer=Layer.CONFIGURATION,
    requires=(
        logged_lately(
            "name_refused",
            "the node name is taken",
            "duplicate-node-name",
            "node-password-rejected",
        ),
        supervisor_not_up,
    ),
    supports=(in_files("one_name_twice", "two servers have one name", "VK608"),),
    chain=(
        "the name of this server is in the cluster already",
        "etcd or the supervisor refuses a second one of that name",
        "this server does not come up",
    ),
    explains=(Symptom.NOT_STARTING,),
    fixes=(
        Step(
            Risk.SAFE,
            "give this server a `node-name` of its own and start it again",
            "systemctl restart rke2-server",
            only_if="another machine has the name",
        ),
        Step(
            Risk.DESTRUCTIVE,
            "remove the former node, which removes its etcd member, and its password; NAME is the node's name",
            "kubectl delete node NAME; kubectl -n kube-system delete secret NAME.node-password.rke2",
            only_if="this machine was installed anew and the node of that name is gone for good (k3s: NAME.node-password.k3s)",
        ),
    ),
    verify=("kubectl get nodes -o wide",),
    probes=(SERVER_LOG, SERVICES),
)
