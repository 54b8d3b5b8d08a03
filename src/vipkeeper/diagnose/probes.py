"""Probes that several hypotheses name. All of them read, none changes anything."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Privilege, Probe
from vipkeeper.diagnose.vocabulary import Key

FROM_ELSEWHERE = Probe(
    "vipkeeper why",
    "a worker or another machine",
    frozenset({Key.SERVER_UP, Key.SERVER_PORT, Key.SERVER_READYZ}),
    cost=8,
)
ON_EVERY_SERVER = Probe(
    "vipkeeper collect",
    "every control-plane server",
    frozenset(
        {
            Key.VIP_PRESENT,
            Key.SUPERVISOR,
            Key.SUPERVISOR_AGE,
            Key.CONTAINER,
            Key.MANAGER,
            Key.MANAGER_STATE,
            Key.MANAGER_HOLDS,
            Key.MANAGER_STANDBY,
            Key.LOG,
            Key.LOGS_READ,
            Key.DISK_FULL,
        }
    ),
    cost=30,
    privilege=Privilege.ROOT,
)
LOOK_AGAIN = Probe(
    "sleep 15; vipkeeper why",
    "the same place",
    frozenset({Key.API_PORT, Key.READYZ, Key.ETCD_HEALTH, Key.LEASE_HOLDER}),
    cost=23,
)
ETCD_HEALTH = Probe(
    "curl -s --max-time 5 http://127.0.0.1:2381/health",
    "each server",
    frozenset({Key.ETCD_HEALTH}),
    cost=5,
)
ETCD_METRICS = Probe(
    "curl -s --max-time 5 http://127.0.0.1:2381/metrics",
    "each server",
    frozenset({Key.ETCD_LEARNER, Key.ETCD_SLOW}),
    cost=5,
)
MEMBERS = Probe(
    "curl -sk --max-time 5 https://127.0.0.1:9345/db/info",
    "each server",
    frozenset({Key.VOTERS}),
    cost=5,
)
READYZ = Probe(
    "kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml get --raw /readyz?verbose",
    "the server with the VIP",
    frozenset({Key.READYZ}),
    cost=5,
    privilege=Privilege.ROOT,
)
API_PORT = Probe(
    "curl -sk --max-time 5 https://127.0.0.1:6443/livez",
    "the server with the VIP",
    frozenset({Key.API_PORT}),
    cost=5,
)
SUPERVISOR = Probe(
    "systemctl status rke2-server",
    "the server with the VIP",
    frozenset({Key.SUPERVISOR, Key.SUPERVISOR_AGE}),
    cost=1,
)
CONTAINERS = Probe(
    "/var/lib/rancher/rke2/bin/crictl --config /var/lib/rancher/rke2/agent/etc/crictl.yaml ps -a",
    "the server with the VIP",
    frozenset({Key.CONTAINER}),
    cost=2,
    privilege=Privilege.ROOT,
)
ADDRESSES = Probe("ip -brief address", "each server", frozenset({Key.VIP_PRESENT}), cost=1)
DISK = Probe(
    "df -h /var/lib/rancher", "the server with the VIP", frozenset({Key.DISK_FULL}), cost=1
)
LEASE = Probe(
    "kubectl --namespace kube-system get lease plndr-cp-lock --output yaml",
    "any place with a kubeconfig",
    frozenset({Key.LEASE_HOLDER, Key.LEASE_FRESH}),
    cost=3,
)
