"""Planted secrets never come out; what a diagnosis needs does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.collect.redact import redacted

KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIPLANTED\nplanted2==\n-----END EC PRIVATE KEY-----"

PLANTED = {
    "token of RKE2": "token: K10planted::server:planted",
    "drop-in with quotes": 'agent-token: "planted with spaces"',
    "value with spaces": "token: planted is not one word planted",
    "value on the next line": "token:\n  planted\nnode-name: cp1",
    "block": "password: |\n  planted\n  planted\nnode-name: cp1",
    "token in a log": "level=info msg=x token=planted123 done",
    "join command": "rke2 agent --token planted --server https://cp1:9345",
    "join command with =": "k3s server --agent-token=planted",
    "bare token": "found K10" + "ab" * 32 + "::server:planted in the log",
    "kubeadm": "kubeadm join --discovery abcdef.0123456789planted".replace("planted", "abcdef"),
    "environment": "RKE2_TOKEN=planted\nK3S_TOKEN='planted'",
    "keepalived": "  authentication {\n    auth_type PASS\n    auth_pass planted\n  }",
    "haproxy": "stats auth admin:planted",
    "pem": f"before\n{KEY}\nafter".replace("PLANTED", "planted"),
    "pem in json": '{"key": "-----BEGIN PRIVATE KEY-----\\nplanted\\n-----END PRIVATE KEY-----"}',
    "pem without an end": "-----BEGIN RSA PRIVATE KEY-----\nplanted\nplanted",
    "kubeconfig": "    client-key-data: cGxhbnRlZA==planted\n    token: planted",
    "bearer": "Authorization: Bearer planted-token-planted",
    "bearer in a log": 'curl -H "Authorization: Bearer planted.planted"',
    "basic": "proxy-authorization basic cGxhbnRlZA=planted",
    "jwt": "saw eyJhbGciOiJSUzI1NiJ9.eyJplanted.c2ln",
    "url": "datastore-endpoint: postgres://kine:planted@10.0.0.9:5432/kine",
    "mysql": 'datastore-endpoint: "mysql://kine:planted@tcp(10.0.0.9:3306)/kine"',
    "url with @": "datastore-endpoint is mysql://kine:pl@anted@tcp(10.0.0.9:3306)/kine".replace(
        "pl@", "x@pl"
    ),
    "mysql with @ and /": "kine:x@y/planted@tcp(10.0.0.9:3306)/kine",
    "proxy": "HTTP_PROXY=http://user:planted@proxy:3128",
    "env of a pod": "- name: bgp_peerpass\n  value: planted",
    "env of a pod, quoted": '- name: "bgp_peerpass"\n  value: "planted planted"',
    "env in json": '{"name":"bgp_peerpass","value":"planted"}',
    "peers of kube-vip": "- name: bgp_peers\n  value: 192.0.2.1:65000:planted:false",
    "json": '{"password": "planted", "user": "me"}',
    "json in a log": 'msg="{\\"password\\":\\"planted\\"}"',
    "s3": "etcd-s3-secret-key: planted\netcd-s3-access-key: planted",
    "secret key": "secretKey=planted;",
    "cookie": "Set-Cookie: R_SESS=planted",
    "a variable that ends so": "- name: BGP_PASS\n  value: planted",
    "a short word": "pass: planted",
    "wireguard": "PresharedKey = planted",
    "client of MySQL": "MYSQL_PWD=planted",
    "registry": '{"auths": {"reg": {"auth": "plantedplanted=="}}}',
    "registry in YAML": "    auth: plantedplanted==",
    "token of a forge": "cloned with ghp_plantedplantedplanted",
    "capitals": "PASSWORD: planted",
}


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_secret_does_not_come_out(name: str) -> None:
    assert "planted" not in redacted(PLANTED[name])
    assert "[redacted]" in redacted(PLANTED[name])


def test_a_kubeadm_token_and_an_access_key_do_not_come_out() -> None:
    assert "0123456789abcdef" not in redacted("join with abcdef.0123456789abcdef now")
    assert "AKIA" not in redacted("key AKIAIOSFODNN7EXAMPLE used")


@pytest.mark.parametrize(
    "text",
    [
        'failed to validate token: failed to get CA certs: Get "https://192.0.2.1:9345/cacerts": x',
        "token CA hash does not match the Cluster CA certificate hash: ab12 != cd34",
        "bootstrap data already found and encrypted with different token",
        "token is required to join a cluster",
        "does not exist, please pass --token to complete the restoration",
        "node-name: cp1\ntls-san:\n- 192.0.2.105\nserver: https://192.0.2.105:9345",
        "https://127.0.0.1:9345/v1-rke2/readyz: 500 Internal Server Error",
        "- name: address\n  value: 192.0.2.105\n- name: vip_interface\n  value: eth0",
        "2026-11-27T02:43:33.123456789Z stderr F etcdserver: no leader",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "passive: true\npass-through: none\nbypass=1\npwd",
        "authentication {\n  auth_type PASS\n}",
        "[fe80::1]:6443 LISTEN 0 4096 *:6443",
        "",
    ],
)
def test_what_a_diagnosis_needs_stays(text: str) -> None:
    assert redacted(text) == text


def test_what_follows_a_secret_stays() -> None:
    assert redacted("password:\n  a\n  b\nnode-name: cp1").endswith("\nnode-name: cp1")
    assert redacted(f"a\n{KEY}\nb") == "a\n[redacted]\nb"


@given(st.text(alphabet="token:= \n\"'-|{}\\,K10eyJ.@/secret", max_size=200))
def test_any_text_can_be_redacted_and_twice_is_once(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "token",
        "token:",
        "a",
        "-----BEGIN PRIVATE KEY-----",
        '\\"',
        "://a:",
        "name:",
        "eyJa.",
        "K10a",
    ],
)
def test_a_long_line_is_redacted_and_does_not_take_for_ever(unit: str) -> None:
    assert len(redacted(unit * (60_000 // len(unit)))) <= 60_000
