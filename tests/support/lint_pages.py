"""The examples of a rule's page as files.

A block is one file of the kind that the rule looks at. A comment line that names servers (`# cp1 and cp2`) begins
the file of these, one with more behind the names (`# cp2: none`) says that they have nothing else, and one that is a
path says which file follows; its first folder may be a server (`# cp1/etc/keepalived/keepalived.conf`). What stands
behind the language of a block (`yaml latin-1`) is the encoding of its files. A block of `console` holds the command
that judges them.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.catalog.entry import Entry

BLOCK = re.compile(r"```(\w*)(?: ([\w-]+))?\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ vipkeeper lint (.*)$", re.MULTILINE)
_NAME = r"(?:cp|lb|worker)\d"
SERVERS = re.compile(rf"# ({_NAME}(?:(?:, | and |, and )*{_NAME})*)(:.*)?")
PATH = re.compile(r"# (/?(?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)+|/?(?:[\w.-]+/)+[\w.-]+)(?:, .*)?")
_FIRST = re.compile(rf"({_NAME})/(.*)")
DEFAULT = {
    "k3s": "etc/rancher/k3s/config.yaml",
    "RKE2": "etc/rancher/rke2/config.yaml",
    "kube-vip": "var/lib/rancher/rke2/server/manifests/kube-vip.yaml",
    "Kubernetes": "var/lib/rancher/rke2/server/manifests/object.yaml",
    "keepalived.conf": "etc/keepalived/keepalived.conf",
    "haproxy.cfg": "etc/haproxy/haproxy.cfg",
    "kubeconfig": "etc/rancher/rke2/rke2.yaml",
    "systemd": "etc/systemd/system/rke2-server.service.d/x.conf",
    "Cilium": "var/lib/rancher/rke2/server/manifests/values.yaml",
    "Calico": "var/lib/rancher/rke2/server/manifests/values.yaml",
    "vipkeeper": "etc/vipkeeper/cluster.yaml",
}
"""Where a file of a kind is, by the first word of the kind's name."""
NAMED = {
    "config.yaml": "RKE2",
    "kube-vip.yaml": "kube-vip",
    "keepalived.conf": "keepalived.conf",
    "haproxy.cfg": "haproxy.cfg",
    "cluster.yaml": "vipkeeper",
}
"""The kind of a file that an example names."""


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-vip, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
"""
CONTAINER = POD + "    - name: kube-vip\n"
SPEC = POD.removesuffix("  containers:\n")
CHART = """\
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: rke2-NAME, namespace: kube-system}
spec:
  valuesContent: |
"""
CLUSTER = """\
apiVersion: v1
kind: Config
clusters:
  - name: default
    cluster:
"""
INSTANCE = """\
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.100
    }
}
"""
POOL = """
backend api
    server cp1 10.10.10.11:6443
"""
ARP = """\
      env:
        - {name: vip_arp, value: "true"}
        - {name: cp_enable, value: "true"}
        - {name: address, value: 10.10.10.100}
"""
TRACKED = "vrrp_instance VI_1 {\n  track_script {\n    api\n  }\n" + INSTANCE


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a fragment that begins like this."""

    begins: str
    before: str = ""
    indent: int = 0
    after: str = ""


FRAMES: dict[str, tuple[Frame, ...]] = {
    "kube-vip": (
        Frame(r"(env|args):", CONTAINER + "      image: kube-vip:v1.2.3\n", 6),
        Frame(r"securityContext:", CONTAINER + "      image: kube-vip:v1.2.3\n", 6, ARP),
        Frame(r"image:", CONTAINER, 6),
    ),
    "keepalived.conf": (
        Frame(
            r"virtual_router_id",
            "vrrp_instance VI_1 {\n",
            4,
            INSTANCE.replace("    virtual_router_id 51\n", ""),
        ),
        Frame(r"(virtual_ipaddress|notify_)[\s\S]*", "vrrp_instance VI_1 {\n", 4, "}\n"),
        Frame(
            r"(state|priority|advert_int)\b",
            "vrrp_instance VI_1 {\n",
            4,
            INSTANCE,
        ),
        Frame(r"global_defs", after="vrrp_instance VI_1 {\n" + INSTANCE),
        Frame(r"vrrp_script (?s:(?!.*vrrp_instance))", after=TRACKED),
    ),
    "haproxy.cfg": (
        Frame(r"server ", "backend api\n", 4),
        Frame(r"frontend (?s:(?!.*backend \w))", after=POOL),
        Frame(
            r"defaults(?s:(?!.*frontend))",
            after="frontend api\n  bind :7443\n  default_backend api\n" + POOL,
        ),
        Frame(r"defaults", after="    default_backend api\n" + POOL),
    ),
    "kubeconfig": (Frame(r"server:", CLUSTER, 6),),
    "Cilium": (Frame(r"\w", CHART.replace("NAME", "cilium"), 4),),
    "Calico": (
        Frame(
            r"\w", CHART.replace("NAME", "calico") + "    installation:\n      calicoNetwork:\n", 8
        ),
    ),
    "vipkeeper": (
        Frame(r"servers:", "vip: 10.10.10.100\n"),
        Frame(r"vip:.*\n$", after="servers: {cp1: 10.10.10.11}\n"),
        Frame(r"(port|checks|distribution):", "vip: 10.10.10.100\nservers: {cp1: 10.10.10.11}\n"),
    ),
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of an example; no server: the only one."""

    server: str
    path: str
    text: str
    encoding: str


def files(entry: Entry, markdown: str) -> Iterator[File]:
    """The files in a part of a page."""
    kind = entry.kinds[0].split()[0]
    default = DEFAULT.get(kind, DEFAULT["RKE2"])
    for language, encoding, block in BLOCK.findall(markdown):
        if language == "console":
            continue
        if kind == "any" and block.startswith("vip:"):
            default = DEFAULT["vipkeeper"]
        servers, path, lines = [""], default, list[str]()
        for line in [*block.splitlines(), None]:
            names = SERVERS.fullmatch(line) if line is not None else None
            named = PATH.fullmatch(line) if line is not None else None
            if line is None or names or named:
                if any(lines):
                    text = framed(NAMED.get(Path(path).name, kind), "\n".join(lines) + "\n")
                    yield from (File(s, path, text, encoding or "utf-8") for s in servers)
                lines = []
            if names:
                servers = re.findall(_NAME, names[1])
                if names[2]:
                    yield from (File(s, path, "token: abc\n", "utf-8") for s in servers)
            elif named:
                path = named[1].lstrip("/")
                if at := _FIRST.fullmatch(path):
                    servers, path = [at[1]], at[2]
            elif line is not None:
                lines.append(line)


def framed(kind: str, text: str) -> str:
    """A fragment with what makes a file of it."""
    body = re.sub(r"^(#.*\n)+", "", text)
    for frame in FRAMES.get(kind, ()):
        if re.match(frame.begins, body):
            return frame.before + textwrap.indent(text, " " * frame.indent) + frame.after
    return text


def write(entry: Entry, markdown: str, folder: Path) -> list[str]:
    """Write the files of an example; the answer is the arguments that judge them: paths, perhaps options."""
    paths = []
    for file in files(entry, markdown):
        path = folder / file.server / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding=file.encoding)
        paths.append(f"{file.server}={folder / file.server}" if file.server else str(folder))
    command = COMMAND.search(markdown)
    if command is None:
        return list(dict.fromkeys(paths))
    words = shlex.split(command[1])
    return [str(folder / word) if (folder / word).exists() else word for word in words]
