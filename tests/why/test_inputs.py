"""What a predicate declares to read is what it reads: the next probe and the coverage of collectors rest on it."""

from __future__ import annotations

from vipkeeper.diagnose import symptoms
from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import View
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Etcd, Key, Port, Process
from why.recorded import cases

SERVERS = Fact(Key.SERVERS, ("cp1", "cp2"))
BEYOND = (
    (
        SERVERS,
        Fact(Key.ETCD_LEARNER, True, "cp1"),
        Fact(Key.SUPERVISOR_AGE, 9, "cp1"),
    ),
    (
        SERVERS,
        Fact(Key.ETCD_HEALTH, Etcd.NO_LEADER, "cp1"),
        Fact(Key.SERVER_PORT, Port.REFUSED, "cp2", "cp1", "2380"),
    ),
    (
        SERVERS,
        Fact(Key.SERVER_PORT, Port.REFUSED, "cp2", "cp1", "2380"),
        Fact(Key.SUPERVISOR, Process.STARTING, "cp2"),
    ),
)
"""What no recorded case has, and some predicate asks."""


def predicates() -> list[tuple[str, Predicate]]:
    found = [
        (registered.hypothesis.code, predicate)
        for registered in all_hypotheses()
        for group in (
            registered.hypothesis.requires,
            registered.hypothesis.forbids,
            registered.hypothesis.supports,
        )
        for predicate in group
    ]
    seen = (*symptoms.SEEN_BY.values(), symptoms.vip_answers, symptoms.etcd_ails)
    return [
        *found,
        *(("symptom", p) for p in (*seen, symptoms.datastore_answers, symptoms.servers_answer)),
    ]


def test_every_key_that_is_declared_is_read_in_some_case() -> None:
    """More than it declares no predicate can read: the view raises."""
    evidence = [Evidence(facts) for facts in (*(case.facts for case in cases()), *BEYOND)]
    idle = set()
    for code, predicate in predicates():
        unread = set(predicate.reads)
        for one in evidence:
            view = View(one, predicate.reads)
            predicate.judge(view)
            unread -= view.touched
        idle |= {f"{code} {predicate.name}: {key.word}" for key in unread}
    assert idle == set()
