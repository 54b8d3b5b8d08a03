"""Acts in which a daemon stands still, or is away, for about as long as its lease lets it, and for far longer."""

from __future__ import annotations

from vipkeeper.lab.act import Act, Group
from vipkeeper.lab.acts_daemons import back_after, beyond_the_lease, still
from vipkeeper.lab.fault import Fault, Part, Whose
from vipkeeper.lab.must import TAKEOVER, UNSEEN
from vipkeeper.lab.scenario import scenario
from vipkeeper.lab.stage import Stage

LATE = 1.0
"""Seconds after which a daemon comes back: a lease of 3 s, renewed every 0.75 s, has 1.25 s left at least."""
LONG = 30.0
"""Seconds for which a daemon stands still: every server has long agreed on another holder."""
HOLDERS, BACKUPS = (Whose.HOLDER, Part.DAEMON), (Whose.BACKUP, Part.DAEMON)

LONGER: tuple[Act, ...] = (
    scenario(
        "restart-late",
        "The holder's daemon dies and comes back late",
        "After a second, with a second or more left of its lease. The VIP stays where it is.",
        Group.DAEMON,
        (3,),
        Fault(*HOLDERS, back_after(LATE), beyond_the_lease),
        UNSEEN,
    ),
    scenario(
        "daemon-frozen-long",
        "The holder's daemon stands still for half a minute",
        "The VIP has long moved when it goes on. It renews nothing, claims nothing, and follows the new holder.",
        Group.DAEMON,
        (5,),
        Fault(*HOLDERS, still(lambda stage: stage.subject)),
        TAKEOVER,
        LONG,
    ),
    scenario(
        "backup-frozen-long",
        "A backup's daemon stands still for half a minute",
        "What waits in its sockets is old when it goes on, and none of it makes it claim.",
        Group.DAEMON,
        (6,),
        Fault(*BACKUPS, still(Stage.backup)),
        UNSEEN,
        LONG,
    ),
)
"""Played by name."""
