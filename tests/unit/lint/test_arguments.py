"""The arguments of a unit are settings, with their places."""

from __future__ import annotations

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers import systemd
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.settings import Settings, merge
from vipkeeper.lint.source import from_text

K3S = "etc/systemd/system/k3s.service"


def merged(command: str, config: str = "", file: str = K3S) -> Settings:
    unit = systemd.parse(from_text(f"[Service]\nExecStart={command}\n", file), Kind.SYSTEMD_UNIT)
    settings = parse(from_text(config, "etc/rancher/k3s/config.yaml")) if config else None
    return merge((*unit.documents, *(settings.documents if settings else ())))


def texts(settings: Settings, name: str) -> list[str]:
    return [value.text for value in settings.values(name)]


def test_lines_that_go_on_keep_their_places() -> None:
    settings = merged(
        "/usr/local/bin/k3s \\\n    server \\\n    # no\n\t'--node-ip' \\\n\t'10.0.0.1'"
    )
    value = settings.value("node-ip")
    assert value is not None
    assert (value.text, value.span.line, value.span.column) == ("10.0.0.1", 6, 2)


def test_the_value_behind_an_equals_sign_has_its_own_place() -> None:
    value = merged("/usr/local/bin/k3s server --node-ip=10.0.0.1 --debug").value("node-ip")
    assert value is not None
    assert (value.span.column, value.span.end_column) == (47, 55)


def test_arguments_go_on_with_lists_and_replace_the_rest() -> None:
    settings = merged(
        "/usr/local/bin/k3s server --tls-san b --tls-san c --token new --cluster-init",
        "tls-san: [a]\ntoken: old\n",
    )
    assert texts(settings, "tls-san") == ["a", "b", "c"]
    assert texts(settings, "token") == ["new"]
    assert settings.is_true("cluster-init")


def test_what_is_not_known_is_passed_over() -> None:
    settings = merged("/usr/local/bin/k3s server --bogus x --token $TOKEN --node-ip")
    assert list(settings) == []


def test_other_programs_and_roles_give_nothing() -> None:
    assert list(merged("/usr/bin/other server --token a")) == []
    assert list(merged("/usr/local/bin/k3s agent --token a")) == []
    agent = merged(
        "/usr/local/bin/k3s agent --token a", file="etc/systemd/system/k3s-agent.service"
    )
    assert texts(agent, "token") == ["a"]
