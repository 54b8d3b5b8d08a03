"""What `lint` and `explain` write, and the schemas that are made from the tables, judged by validators.

SARIF and JUnit are judged by the schemas of others (`schemas/README.md`). Of our own schemas two things must
hold: what the rules find right they let pass, and what a rule of theirs refuses they refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xmlschema
import yaml
from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker

from support.lint_cases import Case, cases
from vipkeeper.cli.main import main
from vipkeeper.lint.kinds import K3S, RKE2
from vipkeeper.lint.parsers.config_file import ConfigFile
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.recognise import parse
from vipkeeper.lint.source import Source, read
from vipkeeper.report.lint import json as json_report
from vipkeeper.report.lint import junit, sarif

pytestmark = pytest.mark.oracle

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINT = Path(__file__).resolve().parents[1] / "lint"
FOREIGN = Path(__file__).parent / "schemas"
NAMES = sorted(path.name.removesuffix(".schema.json") for path in DOCS.glob("*.schema.json"))
BAD = sorted((LINT / "fixtures").glob("VK*/bad"))
CASES = [
    *(Case(path) for path in sorted((LINT / "corpus").iterdir()) if path.is_dir()),
    *(case for folder in BAD for case in cases(folder)),
]
REFUSED = ("VK104", "VK106", "VK107", "VK119", "VK121", "VK122", "VK123", "VK124", "VK136", "VK141")
"""Rules about one value, each of which a schema can say; VK701 is ours."""

OCTAL = LINT / "fixtures/VK125/ok/number.yaml"
"""Right for that rule and refused by VK106."""


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def validator(name: str, *, close: bool = False) -> Draft202012Validator:
    schema = loaded(DOCS / f"{name}.schema.json")
    return Draft202012Validator(closed(schema) if close else schema, format_checker=FormatChecker())


def closed(schema: Any) -> Any:
    """The schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    return inner | {"additionalProperties": False} if "properties" in schema else inner


def errors(name: str, document: Any, *, close: bool = False) -> list[str]:
    judge = validator(name, close=close)
    return [f"{error.json_path}: {error.message}" for error in judge.iter_errors(document)]


def configurations(folders: Iterator[Path]) -> Iterator[tuple[Path, str]]:
    """Files with a schema of ours below these folders, and its name."""
    for path in sorted(path for folder in folders for path in folder.rglob("*.y*ml")):
        source = read(path, str(path))
        parsed = parse(source) if isinstance(source, Source) else None
        for document in parsed.documents if parsed else ():
            if isinstance(document, ConfigFile) and document.kind in (*RKE2, *K3S):
                yield path, "k3s-config" if document.kind in K3S else "rke2-config"
            elif isinstance(document, OwnConfig):
                yield path, "cluster"


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(loaded(DOCS / f"{name}.schema.json"))


def test_what_the_rules_find_right_passes() -> None:
    right = (*(LINT / "fixtures").glob("VK*/ok"), *(LINT / "corpus").glob("*-ok"))
    judged = set()
    for path, name in configurations(iter(right)):
        judged.add(name)
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path != OCTAL:
            assert errors(name, document) == [], path.relative_to(LINT)
    assert judged == {"rke2-config", "k3s-config", "cluster"}


@pytest.mark.parametrize("code", [*REFUSED, "VK701"])
def test_what_a_rule_refuses_is_refused(code: str) -> None:
    found = list(configurations(iter([LINT / "fixtures" / code / "bad"])))
    assert found
    assert any(errors(name, yaml.safe_load(path.read_text("utf-8"))) for path, name in found)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("cluster", {"vip": "10.10.10.100"}),
        ("cluster", {"vip": "10.10.10.300", "servers": {"cp1": "10.10.10.11"}}),
        ("cluster", {"vip": "10.10.10.100", "servers": {"cp1": "10.10.10.11"}, "port": 6443}),
        ("cluster", {"vip": "fd00::100", "servers": {"cp1": "fd00::11"}, "advert_interval": "0.1"}),
        ("rke2-config", {"tls-san": {"vip": "10.10.10.100"}}),
        ("rke2-config", {"cluster-init": True}),
        ("rke2-config", ["tls-san"]),
        ("k3s-config", {"cni": "cilium"}),
        ("k3s-config", {"etcd-s3-timeout": "30"}),
    ],
)
def test_a_mistake_is_refused(name: str, document: Any) -> None:
    assert errors(name, document)


def test_keys_and_lists_may_be_written_in_every_way() -> None:
    document = {
        "tls-san+": "a,b",
        "t": 12345,
        "cni": ["multus", "canal"],
        "node-label": ["a=b"],
        "debug": "yes",
        "disable": None,
    }
    assert len(errors("rke2-config", document)) == 1, "only 'yes' in quotes is no switch"
    assert errors("rke2-config", document | {"debug": True}) == []
    assert errors("rke2-config", None) == [], "a file with comments only"


@pytest.mark.parametrize("name", ["rke2-config", "k3s-config"])
def test_modes_pass_as_the_rules_let_them(name: str) -> None:
    for text, right in (
        ('"0644"', True),
        ('"600"', True),
        ("644", True),
        ("0644", False),
        ("0600", False),
        ("'0666'", False),
        ("u=rw", False),
    ):
        document = yaml.safe_load(f"write-kubeconfig-mode: {text}")
        assert (errors(name, document) == []) is right, text


def test_every_key_of_the_product_is_in_its_schema() -> None:
    for name, own, foreign in (
        ("rke2-config", "cni", "flannel-backend"),
        ("k3s-config", "flannel-backend", "cni"),
    ):
        keys = loaded(DOCS / f"{name}.schema.json")["properties"]
        assert own in keys
        assert foreign not in keys


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_output_follows_its_schema(case: Case) -> None:
    outcome = case.lint()
    written = json.loads(json_report.render(outcome))
    assert errors("lint", written, close=True) == []
    judge = Draft4Validator(foreign_json("sarif-2.1.0-rtm.5.json"), format_checker=FormatChecker())
    log = json.loads(sarif.render(outcome))
    assert [f"{e.json_path}: {e.message}" for e in judge.iter_errors(log)] == []
    assert [str(e.reason) for e in junit_schema().iter_errors(junit.render(outcome))] == []


@cache
def foreign_json(name: str) -> Any:
    return loaded(FOREIGN / name)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(FOREIGN / "junit-10.xsd")


def test_a_wrong_log_is_noticed() -> None:
    log = json.loads(sarif.render(CASES[0].lint()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert list(Draft4Validator(foreign_json("sarif-2.1.0-rtm.5.json")).iter_errors(log))
    assert not junit_schema().is_valid("<testsuites><testsuite/></testsuites>")


def test_explanations_follow_their_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--list", "--output", "json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert errors("explain", written, close=True) == []
    assert len(written["codes"]) > 150
    old = {"code": "VK999", "name": "old", "retired": True, "since": "0.2.0", "reason": "it went"}
    assert errors("explain", written | {"codes": [old]}, close=True) == []
    assert errors("explain", written | {"codes": [old | {"retired": False}]})
