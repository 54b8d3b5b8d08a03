"""What this process may do (capabilities(7))."""

from __future__ import annotations

from pathlib import Path

from vipkeeper.errors import HostError

NEEDED = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}


def effective() -> int:
    """The effective capability set as a bit mask."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def require() -> None:
    """See that addresses can be changed and raw frames sent.

    Raises:
        HostError: a capability is missing, which one, and how to give it.
    """
    mask = effective()
    missing = [name for name, bit in NEEDED.items() if not mask >> bit & 1]
    if missing:
        raise HostError(
            f"missing {' and '.join(missing)}: run as root, or give them in the unit with "
            f"AmbientCapabilities={' '.join(NEEDED)} CAP_SYS_NICE CAP_IPC_LOCK"
        )
