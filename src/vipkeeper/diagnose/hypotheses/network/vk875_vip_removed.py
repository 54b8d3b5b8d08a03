"""something took the VIP off the interface while its manager holds it

## What it is
The manager took the VIP and still means to hold it, but a network service flushed addresses that it does not know:
systemd-networkd on a restart or an update, NetworkManager as a connection comes up, dhcpcd. kube-vip does not look again;
keepalived before release 2.0 does not either, newer ones go to BACKUP.

## How to tell it apart
The VIP was there before: an earlier look shows it, or a log that says that the address went. When it was never there, the
manager did not put it on, VK836 and VK834.

## References
kube-vip/kube-vip#173, #682, #798; acassen/keepalived#836, #1385, #2564; systemd.network(5), KeepConfiguration=.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import (
    NOBODY_HOLDS,
    Hypothesis,
    Layer,
    Privilege,
    Probe,
    Risk,
    Step,
)
from vipkeeper.diagnose.predicates.holders import claimed_and_not_there, it_was_there_before
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, CLAIMS
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK875",
    name="vip-removed",
    layer=Layer.NETWORK,
    requires=(claimed_and_not_there, it_was_there_before, vip_nowhere),
    chain=(
        "a network service took the VIP off the interface",
        "the manager does not look and means to hold it still",
        "no other server takes it, and nobody answers ARP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "let the manager put it on again: restart what holds the VIP on that server",
            "systemctl restart keepalived",
            only_if="keepalived holds it (kube-vip: crictl stop its container)",
        ),
        Step(
            Risk.SAFE,
            "let the network service leave it: `KeepConfiguration=static` for systemd-networkd, or an unmanaged device for NetworkManager",
        ),
    ),
    verify=("ip -br addr", "arping -c 3 VIP"),
    probes=(
        ADDRESSES,
        CLAIMS,
        Probe(
            "journalctl -u keepalived -u systemd-networkd -u NetworkManager -n 100 --no-pager",
            "the server that means to hold the VIP",
            frozenset({Key.LOG, Key.LOGS_READ}),
            cost=2,
            privilege=Privilege.ROOT,
        ),
    ),
)
