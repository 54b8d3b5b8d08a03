"""The folder a drill writes its report to."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from vipkeeper.cli.report import RECORD
from vipkeeper.errors import HostError, UsageError
from vipkeeper.report import html, svg
from vipkeeper.report import json as report_json
from vipkeeper.report.recorded import keys
from vipkeeper.report.run import RunReport
from vipkeeper.report.summary import summaries

LOGS = "logs"
PAGE = "index.html"
DEFAULT = Path("vipkeeper-report")
"""Where --report names none."""
_PART = ".part"
"""Behind the name of a file that is not whole yet."""
_ACT = re.compile(r"[a-z0-9]+([-+][a-z0-9]+)*")
_LOG = re.compile(r"cp[0-9]+-[a-z]+\.log|trace\.ndjson")
"""SERVER-PROGRAM.log, as the lab names its servers, and the trace of an act that broke a promise."""


def chosen_folder(args: argparse.Namespace) -> Path:
    """The folder that --report names, or the usual one."""
    return args.report or DEFAULT


@contextlib.contextmanager
def ready(folder: Path, option: str = "--report") -> Iterator[None]:
    """Make the folder before the drill; it is not left there empty.

    Raises:
        UsageError: it cannot be made, looked into, is not writable or may be a trap; names the option it came by.
    """
    try:
        made = not folder.exists()  # raises where the folder it is in is closed
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{option}: cannot make {folder}: {error.strerror}; {_another(option)}"
        ) from None
    if trap := _trap(folder):
        raise UsageError(f"{option}: {trap}; {_another(option)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: {folder} is not writable; {_another(option)}")
    try:
        yield
    finally:
        if made:
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()


def check_replaceable(folder: Path) -> None:
    """A report takes the place of an earlier one, and of nobody else's page or record.

    Raises:
        UsageError: there is one.
    """
    for path, ours in ((folder / PAGE, _is_page), (folder / RECORD, _is_record)):
        try:
            known = ours(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError):
            known = False
        if not known:
            raise UsageError(f"--report: {path} is no report's; {_another('--report')}")


def _is_page(text: str) -> bool:
    return html.MARK in text


def _is_record(text: str) -> bool:
    """Of a drill, of this version or another one."""
    return keys(text) >= {"schema_version", "acts"}


def _another(option: str) -> str:
    return f"choose another folder with {option} DIR"


def _trap(folder: Path) -> str:
    """Why a folder that is there may be somebody else's trap, where anybody may set one; empty: it is none.

    Raises:
        OSError: it is not there, or must not be looked at.
    """
    if not os.stat(folder.absolute().parent).st_mode & stat.S_IWOTH:
        return ""
    found = os.lstat(folder)
    if stat.S_ISLNK(found.st_mode):
        return f"{folder} is a link in a place where anybody may make one"
    if found.st_uid not in (os.geteuid(), 0):
        return f"{folder} is somebody else's in a place where anybody may make one"
    return ""


def _nothing() -> None:
    """Do nothing."""


def write_folder(
    report: RunReport,
    logs: Mapping[str, str],
    folder: Path,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write run.json, index.html, a picture of each act (its worst run), and the logs of failed acts.

    Pictures and logs of the report that was there are removed; what else is there stays. All of it is
    written, or the report that was there stays.

    Args:
        report: what was played.
        logs: what programs of failed acts said, by name within the folder of logs.
        folder: where to; it is made.
        more: other files, by name within the folder.

    Raises:
        HostError: the folder cannot be written.
    """
    files = {RECORD: report_json.dump_run(report), PAGE: html.page(report)}
    files |= {f"{act.name}.svg": svg.timeline(act.worst) for act in summaries(report)}
    files |= {f"{LOGS}/{name}": text for name, text in logs.items()}
    put(folder, {**files, **more}, partial(_remove_earlier, folder))


def put(folder: Path, files: Mapping[str, str], written: Callable[[], None] = _nothing) -> None:
    """Write files, by name within the folder: all of them, or what was there stays. No link is written through.

    `written` is called when they are written and before the first takes its place.

    Raises:
        HostError: the folder cannot be written, or may be a trap.
    """
    fresh = {folder / name: (folder / f"{name}{_PART}", text) for name, text in files.items()}
    try:
        for part, text in fresh.values():
            _make_own(part.parent, folder)
            part.unlink(missing_ok=True)
            with part.open("x", encoding="utf-8") as file:  # O_EXCL: never through a link
                file.write(text)
        written()
        for path, (part, _) in fresh.items():
            part.replace(path)
    except BaseException as error:
        _remove((part for part, _ in fresh.values()), folder)
        if not isinstance(error, OSError):
            raise
        raise HostError(
            f"--report: cannot write to {folder}: {error.strerror}; {_another('--report')}"
        ) from None


def _make_own(directory: Path, folder: Path) -> None:
    """Make a directory within the folder, or the folder itself.

    Raises:
        HostError: one on the way leads elsewhere or may be a trap.
        OSError: one cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _demand_own(_trap(folder))
    for name in directory.relative_to(folder).parts:
        folder /= name
        folder.mkdir(exist_ok=True)
        _demand_own(f"{folder} is a link" if folder.is_symlink() else _trap(folder))


def _demand_own(trap: str) -> None:
    if trap:
        raise HostError(f"--report: {trap}; {_another('--report')}")


def _remove(paths: Iterable[Path], folder: Path) -> None:
    """Remove what there is of these files, and the folders within this one that they leave empty."""
    for path in paths:
        within = path.parents[: path.parents.index(folder)] if folder in path.parents else ()
        if any(directory.is_symlink() for directory in within):
            continue
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        for directory in within:
            with contextlib.suppress(OSError):
                directory.rmdir()


def _remove_earlier(folder: Path) -> None:
    """Remove what the report in the folder says it is made of; nothing where there is no report."""
    earlier = _earlier(folder)
    if earlier is None:
        return
    emptied = {folder / LOGS}
    for path in _files(earlier, folder):
        path.unlink(missing_ok=True)
        emptied.add(path.parent)
    for directory in sorted(emptied - {folder}, reverse=True):
        with contextlib.suppress(OSError):  # not there, or something of somebody else is in it
            directory.rmdir()


def _earlier(folder: Path) -> RunReport | None:
    """What the folder is a report of; None: of nothing, as far as it can be read."""
    try:
        return report_json.load_run((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, UsageError):
        return None


def _files(report: RunReport, folder: Path) -> Iterator[Path]:
    # A name from a file is foreign: it must not lead out of the folder.
    for act in (act for act in report.acts if _ACT.fullmatch(act.name)):
        yield folder / f"{act.name}.svg"
        logs = folder / LOGS / f"{act.name}-{act.run}"
        if logs.is_dir() and not (logs.is_symlink() or logs.parent.is_symlink()):
            yield from [path for path in logs.iterdir() if _LOG.fullmatch(path.name)]
