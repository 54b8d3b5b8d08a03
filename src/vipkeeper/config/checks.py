"""User-defined health checks: the `checks` list."""

from __future__ import annotations

import re

from vipkeeper.config.checker import Checker
from vipkeeper.config.cluster import MS, SECOND, CheckKind, CountsAs, UserCheck
from vipkeeper.config.tree import Mapping, Node, Scalar

KEYS = ("type", "counts_as", "target", "url", "command", "expect_status", "timeout", "interval")
_TARGET = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})")
_URL = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})(/\S*)?")


def read_checks(checker: Checker) -> tuple[UserCheck, ...] | None:
    """The checks that replace the distribution's preset; None when the key is not given."""
    if not checker.has("checks"):
        return None
    checks = [_check(checker, node) for node in checker.sequence("checks")]
    return tuple(check for check in checks if check is not None)


def _check(checker: Checker, node: Node) -> UserCheck | None:
    if not isinstance(node, Mapping):
        checker.problem(node.span, "a check needs 'type' and what to look at")
        return None
    inner = Checker(node, checker.problems, "checks.")
    inner.only(KEYS)
    if not inner.has("type"):
        inner.problem(node.span, "a check needs 'type': tcp, http or exec")
        return None
    kind = inner.choice("type", CheckKind, CheckKind.TCP)
    return UserCheck(
        kind=kind,
        counts_as=inner.choice("counts_as", CountsAs, CountsAs.EXTRA),
        target=_target(inner, kind),
        command=_command(inner) if kind is CheckKind.EXEC else (),
        expect_status=inner.number("expect_status", 200, 100, 599),
        timeout=inner.duration("timeout", 3 * SECOND, 100 * MS, 30 * SECOND),
        interval=inner.duration("interval", SECOND, 200 * MS, 60 * SECOND),
    )


def _target(inner: Checker, kind: CheckKind) -> str:
    if kind is CheckKind.EXEC:
        return ""
    key, pattern, example = (
        ("target", _TARGET, "127.0.0.1:6443")
        if kind is CheckKind.TCP
        else ("url", _URL, "https://127.0.0.1:6443/readyz")
    )
    text = inner.text(key)
    found = pattern.fullmatch(text) if text is not None else None
    if found is None or not 0 < int(found[2]) < 65536:
        inner.problem(inner.span(key), f"a {kind.value} check needs '{key}', such as {example}")
        return ""
    return found[0]


def _command(inner: Checker) -> tuple[str, ...]:
    words = [node.text for node in inner.sequence("command") if isinstance(node, Scalar)]
    if not words or not words[0].startswith("/"):
        inner.problem(
            inner.span("command"),
            "an exec check needs 'command': a list, its first word an absolute path",
        )
        return ()
    return tuple(words)
