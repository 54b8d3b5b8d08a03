"""The installed program as a user runs it: exit codes, streams, and never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vipkeeper.cli.main import VERBS
from vipkeeper.daemon.protocol import MAX_LINE, SOCKET_NAME, Response, encode_response
from vipkeeper.host.inspect_kernel import Outcome, try_kernel

HEAVY = (
    "asyncio",
    "jinja2",
    "logging",
    "prometheus_client",
    "pyroute2",
    "rich",
    "socket",
    "ssl",
    "subprocess",
    "yaml",
)


def vipkeeper(
    *argv: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", **(env or {})}
    environment.pop("VIPKEEPER_DEBUG", None)
    return subprocess.run(
        [sys.executable, "-m", "vipkeeper", *argv],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
        cwd=cwd,
    )


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_explains_itself(verb: str) -> None:
    done = vipkeeper(verb, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"usage: vipkeeper {verb}")


PRESSES_CTRL_C = """\
import os, runpy, signal, sys

class CtrlC:
    def __init__(self, module):
        self.module = module

    def find_spec(self, name, path=None, target=None):
        if name == self.module:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC(sys.argv.pop(1)))
runpy.run_module("vipkeeper", run_name="__main__", alter_sys=True)
"""
"""Runs the program, and sends it SIGINT when it begins to import a module."""


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("vipkeeper.cli", ("--version",)),
        ("difflib", ("--help",)),
        ("vipkeeper.errors", ("status",)),
        ("vipkeeper.cli.drill", ("drill", "elect")),
        ("vipkeeper.lab.acts", ("drill", "elect")),
        ("vipkeeper.report.svg", ("drill", "list")),
        ("vipkeeper.diagnose.engine", ("why", "--facts", os.devnull)),
        ("vipkeeper.lint.run", ("lint", "--vip", "10.0.0.1")),
    ],
)
def test_ctrl_c_while_modules_are_imported_says_nothing(
    module: str, words: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESSES_CTRL_C, module, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stderr, done.stdout) == ("", "")
    assert done.returncode == 130


def test_ctrl_c_that_is_ignored_from_outside_stays_ignored() -> None:
    """As a shell starts what runs in the background."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSES_CTRL_C, "vipkeeper.errors", "--version"],
        capture_output=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"vipkeeper ")


def test_help_and_version_go_to_stdout() -> None:
    assert vipkeeper("--version").stdout.startswith("vipkeeper ")
    done = vipkeeper("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Exit codes" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from vipkeeper.cli.main import main; main(['--help']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[]\n"


BAD_INPUT = [
    ((), 2),
    (("statsu",), 2),
    (("--nonsense",), 2),
    (("status", "--nonsense"), 2),
    (("status", "extra"), 2),
    (("status", "--output"), 2),
    (("status", "--output", "xml"), 2),
    (("status", "--output", "json="), 2),
    (("status", "--watch", "--output", "json"), 2),
    (("status", "--run-dir", "/nonexistent"), 3),
    (("status", "--run-dir", "/etc/passwd"), 2),
    (("status", "--run-dir", "x" * 300), 2),
    (("status", "--run-dir", ""), 3),
    (("history", "-n", "0"), 2),
    (("history", "--run-dir", "/nonexistent", "--state-dir", "/nonexistent"), 3),
    (("history", "--run-dir", "/nonexistent", "--state-dir", "/etc/passwd"), 2),
    (("handover", "--run-dir", "/nonexistent", "--to", "cp2"), 3),
    (("standby",), 2),
    (("standby", "maybe"), 2),
    (("standby", "on", "--run-dir", "/nonexistent"), 3),
    (("release", "--vip", "nonsense"), 2),
    (("release", "--run-dir", "/nonexistent", "--config", "/nonexistent"), 2),
    (("doctor", "--output", "yaml"), 2),
]


@pytest.mark.parametrize(("argv", "code"), BAD_INPUT)
def test_bad_input_is_named_on_stderr_without_a_traceback(
    argv: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    done = vipkeeper(*argv, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert "please report it" not in done.stderr


def test_after_a_crash_the_lease_decides() -> None:
    done = vipkeeper("release", "--after-stop", env={"SERVICE_RESULT": "signal"})
    assert done.returncode == 0
    assert done.stdout == ""
    assert "kernel lease decides" in done.stderr


def answer_once(run_dir: Path, response: Response) -> threading.Thread:
    """A stand-in daemon that answers one request."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(run_dir / SOCKET_NAME))
    listener.listen()
    listener.settimeout(60)

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(MAX_LINE)
                connection.sendall(encode_response(response))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


STATUS = {"schema_version": 1, "server": "cp1", "holder": "cp2", "vips": ["10.0.0.100"]}


@pytest.mark.parametrize(("holder", "code"), [("cp2", 0), (None, 1)])
@pytest.mark.parametrize("output", ["text", "json"])
def test_nobody_holds_is_exit_1_in_every_format(
    tmp_path: Path, holder: str | None, code: int, output: str
) -> None:
    server = answer_once(tmp_path, Response(True, "", STATUS | {"holder": holder}))
    done = vipkeeper("status", "--run-dir", str(tmp_path), "--output", output)
    server.join(60)
    assert done.returncode == code
    assert done.stderr == ""
    if output == "json":
        assert json.loads(done.stdout)["holder"] == holder


@pytest.mark.parametrize("argv", [("handover",), ("standby", "on"), ("release",)])
def test_a_refusal_is_exit_1_with_its_reason(tmp_path: Path, argv: tuple[str, ...]) -> None:
    server = answer_once(tmp_path, Response(False, "cp2 is unready; --force overrides"))
    done = vipkeeper(*argv, "--run-dir", str(tmp_path))
    server.join(60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "vipkeeper: cp2 is unready; --force overrides\n"


def test_an_answer_goes_to_stdout(tmp_path: Path) -> None:
    server = answer_once(tmp_path, Response(True, "cp2 holds the VIP"))
    done = vipkeeper("handover", "--to", "cp2", "--run-dir", str(tmp_path))
    server.join(60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cp2 holds the VIP\n", "")


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "vipkeeper", "--help"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.stderr == ""
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vipkeeper", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr == "vipkeeper: cannot write the result: No space left on device\n"


def test_a_terminal_without_utf8_is_no_error(tmp_path: Path) -> None:
    document = STATUS | {"servers": [{"name": "cp2", "health": "ready"}]}
    server = answer_once(tmp_path, Response(True, "", document))
    done = vipkeeper("status", "--run-dir", str(tmp_path), env={"PYTHONIOENCODING": "ascii"})
    server.join(60)
    assert done.returncode == 0
    assert done.stdout.isascii()


def run_ip(*argv: str) -> str:
    return subprocess.run(
        ["ip", *argv], capture_output=True, text=True, check=True, timeout=30
    ).stdout


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network namespace with an own address, a leased VIP and a permanent one."""
    name = f"vkcli{os.getpid()}"
    run_ip("netns", "add", name)
    try:
        run_ip("-n", name, "link", "add", "a0", "type", "veth", "peer", "name", "b0")
        for link in ("a0", "b0"):
            run_ip("-n", name, "link", "set", link, "up")
        run_ip("-n", name, "addr", "add", "10.9.0.11/24", "dev", "a0")
        lifetime = ("valid_lft", "60", "preferred_lft", "0")
        run_ip("-n", name, "addr", "add", "10.9.0.100/32", "dev", "a0", *lifetime)
        run_ip("-n", name, "addr", "add", "10.9.0.101/32", "dev", "a0")
        yield name
    finally:
        run_ip("netns", "del", name)


@pytest.mark.lab
def test_release_without_a_daemon_takes_only_what_is_leased(namespace: str, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "vipkeeper"]
    vips = [option for n in (100, 101, 102) for option in ("--vip", f"10.9.0.{n}")]
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, *program, "release", *vips, "--run-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "10.9.0.100 removed",
        "10.9.0.101 is a permanent address of this server, not ours: left alone",
        "10.9.0.102 is not on this server",
    ]
    left = run_ip("-n", namespace, "-o", "-4", "addr", "show", "dev", "a0")
    assert "10.9.0.100" not in left
    assert "10.9.0.101" in left


@pytest.mark.lab
def test_the_kernel_is_tried_for_real() -> None:
    trials = try_kernel()
    assert trials.lifetimes.outcome is Outcome.YES, trials.lifetimes.detail
    assert trials.egress.outcome is not Outcome.UNKNOWN, trials.egress.detail
