"""The cluster as machines that can lose power: namespaces, processes on servers, cuts."""

from __future__ import annotations

import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vipkeeper.lab import topology
from vipkeeper.lab.processes import Process, command, in_namespace, kill_residents
from vipkeeper.lab.topology import INTERFACE, LAN, Machine, Topology
from vipkeeper.lab.wires import Wires

_DISABLED, _FORWARDING = "0", "3"
"""States of a bridge port (linux/if_bridge.h)."""


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
        self.responder: Process | None = None
        self.daemon: Process | None = None
        """What holds the VIP; started and known by the manager."""

    @property
    def control(self) -> Path:
        """The stand-in's control socket."""
        return self.run_dir / "standin.sock"

    def start(self, what: str, *words: str) -> Process:
        """Start a program on this server, its output in `what`.log."""
        return Process(self.name, words, self.directory / f"{what}.log")


class Cluster:
    """A LAN with servers, router, client and observer, built in the box."""

    def __init__(self, network: Topology, directory: Path) -> None:
        self.network = network
        self.directory = directory
        self.servers = {
            machine.name: Server(machine, directory / machine.name) for machine in network.servers
        }
        self.wires = Wires(machine.name for machine in network.machines)
        self._load: list[Process] = []

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
        server.responder = server.start(
            "responder", sys.executable, "-m", "vipkeeper.lab.responder", "--name", server.name
        )
        self.start_standin(server)

    def start_standin(self, server: Server) -> None:
        """Start the server's stand-in API server."""
        server.standin = server.start(
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
        self.wires.mend()
        while self._load:
            self._load.pop().signal_tree(signal.SIGKILL)

    def cut(self, server: Server) -> None:
        """The switch stops forwarding for the server; its link stays up."""
        self._port(server, _DISABLED)

    def connect(self, server: Server) -> None:
        """The switch forwards for the server again."""
        self._port(server, _FORWARDING)

    def _port(self, server: Server, state: str) -> None:
        command("bridge", "-n", LAN, "link", "set", "dev", server.name, "state", state)

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
