"""What lint says about the files of the cluster."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import Judgement, Truth, View, false, true, unknown
from vipkeeper.diagnose.predicates.logs import LOG_KEYS, logged_lately
from vipkeeper.diagnose.vocabulary import Key


def found_in_files(view: View, text: str, *rules: str) -> Judgement:
    """One of these rules of lint finds something. False only when all of them looked."""
    latest = {rule: view.one(Key.LINT, "", rule) for rule in rules}
    looked = [fact for fact in latest.values() if fact is not None]
    met = [fact for fact in looked if fact.value is True]
    if met:
        return true(text, *met)
    if len(looked) == len(rules):
        return false(f"lint finds nothing of it in the files: {text}", *looked)
    return unknown(f"nobody judged the files: {text}", needs=(Key.LINT,))


def in_files(name: str, text: str, *rules: str) -> Predicate:
    """The predicate that one of these rules of lint finds something."""
    return Predicate(name, frozenset({Key.LINT}), lambda view: found_in_files(view, text, *rules))


def in_files_or_logs(
    name: str, text: str, rules: tuple[str, ...], codes: tuple[str, ...]
) -> Predicate:
    """The predicate that the files are such, or that a server complained of it.

    False only when neither is so. Files that were mended since do not undo what goes on being logged.
    """
    said = logged_lately(name, text, *codes)

    def judge(view: View) -> Judgement:
        told = said.judge(view)
        files = found_in_files(view, text, *rules)
        goes_on = told.facts if told.truth is Truth.TRUE else ()
        met = (*goes_on, *(f for f in files.facts if f.value is True))
        if met:
            return true(text, *met)
        if told.facts and files.facts:
            return false(f"neither files nor logs say that {text}", *files.facts, *told.facts)
        return unknown(f"not known whether {text}", *told.facts, *files.facts)

    return Predicate(name, frozenset({Key.LINT, *LOG_KEYS}), judge)
