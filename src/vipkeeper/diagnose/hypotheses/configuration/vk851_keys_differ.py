"""a server of vipkeeper has another key than the others

## What it is
Adverts are authenticated with the key in `key_file`. A server whose key is another one is a stranger to the others, and they to
it. While the VIP answers nobody claims it a second time, so that nothing is noticed until the holder fails: then fewer servers
can take over than it seems, and they wait longer.

## How to tell it apart
The daemon counts refused adverts by their reason: `wrong_key` grows, and the alarm names the address they come from. Adverts
that a network drops are not counted at all.

## References
docs/configuration.md, `key_file`; docs/wire.md.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.manager import adverts_refused
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK851",
    name="keys-differ",
    layer=Layer.CONFIGURATION,
    requires=(adverts_refused,),
    chain=(
        "the key of one server is not that of the others",
        "they refuse its adverts, and it refuses theirs",
        "neither knows whether the other holds the VIP but by asking the VIP itself",
    ),
    explains=(Symptom.TWO_ANSWER,),
    fixes=(
        Step(Risk.SAFE, "compare the keys by their digest", "sha256sum /etc/vipkeeper/key"),
        Step(
            Risk.SAFE,
            "copy the key of the majority to the server that differs, readable by root only, and reload it there",
            "systemctl reload vipkeeper",
        ),
    ),
    verify=("vipkeeper status",),
    probes=(
        Probe(
            "vipkeeper status",
            "every server",
            frozenset({Key.ADVERTS_REFUSED}),
            cost=1,
        ),
    ),
)
