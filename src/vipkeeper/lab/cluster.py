"""The cluster as machines that can lose power: namespaces, processes on servers, cuts."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from vipkeeper.lab import cgroups, topology
from vipkeeper.lab.course import Course
from vipkeeper.lab.course import words as course_words
from vipkeeper.lab.kernel import now
from vipkeeper.lab.ledger import Ledger
from vipkeeper.lab.processes import (
    LabError,
    Process,
    command,
    in_namespace,
    kill_all,
    kill_residents,
    wait_for,
)
from vipkeeper.lab.standin_control import NotListeningError, tell
from vipkeeper.lab.topology import INTERFACE, LAN, Machine, Topology
from vipkeeper.lab.wire import READY
from vipkeeper.lab.wires import Wires

_DISABLED, _FORWARDING = "0", "3"
"""States of a bridge port (linux/if_bridge.h)."""


_BEGINS_WITHIN = 10.0
_STANDIN_WITHIN = 20.0
_OF_OTHERS = ("supervisor", "etcd")
"""First words of orders that the stand-in's API server has nothing to do with."""
_READY = "ready"


class Server:
    """One server: its machine, its directories, what runs on it."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self.machine = machine
        self.name = machine.name
        self.directory = directory
        self.run_dir = directory / "run"
        """Lost when the power goes."""
        self.state_dir = directory / "state"
        """Kept, as /var/lib is."""
        self.powered = False
        self.standin: Process | None = None
        self.ready_since: int | None = None
        """From when on its API server is known to be ready, on the lab's clock; None where it is told otherwise, or has
        not been told since it was started."""
        self.responder: Process | None = None
        self.daemon: Process | None = None
        """What holds the VIP; started and known by the manager."""
        self.wrapper: tuple[str, ...] = ()
        """Words before the command line of the daemon: another environment, limit, or clock."""
        self.told: Callable[[signal.Signals], None] = lambda _: None
        """Who hears of each signal that the lab sends to the daemon."""

    @property
    def control(self) -> Path:
        """The stand-in's control socket."""
        return self.run_dir / "standin.sock"

    def order(self, order: str) -> None:
        """Tell its stand-in what to be (`standin_control`).

        Raises:
            NotListeningError: it has ended, or has only just been started.
            LabError: it does not do that.
        """
        tell(self.control, order)
        if order.startswith(_OF_OTHERS):
            return
        if order != _READY:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = now()

    def order_once_up(self, order: str) -> None:
        """The same of a stand-in that may only just have been started.

        Raises:
            LabError: it does not come up.
        """

        def told() -> bool:
            try:
                self.order(order)
            except NotListeningError:
                return False
            return True

        if not wait_for(told, _STANDIN_WITHIN):
            raise LabError(f"the stand-in of {self.name} does not come up")

    def start(self, what: str, *words: str) -> Process:
        """Start a daemon on this server, its output in `what`.log."""
        daemon = self.run(what, *self.wrapper, *words)
        daemon.told = self.told
        return daemon

    def run(self, what: str, *words: str) -> Process:
        """Start any other program on this server, its output in `what`.log."""
        return Process(self.name, words, self.directory / f"{what}.log")


class Cluster:
    """A LAN with servers, router, client and observer, built in the box."""

    def __init__(self, network: Topology, directory: Path, owner: str = "") -> None:
        """`owner`: the mark of this drill on what it makes outside the box (`cgroups.owner_name`)."""
        self.network = network
        self.owner = owner or cgroups.owner_name()
        self.directory = directory
        self.servers = {
            machine.name: Server(machine, directory / machine.name) for machine in network.servers
        }
        self.wires = Wires(machine.name for machine in network.machines)
        self.ledger = Ledger(network)
        """What is true of the cluster, for the judge of the promises."""
        self.wires.told = self.ledger.wires
        for server in self.servers.values():
            server.told = partial(self.ledger.signalled, server.name)
        self._load: list[Process] = []
        self._silent: set[str] = set()
        """Servers for which the switch does not forward."""

    def build(self) -> None:
        """Make namespaces, bridge, cables and addresses.

        Raises:
            LabError: iproute2 is missing or the kernel refuses.
        """
        batch(None, topology.create_commands(self.network))
        jobs = [(LAN, topology.lan_commands(self.network))]
        jobs += [
            (machine.name, topology.machine_commands(self.network, machine))
            for machine in self.network.machines
        ]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(_prepare, [name for name, _ in jobs]))
            list(pool.map(lambda job: batch(*job), jobs))
        for server in self.servers.values():
            server.state_dir.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """End all processes and take everything down."""
        for name in topology.namespaces(self.network):
            kill_residents(name)
        batch(None, [f"netns delete {name}" for name in topology.namespaces(self.network)])
        shutil.rmtree(self.directory, ignore_errors=True)

    def power_on(self, server: Server) -> None:
        """Connect a server and start what runs on it apart from the daemon that holds the VIP."""
        server.run_dir.mkdir(parents=True)
        self.connect(server)
        server.powered = True
        self.ledger.powered(server.name, on=True)
        server.responder = server.run(
            "responder", sys.executable, "-m", "vipkeeper.lab.responder", "--name", server.name
        )
        self.start_standin(server)

    def start_standin(self, server: Server) -> None:
        """Start the server's stand-in API server."""
        server.ready_since = None
        server.standin = server.run(
            "standin",
            *(sys.executable, "-m", "vipkeeper.lab.standin", "--name", server.name),
            *("--listen-api", "0.0.0.0:6443", "--listen-supervisor", "0.0.0.0:9345"),
            *("--listen-etcd", "127.0.0.1:2381", "--control", str(server.control)),
        )

    def power_off(self, *servers: Server) -> None:
        """Cut the servers' ports and SIGKILL everything on them in the same instant.

        Nothing else on the LAN notices a link going down. What only lives in memory is lost: addresses
        that are not configured, nftables rules, the run directory.
        """
        for server in servers:
            self.ledger.powered(server.name, on=False)
            self.cut(server)
        self.wires.mend(*(server.name for server in servers))
        for server in servers:
            kill_residents(server.name)
            server.powered = False
            server.standin = server.responder = server.daemon = None
            self.drop_vip(server)
            command(*in_namespace(server.name, "nft", "flush", "ruleset"))
            shutil.rmtree(server.run_dir, ignore_errors=True)

    def load(self, loops: int) -> None:
        """Start busy loops beside the cluster, of the same priority as everything on the servers."""
        log = self.directory / "load.log"
        self._load += [Process(LAN, ("sh", "-c", "while :; do :; done"), log) for _ in range(loops)]

    def undo(self) -> None:
        """End the faults that belong to no server: of the wires, and load."""
        try:
            self.wires.mend()
        finally:
            self.unload()

    def unload(self) -> None:
        """End the busy loops."""
        loops, self._load = self._load, []
        kill_all(loops)

    def insert_wire(self, server: Server, course: Course, seed: str) -> Process:
        """Lead all that a server sends and receives through a wire in userspace, from now on.

        Its port of the bridge is another one then, until `remove_wire`.

        Raises:
            LabError: it does not begin.
        """
        port, end = f"{server.name}-lan", f"{server.name}-end"
        ups = [f"link set {end} up", f"link set {port} up"]
        batch(LAN, [f"link add {end} type veth peer name {port}", *ups])
        # The kernel tells a bridge of a port's carrier once a second only: it must be there before.
        if not wait_for(lambda: _is_up(port), _BEGINS_WITHIN):
            raise LabError(f"the wire of {server.name} does not come up")
        log = self.directory / f"wire-{server.name}.log"
        log.unlink(missing_ok=True)  # the last wire said as well that it is ready
        between = ("--between", server.name, end, "--seed", seed)
        words = (sys.executable, "-m", "vipkeeper.lab.wire", *between, *course_words(course))
        process = Process(LAN, words, log)
        if not wait_for(lambda: READY in process.last_words(), _BEGINS_WITHIN):
            raise LabError(f"the wire of {server.name} does not begin: {process.last_words()}")
        self.wires.moved(server.name, port)
        # In this order frames come twice for a moment; in the other one a busy machine makes it a cut.
        batch(LAN, [f"link set {port} master {LAN}", f"link set {server.name} nomaster"])
        self._as_it_was(server)
        return process

    def remove_wire(self, server: Server, wire: Process) -> str:
        """The server is on the bridge again; what was on its way in the wire is lost. The wire's last words."""
        port = self.port(server)
        batch(LAN, [f"link set {server.name} master {LAN}", f"link delete {port}"])
        self.wires.moved(server.name, None)
        self._as_it_was(server)
        if not wire.terminate():
            wire.signal_tree(signal.SIGKILL)
        return wire.last_words(1)

    def cut(self, server: Server) -> None:
        """The switch stops forwarding for the server; its link stays up."""
        self.ledger.port(server.name, open=False)
        self._silent.add(server.name)
        self._port(server, _DISABLED)

    def connect(self, server: Server) -> None:
        """The switch forwards for the server again."""
        self._silent.discard(server.name)
        self._port(server, _FORWARDING)
        self.ledger.port(server.name, open=True)

    def _as_it_was(self, server: Server) -> None:
        """A port that a server is newly behind forwards: not where the one before was silent."""
        if server.name in self._silent:
            self._port(server, _DISABLED)

    def _port(self, server: Server, state: str) -> None:
        command("bridge", "-n", LAN, "link", "set", "dev", self.port(server), "state", state)

    def port(self, server: Server) -> str:
        """The bridge's port towards a server."""
        return self.wires.ports.get(server.name, server.name)

    def drop_vip(self, server: Server) -> None:
        """Take the VIP off a server's interface as its kernel's end would."""
        for family, vip in (("-4", self.network.vip), ("-6", self.network.vip6)):
            command(
                "ip",
                "-n",
                server.name,
                family,
                "address",
                "flush",
                "dev",
                INTERFACE,
                "to",
                str(vip),
            )


def _is_up(port: str) -> bool:
    (link,) = json.loads(command("ip", "-n", LAN, "-j", "link", "show", port))
    return bool(link["operstate"] == "UP")


def batch(namespace: str | None, commands: list[str]) -> None:
    """Run `ip` commands in one process, in a namespace or in the box itself.

    Raises:
        LabError: one of them failed.
    """
    where = ["-n", namespace] if namespace else []
    command("ip", *where, "-batch", "-", text="\n".join(commands) + "\n")


def _prepare(namespace: str) -> None:
    """Set the sysctls of a namespace before its interface comes up."""
    lines = [f"echo {value} > /proc/sys/{path}" for path, value in topology.SYSCTLS]
    command(*in_namespace(namespace, "sh", "-ec", "\n".join(lines)))
