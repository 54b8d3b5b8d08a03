"""the neighbour table of the client names the former holder

## What it is
The VIP moved, and this client or its router did not take the announcement. Its frames go to the former holder, which drops
them. Everything is well on the servers. By itself the entry heals after about half a minute.

## How to tell it apart
Other places reach the VIP. Read the table before anything is sent: `arping` and a new connection can heal the entry, and
then there is nothing to see. When two servers have the VIP, the table is not stale but one of two answers, VK861 and VK863.

## References
kube-vip/kube-vip#508, #85, #80, #235; RFC 826; RFC 4861 section 7.3.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.holders import several_have_it
from vipkeeper.diagnose.predicates.network import (
    neighbour_is_stale,
    stale_place_gets_no_answer,
    stranger_answers,
    vip_port_open,
)
from vipkeeper.diagnose.probes import ADDRESSES, NEIGHBOURS

HYPOTHESIS = Hypothesis(
    code="VK866",
    name="stale-neighbour",
    layer=Layer.NETWORK,
    requires=(neighbour_is_stale, stale_place_gets_no_answer),
    forbids=(several_have_it, stranger_answers),
    supports=(vip_port_open,),
    chain=(
        "the VIP moved to another server",
        "this place did not take the announcement and kept the former link-layer address",
        "its packets go to a server without the VIP, which drops them",
    ),
    explains=(Symptom.TIMEOUT, Symptom.NO_ROUTE),
    fixes=(
        Step(Risk.SAFE, "forget the entry on the client or router", "ip neigh del VIP dev DEVICE"),
        Step(Risk.SAFE, "announce the VIP again from the holder", "arping -U -c 3 -I DEVICE VIP"),
    ),
    verify=("ip neigh show to VIP", "curl -sk https://VIP:6443/ping"),
    probes=(NEIGHBOURS, ADDRESSES),
)
