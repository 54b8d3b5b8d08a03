"""`collect` on one host, `why --from` on another: the bundle carries what was seen, and no secret."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bundles import archive
from vipkeeper.cli.main import main
from vipkeeper.collect import files, live
from vipkeeper.collect.collector import Collector
from vipkeeper.collect.read import read
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.codec import dump, load
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.lint.load import Input

CASES = Path(__file__).resolve().parents[2] / "why" / "cases"


def case(name: str) -> tuple[Fact, ...]:
    return load((CASES / f"{name}.facts").read_text(encoding="utf-8"))[0]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A host whose collectors see the recorded case of a dead API server, with one file and one blind spot."""

    def see(target: Target) -> Iterator[Fact]:
        yield from case("one-of-one-api-dead")
        yield target.blind(Key.LEASE_HOLDER, "no credential", "kubectl")

    config = tmp_path / "config.yaml"
    config.write_text("token: planted\nwrite-kubeconfig-mode: '0640'\n")
    collector = Collector("recorded", frozenset(Key), see, limit=10.0)
    monkeypatch.setattr(live, "COLLECTORS", (collector,))
    monkeypatch.setattr(files, "live_inputs", lambda root: [Input(config)])
    return "10.10.10.100"


def test_what_was_collected_here_is_judged_elsewhere(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["collect", host, "--output", str(tmp_path)]) == 0
    said = capsys.readouterr()
    path = Path(said.out.strip())
    assert path.parent == tmp_path
    assert said.err == "could not be collected: 1; the bundle says what\n"
    assert main(["why", "--from", str(path), "--output", "json"]) == 1
    told = capsys.readouterr()
    assert [root["code"] for root in json.loads(told.out)["roots"]] == ["VK822"]
    assert told.err == "", "what a fact says already is not told twice"


def test_a_bundle_on_stdout_holds_no_secret(
    host: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["collect", host, "--output", "-"]) == 0
    with tarfile.open(fileobj=io.BytesIO(capfdbinary.readouterr().out)) as packed:
        whole = b"".join(f.read() for n in packed.getnames() if (f := packed.extractfile(n)))
    assert b"write-kubeconfig-mode" in whole
    assert b"planted" not in whole


def test_an_anonymised_bundle_is_judged_the_same(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hidden.tar.gz"
    assert main(["collect", host, "--anonymise", "--output", str(path)]) == 0
    capsys.readouterr()
    assert main(["why", "--from", str(path), "--output", "json"]) == 1
    out = capsys.readouterr().out
    assert [root["code"] for root in json.loads(out)["roots"]] == ["VK822"]
    assert "10.10.10." not in out


def test_a_bundle_that_is_there_is_not_written_over(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"mine")
    assert main(["collect", host, "--output", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"vipkeeper: --output: cannot write {path}: File ex")
    assert path.read_bytes() == b"mine"


def test_without_a_vip_there_is_nothing_to_look_at(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["collect"]) == 3
    assert "no file of this host names a VIP" in capsys.readouterr().err


def bundle(path: Path, facts: tuple[Fact, ...], *missing: str) -> Path:
    manifest = {"format": 1, "server": path.stem, "could_not_collect": list(missing)}
    files = {"manifest.json": json.dumps(manifest), "facts.ndjson": dump(facts)}
    packed = archive({f"vipkeeper-bundle/{name}": text for name, text in files.items()})
    path.write_bytes(packed.getvalue())
    return path


def test_bundles_of_several_servers_are_one_piece_of_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = case("quorum-lost-one-of-three")
    here = bundle(tmp_path / "cp1.tar.gz", tuple(f for f in facts if f.vantage != "worker1"))
    there = bundle(
        tmp_path / "worker1.tar.gz",
        tuple(f for f in facts if f.vantage == "worker1"),
        "etcd: no permission",
    )
    assert main(["why", "--from", str(here), str(there)]) == 1
    told = capsys.readouterr()
    assert "VK801  etcd has lost its quorum  [confirmed]" in told.out
    assert told.err == "worker1.tar.gz: etcd: no permission\n"
    main(["why", "--from", str(here)])
    assert "VK801  etcd has lost its quorum  [confirmed]" not in capsys.readouterr().out


def test_a_folder_into_which_a_bundle_was_unpacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = bundle(tmp_path / "cp1.tar.gz", case("one-of-one-api-dead"))
    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert main(["why", "--from", str(tmp_path / "unpacked")]) == 1
    assert "VK822" in capsys.readouterr().out


def test_vip_and_servers_of_the_command_line_hold_for_bundles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = bundle(tmp_path / "cp1.tar.gz", ())
    words = ["why", "192.0.2.100", "--servers", "cp1=192.0.2.11", "--output", "json"]
    main([*words, "--from", str(empty)])
    values = {f["key"]: f["value"] for f in json.loads(capsys.readouterr().out)["facts"]}
    assert values == {"vip": "192.0.2.100", "servers": ["cp1"]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"hello" * 999, "it is no tar archive, or it is damaged"),
        (archive({"a.txt": "x"}).getvalue(), "it is no bundle of vipkeeper or of Rancher's"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_bundle_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    path = tmp_path / "x.tar.gz"
    if content is not None:
        path.write_bytes(content)
    assert main(["why", "--from", str(path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vipkeeper: --from: {path}: {why}")


def test_a_bundle_of_a_later_format_is_nothing_to_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "later.tar.gz"
    path.write_bytes(archive({"vipkeeper-bundle/manifest.json": '{"format": 9}'}).getvalue())
    assert main(["why", "--from", str(path)]) == 3
    assert "format 9 is not known" in capsys.readouterr().err
    assert read(path).facts == ()
