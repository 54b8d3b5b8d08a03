"""an operator told every server not to claim the VIP

## What it is
`vipkeeper standby` keeps a server from claiming, for maintenance. When it is set on all servers, nobody claims.

## How to tell it apart
`vipkeeper status` shows it on each server. One server that may claim is enough for this to be no cause.

## References
vipkeeper: docs of `standby`.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.manager import all_on_standby
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ON_EVERY_SERVER

HYPOTHESIS = Hypothesis(
    code="VK830",
    name="manager-on-standby",
    layer=Layer.CONFIGURATION,
    requires=(
        all_on_standby,
        vip_nowhere,
    ),
    chain=(
        "every server was told not to claim",
        "so nobody holds the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(Step(Risk.SAFE, "let a server claim again", "vipkeeper standby off"),),
    verify=("vipkeeper status",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
    ),
)
