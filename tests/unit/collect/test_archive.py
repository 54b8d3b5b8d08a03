"""Archives of friends and of enemies: what is a plain file is read, everything else is told of."""

from __future__ import annotations

import gzip
import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.collect import archive
from vipkeeper.collect.archive import members
from vipkeeper.collect.reading import Troubles
from vipkeeper.collect.unpack import Unpacked, UnpackError


def packed(*entries: tuple[tarfile.TarInfo, bytes], layout: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as tar:
        for info, content in entries:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mtime = kind, link, 1700000000
    return info, content


def read(data: bytes) -> tuple[dict[str, bytes], tuple[str, ...]]:
    troubles = Troubles()
    files = {m.path: b"".join(m.content) for m in members(io.BytesIO(data), troubles)}
    return files, troubles.lines()


LONG = "a/" * 120 + "file"


@pytest.mark.parametrize("layout", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("squeeze", [gzip.compress, bytes])
def test_plain_files_of_every_format_are_read(layout, squeeze) -> None:  # type: ignore[no-untyped-def]
    name = LONG if layout != tarfile.USTAR_FORMAT else "b/" * 70 + "file"
    data = packed(
        entry("./one/", kind=tarfile.DIRTYPE),
        entry("./one/two", b"x" * 700),
        entry(name, b"long"),
        entry("empty"),
        layout=layout,
    )
    assert read(squeeze(data)) == ({"one/two": b"x" * 700, name: b"long", "empty": b""}, ())


def test_a_member_that_is_not_read_is_passed_over() -> None:
    data = gzip.compress(packed(entry("a", b"1" * 5000), entry("b", b"2" * 5000)))
    sizes = [(m.path, m.size, m.modified) for m in members(io.BytesIO(data), Troubles())]
    assert sizes == [("a", 5000, 1700000000), ("b", 5000, 1700000000)]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (entry("../../etc/passwd", b"x"), "../../etc/passwd: the name leads out of the archive"),
        (entry("/etc/passwd", b"x"), "/etc/passwd: the name leads out of the archive"),
        (entry("ok/../../x", b"x"), "ok/../../x: the name leads out of the archive"),
        (entry("l", kind=tarfile.SYMTYPE, link="/etc/shadow"), "l: a link; not read"),
        (entry("h", kind=tarfile.LNKTYPE, link="/etc/shadow"), "h: a hard link; not read"),
        (entry("sda", kind=tarfile.BLKTYPE), "sda: a device; not read"),
        (entry("tty", kind=tarfile.CHRTYPE), "tty: a device; not read"),
        (entry("p", kind=tarfile.FIFOTYPE), "p: a pipe; not read"),
        (entry("S", b"x", kind=b"S"), "S: no plain file; not read"),
        (entry("n\x1b[2Jew\n", kind=tarfile.SYMTYPE), "n\\x1b[2Jew\\n: a link; not read"),
    ],
)
def test_what_is_no_plain_file_is_told_and_the_rest_is_read(
    bad: tuple[tarfile.TarInfo, bytes], told: str
) -> None:
    files, troubles = read(packed(bad, entry("after", b"fine")))
    assert files == {"after": b"fine"}
    assert len(troubles) == 1
    assert troubles[0].startswith(told)


def test_a_cut_archive_gives_what_came_before_the_cut() -> None:
    noise = os.urandom(3 << 20)
    whole = gzip.compress(packed(entry("first", b"1"), entry("second", noise)))
    troubles = Troubles()
    seen = []
    for member in members(io.BytesIO(whole[: len(whole) // 2]), troubles):
        seen.append(member.path)
        assert sum(map(len, member.content)) <= member.size
    assert seen == ["first", "second"]
    assert troubles.lines() == ("the archive: it ends in the middle of the compressed data",)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ()),
        (b"not an archive", ("the archive: it ends in the middle of a header",)),
        (b"PK\x03\x04" + b"z" * 2000, ("the archive: it is no tar archive, or it is damaged",)),
        (gzip.compress(b"text\n" * 1000), ("the archive: it is no tar archive, or it is damaged",)),
    ],
)
def test_what_is_no_archive_is_told(data: bytes, told: tuple[str, ...]) -> None:
    assert read(data) == ({}, told)


def test_a_bomb_ends_at_the_limit_and_is_never_held_at_once() -> None:
    bomb = io.BytesIO(gzip.compress(bytes(20 << 20)))
    source = Unpacked(bomb, limit=5 << 20)
    sizes: list[int] = []
    with pytest.raises(UnpackError, match="more than is read"):
        sizes.extend(len(source.some(1 << 30)) for _ in range(100))
    assert sum(sizes) <= 5 << 20
    assert all(size <= 1 << 20 for size in sizes)


def test_a_header_that_promises_a_giant_name_is_refused() -> None:
    data = packed(entry("x" * 70000, b"1"))
    assert read(data) == ({}, ("the archive: a header is larger than any name",))


def test_members_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    files, troubles = read(packed(*(entry(f"f{n}") for n in range(9))))
    assert sorted(files) == ["f0", "f1", "f2"]
    assert troubles == ("the archive: it has more than 3 files; the rest was not read",)


@given(st.binary(max_size=3000), st.booleans())
def test_any_bytes_are_an_archive_or_a_trouble(data: bytes, squeeze: bool) -> None:
    read(gzip.compress(data) if squeeze else data)


@given(st.integers(0, 2047), st.integers(0, 255))
def test_a_damaged_archive_is_read_or_told(at: int, byte: int) -> None:
    data = bytearray(packed(entry("one", b"1" * 600), entry("two", b"2")))
    data[at % len(data)] = byte
    read(bytes(data))
