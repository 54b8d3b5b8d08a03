"""The cluster that is broken: real etcd, stand-in API servers, a real manager of the VIP, real files."""

from __future__ import annotations

import http.client
import json
import shutil
import sys
from pathlib import Path

from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.kernel import MountFlag, inside, mount
from vipkeeper.lab.needs import faketime
from vipkeeper.lab.processes import SYSTEM_PATH, LabError, command, in_namespace, wait_for
from vipkeeper.lab.topology import INTERFACE, LAN, lan
from vipkeeper.lab.troubles import setup as layout
from vipkeeper.lab.troubles.faults import Fault, Holder
from vipkeeper.lab.troubles.machine import Host
from vipkeeper.lab.troubles.setup import SETUPS, Authority, Setup

SETTLES_WITHIN = 120.0
_ETCD = "http://{address}:{port}"
_IPV4 = 4
_PLANE = (sys.executable, "-m", "vipkeeper.lab.troubles.control_plane")
_DOWN = "0"
"""A bridge port that does not forward (linux/if_bridge.h)."""


class Site:
    """One cluster for one fault."""

    def __init__(self, fault: Fault, directory: Path) -> None:
        """Nothing is built yet.

        Raises:
            LabError: a program is missing.
        """
        for program, package in (("etcd", "etcd-server"), ("openssl", "openssl")):
            if shutil.which(program, path=SYSTEM_PATH) is None:
                raise LabError(f"'{program}' is not installed (apt-get install {package})")
        self.fault = fault
        self.setup = SETUPS.get(fault.name, Setup())
        self.network = lan(fault.servers)
        self.vip = self.setup.vip or self.network.vip
        self.directory = directory
        self.cluster = Cluster(self.network, directory)
        self.servers: dict[str, Host] = {}
        self.client = Host(self.network.client, directory / "client")
        self.authority = Authority(directory / "ca", "rke2-server-ca")

    def build(self) -> None:
        """Everything runs, and is healthy unless the fault begins with the start.

        Raises:
            LabError: it is not within `SETTLES_WITHIN` seconds.
        """
        self.cluster.build()
        for machine in self.network.servers:
            self.servers[machine.name] = self._server(machine.name)
        for host in (*self.servers.values(), self.client):
            host.boot()
        for host in self.servers.values():
            self._start(host)
        if self.setup.settles and not wait_for(self._settled, SETTLES_WITHIN, 0.25):
            raise LabError(f"the cluster does not settle: {self._unsettled()}")

    def _server(self, name: str) -> Host:
        machine = next(m for m in self.network.servers if m.name == name)
        first = machine == self.network.servers[0]
        clock = _clock(self.setup.clock) if first and self.setup.clock else ()
        host = Host(machine, self.directory / name, clock)
        if self.setup.small_disk and first:
            disk = host.files / layout.RANCHER / "server/db"
            disk.mkdir(parents=True)
            size = f"mode=755,size={layout.SMALL_DISK}"
            mount("tmpfs", str(disk), "tmpfs", MountFlag.NOSUID, size)
        tls = host.files / self.setup.rancher / "server/tls"
        layout.write_files(
            host.files, self.network, machine, self.vip, self.setup, self.fault.holder
        )
        names = layout.names_of(machine, self.vip, self.setup)
        made_by = clock if self.setup.made_by_clock else ()
        self.authority.issue(tls / "lab", names, expired=self.setup.expired, clock=made_by)
        if not self.setup.server:
            shutil.copy(self.authority.certificate, tls / "server-ca.crt")
        return host

    def _start(self, host: Host) -> None:
        if self.setup.k3s:
            self._start_k3s(host)
        else:
            if not self.setup.server:
                self.start_etcd(host)
                self.start_api(host)
            self.start_supervisor(host)
        self.start_manager(host)

    def start_supervisor(self, host: Host) -> None:
        """The stand-in of rke2-server."""
        listen = str(host.machine.address.ip) if self.setup.own_address_only else "0.0.0.0"
        words = ("supervisor", "--tls", self.setup.tls, "--listen", listen)
        host.unit("rke2-server", *_PLANE, *words, restart=2)

    def _start_k3s(self, host: Host) -> None:
        """The stand-in of k3s, with etcd within it."""
        own = str(host.machine.address.ip)
        words = ("--tls", self.setup.tls, "k3s", "--", *self._etcd(host, own))
        refuse = () if self.fault.anonymous else ("--refuse-anonymous",)
        host.unit("k3s", *_PLANE, *refuse, *words, restart=5)

    def start_etcd(self, host: Host, address: str = "", *, restart: float = 0) -> None:
        """One member; `address`: another one than its own."""
        slow = (sys.executable, "-m", "vipkeeper.lab.troubles.slow_disk", str(host.slow))
        wrapper = slow if self.setup.slow_disk else ()
        words = self._etcd(host, address or str(host.machine.address.ip))
        host.container("etcd", *wrapper, *words, restart=restart)

    def _etcd(self, host: Host, own: str) -> tuple[str, ...]:
        """etcd with the timers of RKE2 (pkg/podtemplate and etcd's template there); k3s has the same."""
        peers = [f"{m.name}={_url(str(m.address.ip), 2380)}" for m in self.network.servers]
        clients = f"{_url('127.0.0.1', 2379)},{_url(own, 2379)}"
        quota = ("--quota-backend-bytes", str(layout.ETCD_QUOTA)) if self.setup.quota else ()
        return (
            *("etcd", "--name", host.name),
            *("--data-dir", f"/{self.setup.rancher}/server/db/etcd"),
            *("--listen-client-urls", clients, "--advertise-client-urls", _url(own, 2379)),
            *("--listen-peer-urls", _url(own, 2380)),
            *("--initial-advertise-peer-urls", _url(str(host.machine.address.ip), 2380)),
            *("--initial-cluster", ",".join(peers), "--initial-cluster-token", "lab"),
            *("--heartbeat-interval", "500", "--election-timeout", "5000"),
            *("--listen-metrics-urls", _url("127.0.0.1", 2381)),
            *("--logger", "zap", "--log-outputs", "stderr", *quota),
        )

    def start_api(self, host: Host) -> None:
        """The stand-in of kube-apiserver."""
        refuse = () if self.fault.anonymous else ("--refuse-anonymous",)
        host.container("kube-apiserver", *_PLANE, "api", "--tls", self.setup.tls, *refuse)

    def start_manager(self, host: Host) -> None:
        """What holds the VIP."""
        holder = self.fault.holder
        if holder is Holder.VIPKEEPER:
            host.unit("vipkeeper", "vipkeeper", "run")
        elif holder in (Holder.KEEPALIVED, Holder.UNCHECKED):
            host.unit("keepalived", *keepalived_words("/etc/keepalived/keepalived.conf", "/run"))
        elif holder is Holder.KUBE_VIP:
            words = ("vipkeeper.lab.troubles.kube_vip", str(self.vip), INTERFACE)
            host.container("kube-vip", sys.executable, "-m", *words, restart=2)
        elif holder is Holder.NOBODY and host is self.first and self.vip.version == _IPV4:
            self.ip(host.name, "address", "add", f"{self.vip}/32", "dev", INTERFACE)

    @property
    def first(self) -> Host:
        """The first server; keepalived prefers it."""
        return next(iter(self.servers.values()))

    def holders(self) -> list[Host]:
        """The servers whose kernel has the VIP."""
        found = []
        for host in self.servers.values():
            shown = self.ip(host.name, "-o", "address", "show", "to", f"{self.vip}")
            if shown.strip():
                found.append(host)
        return found

    def holder(self) -> Host:
        """The one server with the VIP.

        Raises:
            LabError: none has it, or several.
        """
        found = self.holders()
        if len(found) != 1:
            raise LabError(f"{len(found)} servers have the VIP")
        return found[0]

    def others(self) -> list[Host]:
        """The servers without the VIP."""
        holder = self.holder()
        return [host for host in self.servers.values() if host is not holder]

    def ip(self, namespace: str, *words: str) -> str:
        """`ip` in a namespace."""
        return command("ip", "-n", namespace, *words)

    def nft(self, namespace: str, text: str) -> None:
        """Load rules in a namespace."""
        command(*in_namespace(namespace, "nft", "-f", "-"), text=text)

    def power_off(self, host: Host) -> None:
        """The switch no longer forwards for it, and all of it is gone."""
        self.unplug(host.name)
        host.halt()

    def unplug(self, name: str) -> None:
        """Nothing passes the machine's port of the switch; its link stays up."""
        command("bridge", "-n", LAN, "link", "set", "dev", name, "state", _DOWN)

    def remove(self) -> None:
        """End everything."""
        for host in (*self.servers.values(), self.client):
            host.halt()
        self.cluster.remove()

    def _settled(self) -> bool:
        nowhere = self.fault.holder is Holder.NOWHERE or self.vip.version != _IPV4
        wanted = 0 if nowhere else 1
        return len(self.holders()) == wanted and not self._unsettled()

    def _unsettled(self) -> str:
        """Which server does not serve yet."""
        for host in self.servers.values():
            if get(host, 2381, "/health")[1].count('"true"') != 1:
                return f"etcd of {host.name} is not healthy"
            word = http.client.OK if self.fault.anonymous else http.client.UNAUTHORIZED
            if get(host, 6443, "/readyz", tls=True)[0] != word:
                return f"the API server of {host.name} is not ready"
        return ""


def _clock(ahead: str) -> tuple[str, ...]:
    """The words that run a program by another wall clock; all other clocks are the kernel's.

    Raises:
        LabError: libfaketime is not installed.
    """
    library = faketime()
    if library is None:
        raise LabError("libfaketime is not installed (apt-get install libfaketime)")
    return (
        "env",
        f"LD_PRELOAD={library}",
        f"FAKETIME={ahead}",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "FAKETIME_NO_CACHE=1",
    )


def _url(address: str, port: int) -> str:
    return _ETCD.format(address=address, port=port)


def keepalived_words(configuration: str, run: str) -> tuple[str, ...]:
    """keepalived in the foreground."""
    names = ("--pid", f"{run}/vipkeeper/keepalived.pid", "--vrrp_pid", f"{run}/vipkeeper/vrrp.pid")
    return (
        *("keepalived", "--dont-fork", "--log-console", "--no-syslog", "--vrrp"),
        *("--use-file", configuration, *names),
    )


def get(
    host: Host, port: int, path: str, *, tls: bool = False, body: dict[str, str] | None = None
) -> tuple[int, str]:
    """Status and body of a question to a port of a server's loopback; 0 where nobody answers."""
    import ssl

    with inside(host.name):
        client: http.client.HTTPConnection
        if tls:
            context = ssl._create_unverified_context()
            client = http.client.HTTPSConnection("127.0.0.1", port, timeout=3, context=context)
        else:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
        try:
            client.request("POST" if body else "GET", path, json.dumps(body) if body else None)
            answer = client.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            client.close()
