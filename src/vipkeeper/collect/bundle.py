"""Our own bundle: what `vipkeeper collect` writes. The format is described in docs/bundle.md."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from vipkeeper.collect.anonymise import Anonymiser
from vipkeeper.collect.archive import Member
from vipkeeper.collect.reading import Kind, Reading, Troubles
from vipkeeper.collect.redact import redacted
from vipkeeper.diagnose import codec
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.logtime import moment

FORMAT = 1
FOLDER = "vipkeeper-bundle"
MANIFEST = f"{FOLDER}/manifest.json"
FACTS = f"{FOLDER}/facts.ndjson"
LONGEST_TEXT = 8 << 20
"""Bytes of a text that are kept: its end, where the last hours are."""
_LARGEST_MANIFEST = 256 * 1024
_MOST_FACTS = 32 << 20
"""Bytes of facts that are read."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the server as it was when the bundle was made."""

    offset_s: int | None = None
    """Seconds that local time is ahead of UTC; None: unknown."""
    synchronised: bool | None = None
    """Whether the kernel says that something keeps it right; None: unknown."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself."""

    server: str
    made_at: int
    """Milliseconds since 1970 by the server's clock."""
    vipkeeper: str
    """The version that wrote it."""
    clock: Clock = Clock()
    anonymised: bool = False
    could_not_collect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text that facts were read from: the output of a command, a file, the end of a log."""

    name: str
    """Letters, digits and '-_.'; '/' between folders."""
    content: bytes


def file_name(manifest: Manifest) -> str:
    """The name of the archive."""
    made = moment(manifest.made_at).strftime("%Y%m%dT%H%M%SZ")
    return f"vipkeeper-{_plain(manifest.server) or 'server'}-{made}.tar.gz"


def write(
    out: BinaryIO,
    manifest: Manifest,
    facts: Iterable[Fact],
    texts: Iterable[Text],
    names: Iterable[str] | None = None,
) -> None:
    """Writes a bundle, without secrets; the same content gives the same bytes.

    Args:
        out: takes the archive.
        manifest: what it says of itself.
        facts: what was found.
        texts: what it was found in.
        names: rewrite addresses, these host names and those of all servers; None: keep them.
    """
    held = tuple(facts)
    rewrite = None if names is None else Anonymiser({*names, *_servers(manifest, held)})
    document = _manifest(replace(manifest, anonymised=rewrite is not None), rewrite)
    lines = [json.dumps(_clean(codec.to_json(f), rewrite), ensure_ascii=False) for f in held]
    seconds = manifest.made_at // 1000
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=seconds, filename="") as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, MANIFEST, json.dumps(document, indent=2) + "\n", seconds)
        _add(tar, FACTS, "".join(line + "\n" for line in lines), seconds)
        for text in texts:
            words = text.content[-LONGEST_TEXT:].decode(errors="replace")
            name = text.name if rewrite is None else rewrite.text(text.name)
            path = "/".join(p for part in name.split("/") if (p := _plain(part)))
            _add(tar, f"{FOLDER}/texts/{path}", _cleaned(words, rewrite), seconds)


def save(
    place: Path,
    manifest: Manifest,
    facts: Iterable[Fact],
    texts: Iterable[Text],
    names: Iterable[str] | None = None,
) -> Path:
    """Writes a bundle, for its owner's eyes only. Says where it is.

    Args:
        place: the file, or a folder in which it gets a name of its own.
        manifest: what it says of itself.
        facts: what was found.
        texts: what it was found in.
        names: as `write` takes them.

    Raises:
        OSError: it cannot be written, or a file of this name is there.
    """
    shown = manifest
    if names is not None:
        names = tuple(names)
        shown = replace(manifest, server="anonymised")
    path = place / file_name(shown) if place.is_dir() else place
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            write(out, manifest, facts, texts, names)
    except BaseException:
        path.unlink()
        raise
    return path


def read(manifest: Member, members: Iterator[Member], troubles: Troubles) -> Reading:
    """What is in a bundle of ours, after its first member, the manifest."""
    said = _said(_limited(manifest.content, _LARGEST_MANIFEST), troubles)
    facts: tuple[Fact, ...] = ()
    if said is None:
        return Reading(Kind.VIPKEEPER, "", 0, (), troubles.lines())
    found = next((member for member in members if member.path == FACTS), None)
    if found is None:
        troubles.add("facts.ndjson: it is not in the bundle")
    else:
        if found.size > _MOST_FACTS:
            troubles.add(f"facts.ndjson: only its first {_MOST_FACTS >> 20} MiB were read")
        text = _limited(found.content, _MOST_FACTS).decode(errors="replace")
        facts, wrong = codec.load(text)
        for line in wrong:
            troubles.add(f"facts.ndjson: {line}")
    for _ in members:
        pass  # to its end, since only there is seen whether it was cut
    for line in said.could_not_collect:
        troubles.add(line)
    return Reading(Kind.VIPKEEPER, said.server, said.made_at, facts, troubles.lines())


def _said(data: bytes, troubles: Troubles) -> Manifest | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        troubles.add("manifest.json: it is no JSON")
        return None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        told = document.get("format") if isinstance(document, dict) else None
        troubles.add(f"manifest.json: format {told!r} is not known; this version reads {FORMAT}")
        return None
    server, made_at = document.get("server"), document.get("made_at")
    failed = document.get("could_not_collect")
    return Manifest(
        server=server if isinstance(server, str) else "",
        made_at=made_at if type(made_at) is int and made_at >= 0 else 0,
        vipkeeper=str(document.get("vipkeeper")),
        could_not_collect=tuple(map(str, failed)) if isinstance(failed, list) else (),
    )


def _limited(pieces: Iterator[bytes], most: int) -> bytes:
    held = bytearray()
    for piece in pieces:
        held += piece[: most - len(held)]
        if len(held) >= most:
            break
    return bytes(held)


def _servers(manifest: Manifest, facts: tuple[Fact, ...]) -> set[str]:
    named = {name for fact in facts for name in (fact.about, fact.vantage)}
    listed = {name for f in facts if isinstance(f.value, tuple) for name in f.value}
    return {manifest.server, *named, *(name for name in listed if ":" not in name)}


def _manifest(manifest: Manifest, rewrite: Anonymiser | None) -> dict[str, Any]:
    clock = manifest.clock
    return {
        "format": FORMAT,
        "vipkeeper": manifest.vipkeeper,
        "made_at": manifest.made_at,
        "server": manifest.server if rewrite is None else rewrite.text(manifest.server),
        "clock": {"offset_s": clock.offset_s, "synchronised": clock.synchronised},
        "anonymised": manifest.anonymised,
        "could_not_collect": [_cleaned(line, rewrite) for line in manifest.could_not_collect],
    }


def _clean(document: dict[str, Any], rewrite: Anonymiser | None) -> dict[str, Any]:
    """A fact without secrets in any of its texts."""
    return {
        name: [_cleaned(item, rewrite) for item in value]
        if isinstance(value, list)
        else _cleaned(value, rewrite)
        if isinstance(value, str) and name not in ("key", "aspect")
        else value
        for name, value in document.items()
    }


def _cleaned(text: str, rewrite: Anonymiser | None) -> str:
    clean = redacted(text)
    return clean if rewrite is None else rewrite.text(clean)


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name).strip(
        "."
    )


def _add(tar: tarfile.TarFile, path: str, text: str, seconds: int) -> None:
    data = text.encode(errors="replace")
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = len(data), seconds, 0o600
    tar.addfile(info, io.BytesIO(data))
