"""Acts of adverts that are not of this version, or of no server: an upgrade, and a forger without the key."""

from __future__ import annotations

from vipkeeper.lab import injected, refused
from vipkeeper.lab.act import Act, Group, Runs
from vipkeeper.lab.acts_process import restart, settles
from vipkeeper.lab.acts_strangers import STRANGER, captured, sends
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import SETTLED, UNSEEN, moves, waits
from vipkeeper.lab.rogue import Manner, payload, unpacked
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.wire.advert import REVISION


def _begins(stage: Stage) -> Mend:
    stage.fault("the daemons are upgraded one after the other", stage.subject)
    return lambda: None


def _upgrading(stage: Stage) -> None:
    """After the first one old and new are heard side by side."""
    words = injected.next_revision(stage.cluster.directory)
    for place, server in enumerate((*stage.backups(), stage.subject)):
        server.wrapper += words
        restart(stage, server)
        heard = "all hear each other" if settles(stage) else "not all hear each other"
        stage.effect(f"{server.name} is upgraded", heard, met=heard.startswith("all"))
        if place == 0:
            adverts = [payload(frame) for frame in unpacked(captured(stage, server).read_bytes())]
            found = sorted({one[injected.REVISION_AT] for one in adverts if one is not None})
            both = found == [REVISION, REVISION + 1]
            stage.effect("two revisions are on the wire", f"{found}", met=both)


ADVERT_ACTS: tuple[Act, ...] = (
    scenario(
        "rolling-upgrade",
        "All daemons are upgraded one by one, the holder's last",
        "To a version whose adverts have a flag and fields that this one does not know: what the next revision will be for "
        "a cluster of this one. Old and new understand each other all the while.",
        Group.DAEMON,
        (13,),
        Fault(Whose.ALL, Part.DAEMON, _begins, _upgrading),
        (moves(1), waits(3), *SETTLED),
        0.0,
        Extras(managers=Runs.VIPKEEPER, spoils=True),
    ),
    scenario(
        "adverts-forged",
        "Somebody sends adverts of a holder in all servers' names",
        "Well-formed, of a far epoch, from each server's address to each other one, and by a key that nobody has. Somebody "
        "is there, no more: nobody gives way to it.",
        Group.STRANGERS,
        (49,),
        Fault(
            *STRANGER,
            sends(
                Manner.FORGED,
                "forged adverts of a holder from every server's address",
                reasons=refused.FORGED,
            ),
        ),
        UNSEEN,
        5.0,
        Extras(managers=Runs.VIPKEEPER),
    ),
)
"""Played by name."""
