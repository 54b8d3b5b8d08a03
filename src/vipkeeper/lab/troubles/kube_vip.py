"""Stands for kube-vip as a static pod in ARP mode: holds the VIP while it holds its Lease.

    python -m vipkeeper.lab.troubles.kube_vip VIP INTERFACE

The Lease is a key of the local etcd, written with the timers of the usual manifests for RKE2: it lasts 5 s,
is renewed every second, and who could not renew it for 3 s gives the VIP up and ends. Words and order are
those of kube-vip (pkg/cluster/clusterLeaderElection.go) and of client-go's leaderelection.go.
"""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from vipkeeper.lab.troubles.control_plane import ask_etcd
from vipkeeper.wire import arp

LEASE = "kube-system/plndr-cp-lock"
LASTS, RENEW_WITHIN, EVERY = 5.0, 3.0, 1.0
"""Seconds: vip_leaseduration, vip_renewdeadline, vip_retryperiod."""
_KEY = base64.b64encode(f"/registry/leases/{LEASE}".encode()).decode()
_NAME = b"kube-vip"


@dataclass(frozen=True, slots=True)
class Record:
    """The Lease as it was read."""

    revision: int
    """0: there is none."""
    holder: str


def read(limit: float) -> Record | None:
    """The Lease; None where etcd does not say within the limit, seconds."""
    answer = ask_etcd("/v3/kv/range", {"key": _KEY}, limit)
    if answer is None:
        return None
    for found in answer.get("kvs", ()):
        value: dict[str, Any] = json.loads(base64.b64decode(found["value"]))
        return Record(int(found["mod_revision"]), str(value["holder"]))
    return Record(0, "")


def write(seen: Record, holder: str, limit: float) -> bool:
    """Take or renew the Lease, unless it was written since it was read."""
    value = base64.b64encode(json.dumps({"holder": holder, "at": time.time()}).encode()).decode()
    condition = {"key": _KEY, "target": "MOD", "result": "EQUAL", "mod_revision": seen.revision}
    put = {"request_put": {"key": _KEY, "value": value}}
    answer = ask_etcd("/v3/kv/txn", {"compare": [condition], "success": [put]}, limit)
    return answer is not None and bool(answer.get("succeeded"))


def acquire(own: str) -> None:
    """Wait until the Lease is free, or has not been renewed for as long as it lasts; take it."""
    watched, since = Record(-1, ""), time.monotonic()
    while True:
        seen = read(RENEW_WITHIN)
        if seen is None:
            _say("error", f"error retrieving resource lock {LEASE}: context deadline exceeded")
        elif seen.revision != watched.revision:
            watched, since = seen, time.monotonic()
        free = seen is not None and (seen.holder in ("", own) or time.monotonic() - since > LASTS)
        if seen is not None and free and write(seen, own, RENEW_WITHIN):
            return
        time.sleep(EVERY)


def renew(own: str) -> None:
    """Renew the Lease again and again; comes back when that did not succeed in time."""
    done = time.monotonic()
    while (left := done + RENEW_WITHIN - time.monotonic()) > 0:
        seen = read(left)
        left = done + RENEW_WITHIN - time.monotonic()
        if seen is not None and seen.holder == own and left > 0 and write(seen, own, left):
            done = time.monotonic()
        time.sleep(EVERY)


def _say(level: str, message: str) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stdout.write(f'time="{at}" level={level} msg={json.dumps(message)}\n')
    sys.stdout.flush()


def _address(verb: str, vip: str, interface: str) -> None:
    words = ("ip", "address", verb, f"{vip}/32", "dev", interface)
    subprocess.run(words, check=False, stderr=subprocess.DEVNULL)


def _announce(vip: str, interface: str) -> None:
    """Gratuitous ARP, so that the others send to this server from now on."""
    mac = bytes.fromhex(
        Path(f"/sys/class/net/{interface}/address").read_text().strip().replace(":", "")
    )
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for frame in arp.gratuitous(IPv4Address(vip), mac):
            wire.send(frame)


def main() -> None:
    """One life: it ends when leadership is lost, and the kubelet starts it anew."""
    vip, interface = sys.argv[1:]
    Path("/proc/self/comm").write_bytes(_NAME)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    own = socket.gethostname()
    _say("info", "Starting kube-vip.io (stand-in)")
    _address("del", vip, interface)
    try:
        acquire(own)
        _say("info", "This node is starting with leadership of the cluster")
        _address("add", vip, interface)
        _announce(vip, interface)
        renew(own)
        _say("error", f"failed to renew lease {LEASE}: timed out waiting for the condition")
        _say("info", "This node is becoming a follower within the cluster")
    finally:
        _address("del", vip, interface)
    _say("fatal", "lost leadership, restarting kube-vip")


if __name__ == "__main__":
    main()
