"""Findings are about the release that runs: from the image, from an option, or not known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vipkeeper.catalog.entry import Confidence, Severity, Software, VersionRange
from vipkeeper.catalog.page import markdown
from vipkeeper.cli.lint import parse_given
from vipkeeper.errors import UsageError
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.registry import all_rules, catalog
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.run import Selection, run

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-vip}
spec:
  hostNetwork: true
  containers:
    - image: ghcr.io/kube-vip/kube-vip:TAG
      args: [ARG]
      env:
        - {name: cp_enable, value: "true"}
        - {name: vip_cidr, value: "24"}
        - {name: health_check_port, value: "8080"}
        - {name: vip_leaseduration, value: "10"}
"""


def found(path: Path, code: str, *options: str) -> list[Finding]:
    cluster = load([Input(path)], parse_given(options))
    return list(run(cluster, date(2027, 1, 1), Selection(select=(code,))).findings)


def pod(folder: Path, tag: str, arg: str = "manager") -> Path:
    path = folder / "kube-vip.yaml"
    path.write_text(POD.replace("TAG", tag).replace("ARG", arg), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("code", "arg", "inside", "outside"),
    [
        ("VK219", "manager", ["v0.9.0", "v1.2.3"], ["v0.8.9"]),
        ("VK223", "manager", ["v1.1.0", "v1.2.3"], ["v1.0.4", "v1.2.4"]),
        ("VK212", "start", ["v0.8.0"], ["v0.7.2"]),
        ("VK212", "oops", ["v0.7.2", "v1.0.0"], []),
        ("VK226", "manager", ["v1.0.0", "v1.0.4"], ["v0.9.9", "v1.0.5", "latest"]),
        ("VK202", "manager", ["v1.1.0"], ["v1.0.9"]),
    ],
)
def test_the_tag_of_the_image_decides(
    tmp_path: Path, code: str, arg: str, inside: list[str], outside: list[str]
) -> None:
    assert [t for t in inside + outside if found(pod(tmp_path, t, arg), code)] == inside


def test_a_release_that_no_file_says_is_said_to_be_unknown(tmp_path: Path) -> None:
    (finding,) = found(pod(tmp_path, "latest"), "VK219")
    assert finding.confidence is Confidence.LIKELY
    assert "kube-vip since v0.9.0; which release runs is not known" in finding.message


def test_the_option_counts_where_the_file_says_nothing_and_only_there(tmp_path: Path) -> None:
    (finding,) = found(pod(tmp_path, "latest"), "VK219", "--release", "kube-vip=v1.0")
    assert finding.confidence is Confidence.CERTAIN
    assert "not known" not in finding.message
    assert not found(pod(tmp_path, "latest"), "VK219", "--release", "kube-vip=v0.8")
    assert found(pod(tmp_path, "v1.2.3"), "VK219", "--release", "kube-vip=v0.8")


@pytest.mark.parametrize(
    ("release", "severity", "told"),
    [
        ("2.2.7", Severity.ERROR, False),
        ("2.4.0", Severity.WARNING, False),
        (None, Severity.ERROR, True),
    ],
)
def test_keepalived_by_option(
    tmp_path: Path, release: str | None, severity: Severity, *, told: bool
) -> None:
    for name, vips in (("cp1", "10.0.0.9 10.0.0.8"), ("cp2", "10.0.0.9")):
        path = tmp_path / name / "keepalived.conf"
        path.parent.mkdir()
        block = "\n".join(vips.split())
        path.write_text(
            "vrrp_instance A {\n virtual_router_id 9\n virtual_ipaddress {\n" + block + "\n}\n}\n",
            encoding="utf-8",
        )
    options = ["--release", f"keepalived={release}"] if release else []
    (finding,) = found(tmp_path, "VK316", *options)
    assert finding.severity is severity
    assert ("not known" in finding.message) is told


@pytest.mark.parametrize("word", ["keepalived", "keepalived=new", "nginx=1.2", "=1"])
def test_a_release_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="expected PROGRAM=VERSION"):
        parse_given(["--release", word])


def test_the_pages_say_which_releases_a_rule_is_about() -> None:
    page = markdown(next(e for e in catalog().entries if e.code == "VK223"))
    assert "* applies to: kube-vip since v1.1.0 before v1.2.4\n" in page
    assert str(VersionRange(Software.KEEPALIVED)) == "keepalived"


def test_a_rule_names_releases_of_one_program() -> None:
    for registered in all_rules():
        assert len({versions.software for versions in registered.rule.versions}) <= 1
