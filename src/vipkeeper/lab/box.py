"""The box: private namespaces in which a cluster is built and broken, gone whatever happens.

    caller (stays outside) -> guard -> init (PID 1 of the box) -> the work

The caller waits and hands signals on. The guard makes the namespaces. Init reaps orphans. Each of them
dies with its parent (PR_SET_PDEATHSIG), and with init the kernel ends everything in the box: processes,
network namespaces, bridges, nftables tables, mounts. Nothing has to be cleaned up, so nothing can be
left over, also after SIGKILL, but control groups, which the next drill removes. /run inside is a tmpfs of its own: `ip netns add` works there without
root, and the work directory in it vanishes too.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from vipkeeper.errors import ExitCode, HostError
from vipkeeper.lab.kernel import MountFlag, Namespace, die_with_parent, mount, unshare

WORK = Path("/run/vipkeeper-lab")
"""The work directory inside the box."""

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RESULT, _FAULT, _NO_BOX = b"R", b"F", b"N"
"""First byte on the pipe to the caller: a result, a fault of this host, no box (the reason follows)."""
_FAILED = 2


class BoxError(HostError):
    """This host does not let us make the namespaces; says which setting would."""


def nothing() -> None:
    """Do nothing."""


def in_box(
    work: Callable[[Path], bytes],
    take: Callable[[bytes], None],
    afterwards: Callable[[], None] = nothing,
    at_end: Callable[[], None] = nothing,
    finished: Callable[[], None] = nothing,
) -> int:
    """Run `work(directory)` inside a new box, `take(result)` outside, `afterwards()` inside; exit code.

    The box lasts until `afterwards` has ended. It ends with 0, or as SystemExit says; nothing is taken
    from a work that ends that way. stdin, stdout and stderr are the caller's. SIGINT, SIGTERM and
    SIGHUP of the caller become SIGINT (KeyboardInterrupt) inside; the box has no terminal of its own,
    so Ctrl-C reaches the work only once and its children not at all.

    `at_end()` is run by the box's init when the work has ended, in whatever way, and before everything
    else in the box is killed: for what must be let go to be able to die. `finished()` is run outside when
    the box is gone, also where an exception ends this, and no signal of the three disturbs it.

    Raises:
        BoxError: namespaces cannot be made here.
        HostError: as `work` raised it.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    results, result = os.pipe()
    alive, held = os.pipe()
    try:
        # A signal between these lines would end the caller alone, or the child with the caller's code.
        signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
        guard = os.fork()
        if guard == 0:
            os.close(results)
            os.close(held)
            todo = _Todo(lambda: _work(work, afterwards, result), at_end)
            _exit_with(lambda: _guard(todo, result, alive))
        os.close(result)
        os.close(alive)
        previous = {number: signal.signal(number, _hand_on(guard)) for number in _FORWARDED}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    taken = False
    try:
        data = _read_all(results)
        if data[:1] == _RESULT:
            take(data[1:])
        taken = True
    finally:
        if not taken:
            os.kill(guard, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1])
        signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
        finished()
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(held)
        os.close(results)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if data[:1] in (_NO_BOX, _FAULT):
        kind = BoxError if data[:1] == _NO_BOX else HostError
        raise kind(data[1:].decode())
    return 128 - status if status < 0 else status


@dataclass(frozen=True, slots=True)
class _Todo:
    """What happens in the box."""

    work: Callable[[], int]
    at_end: Callable[[], None]


def probe() -> None:
    """Make a box and leave it at once.

    Raises:
        BoxError: namespaces cannot be made here.
    """
    in_box(lambda _: b"", lambda _: None)


def _hand_on(child: int) -> Callable[[int, FrameType | None], None]:
    """A signal handler that gives the child SIGINT."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        try:
            os.kill(child, signal.SIGINT)
        except ProcessLookupError:
            return

    return handler


def _exit_with(body: Callable[[], int]) -> None:
    """Run `body` in a forked child and end the process with its result; never returns."""
    code = 70
    try:
        code = _code_of(body)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt:  # a second one, while the first was being answered
        code = ExitCode.INTERRUPTED
    finally:
        os._exit(code)


def _code_of(body: Callable[[], int]) -> int:
    """What `body` ends with, however it ends."""
    try:
        return body()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - last frame of a forked child
        _tell_internal(error)
        return 70


def _tell_internal(error: Exception) -> None:
    """One line, as `cli.main` would say it: what is raised in a forked child does not get there."""
    if os.environ.get("VIPKEEPER_DEBUG"):
        sys.excepthook(type(error), error, error.__traceback__)
    summary = " ".join(str(error).split())
    sys.stderr.write(
        f"vipkeeper: internal error ({type(error).__name__}: {summary}); please report it; "
        "set VIPKEEPER_DEBUG=1 for the traceback\n"
    )


def _guard(todo: _Todo, result: int, alive: int) -> int:
    """Make the namespaces, start init in them, wait for it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    os.setsid()
    try:
        _enter()
        die_with_parent()
    except OSError as error:
        os.write(result, _NO_BOX + explain(error).encode())
        return _FAILED
    if _gone(alive):
        return _FAILED
    child_alive, child_held = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(child_held)
        _exit_with(lambda: _init(todo, result, child_alive))
    os.close(result)
    os.close(child_alive)
    for number in _FORWARDED:
        signal.signal(number, _hand_on(init))
    status = os.waitstatus_to_exitcode(os.waitpid(init, 0)[1])
    return 128 - status if status < 0 else status


def _enter() -> None:
    """Step into new namespaces; in a user namespace of our own when we are not root."""
    kinds = Namespace.MOUNT | Namespace.PID | Namespace.NET
    uid, gid = os.geteuid(), os.getegid()
    unshare(kinds if uid == 0 else kinds | Namespace.USER)
    if uid != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            Path(f"/proc/self/{name}").write_text(text)
    mount("none", "/", None, MountFlag.RECURSIVE | MountFlag.PRIVATE)
    mount("tmpfs", "/run", "tmpfs", MountFlag.NOSUID | MountFlag.NODEV, "mode=755")
    WORK.mkdir(mode=0o700)


def _init(todo: _Todo, result: int, alive: int) -> int:
    """PID 1: start the work, reap whatever is orphaned, end with the work's exit code."""
    die_with_parent()
    if _gone(alive):
        return _FAILED
    try:
        # The old /proc still counts in the caller's PID namespace.
        (WORK / "pid").write_text(os.readlink("/proc/self"))
        mount("proc", "/proc", "proc", MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC)
    except OSError as error:
        os.write(result, _NO_BOX + explain(error).encode())
        return _FAILED
    worker = os.fork()
    if worker == 0:
        _exit_with(todo.work)
    os.close(result)
    for number in _FORWARDED:
        signal.signal(number, _hand_on(worker))
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == worker:
            todo.at_end()
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code


def _work(work: Callable[[Path], bytes], afterwards: Callable[[], None], result: int) -> int:
    for number in _FORWARDED:
        signal.signal(number, signal.default_int_handler)
    with open(result, "wb") as file:
        try:
            data = _RESULT + work(WORK)
        except HostError as error:
            file.write(_FAULT + str(error).encode())
            return _FAILED
        file.write(data)
    afterwards()
    return 0


def made_by_root() -> bool:
    """Inside a box: whether it is one of root, without a user namespace of its own."""
    return Path("/proc/self/uid_map").read_text().split()[2] != "1"


def outer_pid() -> int:
    """Inside a box: the pid of its init as the caller of `in_box` sees it, for nsenter(1)."""
    return int((WORK / "pid").read_text())


def _gone(alive: int) -> bool:
    """Whether the process at the other end of the pipe has ended (before PR_SET_PDEATHSIG was set)."""
    poll = select.poll()
    poll.register(alive, 0)
    return bool(poll.poll(0))


def _read_all(source: int) -> bytes:
    chunks = []
    while chunk := os.read(source, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def _setting(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def explain(error: OSError) -> str:
    """One line: the lab cannot run here, and which setting would let it.

    The order is from the certain cause to the likely one: Ubuntu's AppArmor restriction lets unshare(2)
    succeed and denies what needs a capability afterwards; user.max_user_namespaces gives ENOSPC;
    Debian's old switch and the seccomp filters of container engines give EPERM.
    """
    where = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    first = f"cannot make network namespaces here ({where})"
    if os.geteuid() == 0:
        return (
            f"{first}: this root lacks CAP_SYS_ADMIN or a seccomp filter forbids it; in a container "
            "add '--privileged' (or '--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined')"
        )
    if _setting("/proc/sys/user/max_user_namespaces") == "0" or error.errno == errno.ENOSPC:
        setting = "user.max_user_namespaces=15000"
    elif _setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        setting = "kernel.unprivileged_userns_clone=1"
    elif _setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        setting = "kernel.apparmor_restrict_unprivileged_userns=0"
    else:
        return (
            f"{first}: user namespaces are forbidden, in a container by its seccomp filter "
            "('--security-opt seccomp=unconfined' allows them); or run this as root"
        )
    return f"{first}: 'sysctl -w {setting}' allows it without root; or run this as root"
