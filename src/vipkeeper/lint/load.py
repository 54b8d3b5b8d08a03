"""From paths on the command line to a `Cluster`: which files, whose they are, what they hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vipkeeper.config.tree import Problem, Span, Trouble
from vipkeeper.lint import config_ids, facts
from vipkeeper.lint.document import Document
from vipkeeper.lint.facts import Given
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.recognise import may_matter, parse
from vipkeeper.lint.scope import Cluster, Server
from vipkeeper.lint.settings import merge
from vipkeeper.lint.source import Source, read

MAX_FILES = 100_000
MAX_FOLDERS = 50
"""How deep folders are searched."""
LIVE = (
    "/etc/rancher/rke2",
    "/etc/rancher/k3s",
    "/etc/default/rke2-server",
    "/etc/default/rke2-agent",
    "/etc/sysconfig/rke2-server",
    "/etc/sysconfig/rke2-agent",
    "/usr/local/lib/systemd/system/rke2-server.env",
    "/usr/local/lib/systemd/system/rke2-agent.env",
    "/etc/systemd/system/rke2-server.service.d",
    "/etc/systemd/system/k3s.service",
    "/etc/systemd/system/k3s.service.d",
    "/etc/systemd/system/k3s.service.env",
    "/var/lib/rancher/rke2/server/manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
    "/var/lib/rancher/k3s/server/manifests",
    "/var/lib/rancher/k3s/agent/pod-manifests",
    "/etc/kubernetes/manifests",
    "/etc/kubernetes/admin.conf",
    "/etc/keepalived",
    "/etc/default/keepalived",
    "/etc/sysconfig/keepalived",
    "/etc/systemd/system/keepalived.service",
    "/etc/systemd/system/keepalived.service.d",
    "/etc/haproxy",
    "/etc/vipkeeper/cluster.yaml",
)
"""What a server's files are where no path is given."""
_TOP = frozenset(["etc", "var", "usr", "opt", "root", "home", "run", "srv", "lib"])
_IN_TREE = re.compile(
    r"(.+?)/(?:etc/(?:rancher|keepalived|haproxy|vipkeeper|default|sysconfig|systemd|kubernetes)|var/lib/rancher)/"
)
_ONE_OF_A_KIND = (
    Kind.RKE2_CONFIG,
    Kind.K3S_CONFIG,
    Kind.KEEPALIVED,
    Kind.HAPROXY,
    Kind.OWN_CONFIG,
    Kind.KUBEVIP_POD,
    Kind.KUBEVIP_DAEMONSET,
)
"""A server has one of these, whatever the file is called."""
_MAIN = (Kind.RKE2_CONFIG, Kind.K3S_CONFIG)


@dataclass(frozen=True, slots=True)
class Input:
    """One path of the command line: `NAME=PATH` or `PATH`."""

    path: Path
    name: str = ""


@dataclass(slots=True)
class _Gathered:
    """Files by server; an empty name is a file of no one server."""

    documents: dict[str, list[Document]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    included: set[Path] = field(default_factory=set)
    """Files that were read as a part of others; alone they are nothing."""


def load(
    inputs: Sequence[Input],
    given: Given = Given(),  # noqa: B008 - frozen
    proposed: Sequence[Input] = (),
) -> Cluster:
    """Read everything that the inputs name. Total: what cannot be read is in `problems`.

    Each proposed file takes the place of the files of its kind and name on its server; without a
    name of a server, on every server that has such a file, otherwise it is shared by all.
    """
    gathered = _Gathered()
    for entry in inputs:
        if os.path.isdir(entry.path):  # Path.is_dir raises where a folder on the way is closed
            _folder(gathered, entry)
        else:
            _file(gathered, entry.path, str(entry.path), entry.name, asked=True)
    for entry in proposed:
        _propose(gathered, entry)
    _drop_included(gathered)
    _split_loose_files(gathered)
    return assemble(
        gathered.documents,
        gathered.problems,
        gathered.sources,
        given,
        named=_all_named(inputs),
        tree=len(inputs) == 1 and os.path.isdir(inputs[0].path),
    )


def live_inputs(root: Path = Path("/")) -> list[Input]:
    """The usual paths of this host that exist, or that this user may not look for."""
    paths = (root / path.lstrip("/") for path in LIVE)
    return [Input(path, "this host") for path in paths if _may_exist(path)]


def _may_exist(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def assemble(
    documents: dict[str, list[Document]],
    problems: list[Problem],
    sources: dict[str, Source],
    given: Given,
    *,
    named: bool = False,
    tree: bool = False,
) -> Cluster:
    """The cluster of these documents by server; those without a name belong to every server."""
    shared = documents.get("", [])
    names = [name for name in documents if name] or [""]
    own = {name: documents.get(name, []) if name else [] for name in names}
    own, shared = config_ids.applied(own, shared, given.host)
    every = {name: (*found, *shared) for name, found in own.items()}
    settings = {name: merge(found) for name, found in every.items()}
    all_documents = [*(d for found in own.values() for d in found), *shared]
    known = facts.infer(given, all_documents, settings, named, tree)
    servers = tuple(Server(name, every[name], settings[name], known) for name in names)
    only_shared = names == [""]
    return Cluster(servers, () if only_shared else tuple(shared), known, tuple(problems), sources)


def _all_named(inputs: Sequence[Input]) -> bool:
    """Whether the user listed several servers by name: then they are taken to be all."""
    return len({entry.name for entry in inputs if entry.name}) > 1


def _propose(gathered: _Gathered, entry: Input) -> None:
    """Put a file in the place of the one that it would replace."""
    new = _Gathered()
    _file(new, entry.path, str(entry.path), "", asked=True)
    gathered.problems += new.problems
    gathered.sources.update(new.sources)
    fresh = new.documents.get("", [])
    slots = {(document.kind, document.source.file.rpartition("/")[2]) for document in fresh}
    kinds = {kind for kind, _ in slots if kind in _ONE_OF_A_KIND}
    homes = [entry.name] if entry.name else []
    for name, documents in gathered.documents.items():
        if entry.name and name != entry.name:
            continue
        kept = [d for d in documents if _slot(d) not in slots and d.kind not in kinds]
        if len(kept) < len(documents) and not entry.name:
            homes.append(name)
        gathered.documents[name] = kept
    for home in homes or [""]:
        gathered.documents.setdefault(home, []).extend(fresh)


def _slot(document: Document) -> tuple[Kind, str]:
    return document.kind, document.source.file.rpartition("/")[2]


def _drop_included(gathered: _Gathered) -> None:
    """A part of another file was also found by itself: it counts where it is included."""
    if not gathered.included:
        return
    for name, documents in gathered.documents.items():
        gathered.documents[name] = [
            document
            for document in documents
            if document.source.path is None
            or document.source.path.resolve() not in gathered.included
        ]


def _split_loose_files(gathered: _Gathered) -> None:
    """Files without a name: those of a tree are its server's, and of several other main ones each is a server."""
    loose = gathered.documents.get("", [])
    trees = {_tree(document) for document in loose} - {""}
    if len(trees) > 1 or (trees and len(gathered.documents) > 1):
        names = {tree: _free(gathered, Path(tree).name) for tree in sorted(trees)}
        for document in loose:
            if _tree(document):
                gathered.documents.setdefault(names[_tree(document)], []).append(document)
        loose = [document for document in loose if not _tree(document)]
        gathered.documents[""] = loose
    main = [document for document in loose if document.kind in _MAIN]
    if not main or (len(main) < 2 and len(gathered.documents) < 2):
        return
    for document in main:
        path = Path(document.source.file)
        name = path.stem if path.stem != "config" else path.parent.name or path.stem
        gathered.documents[_free(gathered, name)] = [document]
    gathered.documents[""] = [document for document in loose if document.kind not in _MAIN]


def _tree(document: Document) -> str:
    """The copy of a server's root that a file is in; empty: this host's, or none."""
    found = _IN_TREE.match(document.source.file)
    return found[1].rstrip("/") if found else ""


def _free(gathered: _Gathered, name: str) -> str:
    while name in gathered.documents:
        name += "'"
    return name


def _folder(gathered: _Gathered, entry: Input) -> None:
    """A folder is one server, or holds one folder for each."""
    found = list(_walk(gathered, entry.path))
    relative = [path.relative_to(entry.path) for path in found]
    tops = {path.parts[0] for path in relative if len(path.parts) > 1}
    one = bool(entry.name) or _is_server(entry.path, relative) or bool(tops & _TOP)
    for path, rest in zip(found, relative, strict=True):
        name = entry.name or (entry.path.resolve().name if one else "")
        if not one and len(rest.parts) > 1:
            name = rest.parts[0]
        _file(gathered, path, str(path), name, asked=False)


def _is_server(folder: Path, files: list[Path]) -> bool:
    """Whether files that only a server has lie in the folder itself, or one level of known names."""
    if folder.name in ("rke2", "k3s", "keepalived", "haproxy", "manifests", "pod-manifests"):
        return True
    names = {path.name for path in files if len(path.parts) == 1}
    return bool(names & {"config.yaml", "keepalived.conf", "haproxy.cfg"})


def _walk(gathered: _Gathered, top: Path) -> Iterator[Path]:
    """The files below a folder that may matter, links followed once."""
    seen: set[tuple[int, int]] = set()
    count = 0

    def failed(error: OSError) -> None:
        span = Span(str(error.filename or top), 1, 1)
        message = f"the folder cannot be read: {error.strerror}"
        gathered.problems.append(Problem(span, message, Trouble.UNREADABLE))

    for folder, folders, files in os.walk(top, onerror=failed, followlinks=True):
        try:
            info = os.stat(folder)
        except OSError as error:
            failed(error)
            continue
        if (info.st_dev, info.st_ino) in seen:
            message = "this folder was already read under another name (a link); not read again"
            gathered.problems.append(Problem(Span(folder, 1, 1), message, Trouble.CYCLE))
            folders.clear()
            continue
        seen.add((info.st_dev, info.st_ino))
        deep = len(Path(folder).relative_to(top).parts) >= MAX_FOLDERS
        folders[:] = [] if deep else sorted(f for f in folders if f not in (".git", ".venv"))
        for file in sorted(files):
            path = os.path.join(folder, file)
            if may_matter(path):
                count += 1
                if count > MAX_FILES:
                    message = f"more than {MAX_FILES} files; the rest was not read"
                    gathered.problems.append(Problem(Span(str(top), 1, 1), message))
                    return
                yield Path(path)


def _file(gathered: _Gathered, path: Path, shown: str, name: str, *, asked: bool) -> None:
    source = read(path, shown)
    if isinstance(source, Problem):
        gathered.problems.append(source)
        return
    parsed = parse(source)
    if parsed is None:
        if asked:
            message = "none of the kinds of files that are judged; nothing in it was checked"
            gathered.problems.append(Problem(source.start, message, Trouble.UNRECOGNISED))
        return
    gathered.sources[shown] = source
    gathered.sources.update({found.file: found for found in parsed.included})
    gathered.included.update(found.path.resolve() for found in parsed.included if found.path)
    gathered.problems += parsed.problems
    gathered.documents.setdefault(name, []).extend(parsed.documents)
