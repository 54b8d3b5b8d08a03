"""What this kernel can do, found by doing it in a network namespace that vanishes with its process.

Run as `python -m vipkeeper.host.inspect_kernel`: it leaves the host's network namespace first and
prints one JSON object. `try_kernel` runs it and reads the answer.
"""

from __future__ import annotations

import ctypes
import enum
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

TIME_LIMIT = 15.0
"""Seconds the whole trial may take."""
LAPSE_LIMIT = 4.0
"""Seconds a lifetime of one second may take to end."""
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_TEST_ADDRESS = "192.0.2.1"
_EGRESS = """\
table netdev vipkeeper_trial {
  chain egress { type filter hook egress device "lo" priority 0; }
}
"""


class Outcome(enum.Enum):
    """How a trial ended."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KernelTrials:
    """What was tried of the kernel."""

    lifetimes: Trial
    """Does an address with a lifetime vanish by itself?"""
    egress: Trial
    """Is there nft, and does the kernel have the egress hook (netdev family, Linux 5.16)?"""
    realtime: Trial
    """Is SCHED_FIFO granted to this user in this control group?"""


def try_kernel() -> KernelTrials:
    """Try everything in a child process; what cannot be tried is unknown."""
    command = [sys.executable, "-m", "vipkeeper.host.inspect_kernel"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=False)
        answers = json.loads(done.stdout)
        return KernelTrials(
            *(Trial(Outcome(answers[k][0]), str(answers[k][1])) for k in KernelTrials.__slots__)
        )
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError, IndexError) as e:
        unknown = Trial(Outcome.UNKNOWN, f"the trial did not finish ({type(e).__name__})")
        return KernelTrials(unknown, unknown, unknown)


def _enter_namespace() -> str | None:
    """Move to an empty network namespace; why not, when that is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        return None
    return f"no network namespace could be made: {os.strerror(ctypes.get_errno())}"


def _try_lifetimes() -> Trial:
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    with IPRoute() as netlink:
        index = netlink.link_lookup(ifname="lo")[0]
        netlink.link("set", index=index, state="up")
        try:
            netlink.addr(
                "add",
                index=index,
                address=_TEST_ADDRESS,
                prefixlen=32,
                IFA_CACHEINFO={"ifa_preferred": 0, "ifa_valid": 1},
            )
        except NetlinkError as error:
            return Trial(Outcome.NO, f"the kernel refused the address: {error}")
        if not _present(netlink):
            return Trial(Outcome.UNKNOWN, "the test address was not there")
        started = time.monotonic()
        while time.monotonic() - started < LAPSE_LIMIT:
            if not _present(netlink):
                return Trial(Outcome.YES, f"gone after {time.monotonic() - started:.2f} s of 1 s")
            time.sleep(0.02)
    return Trial(Outcome.NO, f"a lifetime of 1 s had not ended after {LAPSE_LIMIT:g} s")


def _present(netlink: object) -> bool:
    dump = netlink.get_addr(family=2)  # type: ignore[attr-defined]
    return any(message.get_attr("IFA_LOCAL") == _TEST_ADDRESS for message in dump)


def _try_egress() -> Trial:
    nft = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if nft is None:
        return Trial(Outcome.NO, "the program nft is not installed")
    try:
        done = subprocess.run(
            [nft, "-f", "-"], input=_EGRESS, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Trial(Outcome.UNKNOWN, f"nft did not run: {error}")
    if done.returncode == 0:
        return Trial(Outcome.YES)
    return Trial(Outcome.NO, " ".join(done.stderr.split())[:120])


def _try_realtime() -> Trial:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        return Trial(Outcome.NO, os.strerror(error.errno or 0))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return Trial(Outcome.YES)


def main() -> None:
    """Try everything and print the answers."""
    realtime = _try_realtime()
    refusal = _enter_namespace()
    if refusal is not None:
        lifetimes = egress = Trial(Outcome.UNKNOWN, refusal)
    else:
        try:
            lifetimes = _try_lifetimes()
        except (ImportError, OSError, IndexError) as error:
            lifetimes = Trial(Outcome.UNKNOWN, f"the trial failed: {error}")
        egress = _try_egress()
    trials = KernelTrials(lifetimes=lifetimes, egress=egress, realtime=realtime)
    names = KernelTrials.__slots__
    answers = {n: (getattr(trials, n).outcome.value, getattr(trials, n).detail) for n in names}
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
