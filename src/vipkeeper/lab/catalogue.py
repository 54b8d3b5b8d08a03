"""The scenario library: every act, the catalogue of faults they come from, and what is not in it, with the reason."""

from __future__ import annotations

import difflib
import enum

from vipkeeper.errors import UsageError
from vipkeeper.lab.act import Act
from vipkeeper.lab.acts import ACTS, STORY
from vipkeeper.lab.acts_addresses import ADDRESS_ACTS
from vipkeeper.lab.acts_adverts import ADVERT_ACTS
from vipkeeper.lab.acts_frames import FRAME_ACTS
from vipkeeper.lab.acts_links import LINKS
from vipkeeper.lab.acts_longer import LONGER
from vipkeeper.lab.acts_process import PROCESS
from vipkeeper.lab.acts_reload import RELOADS
from vipkeeper.lab.acts_service import SERVICE
from vipkeeper.lab.acts_splits import SPLITS
from vipkeeper.lab.acts_strangers import STRANGERS
from vipkeeper.lab.acts_time import TIME
from vipkeeper.lab.scenario import together

SCENARIOS: tuple[Act, ...] = (
    *ACTS,
    *PROCESS,
    *RELOADS,
    *LONGER,
    *TIME,
    *FRAME_ACTS,
    *SPLITS,
    *LINKS,
    *ADDRESS_ACTS,
    *SERVICE,
    *STRANGERS,
    *ADVERT_ACTS,
)
"""All there are; the story first."""

AND = "+"
"""Between the names of two acts that are laid together."""
CLOSE = 0.7
"""From which likeness on (difflib) a name may have been meant: one letter of four or five is another."""


class Suite(enum.Enum):
    """A choice of acts by name."""

    STORY = "story"
    SMOKE = "smoke"
    FULL = "full"


FAULTS: dict[int, str] = {
    1: "the holder's daemon is asked to stop",
    2: "the daemon is killed, nobody starts it again",
    3: "the daemon is killed and started again within its lease",
    4: "one process of the daemon is killed, the others are not",
    5: "the holder's daemon stands still, for less than its lease and for more",
    6: "a backup's daemon stands still",
    7: "the daemons of all backups stand still",
    8: "the daemon dies of a memory fault",
    9: "the kernel kills the daemon for want of memory",
    10: "an unexpected exception in the daemon",
    11: "no more file descriptors",
    12: "the daemon dies again and again",
    13: "all daemons are upgraded one by one",
    14: "settings change while the VIP is held",
    15: "the holder's daemon gets little processor time",
    16: "a backup's daemon gets little processor time",
    17: "programs of normal priority want more cores than there are",
    18: "a real-time program takes cores",
    19: "a whole machine stands still",
    20: "a long pause inside the interpreter",
    21: "the holder's link goes down",
    22: "a port that is silent while its link is up",
    23: "the holder cannot send",
    24: "the holder cannot receive",
    25: "a backup cannot receive",
    26: "two servers cannot reach each other, a third reaches both",
    27: "five servers, each of which reaches only its neighbours",
    28: "the network falls apart, a client on each side",
    29: "frames are lost by chance",
    30: "everything is lost for a moment, again and again",
    31: "frames are lost by count",
    32: "frames arrive more than once",
    33: "frames arrive in another order",
    34: "the delay grows",
    35: "the delay is short mostly and very long sometimes",
    36: "frames arrive broken",
    37: "wires clog one after the other and clear in another order",
    38: "a link that goes down and up",
    39: "multicast is filtered",
    40: "the smallest MTU, and many VIPs",
    41: "somebody deletes the VIP",
    42: "another machine has the VIP",
    43: "an interface is flushed, renamed, removed, or gets another MAC",
    44: "the IPv6 VIP is a duplicate at a takeover",
    45: "a client that believes no announcement",
    46: "the API server refuses, hangs, answers errors, is slow, has an expired certificate, or is another program",
    47: "all API servers are unready together",
    48: "health changes every half second",
    49: "wrong clocks, wrong keys, old adverts, strangers' adverts, false announcements",
    50: "keepalived of several versions in the same group",
}
"""The fault catalogue: what a row is about."""

LEFT_OUT: dict[int, str] = {
    13: "an older version: there is none yet; the next one is played by what docs/wire.md lets it change",
    14: "another VRID: this program has none; its adverts go to the servers of its own list",
    44: "the kernel's own detection: vipkeeper asks before it claims, and adds its VIPs without it",
    49: "authentication by time stamps: this program has none, so that clocks play no part in it",
    50: "one election of both programs: `election: vrrp` does not exist yet; `--manager keepalived --variant` plays the scenarios "
    "with keepalived alone, by VRRPv2 and v3, multicast and unicast. Debian has no 2.4 and so no `auth_hmac`",
}
"""What of a row cannot be played, and why."""


def suite(which: Suite) -> tuple[Act, ...]:
    """The acts of a suite, those of one topology together."""
    match which:
        case Suite.STORY:
            return STORY
        case Suite.SMOKE:
            chosen = [act for act in SCENARIOS if act.smoke]
        case Suite.FULL:
            chosen = list(SCENARIOS)
    first = {act.name: place for place, act in enumerate(SCENARIOS)}
    return tuple(sorted(chosen, key=lambda act: (act.servers != 3, act.servers, first[act.name])))


def find(names: list[str]) -> tuple[Act, ...]:
    """The acts of these names, `A+B` both together.

    Raises:
        UsageError: there is no such act, with the nearest one; or two cannot be laid together, and why.
    """
    wrong: list[str] = []
    found: list[Act] = []
    for name in names:
        parts = name.split(AND)
        if not all(parts):
            wrong.append(f"drill: '{name}': name an act on either side of '{AND}'")
            continue
        acts = [act for part in parts if (act := _named(part, wrong)) is not None]
        if len(parts) > 2:
            wrong.append(f"drill: '{name}': two acts can be laid together, not {len(parts)}")
        elif len(acts) == len(parts):
            try:
                found.append(acts[0] if len(acts) == 1 else together(*acts))
            except UsageError as error:
                wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return tuple(found)


def _named(name: str, wrong: list[str]) -> Act | None:
    """The act of a name; adds a line to `wrong` where there is none."""
    by_name = {act.name: act for act in SCENARIOS}
    if name not in by_name:
        word = name.lower()
        begun = [known for known in by_name if known.startswith(word)]
        near = begun or difflib.get_close_matches(word, by_name, n=1, cutoff=CLOSE)
        hint = f"did you mean '{near[0]}'?" if len(near) == 1 else "see 'vipkeeper drill list'"
        wrong.append(f"drill: unknown act '{name}'; {hint}")
    return by_name.get(name)
