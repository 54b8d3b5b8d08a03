"""Commands as they are to be typed."""

from __future__ import annotations

import re
from ipaddress import ip_address

from vipkeeper.diagnose.engine import Diagnosis
from vipkeeper.diagnose.vocabulary import Key

_WITH_PORT = re.compile(r"\bVIP(?=:)")
_ALONE = re.compile(r"\bVIP\b")


def typed(command: str, diagnosis: Diagnosis) -> str:
    """The command with the VIP in it where it is known.

    What a bundle calls the VIP is put in only when it is an address: a command is pasted into a shell.
    """
    for fact in diagnosis.evidence.of(Key.VIP):
        try:
            vip = ip_address(str(fact.value))
        except ValueError:
            continue
        with_port = f"[{vip}]" if vip.version > 4 else str(vip)
        return _ALONE.sub(str(vip), _WITH_PORT.sub(with_port, command))
    return command
