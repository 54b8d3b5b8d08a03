"""Secrets taken out of a text before it is kept: tokens, passwords, private keys.

A bundle is made to be sent to somebody. There is no way to switch this off, and in doubt a word too
many is taken out. Expressions repeat only within bounds, so the time is linear in the text.
"""

from __future__ import annotations

import re

from vipkeeper.secret_words import SECRET_WORDS

GONE = "[redacted]"

_SHORT = r"preshared[-_]?key|(?:\b|_)pass(?![\w-])|_pwd\b|bind_?pw\b"
_WORD = rf"(?:{'|'.join(SECRET_WORDS)}|{_SHORT}|bgp_peers|cookie|authorization)"
"""Headers of HTTP too, and the peers of kube-vip, which have their passwords in them."""
_NAME = _WORD + r"[\w.-]{0,40}"
_SECRET_NAME = re.compile(_WORD, re.IGNORECASE)
_QUOTED = r'"(?:[^"\\]|\\.){0,4096}"|\'[^\']{0,4096}\'|\\"[^"\\]{0,4096}\\"'

_KEY_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<head>(?:- +)?[\"']?[\w./-]{0,80}?" + _NAME + r"[\"']?[ \t]{0,8}:)"
    r"(?P<value>.*)$",
    re.IGNORECASE,
)
"""A line of YAML, or a header of HTTP: the whole rest of it is the value."""
_ENV_NAME = re.compile(
    r"name[\"']?[ \t]{0,8}:[ \t]{0,8}[\"']?(?P<name>[\w.-]{1,80})", re.IGNORECASE
)
_ENV_VALUE = re.compile(r"(value[\"']?[ \t]{0,8}:[ \t]{0,8})(" + _QUOTED + r"|[^,}\r\n]{1,4096})")

_INLINE = (
    (re.compile(r"\b((?:bearer|basic)[ \t]{1,8})[\w+/=.~-]{6,8192}", re.IGNORECASE), r"\1" + GONE),
    (
        re.compile(
            r"("
            + _NAME
            + r"\\?[\"']?[ \t]{0,8}=[ \t]{0,8})("
            + _QUOTED
            + r"|[^\s\"',;}&]{1,4096})",
            re.IGNORECASE,
        ),
        r"\1" + GONE,
    ),
    (
        re.compile(
            r"(?<!validate )(" + _NAME + r"\\?[\"']?[ \t]{0,8}:[ \t]{0,8})"
            r"(" + _QUOTED + r"|[^\s\"',;}]{1,4096})",
            re.IGNORECASE,
        ),
        r"\1" + GONE,
    ),
    (
        re.compile(r"(--[\w-]{0,40}" + _NAME + r"[ \t]{1,8})(?!to complete)(\S{1,4096})", re.I),
        r"\1" + GONE,
    ),
    (re.compile(r"\b((?:auth_pass|stats auth)[ \t]{1,8})\S{1,4096}"), r"\1" + GONE),
    # To the last '@': a password may have one in it.
    (re.compile(r"(://[^\s/@:]{0,128}:)[^\s\"']{1,512}@"), r"\1" + GONE + "@"),
    (re.compile(r"\b(?:[\w.-]{1,64}:)[^\s\"']{1,256}@(?=tcp\(|unix\()"), GONE + "@"),
    (re.compile(r"\bK10[0-9a-fA-F]{16,128}(?:::[^\s\"']{0,512})?"), GONE),
    (re.compile(r"\beyJ[\w-]{8,8192}\.[\w-]{1,8192}(?:\.[\w-]{0,8192})?"), GONE),
    (re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"), GONE),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), GONE),
    (re.compile(r"\b(?:gh[oprsu]_|glpat-)[\w-]{16,255}"), GONE),
    # Of a registry: user and password in Base64.
    (
        re.compile(r"(\bauth\\?[\"']?[ \t]{0,8}:[ \t]{0,8}\\?[\"']?)[\w+/]{8,4096}={0,2}"),
        r"\1" + GONE,
    ),
)
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_LONGEST_LINE = 64 * 1024


def redacted(text: str) -> str:
    """The text without secrets."""
    out = []
    block: int | None = None
    named = False
    for line in _without_keys(text).split("\n"):
        indent = len(line) - len(line.lstrip(" \t"))
        if block is not None and (not line.strip() or indent > block):
            continue
        block = None
        kept = line[:_LONGEST_LINE]
        value = _ENV_VALUE.search(kept)
        name = _ENV_NAME.search(kept)
        if name:
            named = bool(_SECRET_NAME.search(name["name"]))
        if named and value:
            kept = _ENV_VALUE.sub(rf"\1{GONE}", kept)
            named = False
        key = _KEY_LINE.match(kept)
        if key:
            if key["value"].strip().rstrip("+-0123456789") in ("", "|", ">"):
                block = indent
            kept = f"{key['indent']}{key['head']} {GONE}"
        out.append(_inline(kept))
    return "\n".join(out)


def _inline(line: str) -> str:
    for expression, instead in _INLINE:
        line = expression.sub(instead, line)
    return line


def _without_keys(text: str) -> str:
    """The text without PEM blocks of private keys; one that does not end takes the rest along."""
    kept, at = [], 0
    while begin := _BEGIN.search(text, at):
        kept += [text[at : begin.start()], GONE]
        end = _END.search(text, begin.end())
        if end is None:
            return "".join(kept)
        at = end.end()
    return "".join((*kept, text[at:]))
