"""Our own bundle: what goes in comes out again, without secrets, and a hostile one does no harm."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bundles import HEALTHY, MADE, archive
from vipkeeper.collect import archive as tar
from vipkeeper.collect.bundle import FACTS, MANIFEST, Clock, Manifest, Text, file_name, save, write
from vipkeeper.collect.read import read, read_members
from vipkeeper.collect.reading import MOST_TROUBLES, Kind, Reading, Troubles
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Etcd, Key

AT = MADE * 1000
SAYS = Manifest("cp1", AT, "0.3.0", Clock(3600, True), could_not_collect=("etcd: no permission",))
FOUND = (
    Fact(Key.VIP, "192.0.2.105", at=AT, source="the question"),
    Fact(Key.SERVERS, ("cp1", "cp2"), at=AT),
    Fact(Key.VIP_PRESENT, True, "cp1", at=AT, source="ip addr", raw="inet 192.0.2.105/32 eth0"),
    Fact(Key.ETCD_HEALTH, Etcd.HEALTHY, "cp1", at=AT, source="/health"),
    Fact(
        Key.LOG, True, "cp1", aspect="etcd-no-leader", at=AT, raw="token=planted no leader on cp1"
    ),
    Fact(Key.ETCD_SLOW, None, "cp2", at=AT, unknown="password: planted was refused"),
)
TEXTS = (
    Text("etc/rancher/rke2/config.yaml", b"token: planted\nserver: https://192.0.2.105:9345\n"),
    Text("journal/rke2-server", b"x --token planted\nnode cp1 at 192.0.2.11 is fine\xff\n"),
    Text("../../etc/passwd", b"-----BEGIN PRIVATE KEY-----\nplanted"),
)


def written(names: tuple[str, ...] | None = None) -> bytes:
    out = io.BytesIO()
    write(out, SAYS, FOUND, TEXTS, names)
    return out.getvalue()


def opened(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        return {
            name: file.read().decode()
            for name in packed.getnames()
            if (file := packed.extractfile(name)) is not None
        }


def reading(data: io.BytesIO) -> Reading:
    troubles = Troubles()
    return read_members(tar.members(data, troubles), "", troubles)


def test_what_goes_in_comes_out_again() -> None:
    said = reading(io.BytesIO(written()))
    assert said.kind is Kind.VIPKEEPER
    assert (said.server, said.made_at) == ("cp1", AT)
    assert said.troubles == ("etcd: no permission",)
    assert said.facts[:4] == FOUND[:4]
    assert [f.key for f in said.facts] == [f.key for f in FOUND]


def test_no_secret_is_in_any_file_of_a_bundle() -> None:
    files = opened(written())
    assert not [path for path, text in files.items() if "planted" in text]
    assert (
        "server: https://192.0.2.105:9345"
        in files["vipkeeper-bundle/texts/etc/rancher/rke2/config.yaml"]
    )
    assert "cp1 at 192.0.2.11 is fine\ufffd" in files["vipkeeper-bundle/texts/journal/rke2-server"]


def test_every_file_is_below_one_folder() -> None:
    paths = list(opened(written()))
    assert paths[:2] == [MANIFEST, FACTS]
    assert "vipkeeper-bundle/texts/etc/passwd" in paths
    assert all(path.startswith("vipkeeper-bundle/") and ".." not in path for path in paths)


def test_the_same_content_gives_the_same_bytes() -> None:
    assert written() == written()


def test_an_anonymised_bundle_names_no_address_and_no_server() -> None:
    data = written(names=("corp.example",))
    whole = "\n".join(opened(data).values())
    assert "192.0.2" not in whole
    assert "cp1" not in whole
    assert "cp2" not in whole
    said = reading(io.BytesIO(data))
    values = {f.key: f for f in said.facts}
    vip = values[Key.VIP].value
    assert values[Key.VIP_PRESENT].raw == f"inet {vip}/32 eth0"
    assert values[Key.SERVERS].value == (values[Key.VIP_PRESENT].about, values[Key.ETCD_SLOW].about)
    assert said.server == values[Key.VIP_PRESENT].about
    assert values[Key.ETCD_HEALTH].value is Etcd.HEALTHY


def test_a_bundle_is_for_its_owner_and_replaces_nothing(tmp_path: Path) -> None:
    path = save(tmp_path, SAYS, FOUND, TEXTS)
    assert path.name == "vipkeeper-cp1-20261127T024333Z.tar.gz"
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path).facts[:4] == FOUND[:4]
    with pytest.raises(FileExistsError):
        save(tmp_path, SAYS, FOUND, TEXTS)
    hidden = save(tmp_path, SAYS, FOUND, TEXTS, names=())
    assert hidden.name == "vipkeeper-anonymised-20261127T024333Z.tar.gz"


def test_a_bundle_that_cannot_be_finished_is_removed(tmp_path: Path) -> None:
    def failing() -> Iterator[Text]:
        yield TEXTS[0]
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        save(tmp_path, SAYS, FOUND, failing())
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_file_is_plain() -> None:
    assert (
        file_name(Manifest("../../x y\n", AT, "")) == "vipkeeper-_.._x_y_-20261127T024333Z.tar.gz"
    )


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("{", "manifest.json: it is no JSON"),
        ("[" * 100_000, "manifest.json: it is no JSON"),
        ("[]", "manifest.json: format None is not known; this version reads 1"),
        ('{"format": 9}', "manifest.json: format 9 is not known; this version reads 1"),
    ],
)
def test_a_manifest_that_is_not_understood_is_told(manifest: str, told: str) -> None:
    said = reading(archive({MANIFEST: manifest, FACTS: ""}))
    assert said.troubles == (told,)
    assert said.facts == ()


def test_facts_that_are_none_are_told_and_the_others_read() -> None:
    lines = '{"key": "nonsense"}\n{"key": "vip", "value": "192.0.2.1"}\n' + "x\n" * 200
    said = reading(archive({MANIFEST: '{"format": 1, "server": 7, "made_at": -1}', FACTS: lines}))
    assert [f.value for f in said.facts] == ["192.0.2.1"]
    assert (said.server, said.made_at) == ("", 0)
    assert said.troubles[0] == "facts.ndjson: line 1: unknown key nonsense"
    assert len(said.troubles) == MOST_TROUBLES + 1
    assert said.troubles[-1] == "and 151 more troubles of this bundle"


def test_a_bundle_without_facts_says_so() -> None:
    said = reading(archive({MANIFEST: json.dumps({"format": 1})}))
    assert said.troubles == ("facts.ndjson: it is not in the bundle",)


def test_a_cut_bundle_gives_what_came_before_the_cut() -> None:
    data = gzip.decompress(written())
    said = reading(io.BytesIO(data[: data.index(b"no leader on cp1")]))
    *before, told = said.facts
    assert [f.key for f in before] == [f.key for f in FOUND[:4]]
    assert (told.key, told.unknown) == (Key.LOGS_READ, "it ends in the middle of a file")
    assert "the archive: it ends in the middle of a file" in said.troubles


@pytest.mark.parametrize("part", range(1, 20))
def test_a_cut_is_among_what_could_not_be_collected_wherever_it_is(
    part: int, tmp_path: Path
) -> None:
    data = written()
    path = tmp_path / "cp1.tar.gz"
    path.write_bytes(data[: len(data) * part // 20])
    said = read(path)
    assert any(not fact.known and fact.source == "the archive" for fact in said.facts) or (
        said.kind is None
    )


def test_a_folder_is_read_like_the_archive_it_came_from(tmp_path: Path) -> None:
    path = save(tmp_path, SAYS, FOUND, TEXTS)
    with tarfile.open(path) as packed:
        packed.extractall(tmp_path / "out", filter="data")
    assert read(tmp_path / "out").facts == read(path).facts
    assert read(tmp_path / "out" / "vipkeeper-bundle").facts == read(path).facts
    for name, text in HEALTHY.items():
        file = tmp_path / "rancher" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert read(tmp_path / "rancher", "192.0.2.105").server == "cp1"


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("cp9")
    folder = tmp_path / "bundle" / "systeminfo"
    folder.mkdir(parents=True)
    (folder / "hostname").symlink_to(secret)
    said = read(tmp_path / "bundle")
    assert said.server == ""
    assert said.troubles[0].startswith("systeminfo/hostname: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = read(tmp_path / "none.tar.gz")
    assert said.kind is None
    assert said.troubles == (f"{tmp_path}/none.tar.gz: No such file or directory",)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert read(empty).troubles == ("the archive: there is no file in it",)
