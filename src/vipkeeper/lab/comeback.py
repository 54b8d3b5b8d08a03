"""A daemon is started again within the lease that its dead predecessor left: was it in time, and if not, why not?"""

from __future__ import annotations

from vipkeeper.lab import leases
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window, overlap
from vipkeeper.lab.processes import HostTooSlowError, LabError
from vipkeeper.lab.stage import Stage


def start_again(stage: Stage, server: Server, died: int, after: float) -> None:
    """Start a server's daemon and wait until it says something.

    `died`: when the one before was killed; `after`: how many seconds later this was to be.

    Raises:
        LabError: it ended, says nothing, or said it too late for the lease by its own fault.
        HostTooSlowError: too late, and it would have been in time with what this host withheld.
    """
    assert server.daemon is not None
    said = server.daemon.log.stat().st_size
    stage.manager.start(server)
    daemon = server.daemon
    looked = daemon.started

    def spoke() -> bool:
        nonlocal looked
        if daemon.log.stat().st_size > said:
            return True
        looked = now()
        return False

    patience = leases.patience(stage, server)
    spoken = stage.recorder.wait(lambda: spoke() or not daemon.running, patience)
    if not daemon.running:
        words = daemon.last_words() if daemon.log.stat().st_size > said else "it said nothing"
        raise LabError(f"the daemon of {server.name} ended when it was started again: {words}")
    if not spoken:
        raise LabError(f"the daemon of {server.name} said nothing for {patience:.1f} s")
    end = now()
    took, late = (end - daemon.started) / 1e9, (daemon.started - died) / 1e9 - after
    left = leases.surely(stage, server) - after - late
    if took <= left:
        return
    # While the daemon itself ran nothing was withheld from it, however long others had to wait.
    idle = max(0.0, took - daemon.ran)
    # What of a stall was before the start is in `late` already.
    stalled = overlap(Window(daemon.started, end), stage.recorder.stalls(0))
    others = max(end - looked, stalled) / 1e9
    withheld = late + max(daemon.waited, min(others, idle))
    text = (
        f"the daemon of {server.name} took {took:.1f} s to start, {left:.1f} s of the lease were left; "
        f"the host withheld {withheld:.1f} s"
    )
    raise HostTooSlowError(text) if took - left <= withheld else LabError(text)
