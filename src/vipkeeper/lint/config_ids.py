"""Under which id the keepalived of each server runs, which decides about the lines behind `@` (keepalived(8), `--config-id`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vipkeeper.lint.document import Document, of_type
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers import keepalived
from vipkeeper.lint.parsers.envfile import EnvFile
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.systemd import Unit

_OPTIONS = ("DAEMON_ARGS", "KEEPALIVED_OPTIONS")
"""The variable with the options: Debian's unit has the first, that of Red Hat the second."""
_SHORT = ":vhlndu:DRS:f:p:i:es:mM::g::Gt::PCr:VXac:ITBb:xA:"
"""What keepalived gives getopt(3): a colon behind those with an argument, two where it is optional."""
_LONG = (
    "config-id",
    "use-file",
    "log-facility",
    "umask",
    "pid",
    "vrrp_pid",
    "checkers_pid",
    "bfd_pid",
    "snmp-agent-socket",
    "namespace",
    "signum",
)
"""The long options whose argument may be the next word (keepalived(8), 2.2.7)."""
_ABBREVIATED = "config-i"
"""The shortest form of config-id that is not config-test as well."""


def applied(
    own: dict[str, list[Document]], shared: list[Document], host: str
) -> tuple[dict[str, list[Document]], list[Document]]:
    """The documents with the conditions of keepalived judged, where the id is known.

    The id is what the unit or its environment file gives, or the host's name. A server's name counts
    for that where conditions name one of the servers. A file that all servers share becomes each
    one's own, if the id of every one is known.

    Args:
        own: the documents of each server by its name; the empty name has none of its own.
        shared: those of no one server.
        host: the name of this host; empty: other hosts' files are judged.
    """
    conditional = list(_conditional((*shared, *(d for found in own.values() for d in found))))
    if not conditional:
        return own, shared
    given = {name: _given((*found, *shared)) for name, found in own.items()}
    ids = frozenset[str]().union(*(conf.ids for conf in conditional))
    named = any(name.partition(".")[0] in ids for name in own if name)
    known = {
        name: given[name] or host or (name.partition(".")[0] if named and name else "")
        for name in own
    }
    common = [d for d in _conditional(shared) if all(known.values()) and list(own) != [""]]
    resolved = {
        name: [_judged(document, known[name]) for document in (*found, *common)]
        for name, found in own.items()
    }
    if list(own) == [""]:
        return resolved, [_judged(document, known[""]) for document in shared]
    return resolved, [document for document in shared if document not in common]


def _conditional(documents: Iterable[Document]) -> Iterator[Keepalived]:
    return (document for document in of_type(documents, Keepalived) if document.ids)


def _judged(document: Document, config_id: str) -> Document:
    if not config_id or not isinstance(document, Keepalived) or not document.ids:
        return document
    return keepalived.parse(document.source, document.kind, config_id).documents[0]


def _given(documents: Iterable[Document]) -> str:
    """The id among the options of keepalived; empty where none is given."""
    found = ""
    for document in documents:
        if isinstance(document, EnvFile) and document.kind is Kind.KEEPALIVED_ENV:
            options = (document.get(name) for name in _OPTIONS)
            found = next((i for o in options if o and (i := _among(o.value.text))), found)
        elif isinstance(document, Unit) and document.name.startswith("keepalived."):
            commands = document.all("Service", "ExecStart")[-1:]
            found = next((i for c in commands if (i := _among(c.value.text))), found)
    return found


def _among(options: str) -> str:
    """The id in a list of options, read as getopt_long(3) does; the last one counts."""
    words = iter([word.strip("'\"") for word in options.split()])
    found = ""
    for word in words:
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name.startswith(_ABBREVIATED) and _LONG[0].startswith(name):
                found = value if equals else next(words, "")
            elif not equals and name in _LONG:
                next(words, "")
        elif word.startswith("-"):
            letter, value = _with_argument(word[1:])
            argument = value or (next(words, "") if letter else "")
            found = argument if letter == "i" else found
    return found


def _with_argument(cluster: str) -> tuple[str, str]:
    """The option among clustered ones that takes an argument, and what of it is in the same word."""
    for index, letter in enumerate(cluster):
        _, known, behind = _SHORT.partition(letter)
        if known and letter != ":" and behind.startswith("::"):
            break
        if known and letter != ":" and behind.startswith(":"):
            return letter, cluster[index + 1 :]
    return "", ""
