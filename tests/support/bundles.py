"""Bundles made from text."""

from __future__ import annotations

import io
import tarfile

MADE = 1795747413
"""Fri Nov 27 02:43:33 UTC 2026, in seconds."""


def archive(files: dict[str, str | bytes], modified: int = MADE, squeeze: str = "gz") -> io.BytesIO:
    """An archive with these files, in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{squeeze}") as tar:  # type: ignore[call-overload]
        for path, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(data), modified
            tar.addfile(info, io.BytesIO(data))
    out.seek(0)
    return out


def within(folder: str, files: dict[str, str]) -> dict[str, str]:
    """The files in a folder."""
    return {f"{folder}/{path}": text for path, text in files.items()}


IP_ADDR = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000
    link/ether 52:54:00:00:00:0b brd ff:ff:ff:ff:ff:ff
    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0
       valid_lft forever preferred_lft forever
"""
WITH_VIP = IP_ADDR + (
    "    inet 192.0.2.105/32 scope global deprecated eth0\n"
    "       valid_lft forever preferred_lft 0sec\n"
)
SS4 = """\
Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
udp   UNCONN 0      0            127.0.0.1:323       0.0.0.0:*     users:(("chronyd",pid=700,fd=5))
tcp   LISTEN 0      4096         127.0.0.1:2381      0.0.0.0:*     users:(("etcd",pid=2000,fd=9))
tcp   LISTEN 0      4096        192.0.2.11:2379      0.0.0.0:*     users:(("etcd",pid=2000,fd=8))
"""
SS6 = """\
Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
tcp   LISTEN 0      4096                 *:9345            *:*     users:(("rke2",pid=1500,fd=6))
tcp   LISTEN 0      4096                 *:6443            *:*     users:(("kube-apiserver",pid=2100))
"""
PSA = """\
CONTAINER           IMAGE               CREATED             STATE               NAME                 ATTEMPT             POD ID              POD
0a1b2c3d4e5f6       9a8b7c6d5e4f3       3 days ago          Running             kube-vip             2                   1111111111111       kube-vip-cp1
1a1b2c3d4e5f6       8a8b7c6d5e4f3       3 days ago          Running             kube-apiserver       0                   2222222222222       kube-apiserver-cp1
2a1b2c3d4e5f6       7a8b7c6d5e4f3       3 days ago          Running             etcd                 0                   3333333333333       etcd-cp1
"""
MEMBERS = """\
13c7e1d1a2b3c4d5, started, cp1-1a2b3c4d, https://192.0.2.11:2380, https://192.0.2.11:2379, false
23c7e1d1a2b3c4d5, started, cp2-2a2b3c4d, https://192.0.2.12:2380, https://192.0.2.12:2379, false
33c7e1d1a2b3c4d5, started, cp3-3a2b3c4d, https://192.0.2.13:2380, https://192.0.2.13:2379, false
"""
HEALTH = "https://192.0.2.11:2379 is healthy: successfully committed proposal: took = 4.1ms\n"
NODES = """\
NAME   STATUS   ROLES                       AGE   VERSION          INTERNAL-IP   EXTERNAL-IP   OS-IMAGE
cp1    Ready    control-plane,etcd,master   9d    v1.31.1+rke2r1   192.0.2.11    <none>        SLES
cp2    Ready    control-plane,etcd,master   9d    v1.31.1+rke2r1   192.0.2.12    <none>        SLES
cp3    Ready    control-plane,etcd,master   9d    v1.31.1+rke2r1   192.0.2.13    <none>        SLES
w1     Ready    <none>                      9d    v1.31.1+rke2r1   192.0.2.21    <none>        SLES
"""
PODS = """\
NAMESPACE     NAME             READY   STATUS    RESTARTS   AGE   IP           NODE   NOMINATED NODE
kube-system   kube-vip-x7k2p   1/1     Running   2          9d    192.0.2.12   cp2    <none>
kube-system   kube-vip-abcde   1/1     Running   0          9d    192.0.2.21   w1     <none>
"""
LEASES = """\
NAMESPACE     NAME                      HOLDER   AGE
kube-system   kube-controller-manager   cp2_1a   9d
kube-system   plndr-cp-lock             cp1      9d
"""
UNITS = """\
  UNIT                    LOAD   ACTIVE SUB     DESCRIPTION
  rke2-server.service     loaded active running Rancher Kubernetes Engine v2 (server)
● rsyslog.service         loaded failed failed  System Logging Service
"""
DF = """\
Filesystem      Size  Used Avail Use% Mounted on
/dev/sda2        40G   10G   30G  25% /
/dev/sdb1       100G  100G     0 100% /var/lib/rancher
"""
ROUTES = (
    "default via 192.0.2.1 dev eth0 proto static\n192.0.2.0/24 dev eth0 proto kernel scope link\n"
)

HEALTHY: dict[str, str] = {
    "systeminfo/hostname": "cp1\n",
    "systeminfo/date": "Fri Nov 27 02:43:33 UTC 2026\n",
    "systeminfo/systemd-units": UNITS,
    "systeminfo/dfh": DF.replace("100%", "40%"),
    "networking/ipaddrshow": WITH_VIP,
    "networking/iproute": ROUTES,
    "networking/ipneighbour": "192.0.2.12 dev eth0 lladdr 52:54:00:00:00:0c REACHABLE\n",
    "networking/sstunlp4": SS4,
    "networking/sstunlp6": SS6,
    "rke2/crictl/psa": PSA,
    "rke2/kubectl/nodes": NODES,
    "rke2/kubectl/pods": PODS,
    "rke2/kubectl/leases": LEASES,
    "etcd/memberlist": MEMBERS,
    "etcd/endpointhealth": HEALTH,
    "etcd/alarmlist": "",
    "etcd/etcd-metrics-127.0.0.1:2381.txt": "# HELP x\netcd_server_has_leader 1\netcd_server_is_leader 0\n",
    "journald/rke2-server": "Nov 27 02:43:01 cp1 rke2[1500]: time=x level=info msg=fine\n",
    "rke2/podlogs/kube-system-etcd-cp1": "fine\n",
    "rke2/podlogs/kube-system-kube-apiserver-cp1": "fine\n",
    "rke2/podlogs/kube-system-kube-vip-cp1": "fine\n",
}
"""A server with the VIP in a cluster of three, as RKE2's script sees it."""

QUORUM_LOST: dict[str, str] = HEALTHY | {
    "etcd/memberlist": '{"level":"warn","msg":"retrying"}\nError: context deadline exceeded\n',
    "etcd/endpointhealth": "https://192.0.2.11:2379 is unhealthy: failed to commit proposal: context "
    "deadline exceeded\nError: unhealthy cluster\n",
    "etcd/endpointstatus": "+---+\n"
    "| ENDPOINT | ID | VERSION | IS LEADER | IS LEARNER | ERRORS |\n+---+\n"
    "| https://192.0.2.11:2379 | 13c7 | 3.5.16 | false | false | etcdserver: no leader |\n+---+\n",
    "rke2/kubectl/nodes": "The connection to the server 127.0.0.1:6443 was refused - did you specify "
    "the right host or port?\n",
    "rke2/kubectl/pods": "",
    "rke2/kubectl/leases": "Error from server (Timeout): the server was unable to return a response\n",
    "networking/ipaddrshow": IP_ADDR,
    "rke2/podlogs/kube-system_kube-vip-cp1_0a/kube-vip/2.log": "2026-11-27T02:40:00.1Z stderr F E1127 "
    "02:40:00.100000 1 leaderelection.go:330] error retrieving resource lock "
    "kube-system/plndr-cp-lock: etcdserver: request timed out\n" * 3,
    "journald/rke2-server": "Nov 20 02:43:01 cp1 rke2[1500]: etcdserver: no leader\n"
    "Nov 27 02:43:01 cp1 rke2[1500]: Waiting for etcd server to become available\n",
}
"""The same server after the two others died (rancher/rke2#2753)."""
