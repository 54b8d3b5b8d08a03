"""How each fault is made. A fault without an entry begins with the start of its cluster (`setup.SETUPS`)."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from vipkeeper.lab.processes import LabError, Process, command, in_namespace, wait_for
from vipkeeper.lab.topology import INTERFACE, LAN
from vipkeeper.lab.troubles import setup as layout
from vipkeeper.lab.troubles.machine import Host
from vipkeeper.lab.troubles.setup import Authority, Setup
from vipkeeper.lab.troubles.site import Site, get, keepalived_words

MOMENTS = 3.0
"""Seconds after which most faults are there to be seen."""
KILL, STOP, TERM = signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM
_LARGE = 100_000
FSYNC = 1.5
"""Seconds that a slow disk takes to write for good."""


def apply(site: Site) -> None:
    """Break it, and wait until that can be seen.

    Raises:
        LabError: it cannot be broken so.
    """
    found = BREAKS.get(site.fault.name)
    if found is not None:
        found(site)
    if site.fault.looks > 1:
        time.sleep(MOMENTS)


def _power_off_two(site: Site) -> None:
    for host in list(site.servers.values())[1:]:
        site.power_off(host)


def _kill_two_members(site: Site) -> None:
    for host in site.others():
        host.signal("etcd", KILL)


def _power_off_last(site: Site) -> None:
    site.power_off(list(site.servers.values())[-1])


def _cut_holder_off(site: Site) -> None:
    site.cluster.wires.cut([site.holder().name], [host.name for host in site.others()])
    time.sleep(8)


def _mute_holder(site: Site) -> None:
    holder, others = site.holder().name, ", ".join(f'"{h.name}"' for h in site.others())
    rule = f'iifname "{holder}" oifname {{ {others} }} drop'
    site.nft(LAN, _bridge("mute", rule))
    time.sleep(8)


def _bridge(name: str, rule: str) -> str:
    """A table of the switch with one rule."""
    chain = "type filter hook forward priority 1; policy accept;"
    return f"table bridge {name} {{\nchain rules {{\n{chain}\n{rule}\n}}\n}}\n"


def _on_holder(name: str, number: signal.Signals) -> Callable[[Site], None]:
    return lambda site: site.holder().signal(name, number)


def _crash_loop(site: Site) -> None:
    holder = site.holder()
    holder.forget("kube-apiserver")
    says = 'echo "Error: unknown flag: --no-such-flag"; exit 1'
    holder.container("kube-apiserver", "sh", "-c", says, restart=1)
    time.sleep(5)


def _stop_supervisor(site: Site) -> None:
    holder = site.holder()
    holder.signal("rke2-server", TERM)
    for name in ("kube-apiserver", "etcd"):
        holder.signal(name, KILL)


def _kill_leader(site: Site) -> None:
    leader = "etcd_server_is_leader 1"
    found = [h for h in site.servers.values() if leader in get(h, 2381, "/metrics")[1]]
    if not found:
        raise LabError("etcd has no leader")
    found[0].signal("etcd", KILL)
    time.sleep(0.5)


def _fill_quota(site: Site) -> None:
    if not wait_for(lambda: _put(site.first) != 200, 30.0, 0.0):
        raise LabError("etcd does not reach its quota")


def _put(host: Host, times: int = 1) -> int:
    """Write to etcd, each time another key; the last status."""
    value = base64.b64encode(os.urandom(_LARGE)).decode()
    status = 0
    for _ in range(times):
        key = base64.b64encode(os.urandom(12)).decode()
        status, _ = get(host, 2379, "/v3/kv/put", body={"key": key, "value": value})
    return status


def _fill_disk(site: Site) -> None:
    disk = site.first.files / layout.RANCHER / "server/db/filled"
    with disk.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass

    def died() -> bool:
        _put(list(site.servers.values())[-1], 5)
        return not get(site.first, 2381, "/health")[0]

    if not wait_for(died, 60.0, 0.0):
        raise LabError("etcd goes on with a full disk")


def _add_by_hand(site: Site) -> None:
    site.ip(site.others()[0].name, "address", "add", f"{site.vip}/32", "dev", INTERFACE)


def _add_to_stranger(site: Site) -> None:
    site.ip(
        site.network.observer.name,
        "address",
        "add",
        f"{site.vip}/24",
        "dev",
        INTERFACE,
        "noprefixroute",
    )


def _foreign_router(site: Site) -> None:
    observer = site.network.observer
    text = layout.keepalived(site.network, observer, site.network.vip + 1, Setup(), checked=False)
    path = site.directory / "observer.conf"
    path.write_text(text)
    log = site.directory / "observer.log"
    words = keepalived_words(str(path), str(site.directory / "client"))
    (site.directory / "client/vipkeeper").mkdir()
    Process(observer.name, words, log)
    time.sleep(6)


def _block_vrrp(site: Site) -> None:
    site.nft(LAN, _bridge("vrrp", "ether type ip ip protocol 112 drop"))
    time.sleep(5)


def _standby(site: Site) -> None:
    for host in site.servers.values():
        if host.run("vipkeeper", "standby", "on").returncode:
            # The last one is refused: nobody is left to take the VIP over.
            host.run("vipkeeper", "release")


def _stale(site: Site) -> None:
    wrong = site.others()[0].machine.mac
    words = ("neighbour", "replace", str(site.vip), "lladdr", wrong, "dev", INTERFACE)
    site.ip(site.client.name, *words, "nud", "permanent")


def _filter(site: Site) -> None:
    rule = f"ip daddr {site.vip} tcp dport 6443 drop"
    chain = "type filter hook input priority 0; policy accept;"
    site.nft(site.holder().name, f"table inet filter {{\nchain input {{\n{chain}\n{rule}\n}}\n}}\n")


def _unheard(site: Site) -> None:
    rules = f"arp daddr ip {site.vip} drop\narp saddr ip {site.vip} drop"
    site.nft(LAN, _bridge("spoofing", rules))
    _forget_neighbours(site)


def _forget_neighbours(site: Site) -> None:
    for host in (*site.servers.values(), site.client):
        site.ip(host.name, "neighbour", "flush", "to", str(site.vip), "dev", INTERFACE)


def _capture(site: Site) -> None:
    rule = f"ip daddr {site.vip} tcp dport 6443 dnat to 10.42.0.9:6443"
    chain = "type nat hook output priority -100; policy accept;"
    table = f"table ip kube-proxy {{\nchain nat-output {{\n{chain}\n{rule}\n}}\n}}\n"
    site.nft(site.others()[0].name, table)


def _fail_dad(site: Site) -> None:
    first, observer = site.first.name, site.network.observer.name
    address = (f"{site.vip}/128", "dev", INTERFACE)
    site.ip(observer, "address", "add", *address, "nodad")
    _sysctl(first, f"net/ipv6/conf/{INTERFACE}/accept_dad", "1")
    site.ip(first, "address", "add", *address)
    if not wait_for(lambda: "dadfailed" in site.ip(first, "address"), 10.0, 0.2):
        raise LabError("the kernel does not find the VIP elsewhere")
    site.ip(observer, "address", "del", *address)


def _sysctl(namespace: str, path: str, value: str) -> None:
    command(*in_namespace(namespace, "sh", "-ec", f"echo {value} > /proc/sys/{path}"))


def _on_down_link(site: Site) -> None:
    first = site.first.name
    site.ip(first, "address", "del", f"{site.vip}/32", "dev", INTERFACE)
    site.ip(first, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1x")
    site.ip(first, "address", "add", f"{site.vip}/32", "dev", "eth1")
    _forget_neighbours(site)


def _ignore_arp(site: Site) -> None:
    _sysctl(site.holder().name, "net/ipv4/conf/all/arp_ignore", "8")
    _forget_neighbours(site)


def _foreign_certificate(site: Site) -> None:
    holder = site.holder()
    other = Authority(site.directory / "other-ca", "rke2-server-ca")
    folder: Path = holder.files / layout.RANCHER / "server/tls/lab"
    other.issue(folder, layout.names_of(holder.machine, site.vip, site.setup))
    holder.forget("kube-apiserver")
    site.start_api(holder)


def _slow_disks(site: Site) -> None:
    """Until one kube-vip has lost its Lease."""
    for host in site.servers.values():
        host.slow.write_text(str(FSYNC))

    def lost() -> bool:
        return any(host.starts("kube-vip") > 1 for host in site.servers.values())

    if not wait_for(lost, 60.0, 0.2):
        raise LabError("no Lease lapses however slow the disks are")


def _slow_disks_under_writes(site: Site) -> None:
    """With the writes of API servers, which the stand-ins do not make."""
    for host in site.servers.values():
        host.slow.write_text(str(FSYNC))
    _put(site.first, 5)


def _vip_as_node_ip(site: Site) -> None:
    """As RKE2 does when it starts: its etcd is told the new address, which another server has."""
    host, vip = site.others()[0], str(site.vip)
    config = host.files / "etc/rancher/rke2/config.yaml"
    config.write_text(f"{config.read_text()}node-ip: {vip}\n")
    for name in ("rke2-server", "etcd"):
        host.forget(name)
    layout.write_etcd_config(host.files, site.setup, vip)
    site.start_etcd(host, vip, restart=3)
    site.start_supervisor(host)
    time.sleep(12)


def _other_key(site: Site) -> None:
    host = site.others()[0]
    host.forget("vipkeeper")
    (host.files / "etc/vipkeeper/key").write_text(f"{'a5' * 32}\n")
    site.start_manager(host)
    time.sleep(MOMENTS)


def _no_route(site: Site) -> None:
    client = site.client.name
    site.ip(client, "route", "flush", "table", "main")
    for host in site.servers.values():
        site.ip(client, "route", "add", f"{host.machine.address.ip}/32", "dev", INTERFACE)


def _standby_on_one(site: Site) -> None:
    host = site.others()[0]
    if host.run("vipkeeper", "standby", "on").returncode:
        raise LabError(f"{host.name} does not go on standby")


BREAKS: dict[str, Callable[[Site], None]] = {
    "quorum-lost": _power_off_two,
    "quorum-lost-rke2": _power_off_two,
    "etcd-killed-on-two": _kill_two_members,
    "one-of-two-lost": _power_off_last,
    "holder-cut-off": _cut_holder_off,
    "holder-mute": _mute_holder,
    "only-server-api-dead": _on_holder("kube-apiserver", KILL),
    "only-server-off": _power_off_last,
    "api-dead-vip-stays": _on_holder("kube-apiserver", KILL),
    "api-dead-rke2": _on_holder("kube-apiserver", KILL),
    "api-frozen": _on_holder("kube-apiserver", STOP),
    "api-crash-loop": _crash_loop,
    "supervisor-stopped": _stop_supervisor,
    "etcd-dead-behind-vip": _on_holder("etcd", KILL),
    "etcd-no-space": _fill_quota,
    "disk-full": _fill_disk,
    "election": _kill_leader,
    "manager-killed": _on_holder("keepalived", KILL),
    "manager-killed-alone": _on_holder("keepalived", KILL),
    "manager-frozen": _on_holder("keepalived", STOP),
    "leftover-address": _add_by_hand,
    "foreign-host": _add_to_stranger,
    "vrrp-blocked": _block_vrrp,
    "vrid-clash": _foreign_router,
    "all-on-standby": _standby,
    "stale-neighbour": _stale,
    "vip-filtered": _filter,
    "vip-unheard": _unheard,
    "vip-captured": _capture,
    "dad-failed": _fail_dad,
    "link-down": _on_down_link,
    "arp-ignored": _ignore_arp,
    "client-cut-off": lambda site: site.unplug(site.client.name),
    "other-authority": _foreign_certificate,
    "quorum-lost-k3s": _power_off_two,
    "slow-etcd": _slow_disks,
    "slow-etcd-no-lease": _slow_disks_under_writes,
    "vip-as-node-ip": _vip_as_node_ip,
    "other-key": _other_key,
    "no-route": _no_route,
    "standby-on-one": _standby_on_one,
}
"""By the name of the fault."""
