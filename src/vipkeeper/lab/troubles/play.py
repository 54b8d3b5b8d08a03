"""Play faults: build, break, collect everywhere as an operator would, ask `why`, hold its answer against the fault."""

from __future__ import annotations

import enum
import json
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vipkeeper.errors import HostError
from vipkeeper.lab.processes import LabError, environment, in_namespace
from vipkeeper.lab.troubles import breaks
from vipkeeper.lab.troubles.faults import HEALTHY, Fault
from vipkeeper.lab.troubles.machine import Host
from vipkeeper.lab.troubles.site import Site

BETWEEN_LOOKS = 11.0
"""Seconds from the end of a look to the next one, however long it took: an election is over by then (`judgement.LASTING_MS`)."""
COLLECTS_WITHIN = 180.0
BUNDLE = ".tar.gz"


class Outcome(enum.Enum):
    """What the answer was worth."""

    RIGHT = "right"
    OPEN = "open"
    """Undetermined; it did not say anything wrong."""
    MISLED = "misled"
    """A wrong cause, not confirmed, also beside a right one; or healthy where something is wrong."""
    WRONG = "wrong"
    """A wrong cause, and confirmed."""
    FAILED = "not played"


@dataclass(frozen=True, slots=True)
class Result:
    """One fault and the answer."""

    name: str
    outcome: str
    verdict: str
    roots: tuple[str, ...]
    """Code and standing, as `VK801 confirmed`."""
    others: tuple[str, ...]
    """Also wrong, and consequences."""
    seconds: float
    note: str = ""


def play(faults: Sequence[Fault], directory: Path, keep: Path | None) -> Iterator[Result]:
    """All of them, one after the other, each in a cluster of its own; a result as soon as it is there.

    Raises:
        HostError: the next one cannot be played: a program that all need is missing, a cluster does not go away, or
            what is to be kept cannot be written.
    """
    for fault in faults:
        site = Site(fault, directory / fault.name)
        try:
            played = _one(site)
            yield played.result
            if keep is not None:
                _keep(played, keep / fault.name)
        finally:
            site.remove()


@dataclass(frozen=True, slots=True)
class _Played:
    """A result and what it was concluded from."""

    result: Result
    bundles: tuple[Path, ...] = ()
    answer: dict[str, Any] | None = None


def _one(site: Site) -> _Played:
    began = time.monotonic()
    try:
        site.build()
        breaks.apply(site)
        looks = _look_often(site)
        bundles = tuple(path for path in looks if path.exists())
        answer = _ask(site, bundles)
        result = judge(site.fault, answer, round(time.monotonic() - began, 1))
    except (LabError, OSError) as error:
        seconds = round(time.monotonic() - began, 1)
        name, why_not = site.fault.name, str(error)
        return _Played(Result(name, Outcome.FAILED.value, "", (), (), seconds, why_not))
    return _Played(replace(result, note=_missing(looks, bundles)), bundles, answer)


def _missing(looks: Sequence[Path], bundles: Sequence[Path]) -> str:
    """Which looks left no bundle; empty: all did."""
    names = [path.name.removesuffix(BUNDLE) for path in looks if path not in bundles]
    return f"no bundle of {', '.join(names)}" if names else ""


def _look_often(site: Site) -> list[Path]:
    bundles: list[Path] = []
    for number in range(1, site.fault.looks + 1):
        bundles += _look(site, number)
        if number < site.fault.looks:
            time.sleep(BETWEEN_LOOKS)
    return bundles


def _look(site: Site, number: int) -> list[Path]:
    """`vipkeeper collect` on every server that has power and on the client, all at once; where the bundles should be."""
    folder = site.directory / "bundles"
    folder.mkdir(exist_ok=True)
    looking: list[tuple[Path, subprocess.Popen[bytes]]] = []
    for host in (*site.servers.values(), site.client):
        if host.powered:
            path = folder / f"{host.name}-{number}{BUNDLE}"
            looking.append((path, _collect(site, host, path)))
    try:
        for _, process in looking:
            process.wait(COLLECTS_WITHIN)
    except subprocess.TimeoutExpired:
        raise LabError(f"collecting takes longer than {COLLECTS_WITHIN:g} s") from None
    finally:
        for _, process in looking:
            process.kill()
    return [path for path, _ in looking]


def _collect(site: Site, host: Host, path: Path) -> subprocess.Popen[bytes]:
    words = host.enter("vipkeeper", "collect", str(site.vip), *servers(site), "--output", str(path))
    with (host.directory / "collect.log").open("ab") as log:
        return subprocess.Popen(
            in_namespace(host.name, *words),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
        )


def servers(site: Site) -> tuple[str, str]:
    """The option that names all servers."""
    named = ",".join(f"{m.name}={m.address.ip}" for m in site.network.servers)
    return ("--servers", named)


def _ask(site: Site, bundles: Sequence[Path]) -> dict[str, Any]:
    """What `vipkeeper why --from` says of the bundles.

    Raises:
        LabError: it says nothing.
    """
    paths = [str(path) for path in bundles]
    words = ("why", str(site.vip), *servers(site), "--from", *paths, "--output", "json")
    done = site.client.run("vipkeeper", *words)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise LabError(f"why ended with {done.returncode}: {done.stderr.strip()}") from None
    return answer


def _keep(played: _Played, folder: Path) -> None:
    """Raises HostError: the folder cannot be written, as on a full disk."""
    if played.answer is None:
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        for path in played.bundles:
            shutil.copy(path, folder)
        (folder / "answer.json").write_text(json.dumps(played.answer, indent=1) + "\n")
        (folder / "result.json").write_text(json.dumps(asdict(played.result), indent=1) + "\n")
    except OSError as error:
        raise HostError(f"--bundles: cannot write to {folder}: {error.strerror}") from None


def judge(fault: Fault, answer: dict[str, Any], seconds: float = 0.0) -> Result:
    """What the answer is worth.

    Raises:
        LabError: it lacks what every answer has.
    """
    try:
        verdict = str(answer["verdict"])
        roots = _causes(answer["roots"])
        others = _causes((*answer["hidden"], *answer["consequences"]))
    except (KeyError, TypeError) as error:
        raise LabError(f"why's answer lacks what every one has: {error}") from None
    true = {*fault.expected, *fault.also}
    stray = any(code not in true for code, _ in roots)
    sure = any(code not in true for code, word in (*roots, *others) if word == "confirmed")
    found = roots[0][0] in fault.expected if roots else False
    if sure:
        outcome = Outcome.WRONG
    elif stray:
        outcome = Outcome.MISLED
    elif found or (not fault.expected and verdict == HEALTHY):
        outcome = Outcome.RIGHT
    else:
        outcome = Outcome.OPEN if verdict == "undetermined" else Outcome.MISLED
    return Result(
        name=fault.name,
        outcome=outcome.value,
        verdict=verdict,
        roots=tuple(f"{code} {standing}" for code, standing in roots),
        others=tuple(f"{code} {standing}" for code, standing in others),
        seconds=seconds,
    )


def _causes(found: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Code and standing of each."""
    return [(str(cause["code"]), str(cause["standing"])) for cause in found]


def as_json(results: Sequence[Result]) -> str:
    """One object a fault."""
    rows = [asdict(result) for result in results]
    return json.dumps({"schema_version": 1, "results": rows}, indent=1) + "\n"
