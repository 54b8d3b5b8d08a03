"""Any bundle: an archive or a folder, ours or Rancher's."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from vipkeeper.collect import archive, bundle, rancher
from vipkeeper.collect.archive import Member
from vipkeeper.collect.reading import Reading, Troubles
from vipkeeper.collect.unpack import BLOCK
from vipkeeper.diagnose.facts import ARCHIVE, Fact
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.text import printable

_OF_ALL = f"{ARCHIVE}: "


def read(path: Path, vip: str = "") -> Reading:
    """What is in a bundle. Nothing is written, whatever the bundle is.

    Args:
        path: a .tar.gz, a .tar, or the folder into which one was unpacked.
        vip: the address that is asked about; empty when the bundle must say.
    """
    troubles = Troubles()
    try:
        if path.is_dir():
            return read_members(_folder(path, troubles), vip, troubles)
        with path.open("rb") as file:
            return read_members(archive.members(file, troubles), vip, troubles, path.name)
    except OSError as error:
        troubles.add(f"{path}: {error.strerror or error}")
        return Reading(None, "", 0, (), troubles.lines())


def read_members(
    members: Iterator[Member], vip: str, troubles: Troubles, name: str = ""
) -> Reading:
    """What is in a bundle whose files are read one after the other; `name` is the bundle's own."""
    first = next(members, None)
    if first is None:
        troubles.add("the archive: there is no file in it")
        return Reading(None, "", 0, (), troubles.lines())
    if first.path == bundle.MANIFEST:
        return _cut(bundle.read(first, members, troubles), name)
    return _cut(rancher.read(chain((first,), members), vip, troubles), name)


def _cut(reading: Reading, name: str) -> Reading:
    """An archive that could not be read to its end has no logs that count as read, and a fact says so."""
    whole = [t for t in reading.troubles if t.startswith(_OF_ALL)]
    about = reading.server or printable(name)
    if reading.kind is None or not whole or not about:
        return reading
    why = whole[0].removeprefix(_OF_ALL)
    told = Fact(Key.LOGS_READ, None, about, at=reading.made_at, source=ARCHIVE, unknown=why)
    kept = (fact for fact in reading.facts if fact.key is not Key.LOGS_READ)
    return replace(reading, facts=(*kept, told))


def _folder(root: Path, troubles: Troubles) -> Iterator[Member]:
    """The plain files of a folder, those of ours in the order of the archive; links are not followed."""
    count = 0

    def unread(error: OSError) -> None:
        inner = os.path.relpath(error.filename, root)
        troubles.add(f"{_OF_ALL}{inner}: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=unread):
        folders.sort()
        ours = [name for name in ("manifest.json", "facts.ndjson") if name in files]
        for name in [*ours, *sorted(set(files) - set(ours))]:
            count += 1
            if count > archive.MOST_MEMBERS:
                troubles.add(f"{root}: it has more than {archive.MOST_MEMBERS} files")
                return
            yield from _file(root, Path(folder) / name, troubles)


def _file(root: Path, path: Path, troubles: Troubles) -> Iterator[Member]:
    inner = path.relative_to(root).as_posix()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        troubles.add(f"{inner}: {error.strerror}")
        return
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            troubles.add(f"{inner}: no plain file; not read")
            return
        shown = inner
        if path.name in ("manifest.json", "facts.ndjson") and path.parent in (
            root,
            root / bundle.FOLDER,
        ):
            shown = f"{bundle.FOLDER}/{path.name}"
        content = iter(lambda: file.read(BLOCK), b"")
        yield Member(shown, int(state.st_mtime), state.st_size, content)
