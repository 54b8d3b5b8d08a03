"""What holds the VIP in the lab: vipkeeper itself, a peer in its place, or nobody (the lab's own tests)."""

from vipkeeper.lab.managers.base import SECOND, Manager, Style, Variant
from vipkeeper.lab.managers.keepalived import Keepalived
from vipkeeper.lab.managers.kube_vip import KubeVip
from vipkeeper.lab.managers.manual import Manual
from vipkeeper.lab.managers.ucarp import Ucarp
from vipkeeper.lab.managers.vipkeeper import OWN_KEYS, Vipkeeper

__all__ = [
    "MANAGERS",
    "OWN_KEYS",
    "PEERS",
    "SECOND",
    "STYLES",
    "Keepalived",
    "KubeVip",
    "Manager",
    "Manual",
    "Style",
    "Ucarp",
    "Variant",
    "Vipkeeper",
]

PEERS: tuple[type[Manager], ...] = (Keepalived, Ucarp, KubeVip)
"""What vipkeeper is compared with."""
MANAGERS: dict[str, type[Manager]] = {Vipkeeper.name: Vipkeeper, Manual.name: Manual} | {
    peer.name: peer for peer in PEERS
}
STYLES = "; ".join(
    f"{peer.name}: {', '.join(variant.style for variant in peer.variants)}" for peer in PEERS
)
"""The peers' variants, for a reader."""
