"""Play faults: build, break, collect everywhere as an operator would, ask `why`, hold its answer against the fault."""

from __future__ import annotations

import enum
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vipkeeper.errors import HostError
from vipkeeper.lab.processes import LabError, environment, in_namespace
from vipkeeper.lab.troubles import breaks
from vipkeeper.lab.troubles.faults import Fault
from vipkeeper.lab.troubles.machine import Host
from vipkeeper.lab.troubles.site import Site

BETWEEN_LOOKS = 11.0
"""Seconds from the end of a look to the next one, however long it took: an election is over by then (`judgement.LASTING_MS`)."""
COLLECTS_WITHIN = 180.0


class Outcome(enum.Enum):
    """What the answer was worth."""

    RIGHT = "right"
    OPEN = "open"
    """Undetermined; it did not say anything wrong."""
    MISLED = "misled"
    """A wrong cause, not confirmed, or healthy where something is wrong."""
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


Progress = Callable[[Result], None]


def play(
    faults: Sequence[Fault], directory: Path, keep: Path | None, told: Progress
) -> list[Result]:
    """All of them, one after the other, each in a cluster of its own."""
    results = []
    for fault in faults:
        results.append(_one(fault, directory / fault.name, keep))
        told(results[-1])
    return results


def _one(fault: Fault, directory: Path, keep: Path | None) -> Result:
    began = time.monotonic()
    site = Site(fault, directory)
    try:
        site.build()
        breaks.apply(site)
        bundles = _look_often(site)
        answer = _ask(site, bundles)
        result = judge(fault, answer, round(time.monotonic() - began, 1))
        if keep is not None:
            _keep(bundles, answer, result, keep / fault.name)
        return result
    except LabError as error:
        seconds = round(time.monotonic() - began, 1)
        return Result(fault.name, Outcome.FAILED.value, "", (), (), seconds, str(error))
    finally:
        site.remove()


def _look_often(site: Site) -> list[Path]:
    bundles: list[Path] = []
    for number in range(1, site.fault.looks + 1):
        bundles += _look(site, number)
        if number < site.fault.looks:
            time.sleep(BETWEEN_LOOKS)
    return bundles


def _look(site: Site, number: int) -> list[Path]:
    """`vipkeeper collect` on every server that has power and on the client, all at once."""
    folder = site.directory / "bundles"
    folder.mkdir(exist_ok=True)
    looking: list[tuple[Path, subprocess.Popen[bytes]]] = []
    for host in (*site.servers.values(), site.client):
        if host.powered:
            path = folder / f"{host.name}-{number}.tar.gz"
            looking.append((path, _collect(site, host, path)))
    try:
        for _, process in looking:
            process.wait(COLLECTS_WITHIN)
    except subprocess.TimeoutExpired:
        raise LabError(f"collecting takes longer than {COLLECTS_WITHIN:g} s") from None
    finally:
        for _, process in looking:
            process.kill()
    return [path for path, process in looking if path.exists()]


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


def _keep(bundles: Sequence[Path], answer: dict[str, Any], result: Result, folder: Path) -> None:
    """Raises HostError: the folder cannot be written, as on a full disk."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        for path in bundles:
            shutil.copy(path, folder)
        (folder / "answer.json").write_text(json.dumps(answer, indent=1) + "\n")
        (folder / "result.json").write_text(json.dumps(asdict(result), indent=1) + "\n")
    except OSError as error:
        raise HostError(f"--bundles: cannot write to {folder}: {error.strerror}") from None


def judge(fault: Fault, answer: dict[str, Any], seconds: float = 0.0) -> Result:
    """What the answer is worth."""
    verdict = str(answer["verdict"])
    roots = [(str(r["code"]), str(r["standing"])) for r in answer["roots"]]
    others = [
        (str(r["code"]), str(r["standing"])) for r in (*answer["hidden"], *answer["consequences"])
    ]
    true = {*fault.expected, *fault.also}
    stray = [code for code, standing in (*roots, *others) if code not in true]
    sure = [c for c, standing in (*roots, *others) if standing == "confirmed" and c not in true]
    if sure:
        outcome = Outcome.WRONG
    elif not fault.expected:
        outcome = (
            Outcome.RIGHT if verdict == "healthy" else Outcome.MISLED if stray else Outcome.OPEN
        )
    elif roots and roots[0][0] in fault.expected:
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


def as_json(results: Sequence[Result]) -> str:
    """One object a fault."""
    rows = [asdict(result) for result in results]
    return json.dumps({"schema_version": 1, "results": rows}, indent=1) + "\n"
