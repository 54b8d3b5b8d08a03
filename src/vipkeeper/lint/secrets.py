"""Secrets in the files that are judged: found by the names of their keys, kept out of every output.

Line by line and without a parser, so that a file which cannot be parsed gives nothing away either. What is
masked too much costs a reader a glance; what is masked too little ends up in the log of a CI job.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vipkeeper.lint.rule import Finding
from vipkeeper.lint.source import Source
from vipkeeper.secret_words import SECRET_WORDS

MASK = "********"
MIN_LENGTH = 4
"""Shorter values are masked where they stand, but not searched for in messages."""
_CUT = 12
"""So many characters of a longer secret are one: messages show the beginnings of long values."""
_WORD = rf"(?:{'|'.join(SECRET_WORDS)})"
_NAME = rf"[\w.-]{{0,64}}{_WORD}[\w.-]{{0,64}}"
_HARMLESS = re.compile(
    r"(?:file|path|name|ref|ttl|mount\w*|encryption.*|expiration\w*|secrets|config-secret|accounttoken)\+?$",
    re.I,
)
"""Names of files and objects, and switches, in spite of the word in them."""
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*(?:\"|$)|'[^'\n]*(?:'|$)"
_YAML = re.compile(rf"(?P<head>[\"']?(?P<key>{_NAME})\+?[\"']?\s*:(?=\s|$)[ \t]*)", re.I)
_VALUES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"(?:^|[\s\"'?&])(?:--)?(?P<key>{_NAME})=(?P<value>{_QUOTED}|[^\s\"']+)",
        rf"--(?P<key>{_NAME})\s+(?P<value>{_QUOTED}|[^\s\"']+)",
        rf"\b(?P<key>auth_pass|(?:insecure-)?password)\s+(?P<value>{_QUOTED}|[^\s:=]\S*)",
        r"\bauthorization(?:[:\s\\\"']|%20)+(?P<value>[^\"'\n]+)",
        r"\bstats\s+auth\s+[^\s:]+:(?P<value>\S+)",
        r"(?:\s-u|\s--(?:proxy-)?user)[\s=]*[\"']?[^\s:\"']+:(?P<value>[^\s\"']+)",
        r"://[^\s:@/\"']*:(?P<value>[^\s@\"']+)@",
        r"[\d\]]:\d{1,10}:(?P<value>[^:,\s\"']+):(?:true|false)\b",
    )
)
_ENV = re.compile(rf"^\s*(?:export\s+)?(?P<key>{_NAME})=(?P<value>.+)$", re.I)
_NAMED = re.compile(
    rf"name[\"']?\s*:\s*[\"']?(?P<key>{_NAME})[\"']?\s*(?:,|\n)\s*[\"']?value[\"']?\s*:\s*(?P<value>{_QUOTED}|[^\n,}}]+)|"
    rf"value[\"']?\s*:\s*(?P<before>{_QUOTED}|[^\n,}}]+)(?:,|\n)\s*[\"']?name[\"']?\s*:\s*[\"']?(?P<other>{_NAME})[\"']?\s*(?:[}},]|$)",
    re.I | re.M,
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<value>.*?)(?:-----END|\Z)", re.S)
_OBJECT = re.compile(r"^---|\Z", re.M)
_IS_SECRET = re.compile(
    r"^[\s{\"']*(?:- )?[\"']?kind[\"']?\s*:\s*[\"']?Secret\b|\bkind[\"']?\s*:\s*[\"']?Secret\b",
    re.M,
)
_DATA = re.compile(r"[\"']?\b(?:data|stringData)[\"']?\s*:")
_LONG = 4000
"""Longer lines are covered whole: no hand wrote them."""
_SIGNS = (
    *("tok", "passw", "secret", "secert", "credential", "key", "psk", "peerpass", "auth_pass"),
    *("authorization", "stats", " -u", "-user", "@", ":true", ":false"),
)
"""In small letters: a line without any of these has nothing that the patterns find."""
_NOTHING = frozenset(["true", "false", "null", "yes", "no", "none", "~", "{}", "[]", ""])
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\$[A-Z_]+|\$\(.*\)|\{\{.*\}\}|<[^>]*>")
_TRIM = " \t\r\n\"',|>[]{}"

Part = tuple[int, int]
"""A part of a text, from and to."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of all files of a run."""

    by_start: Mapping[str, tuple[str, ...]]
    """The values by their first characters, the longest first."""
    masked: Mapping[str, tuple[str, ...]]
    """The lines of each file that has any."""

    def line(self, source: Source, number: int) -> str:
        """A line of a file, as long as it is there, with asterisks for secrets."""
        lines = self.masked.get(source.file, source.lines)
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        return self._covered(line, lambda length: "*" * length)

    def hide(self, text: str) -> str:
        """A text of our own, with asterisks for every secret that a file holds."""
        return self._covered(text, lambda _: MASK)

    def _covered(self, text: str, mask: Callable[[int], str]) -> str:
        pieces, at, index = [], 0, 0
        while self.by_start and index + MIN_LENGTH <= len(text):
            length = self._match(text, index)
            if length:
                pieces += [text[at:index], mask(length)]
                at = index = index + length
            else:
                index += 1
        return "".join([*pieces, text[at:]]) if pieces else text

    def _match(self, text: str, index: int) -> int:
        """How many characters from here on are a secret, or the beginning of a long one."""
        for value in self.by_start.get(text[index : index + MIN_LENGTH], ()):
            if text.startswith(value, index):
                end = index + len(value)
                inside = text[index - 1 : index].isalnum() or text[end : end + 1].isalnum()
                if len(value) >= _CUT or not inside:
                    return len(value)
            elif len(value) > _CUT and text.startswith(value[:_CUT], index):
                return _common(text, index, value)
        return 0

    def finding(self, finding: Finding) -> Finding:
        """The finding with nothing secret in its words; edits stay, since `--fix` writes them."""
        if not self.by_start:
            return finding
        fix = finding.fix
        return replace(
            finding,
            message=self.hide(finding.message),
            help=self.hide(finding.help),
            related=tuple(replace(r, message=self.hide(r.message)) for r in finding.related),
            fix=replace(fix, title=self.hide(fix.title)) if fix is not None else None,
        )

    def are_in(self, finding: Finding) -> bool:
        """Whether an edit of the finding's fix would write a secret."""
        edits = finding.fix.edits if finding.fix is not None else ()
        return any(self.hide(edit.text) != edit.text for edit in edits)


def _common(text: str, index: int, value: str) -> int:
    length = _CUT
    while index + length < len(text) and text[index + length] == value[length]:
        length += 1
    return length


def find(sources: Iterable[Source]) -> Secrets:
    """The secrets in these files."""
    values: set[str] = set()
    masked: dict[str, tuple[str, ...]] = {}
    for source in sources:
        parts = tuple(_parts(source.text)) if _may_hold(source.text) else ()
        if parts:
            values.update(_words(source.text, parts))
            masked[source.file] = _lines(source, parts)
    by_start: dict[str, list[str]] = {}
    for value in sorted(values, key=len, reverse=True):
        by_start.setdefault(value[:MIN_LENGTH], []).append(value)
    return Secrets({start: tuple(found) for start, found in by_start.items()}, masked)


def _lines(source: Source, parts: tuple[Part, ...]) -> tuple[str, ...]:
    """The lines of a file with its secrets covered; line breaks of every kind stay."""
    chars, at = [], 0
    for start, end in sorted(parts):
        begin = max(start, at)
        if end > begin:
            chars += [source.text[at:begin], re.sub(r"\S", "*", source.text[begin:end])]
            at = end
    whole = "".join([*chars, source.text[at:]])
    lines, at = [], 0
    for line in source.lines:
        lines.append(whole[at : at + len(line)])
        at += len(line)
        at += 2 if source.text[at : at + 2] == "\r\n" else 1
    return tuple(lines)


def _words(text: str, parts: Iterable[Part]) -> Iterator[str]:
    """The values that are searched for in messages."""
    for start, end in parts:
        for line in text[start:end].splitlines():
            value = line.strip(_TRIM)
            if len(value) >= MIN_LENGTH and _counts(value):
                yield value


def _may_hold(text: str) -> bool:
    small = text.lower()
    return any(sign in small for sign in _SIGNS)


def _parts(text: str) -> Iterator[Part]:
    """Where the secrets of a text are."""
    if "PRIVATE KEY-----" in text:
        yield from (match.span("value") for match in _PEM.finditer(text))
    for match in _NAMED.finditer(text):
        key, group = (match["key"], "value") if match["key"] else (match["other"], "before")
        if not _HARMLESS.search(key):
            yield match.span(group)
    if "Secret" in text:
        yield from _objects(text)
    lines = text.split("\n")
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    for number, line in enumerate(lines):
        if not _may_hold(line):
            continue
        if len(line) > _LONG:
            yield starts[number], starts[number] + len(line)
            continue
        for start, end in _in_line(line):
            yield starts[number] + start, starts[number] + end
        for later in _below(lines, number):
            yield starts[later], starts[later] + len(lines[later])


@functools.lru_cache(maxsize=1024)
def _in_line(line: str) -> tuple[Part, ...]:
    """Where the secrets of a line are; servers of a cluster have most of their lines in common."""
    return tuple(_found_in(line))


def _found_in(line: str) -> Iterator[Part]:
    for pattern in (*_VALUES, _ENV):
        for match in pattern.finditer(line):
            key = match.groupdict().get("key")
            harmless = key is not None and _HARMLESS.search(key)
            if not harmless and _counts(match["value"]):
                yield match.span("value")
    for match in _YAML.finditer(line):
        value = _value(line, match.start(), match.end())
        if not _HARMLESS.search(match["key"]) and _counts(value):
            yield match.end(), match.end() + len(value)


def _counts(value: str) -> bool:
    """Whether a value can be a secret: no switch, and nothing that is still to be filled in."""
    bare = value.strip().strip("\"',")
    return bare.lower() not in _NOTHING and _PLACEHOLDER.fullmatch(bare) is None


def _value(line: str, begin: int, at: int) -> str:
    """What follows a key of YAML: to its quote, in `{...}` to the comma, or to a comment."""
    quoted = re.compile(_QUOTED).match(line, at)
    if quoted is not None:
        return quoted[0]
    flow = any(sign in line[:begin] for sign in "{[")
    found = re.compile(r"[^,}\]\n]*" if flow else r"(?:(?!\s#).)*").match(line, at)
    return found[0] if found is not None else ""


def _below(lines: list[str], number: int) -> Iterator[int]:
    """The lines that go on with the value of a key that begins line `number`."""
    line = lines[number]
    match = _YAML.search(line)
    if match is None or line[: match.start()].strip("- \t?"):
        return
    key, value = match["key"], _value(line, match.start(), match.end()).strip()
    if _HARMLESS.search(key) or (key.lower() == "secret" and not value):
        return
    indent = match.start()
    for later in range(number + 1, len(lines)):
        body = lines[later].lstrip(" ")
        deeper = len(lines[later]) - len(body)
        item = not value and deeper == indent and body.startswith("- ")
        if body.strip() and deeper <= indent and not item and not _open(value):
            return
        yield later
        if _open(value) and value[0] in lines[later]:
            return


def _open(value: str) -> bool:
    """Whether a quote begins and does not end."""
    return value[:1] in ("'", '"') and (len(value) == 1 or value[-1] != value[0])


def _objects(text: str) -> Iterator[Part]:
    """The values in objects of the kind Secret."""
    begin = 0
    for end in (match.start() for match in _OBJECT.finditer(text)):
        part = text[begin:end]
        if _IS_SECRET.search(part):
            for match in _DATA.finditer(part):
                yield from _data(text, begin + match.start(), begin + match.end(), end)
        begin = end


def _data(text: str, key: int, at: int, end: int) -> Iterator[Part]:
    """The values below `data`, whose own names stay."""
    indent = key - (text.rfind("\n", 0, key) + 1)
    line_end = text.find("\n", at, end)
    line_end = end if line_end < 0 else line_end
    yield at, line_end
    at = line_end + 1
    while at < end:
        line_end = text.find("\n", at, end)
        line_end = end if line_end < 0 else line_end
        line = text[at:line_end]
        body = line.lstrip(" ")
        if body and len(line) - len(body) <= indent:
            return
        named = re.compile(r"\s*[\"']?[\w.-]+[\"']?:(?:\s|$)").match(line)
        yield at + (named.end() if named is not None else 0), line_end
        at = line_end + 1
