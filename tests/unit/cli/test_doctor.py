"""`doctor`: every judgement has a host that trips it and one that does not."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.cli.doctor import Diagnosis, render, to_document
from vipkeeper.cli.output import Style
from vipkeeper.host.inspect import (
    Address,
    Clock,
    Facts,
    Gateway,
    Interface,
    Link,
    PortUser,
    Process,
)
from vipkeeper.host.inspect_files import (
    UdpSocket,
    assignment,
    effective_capabilities,
    input_drops,
    mentions_port,
    server_config,
    setting,
    udp_sockets,
)
from vipkeeper.host.inspect_finding import Expected, Finding, Verdict
from vipkeeper.host.inspect_kernel import KernelTrials, Outcome, Trial
from vipkeeper.host.inspect_verdicts import judge

YES = Trial(Outcome.YES)
OWN = Address("eth0", ip_interface("10.0.0.11/24"), True)
VIP = ip_address("10.0.0.100")
VIP6 = ip_address("fd00::100")
ROOT = frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_NICE", "CAP_IPC_LOCK"})
PORT = 7472
SYSCTLS = (("arp_ignore", 0), ("arp_announce", 0), ("rp_filter", 2))
INTERFACE = Interface("eth0", None, None, False, SYSCTLS)
RKE2 = server_config([("config.yaml", "node-ip: 10.0.0.11\ntls-san: [10.0.0.100]\n")])
GOOD = Facts(
    capabilities=ROOT,
    trials=KernelTrials(YES, YES, YES),
    memlock_limit=None,
    links=(Link("eth0", 2, True, True),),
    addresses=(OWN,),
    interface=INTERFACE,
    processes=(),
    nft="",
    iptables=None,
    port_users=(),
    clock=Clock(5, 6, 4, "tsc"),
    virtual="",
    server_config=RKE2,
    gateway=Gateway(ip_address("10.0.0.1")),
)
EXPECTED = Expected(
    vips=(VIP,),
    own=ip_address("10.0.0.11"),
    port=PORT,
    distribution="rke2",
    bare_metal=True,
    interface="eth0",
    servers=3,
)
DROP = "table inet f {\n chain in {\n  type filter hook input priority filter; policy drop;\n"
LEFT_OVER = "table netdev vipkeeper {\n\tset lease {\n"
STRICT = {"strict": True}
SOCKET = UdpSocket(ip_address("0.0.0.0"), PORT, 1)


def trials(**changes: Trial) -> KernelTrials:
    return dataclasses.replace(GOOD.trials, **changes)


def interface(*sysctls: tuple[str, int], **changes: Any) -> Interface:
    return dataclasses.replace(INTERFACE, sysctls=sysctls or SYSCTLS, **changes)


def rke2(text: str) -> dict[str, Any]:
    return {"server_config": server_config([("config.yaml", text)])}


def test_a_good_host_has_nothing_to_mend() -> None:
    findings = judge(GOOD, EXPECTED)
    assert {f.verdict for f in findings} == {Verdict.OK, Verdict.INFO}


CASES: list[tuple[str, Verdict, dict[str, Any], dict[str, Any]]] = [
    ("capabilities", Verdict.PROBLEM, {"capabilities": ROOT - {"CAP_NET_RAW"}}, {}),
    ("capabilities", Verdict.UNKNOWN, {"capabilities": None}, {}),
    ("real-time scheduling", Verdict.WARNING, {"trials": trials(realtime=Trial(Outcome.NO))}, {}),
    ("memory locking", Verdict.WARNING, {"memlock_limit": 8192, "capabilities": frozenset()}, {}),
    ("address lifetimes", Verdict.PROBLEM, {"trials": trials(lifetimes=Trial(Outcome.NO))}, {}),
    (
        "address lifetimes",
        Verdict.UNKNOWN,
        {"trials": trials(lifetimes=Trial(Outcome.UNKNOWN))},
        {},
    ),
    ("nftables egress hook", Verdict.INFO, {"trials": trials(egress=Trial(Outcome.NO))}, {}),
    ("strict lease", Verdict.PROBLEM, {"trials": trials(egress=Trial(Outcome.NO))}, STRICT),
    ("strict lease", Verdict.UNKNOWN, {"trials": trials(egress=Trial(Outcome.UNKNOWN))}, STRICT),
    ("strict lease", Verdict.WARNING, {"nft": LEFT_OVER}, {}),
    ("CLOCK_BOOTTIME", Verdict.PROBLEM, {"clock": Clock(9, 8, 4, None)}, {}),
    ("second VIP manager", Verdict.PROBLEM, {"processes": (Process(7, "keepalived"),)}, {}),
    ("this host in servers", Verdict.PROBLEM, {}, {"own": None}),
    ("profile", Verdict.INFO, {"virtual": "kvm"}, {}),
    ("interface and subnet", Verdict.PROBLEM, {}, {"interface": None}),
    ("interface and subnet", Verdict.PROBLEM, {}, {"interface": "eth7"}),
    ("interface and subnet", Verdict.PROBLEM, {"links": (Link("eth0", 2, False, True),)}, {}),
    ("interface and subnet", Verdict.PROBLEM, {"links": (Link("eth0", 2, True, False),)}, {}),
    ("interface and subnet", Verdict.UNKNOWN, {"links": None}, {}),
    (
        "VIP is free",
        Verdict.PROBLEM,
        {"addresses": (OWN, Address("eth0", ip_interface("10.0.0.100/24"), True))},
        {},
    ),
    ("VIP is free", Verdict.UNKNOWN, {}, {"interface": None}),
    ("advert port", Verdict.PROBLEM, {"port_users": (PortUser(SOCKET, "nc -u"),)}, {}),
    ("advert port", Verdict.PROBLEM, {"port_users": (PortUser(SOCKET, None),)}, {}),
    ("firewall", Verdict.WARNING, {"nft": DROP}, {}),
    ("firewall", Verdict.WARNING, {"nft": None, "iptables": "*filter\n:INPUT DROP [0:0]\n"}, {}),
    ("firewall", Verdict.UNKNOWN, {"nft": None, "iptables": None}, {}),
    ("arp_ignore", Verdict.PROBLEM, {"interface": interface(("arp_ignore", 8))}, {}),
    (
        "rp_filter",
        Verdict.WARNING,
        {
            "interface": interface(("arp_ignore", 0), ("rp_filter", 1)),
            "addresses": (OWN, Address("eth1", ip_interface("10.9.0.1/24"), True)),
        },
        {},
    ),
    (
        "who manages the interface",
        Verdict.WARNING,
        {"interface": interface(networkd_file="/x.network", networkd_keep="static")},
        {},
    ),
    ("who manages the interface", Verdict.INFO, {"interface": interface(network_manager=True)}, {}),
    ("gateway", Verdict.WARNING, {"gateway": Gateway(None)}, {}),
    ("gateway", Verdict.WARNING, {"gateway": Gateway(None)}, {"gateway": "10.7.0.1"}),
    ("gateway", Verdict.UNKNOWN, {"gateway": None}, {}),
    ("gateway", Verdict.INFO, {"gateway": Gateway(None)}, {"gateway": "none"}),
    ("bind-address", Verdict.PROBLEM, rke2("bind-address: 10.0.0.11"), {}),
    ("node-ip", Verdict.WARNING, rke2("tls-san: 10.0.0.100"), {}),
    ("node-ip", Verdict.PROBLEM, rke2("tls-san: 10.0.0.100"), {"vips": (VIP6,)}),
    ("node-ip", Verdict.PROBLEM, rke2("node-ip: 10.0.0.100"), {}),
    ("tls-san", Verdict.WARNING, rke2("node-ip: 10.0.0.11\ntls-san: vip.example.org"), {}),
    ("configuration file", Verdict.WARNING, rke2("- a list"), {}),
    ("configuration file", Verdict.INFO, {"server_config": server_config([])}, {}),
]


@pytest.mark.parametrize(("name", "verdict", "facts", "expected"), CASES)
def test_each_question_can_go_wrong(
    name: str, verdict: Verdict, facts: dict[str, Any], expected: dict[str, Any]
) -> None:
    findings = judge(dataclasses.replace(GOOD, **facts), dataclasses.replace(EXPECTED, **expected))
    (finding, *_) = [f for f in findings if f.name == name and f.verdict is not Verdict.OK]
    assert finding.verdict is verdict
    if verdict in (Verdict.PROBLEM, Verdict.WARNING) and name != "configuration file":
        assert finding.meaning
        assert finding.fix


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("memory locking", {"memlock_limit": 8192}),
        (
            "VIP is free",
            {"addresses": (OWN, Address("eth0", ip_interface("10.0.0.100/32"), False))},
        ),
        ("advert port", {"port_users": (PortUser(SOCKET, "python vipkeeper run"),)}),
        ("firewall", {"nft": DROP + f"   udp dport {PORT} accept\n"}),
        ("firewall", {"nft": DROP + f"   udp dport {{ 53, {PORT} }} accept\n"}),
        (
            "firewall",
            {"iptables": f":INPUT DROP [0:0]\n-A INPUT -p udp --dport {PORT} -j ACCEPT\n"},
        ),
        (
            "who manages the interface",
            {"interface": interface(networkd_file="/x", networkd_keep="yes")},
        ),
        ("bind-address", rke2("bind-address: 0.0.0.0")),
        ("tls-san", rke2("tls-san: 'vip.example.org, 10.0.0.100'")),
        ("second VIP manager", {"processes": (Process(7, "vipkeeper"),)}),
    ],
)
def test_what_only_looks_wrong_is_fine(name: str, facts: dict[str, Any]) -> None:
    findings = judge(dataclasses.replace(GOOD, **facts), EXPECTED)
    assert {f.verdict for f in findings if f.name == name} == {Verdict.OK}


def test_table_of_a_running_daemon_is_no_finding() -> None:
    running = (PortUser(SOCKET, "python vipkeeper run"),)
    facts = dataclasses.replace(GOOD, nft=LEFT_OVER, port_users=running)
    expected = dataclasses.replace(EXPECTED, strict=True)
    (finding,) = [f for f in judge(facts, expected) if f.name == "strict lease"]
    assert finding.verdict is Verdict.OK


def test_a_refusal_of_real_time_to_a_capable_user_names_the_control_group() -> None:
    refused = dataclasses.replace(GOOD, trials=trials(realtime=Trial(Outcome.NO, "EPERM")))
    (finding,) = [f for f in judge(refused, None) if f.name == "real-time scheduling"]
    assert "cpu.rt_runtime_us" in finding.meaning


def test_without_a_configuration_the_host_alone_is_judged() -> None:
    names = {finding.name for finding in judge(GOOD, None)}
    assert "capabilities" in names
    assert "advert port" not in names


def test_a_manager_of_several_processes_is_one_problem() -> None:
    twice = dataclasses.replace(
        GOOD, processes=(Process(9, "keepalived"), Process(7, "keepalived"))
    )
    (finding,) = [f for f in judge(twice, None) if f.verdict is Verdict.PROBLEM]
    assert finding.text == "keepalived runs here (pid 7, 9)"


@pytest.mark.parametrize(
    "expected", [{"own": None}, {"interface": None}, {"interface": "eth7"}], ids=str
)
def test_an_error_of_the_configuration_exits_with_2(expected: dict[str, Any]) -> None:
    found = Diagnosis(tuple(judge(GOOD, dataclasses.replace(EXPECTED, **expected))))
    assert found.exit_code == 2
    assert render(found, Style(colour=False, ascii=True))[-1].startswith(
        "The configuration is wrong (1 problem)"
    )


def test_problems_of_the_host_are_not_laid_on_the_configuration() -> None:
    host = dataclasses.replace(
        GOOD, processes=(Process(7, "keepalived"),), capabilities=frozenset()
    )
    expected = dataclasses.replace(EXPECTED, own=None)
    *_, last = render(Diagnosis(tuple(judge(host, expected))), Style(colour=False, ascii=True))
    assert last == "The configuration is wrong (1 problem); of this host: 2 problems."


def diagnosis(*verdicts: Verdict, wrong: bool = False) -> Diagnosis:
    group = judge(GOOD, None)[0].group
    return Diagnosis(
        tuple(Finding(group, "x", v, "text", of_own_configuration=wrong) for v in verdicts)
    )


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (diagnosis(Verdict.OK, Verdict.WARNING, Verdict.UNKNOWN), 0),
        (diagnosis(Verdict.OK, Verdict.PROBLEM), 1),
        (diagnosis(Verdict.PROBLEM, wrong=True), 2),
    ],
)
def test_the_exit_code_is_the_same_in_every_format(found: Diagnosis, code: int) -> None:
    assert found.exit_code == code
    assert to_document(found)["exit_code"] == code


def test_ascii_output_is_ascii() -> None:
    findings = tuple(judge(GOOD, EXPECTED)) + diagnosis(*Verdict).findings
    lines = render(Diagnosis(findings), Style(colour=False, ascii=True))
    assert "\n".join(lines).isascii()


def test_drop_ins_replace_and_plus_appends() -> None:
    config = server_config(
        [
            ("config.yaml", "tls-san: [a, b]\nnode-ip: 10.0.0.1\nbind-address: 1.1.1.1\n"),
            ("config.yaml.d/1.yaml", "tls-san+: c\nnode-ip: 10.0.0.2,fd00::2\nbind-address:\n"),
            ("config.yaml.d/2.yaml", "{"),
        ]
    )
    assert config.tls_san == ("a", "b", "c")
    assert config.node_ip == ("10.0.0.2", "fd00::2")
    assert config.bind_address is None
    assert config.unreadable == ("config.yaml.d/2.yaml",)


def test_proc_net_udp_is_read() -> None:
    line = (
        "  1: 0B00000A:1D30 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4242 2 x 0"
    )
    assert udp_sockets("header\n" + line) == (UdpSocket(ip_address("10.0.0.11"), 7472, 4242),)


def test_capabilities_are_read_by_their_bits() -> None:
    text = "Name:\tx\nCapEff:\t0000000000003000\n"
    assert effective_capabilities(text) == frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"})
    assert effective_capabilities("CapEff: x") is None


def test_settings_are_read_from_their_section() -> None:
    text = "[Match]\nName=a\n[Network]\n#KeepConfiguration=no\nKeepConfiguration = yes\n[X]\n"
    assert setting(text, "Network", "KeepConfiguration") == "yes"
    assert setting(text, "Match", "KeepConfiguration") is None
    assert assignment("A=1\nNETWORK_FILE=/x\n", "NETWORK_FILE") == "/x"


@given(st.text(max_size=200))
def test_foreign_text_never_breaks_a_parser(text: str) -> None:
    udp_sockets(text)
    effective_capabilities(text)
    setting(text, "a", "b")
    server_config([("x", text)])
    input_drops(text, text)
    mentions_port(1, text)
