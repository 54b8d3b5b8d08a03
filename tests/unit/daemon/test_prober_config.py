from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.core.events import CheckName, HealthSampled, Outcome
from vipkeeper.daemon.prober.config import (
    ApiCheck,
    ExecCheck,
    HttpCheck,
    ProberConfig,
    TcpCheck,
    Tls,
    preset,
)
from vipkeeper.daemon.prober.lines import (
    DETAIL_LIMIT,
    HEARTBEAT,
    LINE_LIMIT,
    OTHER_VERSION,
    decode,
    encode,
)

EXTRA = (
    TcpCheck("10.0.0.1", 80, timeout=0.5),
    ExecCheck(("/bin/check", "--all")),
    HttpCheck("::1", 8080, "/ok", status=204),
)


def api(config: ProberConfig) -> ApiCheck:
    (check,) = (check for check in config.checks if isinstance(check, ApiCheck))
    return check


def supervisor(config: ProberConfig) -> HttpCheck | None:
    found = [check for check in config.checks if check.name is CheckName.SUPERVISOR]
    assert len(found) <= 1
    assert all(isinstance(check, HttpCheck) for check in found)
    return found[0] if found else None  # type: ignore[return-value]


def test_rke2_has_api_etcd_and_supervisor_on_their_own_ports() -> None:
    config = preset("rke2")
    check = api(config)
    ping = supervisor(config)
    assert (check.address, check.port, check.path) == ("127.0.0.1", 6443, "/readyz")
    assert check.etcd is not None
    assert (check.etcd.port, check.etcd.data_directory) == (
        2381,
        "/var/lib/rancher/rke2/server/db/etcd",
    )
    assert ping is not None
    assert (ping.port, ping.path, ping.status) == (9345, "/ping", 200)
    assert ping.tls is not None


def test_k3s_serves_its_supervisor_on_the_api_port_wherever_that_is() -> None:
    ping = supervisor(preset("k3s", api_port=7443))
    assert ping is not None
    assert ping.port == 7443


def test_kubeadm_has_no_supervisor_and_etcd_in_its_own_place() -> None:
    config = preset("kubeadm")
    assert supervisor(config) is None
    etcd = api(config).etcd
    assert etcd is not None
    assert etcd.data_directory == "/var/lib/etcd"


def test_the_client_certificate_is_shown_to_the_api_server_only() -> None:
    config = preset("rke2", tls=Tls(ca_file="ca", certificate_file="cert", key_file="key"))
    ping = supervisor(config)
    assert api(config).tls.key_file == "key"
    assert ping is not None
    assert ping.tls == Tls(ca_file="ca")


def test_none_has_the_users_checks_only() -> None:
    assert preset("none").checks == ()
    assert preset("none", extra=EXTRA).checks == EXTRA


def test_an_unknown_distribution_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'rke3'.*rke2, k3s, kubeadm, none"):
        preset("rke3")


@pytest.mark.parametrize("distribution", ["rke2", "k3s", "kubeadm", "none"])
def test_a_configuration_survives_the_pipe_on_one_line(distribution: str) -> None:
    config = preset(distribution, tls=Tls(server_name="kubernetes"), extra=EXTRA)
    text = config.to_json()
    assert "\n" not in text
    assert ProberConfig.from_json(text) == config


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"checks": 1}',
        '{"checks": [{"type": "smtp"}]}',
        '{"checks": [{"type": "tcp"}]}',
        '{"checks": [{"type": "tcp", "address": "a", "port": 1, "colour": "red"}]}',
    ],
)
def test_anything_else_is_no_configuration(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own message for some
        ProberConfig.from_json(text)


def test_the_process_refuses_a_wrong_configuration_with_one_line() -> None:
    command = [sys.executable, "-m", "vipkeeper.daemon.prober"]
    done = subprocess.run(
        command, input="?\n", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == OTHER_VERSION
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "vipkeeper run" in done.stderr


@given(st.sampled_from(CheckName), st.sampled_from(Outcome), st.text())
def test_a_sample_survives_the_pipe_whatever_its_detail(
    name: CheckName, outcome: Outcome, detail: str
) -> None:
    line = encode(HealthSampled(name, outcome, detail))
    assert line.count(b"\n") == 1
    assert len(line) <= LINE_LIMIT
    sample = decode(line)
    assert sample is not None
    assert (sample.check, sample.outcome) == (name, outcome)
    assert len(sample.detail) <= DETAIL_LIMIT
    assert sample.detail.isprintable()


def test_a_heartbeat_is_no_sample() -> None:
    assert decode(HEARTBEAT) is None


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_other_line_is_refused_by_name(line: bytes) -> None:
    try:
        assert decode(line) is None
    except ValueError:
        return
    assert json.loads(line) == {}


@pytest.mark.parametrize("key", ["check", "outcome", "detail"])
@pytest.mark.parametrize("value", [None, 1, [], {}, "nonsense" * 2])
def test_a_line_with_one_wrong_field_is_refused(key: str, value: object) -> None:
    if key == "detail" and isinstance(value, str):
        return
    record = {"check": "api", "outcome": "ok", "detail": "", key: value}
    with pytest.raises(ValueError):  # noqa: PT011 - of the enum, for some
        decode(json.dumps(record).encode())
