"""Every mistake in cluster.yaml is named with its place, and all of them at once."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.config.cluster import CheckKind, Distribution, GatewayMode, Profile
from vipkeeper.config.load import ConfigError, load, load_text, read_keys
from vipkeeper.daemon.settings import api_port, core_settings, gateway_rule

GOOD = """\
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp2: 10.10.10.12
  cp3: 10.10.10.13
"""
FILE = Path("cluster.yaml")


def problems(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as caught:
        load_text(data, FILE)
    return str(caught.value)


def test_two_keys_are_enough() -> None:
    config = load_text(GOOD.encode(), FILE)
    assert [str(vip) for vip in config.vips] == ["10.10.10.100"]
    assert [server.name for server in config.servers] == ["cp1", "cp2", "cp3"]
    assert (config.distribution, config.profile) == (Distribution.RKE2, Profile.BARE_METAL)
    assert (config.advert_interval, config.kernel_lease) == (100_000_000, 3_000_000_000)


@pytest.mark.parametrize(
    ("keys", "leases_ms"),
    [
        ("", (3000, None)),
        ("kernel_lease: auto\n", (3000, None)),
        ("kernel_lease: 5s\n", (5000, None)),
        ("kernel_lease: strict\n", (3000, 400)),
        ("kernel_lease: strict\nadvert_interval: 20ms\n", (3000, 400)),
        ("kernel_lease: strict\nadvert_interval: 250ms\n", (3000, 1000)),
    ],
)
def test_the_strict_lease_is_asked_for_by_name(
    keys: str, leases_ms: tuple[int, int | None]
) -> None:
    config = load_text((GOOD + keys).encode(), FILE)
    strict = None if config.strict_lease is None else config.strict_lease // 1_000_000
    assert (config.kernel_lease // 1_000_000, strict) == leases_ms


def test_everything_can_be_said() -> None:
    text = GOOD.replace("10.10.10.100", "[10.10.10.100, fd00::100]") + (
        "distribution: k3s\nadvert_interval: 20ms\nprofile: vm\nkernel_lease: 2s\npreempt: true\n"
        "preempt_delay: 1m\ninterface: bond0.12\nport: 7000\n"
        "metrics: {listen: '127.0.0.1:9347', textfile: /var/lib/node/vk.prom}\n"
        "checks:\n  - {type: exec, command: [/bin/true], counts_as: api}\n"
        "  - {type: http, url: 'https://[::1]:6443/readyz', timeout: 500ms}\n"
    )
    config = load_text(text.encode(), FILE)
    assert config.metrics.listen == ("127.0.0.1", 9347)
    assert config.preempt_delay == 60_000_000_000
    assert config.checks is not None
    assert [check.kind for check in config.checks] == [CheckKind.EXEC, CheckKind.HTTP]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + "advert_intervall: 1s\n",
            "cluster.yaml:6:1: unknown key 'advert_intervall'; did you",
        ),
        (
            GOOD.replace(".100", ".12"),
            "cluster.yaml:4:8: 10.10.10.12 is the VIP and the address of",
        ),
        (
            GOOD.replace(".13", ".11"),
            "cluster.yaml:5:8: 10.10.10.11 is already the address of server",
        ),
        (
            GOOD.replace(".100", ".100/24"),
            "1:6: 'vip' must be an IP address, not '10.10.10.100/24'",
        ),
        ("servers: {a: 10.0.0.1}\n", "cluster.yaml:1:1: 'vip' is missing"),
        ("vip: 10.0.0.1\n", "'servers' is missing"),
        (GOOD + "advert_interval: 100\n", "6:18: 'advert_interval' must be a time from 10ms to 5s"),
        (GOOD + "election: vrrp\n", "6:11: 'election: vrrp' is not in this version; use peers"),
        (GOOD + "kernel_lease: stric\n", "6:15: 'kernel_lease' must be auto or strict, or a time"),
        (GOOD + "kernel_lease: 1s\n", "a time from 2s to 1m such as 3s, not '1s'"),
        (GOOD + "kernel_lease: strict\nadvert_interval: 1s\n", "at least 4 times advert_interval"),
        (GOOD + "kernel_lease: 2500ms\n", "'kernel_lease' must be whole seconds"),
        (GOOD + "port: 9345\n", "6:7: port 9345 belongs to the RKE2 supervisor"),
        (GOOD + "gateway: 10.10.10.12\n", "6:10: 'gateway' must be another machine: 10.10.10.12"),
        (
            GOOD + "gateway: 10.10.10.100\n",
            "'gateway' must be another machine: 10.10.10.100 is the",
        ),
        (GOOD + "gateway: 'fd00::1'\n", "'gateway' must have an address of the VIP's family"),
        (GOOD + "gateway: atuo\n", "6:10: 'gateway' (auto, none, or an address) must be an IP"),
        (GOOD + "gateway: [none]\n", "'gateway' (auto, none, or an address) must be an IP"),
        (GOOD + "move_budget: 1001\n", "'move_budget' must be a whole number from 0 to 1000"),
        (GOOD + "move_budget: -1\n", "'move_budget' must be a whole number from 0 to 1000"),
        (GOOD + "preempt: yes\n", "6:10: 'preempt' must be true or false, not 'yes'"),
        (GOOD + "profile: bare_metal\n", "'bare_metal' is no value for 'profile'; did you mean"),
        (GOOD + "metrics: {listen: '0.0.0.0:9347'}\n", "must be a loopback address"),
        (GOOD + "client_key: /k\n", "'client_certificate' and 'client_key' go together"),
        (GOOD + "key_file: key\n", "'key_file' must be an absolute path"),
        (GOOD + "vip: 10.0.0.9\n", "6:1: 'vip' is given twice (first in line 1)"),
        (GOOD + "checks: [{type: tcp}]\n", "a tcp check needs 'target'"),
        (GOOD + "checks: [{type: ftp}]\n", "'ftp' is no value for 'checks.type'"),
        (
            "vip: 127.0.0.1\nservers: {a: 10.0.0.1}\n",
            "1:6: 'vip' must be reachable from others: 127.0.0.1 is a loopback",
        ),
        ("vip: [10.0.0.9, 10.0.0.9]\nservers: {a: 10.0.0.1}\n", "1:17: 10.0.0.9 is given twice"),
        ("vip: 10.0.0.9\nservers: {a: 10.0.0.1, b: 'fd00::1'}\n", "addresses of one family"),
        ("vip: &a 10.0.0.9\nservers: {a: *a}\n", "2:14: aliases (*name) are not supported"),
        ("\tvip: 1\n", "cluster.yaml:1:1: "),
        ("vip: [\n", "not valid YAML"),
        ("", "the file is empty"),
        ("- a\n", "expected keys such as 'vip:' and 'servers:'"),
        (b"vip: \xff\n", "cluster.yaml:1:6: not UTF-8 text"),
        (b"#" * 1_100_000, "larger than"),
        ("[" * 200, "nested too deeply"),
    ],
)
def test_mistake_is_named_with_its_place(text: str | bytes, expected: str) -> None:
    assert expected in problems(text)


@pytest.mark.parametrize(
    ("line", "gateway"),
    [
        ("", GatewayMode.AUTO),
        ("gateway: auto\n", GatewayMode.AUTO),
        ("gateway: none\n", GatewayMode.NONE),
        ("gateway: 10.10.10.1\n", IPv4Address("10.10.10.1")),
    ],
)
def test_gateway_is_a_word_or_an_address(line: str, gateway: object) -> None:
    config = load_text((GOOD + line).encode(), FILE)
    assert config.gateway == gateway
    rule = gateway_rule(config)
    assert (rule is None) == (gateway is GatewayMode.NONE)
    if rule is not None:
        assert rule.fixed == (gateway if isinstance(gateway, IPv4Address) else None)


def test_the_move_budget_reaches_the_election() -> None:
    assert core_settings(load_text(GOOD.encode(), FILE), 0).move_budget == 6
    none = load_text((GOOD + "move_budget: 0\n").encode(), FILE)
    assert core_settings(none, 0).move_budget == 0


@pytest.mark.parametrize(
    ("distribution", "port"), [("rke2", 6443), ("k3s", 6443), ("kubeadm", 6443), ("none", None)]
)
def test_where_a_suspects_api_server_is_asked(distribution: str, port: int | None) -> None:
    config = load_text((GOOD + f"distribution: {distribution}\n").encode(), FILE)
    assert api_port(config) == port


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    lines = problems("vip: nonsense\nservers: {a: 1.2.3}\nport: 0\nwho: 1\n").splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4"]


def accepted_or_refused(data: bytes) -> None:
    """Nothing but a configuration or one clear refusal may come out."""
    try:
        load_text(data, FILE)
    except ConfigError as error:
        refusal = str(error)
    else:
        return
    assert refusal


@given(st.binary(max_size=300))
def test_any_bytes_are_a_configuration_or_a_clear_refusal(data: bytes) -> None:
    accepted_or_refused(data)


@given(st.text(alphabet="vipserclab:{}[]-0123. \n'\"&*!|>#", max_size=120))
def test_any_yaml_like_text_is_a_configuration_or_a_clear_refusal(text: str) -> None:
    accepted_or_refused(text.encode())


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist: `vipkeeper init` writes one"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        ("a" * 64 + "\n", 0o644, "open to others: chmod 600"),
        ("short\n", 0o600, ":1:1: the key is shorter than 32 characters"),
        ("\n# nothing\n", 0o600, "holds no key"),
        (("x" * 40 + "\n") * 3, 0o600, "more than two keys"),
    ],
)
def test_bad_key_file_is_named(tmp_path: Path, content: str, mode: int, expected: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=expected):
        read_keys(path)


def test_missing_key_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_keys(tmp_path / "key")


def test_hexadecimal_key_is_bytes_and_two_keys_rotate(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("# new\n" + "ab" * 32 + "\nan old key that is long enough, as text\n")
    os.chmod(path, 0o600)
    first, second = read_keys(path)
    assert first == b"\xab" * 32
    assert second.startswith(b"an old key")
