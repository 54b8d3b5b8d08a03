"""Writes the seed corpus anew: `.venv/bin/python -m fuzz.seeds`. Needs scapy.

Real encodings of our own encoders and scapy's, and event sequences that lead the core into its states.
Files that are not listed here are inputs that once were a finding; they stay.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from ipaddress import IPv4Address, IPv6Address

from fuzz import bundles
from fuzz.records import Kind, record
from fuzz.target import CORPUS
from fuzz.targets import advert as advert_target
from fuzz.targets import echo as echo_target
from fuzz.targets import rundir as rundir_target
from vipkeeper.core import trace
from vipkeeper.core.actions import Cause, SendAdvert, State, Transition
from vipkeeper.core.events import AdvertReceived, CheckName, HealthSampled, Outcome, Tick
from vipkeeper.daemon.history import Move
from vipkeeper.daemon.prober import lines
from vipkeeper.daemon.protocol import (
    Request,
    RequestVerb,
    Response,
    encode_request,
    encode_response,
)
from vipkeeper.wire import arp, ndp
from vipkeeper.wire.advert import encode
from vipkeeper.wire.types import Advert, Health, Heard, Role

MAC, PEER = bytes.fromhex("02000a0a0a0b"), bytes.fromhex("02000a0a0a0c")
VIP4, OWN4 = IPv4Address("10.10.10.100"), IPv4Address("10.10.10.11")
VIP6, OWN6 = IPv6Address("2001:db8::100"), IPv6Address("2001:db8::11")
HOLDER = Advert(
    sender=OWN4,
    boot_id=0x0123456789ABCDEF,
    counter=42,
    epoch=7,
    role=Role.HOLDER,
    health=Health.READY,
    standby=False,
    interval_ms=100,
    cluster=bytes.fromhex("40038baada145e0f"),
    successor=1,
    heard=(Heard(0, None), Heard(0x1111111111111111, 12), Heard(0x2222222222222222, None)),
)
ASKING = replace(HOLDER, role=Role.BACKUP, asks=True, follows=2, successor=None, sender=OWN6)
RESIGNED = replace(HOLDER, role=Role.RESIGNED, planned=True, standby=True, heard=())
LONGEST = replace(HOLDER, heard=tuple(Heard(n, n) for n in range(1, 65)))

Seeds = dict[str, bytes]


def adverts() -> Seeds:
    """Ours, and one of a later revision with more behind the fields."""
    made = {
        name: encode(advert, advert_target.KEY)
        for name, advert in (
            ("holder", HOLDER),
            ("asking", ASKING),
            ("resigned", RESIGNED),
            ("longest", LONGEST),
        )
    }
    later = bytearray(made["holder"][:-16] + b"more")
    later[5] += 1
    return made | {"later": advert_target.sign(bytes(later)), "foreign": made["holder"][:-1] + b"?"}


def arps() -> Seeds:
    """The forms of ARP that are sent and answered."""
    claim, reply = arp.gratuitous(VIP4, MAC)
    answer = arp.encode_frame(arp.Arp(arp.Operation.REPLY, PEER, VIP4, MAC, OWN4), destination=MAC)
    return {
        "probe": arp.probe(VIP4, MAC),
        "gratuitous-request": claim,
        "gratuitous-reply": reply,
        "answer-padded": answer.ljust(60, b"\0"),
    }


def neighbours() -> Seeds:
    """Ours, and an answer as scapy makes it."""
    from scapy.layers import inet6, l2

    made = {
        "dad": ndp.solicitation(VIP6, ndp.UNSPECIFIED, MAC),
        "solicitation": ndp.solicitation(VIP6, OWN6, MAC),
        "advertisement": ndp.advertisement(VIP6, MAC, router=True),
    }
    option = inet6.ICMPv6NDOptDstLLAddr(lladdr="02:00:0a:0a:0a:0c")
    answer = inet6.ICMPv6ND_NA(tgt=str(VIP6), R=0, S=1, O=1) / option
    layers = l2.Ether(src="02:00:0a:0a:0a:0c", dst="02:00:0a:0a:0a:0b")
    packet = layers / inet6.IPv6(src=str(VIP6), dst=str(OWN6), hlim=255) / answer
    return made | {"scapy-answer": bytes(packet)}


def echoes() -> Seeds:
    """Answers as scapy makes them, to the probes that the target pretends to have sent."""
    from scapy.layers import inet, inet6, l2

    ether = l2.Ether(src="02:00:0a:0a:0a:0c", dst="02:00:0a:0a:0a:0b")
    v4 = ether / inet.IP(src=str(VIP4), dst=str(OWN4))
    v6 = ether / inet6.IPv6(src=str(VIP6), dst=str(OWN6))
    number = echo_target.IDENTIFIER
    echoed = {"id": number, "seq": 1}
    tcp = {"sport": echo_target.THEIR_PORT, "dport": echo_target.PORT, "ack": 2}
    return {
        "echo-4": bytes(v4 / inet.ICMP(type=0, **echoed) / b"vipkeeper"),
        "echo-6": bytes(v6 / inet6.ICMPv6EchoReply(**echoed, data=b"vipkeeper")),
        "syn-ack-4": bytes(v4 / inet.TCP(**tcp, flags="SA", options=[("MSS", 1460)])),
        "reset-4": bytes(v4 / inet.TCP(**tcp, flags="RA")),
        "reset-6": bytes(v6 / inet.TCP(**tcp, flags="RA")),
        "syn-ack-options": bytes(
            ether
            / inet.IP(src=str(VIP4), dst=str(OWN4), options=inet.IPOption_NOP())
            / inet.TCP(**tcp, flags="SA")
        ),
    }


def traces() -> Seeds:
    """Lines of a header, an event and two actions."""
    change = Transition(State.SUSPECT, State.CLAIM, Cause.HOLDER_SILENT, 8, "cp1")
    items = {
        "header": trace.Header("cp1", "0.1.0"),
        "tick": Tick(),
        "advert": AdvertReceived(OWN4, HOLDER, 1_000_000),
        "send": SendAdvert(RESIGNED, (OWN4, OWN6)),
        "transition": change,
    }
    made = {name: trace.line(1_000_000_000, item).encode() for name, item in items.items()}
    return made | {"writer": trace.line(5, change, writer="lab", act="power").encode()}


def moves() -> Seeds:
    """A takeover and a handover."""
    move = Move(
        "2026-01-01T00:00:00.000Z", "cp1", "backup", "holder", "holder_silent", 8, "cp2", 281.5
    )
    given = replace(
        move, before="holder", after="backup", cause="handover", duration_ms=None, detail="d"
    )
    return {
        name: json.dumps(asdict(item), separators=(",", ":")).encode()
        for name, item in (("takeover", move), ("handover", given))
    }


def prober_lines() -> Seeds:
    """A sample and a sign of life."""
    sample = HealthSampled(CheckName.API, Outcome.SOFT, "HTTP 500 within 2 s")
    return {"sample": lines.encode(sample), "heartbeat": lines.HEARTBEAT}


def control() -> Seeds:
    """Every request, and answers."""
    requests = {verb.value: encode_request(Request(verb)) for verb in RequestVerb}
    return requests | {
        "handover-to": encode_request(Request(RequestVerb.HANDOVER, to="cp2", force=True)),
        "history-3": encode_request(Request(RequestVerb.HISTORY, limit=3)),
        "answer": encode_response(
            Response(True, "cp2 holds the VIP", {"servers": [{"name": "cp1"}]})
        ),
        "refusal": encode_response(Response(False, "no such server")),
    }


def run_records() -> Seeds:
    """A record of ours, and one of another boot."""
    fields = {"epoch": 7, "holding": True, "lease_until": 12345678901234, "standby": False}
    tie = {"boot_id": rundir_target.BOOT_ID, "vips": [str(vip) for vip in rundir_target.VIPS]}
    other = {"tie": tie | {"boot_id": "other"}, "record": fields}
    return {
        "ours": json.dumps({"tie": tie, "record": fields}).encode(),
        "other-boot": json.dumps(other).encode(),
    }


def keys() -> Seeds:
    """One key in hexadecimal, two in both forms."""
    return {
        "one": b"# made by init\n" + bytes(range(32)).hex().encode() + b"\n",
        "two": bytes(range(32)).hex().encode() + b"\n" + b"a passphrase of at least 32 letters\n",
    }


def answers() -> Seeds:
    """HTTP as API servers and others speak it; two bytes before it cut and end it."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
    chunked = b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nreadyz\r\n0\r\n\r\n"
    return {
        "ok-three-times": b"\xff\0" + ok * 3,
        "ok-bytewise": b"\x01\x04" + ok,
        "chunked": b"\x07\0" + chunked.replace(b"5\r\n", b"6\r\n"),
        "chunked-wrong": b"\x40\x01" + chunked,
        "until-close": b"\x40\x01" + b"HTTP/1.0 200 OK\r\n\r\nok",
        "continue": b"\x40\0" + b"HTTP/1.1 100 Continue\r\n\r\n" + ok,
        "cut": b"\x10\x02" + ok[:-1],
        "tls-alert": b"\x40\0" + bytes.fromhex("15030300020246"),
        "upgrade": b"\x40\0" + b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    }


def hellos() -> Seeds:
    """The first bytes of a ServerHello, of an alert, and of what is no TLS."""
    return {
        "server-hello": bytes.fromhex("160303007a02000076 0303") + bytes(32),
        "alert": bytes.fromhex("15030300020228"),
        "http": b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request",
    }


def judged_files() -> Seeds:
    """One of each kind of the linter, most with a mistake; the first byte says which."""
    keepalived = (
        'vrrp_script c {\n  script "curl -u a:b https://127.0.0.1"\n  weight -2\n}\nvrrp_instance A {\n'
        "  @cp1 priority 200\n  virtual_router_id 51\n  authentication {\n    auth_pass x\n  }\n"
        "  virtual_ipaddress {\n    10.0.0.9/24\n  }\n  track_script {\n    c\n  }\n}\n"
    )
    haproxy = (
        "defaults\n  mode http\nlisten a\n  bind *:6443\n  stats auth a:b\n  option httpchk GET /\n"
        "  server a 10.0.0.1:6443 check inter 2s\n"
    )
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-vip}\nspec:\n  containers:\n"
        "    - image: ghcr.io/kube-vip/kube-vip:v1.2.2\n      args: [start]\n      env:\n"
        '        - {name: vip_cidr, value: "24"}\n        - {name: address, value: 10.0.0.9}\n'
    )
    kubeconfig = (
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster: {server: 'https://10.0.0.9:9345'}\n"
        "users:\n- user: {client-key-data: abcd}\n"
    )
    unit = "[Service]\nEnvironment=K3S_TOKEN=abc\nExecStart=/usr/bin/k3s server \\\n  --token abc\n"
    config = (
        "server: true\ntoken: &t K10x::server:y\nagent-token: *t\ntls-san+: [10.0.0.9]\nnode-ip: 10.0.0.9\n"
        "write-kubeconfig-mode: 0644  # vipkeeper: ignore VK106 until 2026-01-31 because\n"
    )
    files = (keepalived, haproxy, pod, kubeconfig, unit, config, config)
    rest = (
        "RKE2_TOKEN=abc\n",
        "vip: 10.0.0.9\nservers: {a: 10.0.0.1}\n",
        "k8sServiceHost: 10.0.0.9\n",
    )
    names = ["keepalived", "haproxy", "kubevip", "kubeconfig", "systemd", "rke2", "k3s"]
    names += ["environment", "own", "values"]
    made = zip(names, (*files, *rest), strict=True)
    return {name: bytes([number]) + text.encode() for number, (name, text) in enumerate(made)}


def configurations() -> Seeds:
    """The shortest, one with every key, and one with many mistakes."""
    short = (
        "vip: 10.10.10.100\nservers:\n  cp1: 10.10.10.11\n  cp2: 10.10.10.12\n  cp3: 10.10.10.13\n"
    )
    full = short + (
        "distribution: rke2\nkey_file: /etc/vipkeeper/key\ninterface: eth0\nport: 9346\n"
        "advert_interval: 100ms\nprofile: vm\nelection: peers\nkernel_lease: 3s\npreempt: true\n"
        "preempt_delay: 30s\nwhen_unready: hold\nca_file: /etc/ca.crt\nlog_format: json\n"
        "client_certificate: /etc/a.crt\nclient_key: /etc/a.key\nmove_budget: 6\ngateway: 10.10.10.1\n"
        "metrics:\n  listen: 127.0.0.1:9345\n  textfile: /var/lib/metrics.prom\n"
    )
    checks = short + (
        "checks:\n  - type: http\n    url: https://[::1]:6443/readyz\n    expect_status: 200\n"
        "    timeout: 1s\n  - type: tcp\n    target: 127.0.0.1:9345\n    interval: 500ms\n"
        "    counts_as: supervisor\n  - type: exec\n    command: [/bin/true, -x]\n"
    )
    double = "vip: [10.10.10.100, '2001:db8::100']\nservers: {a: 10.0.0.1}\n"
    wrong = "vip: 10.10.10.300\nvips: x\nservers:\n  cp1: 1\n  cp1: 2\nport: 0x10\npreempt: yes\n"
    made = {"short": short, "full": full, "checks": checks, "double": double, "wrong": wrong}
    return {name: text.encode() for name, text in made.items()}


_THREE = record(Kind.NOTHING, 0, 2, 0, 0, 2, 0, 0)
"""Three servers, we are the first, defaults, lease 3 s, no record, a usable host; heals at the end."""
_READY, _UP = 12, record(Kind.HEALTH, 20, 0, 0)


def _said(role: Role, delay_ms: float, *, flags: int = 0, epoch: int = 0, peer: int = 0) -> bytes:
    """An advert of a peer that is ready and hears us."""
    return record(Kind.ADVERT, delay_ms, peer, role | _READY | flags, 0, 0, epoch, 0, 0, 0, 1, 0)


def events() -> Seeds:
    """Sequences that lead into every state."""
    follow = _THREE + _UP + _said(Role.HOLDER, 20, epoch=1) + _said(Role.HOLDER, 100)
    claimed = _THREE + _UP + record(Kind.NOTHING, 1000)
    alone = record(Kind.NOTHING, 0, 0, 0, 0, 2, 0, 0)
    adopted = record(Kind.NOTHING, 0, 2, 0, 0, 2, 2 | 4 | 8, 0, 2, 5)
    vip_echo, vip_arp = record(Kind.VIP_ANSWERED, 15, 1, 8), record(Kind.VIP_ANSWERED, 15, 1, 0)
    kernel, gateway = record(Kind.SERVER_ANSWERED, 15, 0, 0), record(Kind.GATEWAY_ANSWERED, 15)
    with_gateway = record(Kind.NOTHING, 0, 2, 0, 0, 2, 0, 16)
    return {
        "alone": alone + _UP + record(Kind.NOTHING, 1000),
        "claims": claimed,
        "adopts": adopted + record(Kind.NOTHING, 1000),
        "follows-then-silence": follow + record(Kind.NOTHING, 500) + record(Kind.NOTHING, 1000),
        "vip-answers": follow + record(Kind.NOTHING, 200) + vip_echo * 4 + vip_arp * 8,
        "kernel-answers": follow + record(Kind.NOTHING, 200) + kernel * 6,
        "gateway": with_gateway
        + _UP
        + record(Kind.NOTHING, 200)
        + gateway * 8
        + record(Kind.NOTHING, 1000),
        "deaf": with_gateway + gateway + _said(Role.HOLDER, 20) + record(Kind.NOTHING, 2000),
        "deaf-without-gateway": record(Kind.NOTHING, 0, 2, 0, 0, 2, 0, 16, 0, 0, 4)
        + gateway
        + _said(Role.HOLDER, 20)
        + record(Kind.NOTHING, 2000),
        "asked": follow + _said(Role.BACKUP, 5, flags=32, peer=1) * 5,
        "resigned": follow + record(Kind.ADVERT, 20, 0, 3 | _READY, 1, 0, 0, 0, 0, 0, 1) * 3,
        "two-holders": claimed + _said(Role.HOLDER, 20, epoch=2) + record(Kind.NOTHING, 1000),
        "older-holder": claimed + _said(Role.HOLDER, 20, epoch=4) * 3,
        "held": record(Kind.NOTHING, 0, 2, 0, 0, 0x82)
        + _UP
        + (_said(Role.HOLDER, 20, epoch=1) + _said(Role.HOLDER, 20) + record(Kind.NOTHING, 1000))
        * 4,
        "unheard": claimed
        + _said(Role.BACKUP, 20)
        + record(Kind.ADVERT, 20, 0, 2 | _READY, 0, 0, 4, 1, 0, 0, 4) * 5,
        "handover": claimed + _said(Role.BACKUP, 20) + record(Kind.COMMAND, 5, 3, 2),
        "release": claimed + record(Kind.COMMAND, 5, 0) + record(Kind.COMMAND, 1000, 2),
        "standby": claimed + _said(Role.BACKUP, 20) + record(Kind.COMMAND, 5, 1),
        "shutdown": claimed + record(Kind.COMMAND, 5, 4) + record(Kind.NOTHING, 100),
        "refused": claimed + _said(Role.BACKUP, 20) + record(Kind.HEALTH, 60, 0, 2) * 3,
        "link-lost": claimed + record(Kind.HOST, 5, 2) + record(Kind.HOST, 1000, 0),
        "deleted": claimed + record(Kind.HOST, 5, 0, 1) + record(Kind.NOTHING, 100),
        "permanent": claimed + record(Kind.HOST, 5, 0, 6) + record(Kind.HOST, 1000, 0, 0),
        "kernel-refuses": record(Kind.NOTHING, 0, 2)
        + record(Kind.KERNEL, 0, 4, 2, 2, 0, 2)
        + claimed,
        "frozen": claimed
        + record(Kind.NOTHING, 4000, frozen=True)
        + _said(Role.HOLDER, 1, epoch=1),
        "reordered": claimed
        + record(Kind.RECONFIGURED, 20, 2, 1, 1, 3)
        + record(Kind.NOTHING, 500),
        "flood": follow + b"".join(record(Kind.FLOOD, 20, 60, kind, 1, 2, 3) for kind in range(4)),
        "budget": claimed + (record(Kind.HOST, 5, 2) + record(Kind.HOST, 500, 0)) * 8,
    }


SEEDS = {
    "advert": adverts,
    "arp": arps,
    "bundle": bundles.archives,
    "config": configurations,
    "core": events,
    "echo": echoes,
    "history": moves,
    "http": answers,
    "keys": keys,
    "lines": prober_lines,
    "lint": judged_files,
    "messages": bundles.logs,
    "ndp": neighbours,
    "protocol": control,
    "rundir": run_records,
    "tls": hellos,
    "trace": traces,
}


def main() -> None:
    """Write every seed to its file."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    for name, make in SEEDS.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, data in make().items():
            (folder / seed).write_bytes(data)


if __name__ == "__main__":
    main()
