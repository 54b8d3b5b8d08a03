"""Whether this host can run the daemon, judged from `Facts` alone. Pure: no reading, no clock.

One function a question. Each finding says what was found, and unless all is well what that means
and what to do. Source: cgroup v1 and SCHED_FIFO: kernel Documentation/scheduler/sched-rt-group.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vipkeeper.host import inspect_control_plane, inspect_network
from vipkeeper.host.inspect import Facts
from vipkeeper.host.inspect_finding import Expected, Finding, Group, Verdict
from vipkeeper.host.inspect_kernel import Outcome
from vipkeeper.host.strict import NEEDS, TABLE

MEMORY_NEEDED = 64 * 1024 * 1024
"""Bytes the keeper may want to lock."""


def judge(facts: Facts, expected: Expected | None) -> list[Finding]:
    """All findings; without a usable configuration only those that need none."""
    findings = [f for question in _OF_THE_HOST for f in question(facts)]
    if expected is not None:
        findings += [f for question in _OF_THE_CLUSTER for f in question(facts, expected)]
    order = list(Group)
    return sorted(findings, key=lambda finding: order.index(finding.group))


def _capabilities(facts: Facts) -> Iterator[Finding]:
    group, name = Group.PERMISSIONS, "capabilities"
    if facts.capabilities is None:
        yield Finding(group, name, Verdict.UNKNOWN, "/proc/self/status could not be read")
        return
    needed = ("CAP_NET_ADMIN", "CAP_NET_RAW")
    missing = [c for c in needed if c not in facts.capabilities]
    if not missing:
        yield Finding(group, name, Verdict.OK, "CAP_NET_ADMIN and CAP_NET_RAW are here")
        return
    yield Finding(
        group,
        name,
        Verdict.PROBLEM,
        f"{' and '.join(missing)} missing",
        "the daemon can neither put the VIP on an interface nor announce it",
        "run as root, or start the daemon by the unit that 'vipkeeper init --systemd' writes",
    )


def _realtime(facts: Facts) -> Iterator[Finding]:
    group, name, trial = Group.PERMISSIONS, "real-time scheduling", facts.trials.realtime
    meaning = "under load the daemon may run late, and a late holder costs a needless move"
    if trial.outcome is Outcome.YES:
        yield Finding(group, name, Verdict.OK, "SCHED_FIFO is granted")
    elif trial.outcome is Outcome.UNKNOWN:
        yield Finding(group, name, Verdict.UNKNOWN, trial.detail)
    elif facts.capabilities is not None and "CAP_SYS_NICE" in facts.capabilities:
        yield Finding(
            group,
            name,
            Verdict.WARNING,
            f"SCHED_FIFO is refused ({trial.detail}) although CAP_SYS_NICE is here",
            f"this control group has no real-time budget (cgroup v1: cpu.rt_runtime_us is 0); {meaning}",
            "run outside that control group, or write a budget such as 100000 to its "
            "cpu.rt_runtime_us",
        )
    else:
        yield Finding(
            group,
            name,
            Verdict.WARNING,
            f"SCHED_FIFO is refused ({trial.detail})",
            meaning,
            "give the daemon CAP_SYS_NICE; the unit of 'vipkeeper init --systemd' does",
        )


def _memory(facts: Facts) -> Iterator[Finding]:
    group, name, limit = Group.PERMISSIONS, "memory locking", facts.memlock_limit
    free = facts.capabilities is not None and "CAP_IPC_LOCK" in facts.capabilities
    if limit is None or limit >= MEMORY_NEEDED or free:
        yield Finding(group, name, Verdict.OK, "the daemon may lock its memory")
        return
    yield Finding(
        group,
        name,
        Verdict.WARNING,
        f"only {limit // 1024} KiB may be locked",
        "on a host that swaps, the daemon may wait for a disk and lose the VIP",
        "LimitMEMLOCK=infinity in the unit, as 'vipkeeper init --systemd' writes it",
    )


def _lifetimes(facts: Facts) -> Iterator[Finding]:
    group, name, trial = Group.KERNEL, "address lifetimes", facts.trials.lifetimes
    if trial.outcome is Outcome.YES:
        text = f"an address with a lifetime vanishes by itself ({trial.detail})"
        yield Finding(group, name, Verdict.OK, text)
    elif trial.outcome is Outcome.UNKNOWN:
        yield Finding(
            group, name, Verdict.UNKNOWN, trial.detail, fix="run 'vipkeeper doctor' as root"
        )
    else:
        yield Finding(
            group,
            name,
            Verdict.PROBLEM,
            trial.detail,
            "a killed or frozen daemon would leave the VIP behind",
            "use a kernel that honours valid_lft of addresses (Linux 3.9 or newer)",
        )


def _egress(facts: Facts) -> Iterator[Finding]:
    trial = facts.trials.egress
    told = {
        Outcome.YES: "there: kernel_lease: strict can be used",
        Outcome.NO: f"not there ({trial.detail}): only kernel_lease: strict needs it",
        Outcome.UNKNOWN: f"not tried: {trial.detail}",
    }
    yield Finding(Group.KERNEL, "nftables egress hook", Verdict.INFO, told[trial.outcome])


def _strict(facts: Facts, expected: Expected) -> Iterator[Finding]:
    name, trial = "strict lease", facts.trials.egress
    running = any("vipkeeper" in (user.process or "") for user in facts.port_users)
    if f"table {TABLE} {{" in (facts.nft or "") and not running:
        yield Finding(
            Group.KERNEL,
            name,
            Verdict.WARNING,
            f"a daemon that was killed left its table here (nftables, {TABLE})",
            "the VIP is silent on this host, which is right until the daemon runs again",
            "start the daemon, or take VIP and table away with 'vipkeeper release'",
        )
    if not expected.strict:
        return
    if trial.outcome is Outcome.NO:
        yield Finding(
            Group.KERNEL,
            name,
            Verdict.PROBLEM,
            f"this host cannot do it: {trial.detail}",
            f"kernel_lease: strict needs {NEEDS}; without it the daemon does not start",
            "install what is missing, or use kernel_lease: auto",
        )
    elif trial.outcome is Outcome.UNKNOWN:
        yield Finding(
            Group.KERNEL, name, Verdict.UNKNOWN, trial.detail, fix="run 'vipkeeper doctor' as root"
        )
    else:
        yield Finding(Group.KERNEL, name, Verdict.OK, "nft and the egress hook are here")


def _clock(facts: Facts) -> Iterator[Finding]:
    clock = facts.clock
    if clock.later < clock.boottime or clock.boottime == 0 or clock.later < clock.monotonic:
        yield Finding(
            Group.CLOCK,
            "CLOCK_BOOTTIME",
            Verdict.PROBLEM,
            "the clock runs backwards",
            "leases and silence cannot be measured on this host",
            "look for clock errors in 'dmesg', and update the kernel or the hypervisor",
        )
        return
    text = "runs forward" + (f" (source {clock.source})" if clock.source else "")
    yield Finding(Group.CLOCK, "CLOCK_BOOTTIME", Verdict.OK, text)


def _managers(facts: Facts) -> Iterator[Finding]:
    group = Group.OTHERS
    rivals: dict[str, list[int]] = {}
    for process in facts.processes:
        if process.name not in ("vipkeeper", "firewalld"):
            rivals.setdefault(process.name, []).append(process.pid)
    for name, pids in rivals.items():
        listed = ", ".join(map(str, sorted(pids)))
        yield Finding(
            group,
            "second VIP manager",
            Verdict.PROBLEM,
            f"{name} runs here (pid {listed})",
            "if it manages the same VIP, two servers will hold it at the same time",
            f"stop and disable {name}, or make sure that it manages other addresses only",
        )
    if not rivals:
        yield Finding(group, "second VIP manager", Verdict.OK, "no other VIP manager runs here")


_OF_THE_HOST: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _capabilities,
    _realtime,
    _memory,
    _lifetimes,
    _egress,
    _managers,
    _clock,
)
_OF_THE_CLUSTER: tuple[Callable[[Facts, Expected], Iterator[Finding]], ...] = (
    _strict,
    *inspect_network.QUESTIONS,
    inspect_control_plane.judge,
)
