"""How each symptom is seen in the evidence, from whatever place somebody looked."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.hypothesis import Predicate, Symptom, predicate
from vipkeeper.diagnose.judgement import Judgement, Truth, View, among, false, true, unknown
from vipkeeper.diagnose.vocabulary import Etcd, Hello, Key, Port, Process, Ready

API = "6443"
REGISTRATION = "9345"


def _port(view: View, port: str, word: Port, text: str) -> Judgement:
    """What the last attempt from each place met."""
    return _judged(_latest(view, Key.VIP_PORT, port), word, text)


def _latest(view: View, key: Key, aspect: str = "") -> tuple[Fact, ...]:
    """The last known fact of each place that looked at the VIP."""
    by_place = {fact.vantage: fact for fact in view.of(key, "", aspect) if fact.known}
    return tuple(by_place[place] for place in sorted(by_place))


def _judged(facts: tuple[Fact, ...], value: object, text: str) -> Judgement:
    met = [fact for fact in facts if fact.value == value]
    if met:
        return true(text, *met)
    return false(f"not so: {text}", *facts) if facts else unknown(f"nobody looked: {text}")


@predicate(Key.VIP_MACS)
def no_answer(view: View) -> Judgement:
    """ARP and neighbour solicitations for the VIP stay without an answer."""
    return _judged(_latest(view, Key.VIP_MACS), (), "nobody answers ARP for the VIP")


@predicate(Key.VIP_PORT)
def refused(view: View) -> Judgement:
    """TCP to the API port of the VIP is refused."""
    return _port(view, API, Port.REFUSED, "port 6443 of the VIP refuses connections")


@predicate(Key.VIP_PORT)
def timeout(view: View) -> Judgement:
    """TCP to the API port of the VIP gets no answer."""
    return _port(view, API, Port.SILENT, "port 6443 of the VIP does not answer")


@predicate(Key.VIP_PORT, Key.VIP_ROUTE)
def no_route(view: View) -> Judgement:
    """TCP to the API port of the VIP ends with 'no route to host', or the place that asks has none."""
    routes = tuple(fact for fact in _latest(view, Key.VIP_ROUTE) if fact.value is False)
    if routes:
        return true("there is no route to the VIP", *routes)
    return _port(view, API, Port.UNREACHABLE, "there is no route to the VIP")


@predicate(Key.VIP_HELLO)
def no_hello(view: View) -> Judgement:
    """TCP connects and TLS does not begin."""
    facts = _latest(view, Key.VIP_HELLO, API)
    return _judged(facts, Hello.NO_ANSWER, "port 6443 of the VIP connects and then says nothing")


@predicate(Key.VIP_HELLO)
def certificate(view: View) -> Judgement:
    """A client that verifies would reject the certificate."""
    rejected = among(Hello.NAME_MISSING, Hello.EXPIRED, Hello.NOT_YET_VALID, Hello.OTHER_AUTHORITY)
    facts = _latest(view, Key.VIP_HELLO, API)
    bad = [fact for fact in facts if fact.value is not None and rejected(fact.value)]
    if bad:
        return true("clients reject the certificate on the VIP", *bad)
    return false("the certificate is accepted", *facts) if facts else unknown("nobody looked")


@predicate(Key.VIP_READYZ)
def server_error(view: View) -> Judgement:
    """The API answers and says that it cannot serve."""
    failing = among(Ready.ETCD_FAILED, Ready.CHECKS_FAILED, Ready.NOT_READY)
    facts = _latest(view, Key.VIP_READYZ)
    bad = [fact for fact in facts if fact.value is not None and failing(fact.value)]
    if bad:
        return true("the API on the VIP answers 5xx", *bad)
    return false("the API on the VIP does not answer 5xx", *facts) if facts else unknown("")


def _joined_by_9345(view: View) -> tuple[Fact, ...]:
    """What shows that nodes join through 9345: k3s and kubeadm have no such port."""
    said = [f for f in view.of(Key.JOIN_PORT, "") if str(f.value) == REGISTRATION]
    there = [f for f in view.of(Key.SERVER_PORT, None, REGISTRATION) if f.value is Port.OPEN]
    there += view.each(Key.REGISTRATION_PORT).where(among(Port.OPEN))
    return tuple((said or there)[:1])


@predicate(Key.VIP_PORT, Key.JOIN_PORT, Key.SERVER_PORT, Key.REGISTRATION_PORT)
def registration_closed(view: View) -> Judgement:
    """Port 9345, by which nodes join, is closed on the VIP while 6443 is open, as one place sees both."""
    joined = view.one(Key.JOIN_PORT)
    if joined is not None and str(joined.value) != REGISTRATION:
        return false(f"nodes join through port {joined.value}", joined)
    api = {fact.vantage: fact for fact in _latest(view, Key.VIP_PORT, API)}
    both = [f for f in _latest(view, Key.VIP_PORT, REGISTRATION) if f.vantage in api]
    shut = [fact for fact in both if fact.value in (Port.REFUSED, Port.SILENT)]
    closed = [fact for fact in shut if api[fact.vantage].value is Port.OPEN]
    if closed and not _joined_by_9345(view):
        return unknown("9345 of the VIP is closed, and not known whether nodes join through it")
    if closed:
        opened = [api[fact.vantage] for fact in closed]
        return true("port 9345 of the VIP is closed while 6443 is open", *closed, *opened)
    return false("9345 is as open as 6443", *both) if both else unknown("nobody asked both ports")


@predicate(Key.VIP_MACS)
def two_answer(view: View) -> Judgement:
    """More than one link-layer address answers for the VIP."""
    facts = _latest(view, Key.VIP_MACS)
    several = [fact for fact in facts if isinstance(fact.value, tuple) and len(fact.value) > 1]
    if several:
        return true("two hosts answer for the VIP", *several)
    return false("one host at most answers for the VIP", *facts) if facts else unknown("")


_NOT_STARTING = (Process.RESTARTING, Process.FAILED)


@predicate(Key.SUPERVISOR)
def not_starting(view: View) -> Judgement:
    """The supervisor of some server ends again and again, or failed."""
    return view.each(Key.SUPERVISOR).some(
        among(*_NOT_STARTING), "the supervisor does not start", "every supervisor runs"
    )


@predicate(Key.MANAGER_STATE)
def manager_restarts(view: View) -> Judgement:
    """What holds the VIP is restarted again and again."""
    return view.each(Key.MANAGER_STATE).some(
        among(Process.RESTARTING),
        "what holds the VIP restarts again and again",
        "no manager restarts",
    )


SEEN_BY: dict[Symptom, Predicate] = {
    Symptom.NO_ANSWER: no_answer,
    Symptom.REFUSED: refused,
    Symptom.TIMEOUT: timeout,
    Symptom.NO_ROUTE: no_route,
    Symptom.NO_HELLO: no_hello,
    Symptom.CERTIFICATE: certificate,
    Symptom.SERVER_ERROR: server_error,
    Symptom.REGISTRATION_CLOSED: registration_closed,
    Symptom.TWO_ANSWER: two_answer,
    Symptom.NOT_STARTING: not_starting,
    Symptom.MANAGER_RESTARTS: manager_restarts,
}


@predicate(Key.VIP_PORT, Key.VIP_READYZ)
def vip_answers(view: View) -> Judgement:
    """The API serves on the VIP, as seen from every place that looked."""
    ports = _latest(view, Key.VIP_PORT, API)
    ready = _latest(view, Key.VIP_READYZ)
    fine = (Ready.OK, Ready.UNAUTHORIZED)
    if not ports or not ready:
        return unknown("nobody asked the API on the VIP")
    if all(f.value is Port.OPEN for f in ports) and all(f.value in fine for f in ready):
        return true("the API answers on the VIP", *ports, *ready)
    return false("the API does not answer on the VIP", *ports, *ready)


@predicate(Key.ETCD_HEALTH)
def etcd_ails(view: View) -> Judgement:
    """The etcd of some server has no leader, no space or a slow disk, which 401 on the VIP and an open port do not show."""
    return view.each(Key.ETCD_HEALTH).some(
        among(Etcd.NO_LEADER, Etcd.NO_SPACE, Etcd.SLOW),
        "etcd is ill",
        "etcd is well on every server",
    )


def observed(evidence: Evidence) -> tuple[tuple[Symptom, Judgement], ...]:
    """The symptoms that are there, each with the facts that show it."""
    asked = ((symptom, SEEN_BY[symptom].ask(evidence)) for symptom in Symptom)
    return tuple((symptom, judged) for symptom, judged in asked if judged.truth is Truth.TRUE)
