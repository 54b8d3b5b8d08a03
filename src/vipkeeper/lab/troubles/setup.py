"""What a cluster for one fault is like before anything breaks: the files on its servers' disks."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from vipkeeper.lab.processes import command
from vipkeeper.lab.topology import INTERFACE, Machine, Topology
from vipkeeper.lab.troubles.faults import Holder
from vipkeeper.wire.types import IPAddress

RANCHER = "var/lib/rancher/rke2"
VRID = 51
ETCD_QUOTA = 2 << 20
SMALL_DISK = "150m"
"""Room for two segments of etcd's log, 64 MiB each, and a little data."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is already wrong as the cluster starts, or made so that it can be broken."""

    vip: IPAddress | None = None
    """Another VIP than the topology's."""
    san: bool = True
    """The certificates name the VIP."""
    expired: bool = False
    own_address_only: bool = False
    """9345 listens on the server's own address."""
    quota: bool = False
    """etcd has a small quota."""
    small_disk: bool = False
    """The first server's datastore is on a small disk."""
    server: str = ""
    """`server` of every server, none of which has data yet."""
    interface: str = INTERFACE
    """What keepalived is told."""
    passwords_differ: bool = False
    k3s: bool = False
    """k3s in place of RKE2."""
    slow_disk: bool = False
    """etcd is run so that its disk can be made slow (`slow_disk`)."""
    clock: str = ""
    """How far the first server's clock is ahead, as libfaketime takes it: `+1d`."""
    made_by_clock: bool = False
    """The first server's certificate was made by that clock."""

    @property
    def rancher(self) -> str:
        """The folder of the distribution."""
        return "var/lib/rancher/k3s" if self.k3s else RANCHER

    @property
    def tls(self) -> str:
        """Where the certificates of the stand-ins are."""
        return f"/{self.rancher}/server/tls/lab"

    @property
    def settles(self) -> bool:
        """Whether one server comes to hold the VIP and all of them serve."""
        return not self.server and not self.passwords_differ and self.interface == INTERFACE


SETUPS: dict[str, Setup] = {
    "etcd-no-space": Setup(quota=True),
    "disk-full": Setup(small_disk=True),
    "vip-in-no-subnet": Setup(vip=IPv4Address("10.99.0.100")),
    "dad-failed": Setup(vip=IPv6Address("fd77::64")),
    "name-missing": Setup(san=False),
    "certificate-expired": Setup(expired=True),
    "registration-closed": Setup(own_address_only=True),
    "wrong-interface": Setup(interface="eth9"),
    "vrrp-password": Setup(passwords_differ=True),
    "server-not-a-url": Setup(server="true"),
    "first-joins-vip": Setup(server="https://{vip}:9345"),
    "healthy-k3s": Setup(k3s=True),
    "quorum-lost-k3s": Setup(k3s=True),
    "slow-etcd": Setup(slow_disk=True),
    "slow-etcd-no-lease": Setup(slow_disk=True),
    "clocks-apart": Setup(clock="+1h"),
    "clock-ahead": Setup(clock="+1d", made_by_clock=True),
}
"""By the name of the fault; the others begin with a healthy cluster."""


def write_files(
    root: Path, network: Topology, machine: Machine, vip: IPAddress, setup: Setup, holder: Holder
) -> None:
    """The files of one server, as an operator and RKE2 leave them."""
    first = machine == network.servers[0]
    product = "k3s" if setup.k3s else "rke2"
    _put(root / f"etc/rancher/{product}/config.yaml", _config(vip, setup, first=first))
    pods = (
        {} if setup.k3s or setup.server else {n: _manifest(n) for n in ("etcd", "kube-apiserver")}
    )
    if holder is Holder.KUBE_VIP:
        pods["kube-vip"] = _kube_vip(vip, setup.interface)
    for name, text in pods.items():
        _put(root / setup.rancher / "agent/pod-manifests" / f"{name}.yaml", text)
    (root / setup.rancher / "server/tls").mkdir(parents=True, exist_ok=True)
    if not setup.server:
        write_etcd_config(root, setup, str(machine.address.ip))
    if holder is Holder.VIPKEEPER:
        _put(root / "etc/vipkeeper/key", f"{'5a' * 32}\n").chmod(0o600)
        _put(root / "etc/vipkeeper/cluster.yaml", _vipkeeper(network, vip))
    elif holder in (Holder.KEEPALIVED, Holder.UNCHECKED):
        checked = holder is Holder.KEEPALIVED
        text = keepalived(network, machine, vip, setup, checked=checked)
        _put(root / "etc/keepalived/keepalived.conf", text).chmod(0o644)
        if checked:
            check = _put(root / "etc/keepalived/check-api", _CHECK)
            check.chmod(0o755)


def write_etcd_config(root: Path, setup: Setup, address: str) -> None:
    """The part of etcd's own file that says under which address its server is a member."""
    text = (
        f"advertise-client-urls: https://{address}:2379\n"
        f"listen-peer-urls: https://{address}:2380,https://127.0.0.1:2380\n"
    )
    config = _put(root / setup.rancher / "server/db/etcd/config", text)
    config.chmod(0o600)
    config.parent.chmod(0o700)


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _config(vip: IPAddress, setup: Setup, *, first: bool) -> str:
    lines = ["token: lab-token-of-no-value"]
    if setup.server:
        lines.append(f"server: {setup.server.format(vip=vip)}")
    elif not first:
        lines.append(f"server: https://{vip}:{6443 if setup.k3s else 9345}")
    elif setup.k3s:
        lines.append("cluster-init: true")
    if setup.san:
        lines += ["tls-san:", f"  - {vip}"]
    return "\n".join(lines) + "\n"


def _manifest(name: str) -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: kube-system\n"
        f"spec:\n  hostNetwork: true\n  containers:\n    - name: {name}\n"
        f"      image: index.docker.io/rancher/{name}\n"
    )


def _kube_vip(vip: IPAddress, interface: str) -> str:
    """The static pod that `kube-vip manifest pod` prints, as far as it matters here."""
    values = {
        "vip_arp": "true",
        "port": "6443",
        "vip_interface": interface,
        "vip_subnet": "32",
        "cp_enable": "true",
        "cp_namespace": "kube-system",
        "vip_leaderelection": "true",
        "vip_leasename": "plndr-cp-lock",
        "vip_leaseduration": "5",
        "vip_renewdeadline": "3",
        "vip_retryperiod": "1",
        "address": str(vip),
    }
    lines = "".join(f'        - name: {n}\n          value: "{v}"\n' for n, v in values.items())
    return (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-vip\n  namespace: kube-system\n"
        "spec:\n  hostNetwork: true\n  hostAliases:\n    - ip: 127.0.0.1\n"
        "      hostnames: [kubernetes]\n  containers:\n    - name: kube-vip\n"
        "      image: ghcr.io/kube-vip/kube-vip:v1.2.3\n      args: [manager]\n"
        f"      env:\n{lines}"
        "      securityContext:\n        capabilities:\n          add: [NET_ADMIN, NET_RAW]\n"
        "      volumeMounts:\n        - mountPath: /etc/kubernetes/admin.conf\n"
        "          name: kubeconfig\n  volumes:\n    - name: kubeconfig\n"
        "      hostPath:\n        path: /etc/rancher/rke2/rke2.yaml\n"
    )


def _vipkeeper(network: Topology, vip: IPAddress) -> str:
    servers = "".join(f"  {m.name}: {m.address.ip}\n" for m in network.servers)
    return (
        f"vip: {vip}\nservers:\n{servers}distribution: rke2\nkey_file: /etc/vipkeeper/key\n"
        "advert_interval: 250ms\n"
    )


_CHECK = "#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/6443\n"
_CHECKED = """\
vrrp_script api {
  script "/etc/keepalived/check-api"
  interval 2
  weight -50
}
"""


def keepalived(
    network: Topology, machine: Machine, vip: IPAddress, setup: Setup, *, checked: bool
) -> str:
    """keepalived.conf as in most instructions: VRRP 2, multicast, a password, the first server preferred."""
    place = network.servers.index(machine) if machine in network.servers else -5
    password = f"lab{place}" if setup.passwords_differ else "lab"
    script = _CHECKED if checked else ""
    track = "  track_script {\n    api\n  }\n" if checked else ""
    return f"""\
global_defs {{
  script_user root
  enable_script_security
}}
{script}vrrp_instance VIP {{
  state BACKUP
  interface {setup.interface}
  virtual_router_id {VRID}
  priority {150 - 10 * place}
  advert_int 1
  authentication {{
    auth_type PASS
    auth_pass {password}
  }}
  virtual_ipaddress {{
    {vip}/32
  }}
{track}}}
"""


class Authority:
    """A CA made by openssl(1), and the certificates it signs."""

    def __init__(self, directory: Path, name: str) -> None:
        """Make it.

        Raises:
            LabError: openssl is not installed.
        """
        directory.mkdir(parents=True)
        self._key, self.certificate = directory / "ca.key", directory / "ca.crt"
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(self._key))
        subject = ("-subj", f"/CN={name}", "-days", "3650")
        out = ("-out", str(self.certificate))
        _openssl("req", "-x509", "-new", "-key", str(self._key), *subject, *out)

    def issue(
        self, folder: Path, names: list[str], *, expired: bool = False, clock: tuple[str, ...] = ()
    ) -> None:
        """server.crt and server.key for addresses and names, into a folder.

        Args:
            folder: where to.
            names: the subject alternative names.
            expired: whether its time is over.
            clock: the words that run a program by another clock.
        """
        folder.mkdir(parents=True, exist_ok=True)
        key, request = folder / "server.key", folder / "server.csr"
        extensions = folder / "extensions"
        extensions.write_text("subjectAltName=" + ",".join(names) + "\n")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
        subject = ("-subj", "/CN=kube-apiserver")
        _openssl("req", "-new", "-key", str(key), *subject, "-out", str(request))
        signer = ("-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial")
        days = ("-days", "-1" if expired else "365", "-extfile", str(extensions))
        out = ("-out", str(folder / "server.crt"))
        words = ("openssl", "x509", "-req", "-in", str(request), *signer, *days, *out)
        command(*clock, *words)
        request.unlink()
        extensions.unlink()


def names_of(machine: Machine, vip: IPAddress, setup: Setup) -> list[str]:
    """The names in a server's certificate."""
    names = ["DNS:kubernetes", "IP:127.0.0.1", f"IP:{machine.address.ip}"]
    return [*names, f"IP:{vip}"] if setup.san else names


def _openssl(*words: str) -> None:
    command("openssl", *words)
