"""A tree of servers for the measurement of the linter: five files each, as an administrator keeps them."""

from __future__ import annotations

import hashlib
from pathlib import Path

FILES = 5
"""Files of a server."""
VIP = "10.20.255.250"
_CONFIG = """\
server: https://{vip}:9345
token: K10{hash}::server:example-of-no-cluster
tls-san:
  - {vip}
  - api.example.org
cni: cilium
cluster-cidr: 10.42.0.0/16
service-cidr: 10.43.0.0/16
disable-kube-proxy: true
write-kubeconfig-mode: "0640"
etcd-snapshot-schedule-cron: "0 */6 * * *"
etcd-snapshot-retention: 12
"""
_FIRST = "".join(line for line in _CONFIG.splitlines(True) if not line.startswith("server:"))
_DROPIN = """\
node-ip: {address}
node-label:
  - topology.kubernetes.io/zone=z{zone}
  - example.org/rack=r{rack}
node-taint:
  - CriticalAddonsOnly=true:NoExecute
"""
_KEEPALIVED = """\
global_defs {{
    router_id {name}
    enable_script_security
    script_user keepalived_script
    vrrp_version 3
}}

vrrp_script check_api {{
    script "/usr/bin/curl -sfk --max-time 1 --cert /etc/keepalived/crt --key /etc/keepalived/key https://127.0.0.1:6443/readyz"
    interval 2
    timeout 2
    fall 2
    rise 2
}}

vrrp_instance API {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        {vip}/16
    }}
    track_script {{
        check_api
    }}
}}
"""
_HAPROXY = """\
global
    log /dev/log local0
    maxconn 4000

defaults
    log global
    mode tcp
    option tcplog
    timeout connect 5s
    timeout client 1h
    timeout server 1h

frontend api
    bind 127.0.0.1:7443
    default_backend api

backend api
    default-server inter 2s fall 2 rise 2
    server {name} {address}:6443 check
    server s00001 10.20.0.1:6443 check
    server s00002 10.20.0.2:6443 check
"""
_UNIT = """\
[Unit]
After=network-online.target
Wants=network-online.target

[Service]
Restart=always
RestartSec=5s
TimeoutStartSec=0
"""


def write(top: Path, servers: int) -> None:
    """A folder for each server below `top`; the first one makes the cluster, the others join it."""
    for number in range(1, servers + 1):
        words = {
            "name": f"s{number:05}",
            "address": f"10.20.{number // 250}.{number % 250 + 1}",
            "vip": VIP,
            "hash": hashlib.sha256(b"no cluster").hexdigest(),
            "priority": 1 + number % 250,
            "zone": number % 3,
            "rack": number % 40,
        }
        for path, text in (
            ("etc/rancher/rke2/config.yaml", _FIRST if number == 1 else _CONFIG),
            ("etc/rancher/rke2/config.yaml.d/50-node.yaml", _DROPIN),
            ("etc/keepalived/keepalived.conf", _KEEPALIVED),
            ("etc/haproxy/haproxy.cfg", _HAPROXY),
            ("etc/systemd/system/rke2-server.service.d/10-restart.conf", _UNIT),
        ):
            file = top / words["name"] / path  # type: ignore[operator]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text if text is _UNIT else text.format(**words), encoding="utf-8")
