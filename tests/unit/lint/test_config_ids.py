"""Lines of keepalived behind `@ID`: judged where it is known under which id each server's keepalived runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vipkeeper.lint.facts import Given
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding
from vipkeeper.lint.run import run

CONF = """\
@first $PRIORITY=200
@^first $PRIORITY=100
vrrp_instance API {
    priority $PRIORITY
    interface eth0
    virtual_router_id 61
    advert_int 1
    @second advert_int 3
    virtual_ipaddress {
        10.10.10.100
    }
}
"""
CONF_PATH = "etc/keepalived/keepalived.conf"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def priorities(inputs: list[Input], given: Given = Given()) -> dict[str, int]:  # noqa: B008
    cluster = load(inputs, given)
    return {
        server.name: conf.instances[0].priority
        for server in cluster.servers
        for conf in server.all(Keepalived)
        if not conf.instances[0].block.is_conditional
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/default/keepalived", 'DAEMON_ARGS="-D -i first"\n'),
        ("etc/sysconfig/keepalived", "KEEPALIVED_OPTIONS=--config-id=first\n"),
        (
            "etc/systemd/system/keepalived.service.d/a.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/keepalived -n --config-id first\n",
        ),
    ],
)
def test_the_id_is_read_where_the_server_is_told(path: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, {CONF_PATH: CONF, path: text})
    assert priorities([Input(tmp_path, "lb1")]) == {"lb1": 200}


@pytest.mark.parametrize(
    ("options", "priority"),
    [
        ("-Di other", 100),
        ("-Diother", 100),
        ("-lnDi first", 200),
        ("-pfirst -i other", 100),
        ("-p -i", 200),
        ("--pid -iother", 200),
        ("-M/x/i%e -i other", 100),
        ("-tifirst -i other", 100),
        ("--config-i other", 100),
        ("--config-test=-iother", 200),
        ("-i first -i other", 100),
        ("-D -- -i other", 200),
    ],
)
def test_options_are_read_as_getopt_reads_them(options: str, priority: int, tmp_path: Path) -> None:
    """The folder is named as the other id, which counts where the options give none."""
    write(tmp_path, {CONF_PATH: CONF, "etc/default/keepalived": f'DAEMON_ARGS="{options}"\n'})
    assert priorities([Input(tmp_path, "first")]) == {"first": priority}


def test_without_an_id_nothing_is_assumed(tmp_path: Path) -> None:
    write(tmp_path, {CONF_PATH: CONF})
    assert priorities([Input(tmp_path, "lb1")]) == {}


def test_this_host_has_a_name(tmp_path: Path) -> None:
    write(tmp_path, {CONF_PATH: CONF})
    assert priorities([Input(tmp_path, "this host")], Given(host="first")) == {"this host": 200}


def test_one_file_for_servers_named_as_the_ids_is_compared(tmp_path: Path) -> None:
    """Each server's lines are compared: the intervals differ, which only the ids show."""
    write(tmp_path, {"first/etc/rancher/rke2/config.yaml": "token: abc\n"})
    write(tmp_path, {"second/etc/rancher/rke2/config.yaml": "token: abc\n"})
    write(tmp_path, {"keepalived.conf": CONF})
    inputs = [Input(tmp_path / name, name) for name in ("first", "second")]
    inputs.append(Input(tmp_path / "keepalived.conf"))
    assert priorities(inputs) == {"first": 200, "second": 100}
    codes = {finding.code for finding in run(load(inputs), date(2026, 6, 1)).findings}
    assert "VK326" not in codes
    assert "VK313" in codes


def findings(folder: Path, conf: str, code: str) -> list[Finding]:
    write(folder, {CONF_PATH: conf})
    outcome = run(load([Input(folder, "lb1")]), date(2026, 6, 1))
    return [finding for finding in outcome.findings if finding.code == code]


INSTANCE = """\
vrrp_instance API {{
    interface eth0
    virtual_router_id 61
    {}
    virtual_ipaddress {{
        10.10.10.100
    }}
}}
"""


@pytest.mark.parametrize(
    ("lines", "confidence", "whose"),
    [
        ("@a state MASTER\n@b state BACKUP\nnopreempt", Confidence.LIKELY, "id is 'a')"),
        ("@a state MASTER\n@^a state MASTER\nnopreempt", None, ""),
        ("@a state MASTER\n@b state MASTER\n@c state BACKUP\nnopreempt", Confidence.LIKELY, "'b'"),
        ("@^a state MASTER\nnopreempt", Confidence.LIKELY, "id is not 'a')"),
        ("state MASTER\nnopreempt\n@a priority 200", Confidence.CERTAIN, "state is MASTER"),
    ],
)
def test_a_finding_that_only_some_ids_make_is_likely_and_names_them(
    lines: str, confidence: Confidence | None, whose: str, tmp_path: Path
) -> None:
    found = findings(tmp_path, INSTANCE.format(lines), "VK311")
    assert {finding.confidence for finding in found} == {confidence or Confidence.CERTAIN}
    assert all(whose in finding.message for finding in found)


def test_lines_of_different_ids_make_no_finding_together(tmp_path: Path) -> None:
    """Neither keepalived has both lines."""
    lines = "@a state MASTER\n@b state BACKUP\n@b nopreempt"
    assert findings(tmp_path, INSTANCE.format(lines), "VK311") == []


def test_every_line_that_hangs_on_the_id_is_named(tmp_path: Path) -> None:
    lines = "@a state MASTER\n@b state BACKUP\n@a priority 200"
    (found,) = findings(tmp_path, INSTANCE.format(lines), "VK326")
    assert [related.span.line for related in found.related] == [5, 6]
