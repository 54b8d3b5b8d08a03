"""Probes that several hypotheses name. All of them read, none changes anything but neighbour entries.

In a command VIP, SERVER, DEVICE and GATEWAY stand for the real ones.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Privilege, Probe
from vipkeeper.diagnose.vocabulary import Key

FROM_ELSEWHERE = Probe(
    "vipkeeper why",
    "a worker or another machine",
    frozenset({Key.SERVER_UP, Key.SERVER_PORT, Key.SERVER_READYZ}),
    cost=8,
)
REACHED_FROM_ELSEWHERE = Probe(
    "ping -c 2 SERVER; curl -sk --max-time 3 https://SERVER:9345/ping",
    "a worker or another machine, for each server",
    frozenset({Key.SERVER_UP, Key.SERVER_PORT}),
    cost=3,
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
            Key.ETCD_DATA,
            Key.JOINS,
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
DISK = Probe(
    "df -h /var/lib/rancher", "the server with the VIP", frozenset({Key.DISK_FULL}), cost=1
)
LEASE = Probe(
    "kubectl --namespace kube-system get lease plndr-cp-lock --output yaml",
    "any place with a kubeconfig",
    frozenset({Key.LEASE_HOLDER, Key.LEASE_FRESH}),
    cost=3,
)
SERVER_LOG = Probe(
    "journalctl -u rke2-server -n 200 --no-pager",
    "each server that does not start",
    frozenset({Key.LOG, Key.LOGS_READ}),
    cost=2,
    privilege=Privilege.ROOT,
)
SERVICES = Probe(
    "systemctl is-active rke2-server k3s keepalived vipkeeper; pgrep -a kube-vip",
    "each server",
    frozenset({Key.SUPERVISOR, Key.MANAGER_STATE}),
    cost=1,
)
DATA_OF_ETCD = Probe(
    "ls -d /var/lib/rancher/rke2/server/db/etcd/member/wal",
    "each server that does not start",
    frozenset({Key.ETCD_DATA}),
    cost=1,
    privilege=Privilege.ROOT,
)
FILES = Probe(
    "vipkeeper lint /etc/rancher /var/lib/rancher/rke2/server/manifests",
    "each server",
    frozenset({Key.LINT}),
    cost=2,
    privilege=Privilege.ROOT,
)
ADDRESSES = Probe(
    "ip addr",
    "every server",
    frozenset({Key.VIP_PRESENT, Key.VIP_SUBNET, Key.VIP_DAD_FAILED, Key.LINK_UP}),
    cost=1,
)
CLAIMS = Probe(
    "vipkeeper status; journalctl -u keepalived -n 50; kubectl -n kube-system get lease plndr-cp-lock",
    "every server with the VIP",
    frozenset({Key.MANAGER_HOLDS, Key.MANAGER_STATE, Key.LEASE_HOLDER, Key.LEASE_FRESH}),
    cost=3,
    privilege=Privilege.ROOT,
)
OTHER_HOLDER = Probe(
    "ping -c 2 SERVER; curl -sk --max-time 3 https://SERVER:6443/ping",
    "each server with the VIP, asking the other one",
    frozenset({Key.SERVER_UP, Key.SERVER_PORT}),
    cost=4,
)
NEIGHBOURS = Probe(
    "ip neigh show to VIP; arping -c 3 VIP",
    "a host in the VIP's subnet that is no server",
    frozenset({Key.VIP_STALE, Key.VIP_MACS, Key.VIP_MAC_OWNER}),
    cost=4,
    privilege=Privilege.ROOT,
)
"""In this order: asking heals the entry that is to be read."""
RULES = Probe(
    "nft list ruleset; ipvsadm -Ln",
    "the server with the VIP, and the node that does not reach it",
    frozenset({Key.VIP_FILTERED, Key.VIP_CAPTURED}),
    cost=2,
    privilege=Privilege.ROOT,
)
ARP_SETTINGS = Probe(
    "sysctl -a -r 'arp_ignore|arp_filter'",
    "the server with the VIP",
    frozenset({Key.ARP_IGNORED}),
    cost=1,
)
CERTIFICATE_ON_VIP = Probe(
    "openssl s_client -connect VIP:6443 -showcerts",
    "any machine",
    frozenset({Key.VIP_HELLO}),
    cost=3,
)
CERTIFICATES_OF_SERVERS = Probe(
    "openssl s_client -connect SERVER:6443 -showcerts",
    "any machine, for each server",
    frozenset({Key.SERVER_HELLO}),
    cost=3,
)
CLOCKS = Probe(
    "date -u; chronyc tracking",
    "every server and the place that asks",
    frozenset({Key.CLOCK_OFFSET}),
    cost=1,
)
