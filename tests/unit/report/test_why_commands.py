"""What is to be pasted into a shell stands whole on a line, in every answer."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from vipkeeper.diagnose.engine import Assessment, Diagnosis, Standing, Verdict, diagnose
from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.hypothesis import Hypothesis, Risk, Step
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.report.style import Style
from vipkeeper.report.why import html, markdown, text
from vipkeeper.report.why import json as report_json

HYPOTHESES = {r.hypothesis.code: r.hypothesis for r in all_hypotheses()}


def confirmed(hypothesis: Hypothesis) -> Diagnosis:
    cause = Assessment(hypothesis, Standing.CONFIRMED, (), (), (), (), ())
    none = diagnose(Evidence(()), ())
    return replace(
        none,
        verdict=Verdict.ROOT_CAUSE,
        roots=(cause,),
        next_probe=next(iter(hypothesis.probes), None),
    )


@pytest.mark.parametrize("code", sorted(HYPOTHESES))
def test_no_command_is_broken(code: str) -> None:
    hypothesis = HYPOTHESES[code]
    diagnosis = confirmed(hypothesis)
    commands = {step.command for step in hypothesis.fixes if step.command}
    commands |= {probe.command for probe in hypothesis.probes[:1]}
    plain = text.render(diagnosis, str, Style(color=False, ascii=False))
    pasted = markdown.render(diagnosis, str)
    for told in (plain, pasted):
        assert commands <= {line.strip() for line in told.splitlines()}
    assert set(hypothesis.verify) <= {line.strip() for line in plain.splitlines()}


def test_who_resets_a_cluster_is_told_to_start_it_again_whatever_the_exit_code_of_the_reset() -> (
    None
):
    found = 0
    for hypothesis in HYPOTHESES.values():
        for step, then in pairwise(hypothesis.fixes):
            if "--cluster-reset" in step.command:
                found += 1
                assert "other server" in step.text
                assert "take `server` out" in step.text
                assert step.command.endswith("--cluster-reset")
                assert (then.command, then.risk) == ("systemctl start rke2-server", step.risk)
                assert "has been reset" in then.only_if
    assert found == 3


def test_data_is_moved_away_only_where_the_server_then_joins_another() -> None:
    """Without data and without `server` it would begin a cluster of its own; with `rm` the snapshots would go."""
    steps = [step for h in HYPOTHESES.values() for step in h.fixes if "server/db" in step.command]
    moved = [step for step in steps if "server/db " in f"{step.command} "]
    assert len(moved) >= 5
    for step in moved:
        words = step.command.split("; ")
        assert [word.split()[0] for word in words] == ["systemctl", "mv", "systemctl"], step.text
        assert "`server` in its configuration names another server" in step.only_if, step.text
    assert not any("rm -" in step.command for h in HYPOTHESES.values() for step in h.fixes)


@pytest.mark.parametrize(
    ("vip", "typed"),
    [
        ("192.0.2.100", ["curl -sk https://192.0.2.100:6443/ping", "arping -c 3 192.0.2.100"]),
        (
            "2001:db8::100",
            ["curl -sk https://[2001:db8::100]:6443/ping", "arping -c 3 2001:db8::100"],
        ),
        ("x; reboot", ["curl -sk https://VIP:6443/ping", "arping -c 3 VIP"]),
    ],
)
def test_a_command_has_the_vip_in_it_and_nothing_that_is_no_address(
    vip: str, typed: list[str]
) -> None:
    steps = ("curl -sk https://VIP:6443/ping", "arping -c 3 VIP")
    tried = replace(HYPOTHESES["VK866"], fixes=tuple(Step(Risk.SAFE, "look", s) for s in steps))
    diagnosis = replace(confirmed(tried), evidence=Evidence([Fact(Key.VIP, vip)]))
    plain = text.render(diagnosis, str, Style(color=False, ascii=False))
    assert set(typed) <= {line.strip() for line in plain.splitlines()}
    assert set(typed) <= {line.strip() for line in markdown.render(diagnosis, str).splitlines()}
    page = html.render(diagnosis, str)
    assert all(f"<code>{command}</code>" in page for command in typed)
    told = json.loads(report_json.render(diagnosis, str))
    assert [step["command"] for step in told["roots"][0]["fixes"]] == typed


def test_no_step_stops_the_supervisor_to_be_rid_of_the_vip() -> None:
    """The address and kube-vip's container outlive it: that is a cause of its own, VK825."""
    stops = [
        step
        for hypothesis in HYPOTHESES.values()
        for step in hypothesis.fixes
        if step.command == "systemctl stop rke2-server"
    ]
    assert not [step.text for step in stops if "VIP" in step.text]


def test_a_reload_of_the_packet_filter_is_not_called_safe() -> None:
    """It takes the rules of kube-proxy and the CNI along until they are written again."""
    steps = [step for h in HYPOTHESES.values() for step in h.fixes if "--reload" in step.command]
    assert {step.risk for step in steps} == {Risk.DISRUPTIVE}
