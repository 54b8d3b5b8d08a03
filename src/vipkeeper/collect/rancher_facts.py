"""Which file of Rancher's bundle gives which fact."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from vipkeeper.collect import rancher_logs, texts
from vipkeeper.collect.says import Parts, Says
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Manager, Port, Process

_SUPERVISORS = ("rke2-server.service", "k3s.service")
_AGENTS = ("rke2-agent.service", "k3s-agent.service")
_CONTAINERS = ("etcd", "kube-apiserver")
_KUBE_VIP = "kube-vip"
_MANAGERS = (("vipkeeper.service", Manager.VIPKEEPER), ("keepalived.service", Manager.KEEPALIVED))
_LEASE = "plndr-cp-lock"
_MEMBER_SUFFIX = re.compile(r"-[0-9a-f]{8}$")
_MANIFEST_VIP = re.compile(r"name: [\"']?address[\"']?\s{1,80}value: [\"']?([0-9A-Fa-f:.]{2,45})")
_DATA = "/var/lib/rancher"
_IPVS = "kube-ipvs0"
"""On every node kube-proxy in IPVS mode puts the addresses of all Services on it: none is held by being there."""
_STATES = {
    ("active", "running"): Process.RUNNING,
    ("activating", "start"): Process.STARTING,
    ("activating", "start-pre"): Process.STARTING,
    ("activating", "auto-restart"): Process.RESTARTING,
    ("failed", "failed"): Process.FAILED,
    ("inactive", "dead"): Process.STOPPED,
    ("deactivating", "stop-sigterm"): Process.STOPPED,
}
_RECENT = re.compile(r"(?:[1-9] minutes?|\d+ seconds?|Less than a second|About a minute) ago")


def facts(parts: Parts, vip: str) -> tuple[str, tuple[Fact, ...]]:
    """The server the bundle is of, and its facts."""
    path, hostname = parts.text("systeminfo/hostname")
    hostname = texts.first_line(hostname) if len(hostname.split()) == 1 else ""
    if not hostname:
        parts.troubles.add(f"{path}: which server the bundle is of is not known")
        return "", ()
    nodes = _nodes(parts)
    server = next((n for n in nodes if _short(n) == _short(hostname)), hostname)
    says = Says(server, parts.reference.at, parts.troubles)
    named = _address(vip)
    vip = named or _manifest_vip(parts)
    if vip:
        says.known(Key.VIP, vip, "the question" if named else "kube-vip's manifest")
    else:
        parts.troubles.add("the bundle does not say which address is the VIP: name it")
    is_server = _supervisor(parts, says)
    _servers(parts, says, nodes, vip)
    if is_server:
        _network(parts, says, vip)
        _ports(parts, says, vip)
        _containers(parts, says)
        _disk(parts, says)
        _etcd(parts, says, server)
    _neighbours(parts, says, vip)
    _lease(parts, says)
    rancher_logs.facts(parts, says, nodes, is_server, _logs_needed(says))
    return server, tuple(says.facts)


def _logs_needed(says: Says) -> tuple[str, ...]:
    """Whose logs must be in the bundle before a message that is in none of them counts as not there."""
    there = {
        f.aspect for f in says.facts if f.key is Key.CONTAINER and f.value is not Process.ABSENT
    }
    managers = {f.value for f in says.facts if f.key is Key.MANAGER}
    keepalived = ("systemlogs/",) if Manager.KEEPALIVED in managers else ()
    return (*sorted(there), *keepalived)


def _short(name: str) -> str:
    return name.split(".", maxsplit=1)[0].lower()


def _nodes(parts: Parts) -> dict[str, texts.Row]:
    """Control-plane nodes by name, as the API lists them."""
    _, text = parts.text("rke2/kubectl/nodes", "k3s/kubectl/nodes")
    rows = texts.table(text, "NAME", "ROLES") or ()
    serves = re.compile(r"control-plane|etcd|master")
    return {row["NAME"]: row for row in rows if serves.search(row["ROLES"])}


def _manifest_vip(parts: Parts) -> str:
    for path in sorted(parts.texts):
        match = _MANIFEST_VIP.search(parts.texts[path]) if "/pod-manifests/" in path else None
        if match and (vip := _address(match[1])):
            return vip
    return ""


def _address(text: str) -> str:
    """An address as the kernel writes it; empty when it is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _supervisor(parts: Parts, says: Says) -> bool:
    """The states of services. Whether this is a control-plane server."""
    source = "systeminfo/systemd-units"
    text = parts.texts.get(source, "")
    units = texts.units(text)
    loaded = units or {}
    files = parts.texts.get("systeminfo/systemd-unit-files", "")
    installed = [name for name in _SUPERVISORS if name in loaded]
    agent = any(name in loaded for name in _AGENTS) and not installed
    installed += [name for name in _SUPERVISORS if name in files and name not in installed]
    if agent and not any(path.startswith("etcd/") for path in parts.texts):
        parts.troubles.add(f"{source}: {says.server} is no server; only what it sees is used")
        return False
    if units is None:
        says.unknown(Key.SUPERVISOR, source, text)
    elif installed:
        state, line = _state(units, installed[0])
        says.known(Key.SUPERVISOR, state, source, line)
    for name, manager in _MANAGERS:
        if units and name in units:
            state, line = _state(units, name)
            says.known(Key.MANAGER, manager, source, line)
            says.known(Key.MANAGER_STATE, state, source, line)
    return True


def _state(units: dict[str, tuple[str, str, str]], name: str) -> tuple[Process, str]:
    if name not in units:
        return Process.STOPPED, f"{name} is not among the loaded units"
    _, active, sub = units[name]
    fallback = Process.RUNNING if active == "active" else Process.STOPPED
    return _STATES.get((active, sub), fallback), f"{name} {active} {sub}"


def _servers(parts: Parts, says: Says, nodes: dict[str, texts.Row], vip: str) -> None:
    source, text = parts.text("rke2/kubectl/nodes", "k3s/kubectl/nodes")
    if nodes:
        says.known(Key.SERVERS, tuple(sorted(nodes)), source)
        for name, row in sorted(nodes.items()):
            inside = row.get("INTERNAL-IP", "")
            if vip and inside and inside != "<none>":
                says.known(Key.VIP_IS_NODE_IP, inside == vip, source, inside, about=name)
    elif text:
        says.unknown(Key.SERVERS, source, text)


def _network(parts: Parts, says: Says, vip: str) -> None:
    source = "networking/ipaddrshow"
    text = parts.texts.get(source, "")
    found = texts.addresses(text)
    if vip and found is None:
        says.unknown(Key.VIP_PRESENT, source, text)
    elif vip and found is not None:
        _addresses(says, source, found, vip)
    source = "networking/iproute"
    text = parts.texts.get(source, "")
    route = texts.default_route(text)
    if route is None:
        says.unknown(Key.DEFAULT_ROUTE, source, text)
    else:
        says.known(Key.DEFAULT_ROUTE, route, source)


def _addresses(says: Says, source: str, found: tuple[texts.Assigned, ...], vip: str) -> None:
    address = ip_address(vip)
    served = [one for one in found if one.address.ip == address and one.interface == _IPVS]
    held = [one for one in found if one.address.ip == address and one not in served]
    near = [one for one in found if address in one.address.network and one not in (*held, *served)]
    for one in served:
        says.known(Key.VIP_CAPTURED, True, source, one.line)
    says.known(Key.VIP_PRESENT, bool(held), source, held[0].line if held else "")
    says.known(Key.VIP_SUBNET, bool(near), source, near[0].line if near else "")
    for one in (held or near)[:1]:
        says.known(Key.LINK_UP, one.up, source, one.line)
    for one in held[:1]:
        says.known(Key.VIP_INTERFACE, one.interface, source, one.line)
        says.known(Key.VIP_PERMANENT, one.forever, source, one.line)
        says.known(Key.VIP_DAD_FAILED, one.dad_failed, source, one.line)


def _ports(parts: Parts, says: Says, vip: str) -> None:
    source = "networking/sstunlp4"
    lists = [texts.listeners(parts.texts.get(name, "")) for name in (source, "networking/sstunlp6")]
    if None in lists:
        says.unknown(Key.API_PORT, source, parts.texts.get(source, ""))
        return
    open_at = {pair for listed in lists if listed is not None for pair in listed}
    api = open_at & {("*", 6443), ("127.0.0.1", 6443)}
    says.known(Key.API_PORT, Port.OPEN if api else Port.REFUSED, source, _shown(open_at, 6443))
    if any(path.startswith("rke2/") for path in (*parts.texts, *parts.logs)):
        raw = _shown(open_at, 9345)
        reaches = [address for address, port in open_at if port == 9345 and address != "127.0.0.1"]
        state = Port.OPEN if reaches else Port.REFUSED
        says.known(Key.REGISTRATION_PORT, state, source, raw)
        if vip:
            on_vip = bool(set(reaches) & {"*", vip})
            says.known(Key.REGISTRATION_ON_VIP, on_vip, source, raw)


def _shown(open_at: set[tuple[str, int]], port: int) -> str:
    listening = sorted(f"{address}:{port}" for address, number in open_at if number == port)
    return ", ".join(listening) or f"nothing listens on {port}"


def _containers(parts: Parts, says: Says) -> None:
    source, text = parts.text("rke2/crictl/psa", "k3s/crictl/psa")
    rows = texts.table(text, "CONTAINER", "CREATED", "STATE", "NAME")
    names = (*_CONTAINERS, _KUBE_VIP) if source.startswith("rke2") else (_KUBE_VIP,)
    if rows is None:
        for name in names:
            says.unknown(Key.CONTAINER, source, text, aspect=name)
        return
    for name in names:
        own = [row for row in rows if row["NAME"] == name]
        if name == _KUBE_VIP and not own:
            continue
        state = _container(own)
        raw = "; ".join(f"{row['STATE']}, {row['CREATED']}" for row in own[:3])
        says.known(Key.CONTAINER, state, source, raw or f"no container {name}", aspect=name)
        if name == _KUBE_VIP:
            says.known(Key.MANAGER, Manager.KUBE_VIP, source, raw)
            says.known(Key.MANAGER_STATE, state, source, raw)


def _container(rows: list[texts.Row]) -> Process:
    """The state of the newest container of this name: crictl lists it first."""
    if not rows:
        return Process.ABSENT
    ended = [row for row in rows if row["STATE"] == "Exited" and _RECENT.match(row["CREATED"])]
    if len(ended) > 1:
        return Process.RESTARTING
    return Process.RUNNING if rows[0]["STATE"] == "Running" else Process.STOPPED


def _disk(parts: Parts, says: Says) -> None:
    source = "systeminfo/dfh"
    text = parts.texts.get(source, "")
    disks = texts.disks(text)
    holding = [
        m for m in disks or () if _DATA.startswith(m.rstrip("/") + "/") or m.startswith(_DATA)
    ]
    if disks is None or not holding:
        says.unknown(Key.DISK_FULL, source, text)
        return
    mount = max(holding, key=len)
    says.known(Key.DISK_FULL, disks[mount] >= 100, source, f"{mount} {disks[mount]}%")


def _etcd(parts: Parts, says: Says, server: str) -> None:
    source, text = parts.text("etcd/memberlist", "etcd/memberlist.json")
    members = texts.etcd_members(text)
    own_urls: set[str] = set()
    if members is None:
        says.unknown(Key.VOTERS, source, text)
    else:
        voters = [member for member in members if not member.learner]
        says.known(Key.DATASTORE, Datastore.ETCD, source)
        says.known(Key.VOTERS, len(voters), source, "; ".join(m.line for m in members))
        for member in members:
            if _short(_MEMBER_SUFFIX.sub("", member.name)) == _short(server):
                says.known(Key.ETCD_LEARNER, member.learner, source, member.line)
                own_urls.add(member.client)
    source = "etcd/findserverdbetcd"
    if "/member/wal/" in parts.texts.get(source, ""):
        says.known(Key.ETCD_DATA, True, source)
    own = _own_hosts(parts) | {urlsplit(url).hostname or "" for url in own_urls if url}
    _etcd_health(parts, says, own)
    for path in sorted(parts.texts):
        if path.startswith("etcd/etcd-metrics-"):
            host = path.removeprefix("etcd/etcd-metrics-").removesuffix(".txt").rpartition(":")[0]
            metrics = texts.etcd_metrics(parts.texts[path])
            if host in own and metrics and "etcd_server_has_leader" in metrics:
                says.known(Key.ETCD_LEADER, metrics["etcd_server_has_leader"], path)


def _own_hosts(parts: Parts) -> set[str]:
    """The addresses of this host, and loopback."""
    found = texts.addresses(parts.texts.get("networking/ipaddrshow", "")) or ()
    return {"127.0.0.1", "localhost", *(str(one.address.ip) for one in found)}


def _etcd_health(parts: Parts, says: Says, own: set[str]) -> None:
    alarm = re.search(r"alarm:NOSPACE", parts.texts.get("etcd/alarmlist", ""))
    if alarm:
        says.known(Key.ETCD_HEALTH, Etcd.NO_SPACE, "etcd/alarmlist", alarm[0])
    source = "etcd/endpointstatus"
    for row in texts.etcd_status(parts.texts.get(source, "")) or ():
        no_leader = "no leader" in row.get("ERRORS", "")
        if _host(row.get("ENDPOINT", "")) in own and no_leader:
            says.known(Key.ETCD_HEALTH, Etcd.NO_LEADER, source, row["ERRORS"])
    source = "etcd/endpointhealth"
    text = parts.texts.get(source, "")
    health = texts.etcd_health(text)
    if health is None:
        says.unknown(Key.ETCD_HEALTH, source, text)
        return
    for url, healthy, line in health:
        if _host(url) not in own:
            continue
        if healthy:
            says.known(Key.ETCD_HEALTH, Etcd.HEALTHY, source, line)
        elif "connection refused" in line:
            says.known(Key.ETCD_HEALTH, Etcd.REFUSED, source, line)
        else:
            says.unknown(Key.ETCD_HEALTH, source, line)


def _host(url: str) -> str:
    try:
        return urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""


def _neighbours(parts: Parts, says: Says, vip: str) -> None:
    """An entry that failed is an ARP request without an answer; what any other one says may be old."""
    for source in ("networking/ipneighbour", "networking/ipv6neighbour"):
        for line in parts.texts.get(source, "").split("\n"):
            words = line.split()
            if vip and words[:1] == [vip] and "lladdr" in words[:-1]:
                mac = words[words.index("lladdr") + 1]
                says.known(Key.VIP_NEIGHBOUR, mac, source, line, about="")
            if vip and words[:1] == [vip] and words[-1] == "FAILED":
                says.known(Key.VIP_MACS, (), source, line, about="")


def _lease(parts: Parts, says: Says) -> None:
    source, text = parts.text("rke2/kubectl/leases", "k3s/kubectl/leases")
    for row in texts.table(text, "NAMESPACE", "NAME", "HOLDER") or ():
        if row["NAME"] == _LEASE and row["HOLDER"]:
            says.known(Key.LEASE_HOLDER, row["HOLDER"], source)
