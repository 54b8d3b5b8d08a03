"""keepalived and other VRRP routers."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import predicate
from vipkeeper.diagnose.judgement import Judgement, View, false, true, unknown
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.vocabulary import Key, Manager

adverts_of_another_router = logged_lately(
    "adverts_of_another_router",
    "adverts with our virtual router id carry other addresses",
    "keepalived-vip-mismatch",
)


@predicate(Key.MANAGER)
def another_manager(view: View) -> Judgement:
    """Something else than keepalived is meant to hold the VIP."""
    fact = view.one(Key.MANAGER)
    if fact is None:
        return unknown("not known what is meant to hold the VIP")
    if fact.value is Manager.KEEPALIVED:
        return false("keepalived is meant to hold the VIP", fact)
    return true("not keepalived is meant to hold the VIP", fact)
