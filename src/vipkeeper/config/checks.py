"""User-defined health checks: the `checks` list."""

from __future__ import annotations

import re

from vipkeeper.config.checker import Checker
from vipkeeper.config.cluster import CheckKind, UserCheck
from vipkeeper.config.table import (
    CHECK_COMMON,
    CHECK_COUNTS_AS,
    CHECK_INTERVAL,
    CHECK_OWN,
    CHECK_STATUS,
    CHECK_TARGET,
    CHECK_TIMEOUT,
    CHECK_TYPE,
    CHECK_URL,
    CHECKS,
)
from vipkeeper.config.tree import Mapping, Node, Scalar, Sequence


def read_checks(checker: Checker) -> tuple[UserCheck, ...] | None:
    """The checks that replace the distribution's preset; None when the key is not given."""
    node = checker.node(CHECKS.name)
    if node is None:
        return None
    if not isinstance(node, Sequence):
        checker.problem(node.span, "'checks' must be a list, one check an item")
        return None
    checks = [_check(checker, item) for item in node.items]
    return tuple(check for check in checks if check is not None)


def _check(checker: Checker, node: Node) -> UserCheck | None:
    if not isinstance(node, Mapping):
        checker.problem(node.span, "a check needs 'type' and what to look at")
        return None
    inner = Checker(node, checker.problems, "checks.")
    if not inner.has(CHECK_TYPE.name):
        inner.problem(node.span, "a check needs 'type': tcp, http or exec")
        return None
    before = len(checker.problems)
    kind = inner.choice(CHECK_TYPE)
    if len(checker.problems) > before:
        return None  # without its type nothing can be said of the other keys
    inner.only((*CHECK_COMMON, *CHECK_OWN[kind]))
    return UserCheck(
        kind=kind,
        counts_as=inner.choice(CHECK_COUNTS_AS),
        target=_target(inner, kind),
        command=_command(inner) if kind is CheckKind.EXEC else (),
        expect_status=inner.number(CHECK_STATUS),
        timeout=inner.duration(CHECK_TIMEOUT),
        interval=inner.duration(CHECK_INTERVAL),
    )


def _target(inner: Checker, kind: CheckKind) -> str:
    if kind is CheckKind.EXEC:
        return ""
    key = CHECK_TARGET if kind is CheckKind.TCP else CHECK_URL
    found = None
    text = inner.text(key.name)
    if text is not None:
        found = re.fullmatch(key.kind.pattern, text)
    if found is None or not 0 < int(found[2]) < 65536:
        message = f"a {kind.value} check needs '{key.name}': {key.kind.form}"
        inner.problem(inner.span(key.name), message)
        return ""
    return found[0]


def _command(inner: Checker) -> tuple[str, ...]:
    node = inner.node("command")
    items = node.items if isinstance(node, Sequence) else ()
    words = tuple(item.text for item in items if isinstance(item, Scalar) and "\0" not in item.text)
    if not words or len(words) < len(items) or not words[0].startswith("/"):
        inner.problem(
            inner.span("command"),
            "an exec check needs 'command': a list of words, the first an absolute path",
        )
        return ()
    return words
