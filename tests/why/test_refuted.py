"""Clusters of which something was once confirmed that is not so."""

from __future__ import annotations

from vipkeeper.diagnose.engine import Diagnosis, Standing, Verdict
from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.hypothesis import Risk
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Hello, Key, Manager, Port, Process, Ready
from vipkeeper.report.style import Style
from vipkeeper.report.why import html, markdown, text
from why.recorded import answer

T = 1_700_000_000_000
NAMES = ("cp1", "cp2", "cp3")
CLUSTER = (Fact(Key.SERVERS, NAMES), Fact(Key.VIP, "192.0.2.100"))
TIMEOUT = Fact(Key.VIP_PORT, Port.SILENT, vantage="w1", aspect="6443", at=T)
REFUSED = Fact(Key.VIP_PORT, Port.REFUSED, vantage="w1", aspect="6443", at=T)
SERVES = (
    Fact(Key.VIP_PORT, Port.OPEN, vantage="cp1", aspect="6443", at=T),
    Fact(Key.VIP_READYZ, Ready.UNAUTHORIZED, vantage="cp1", at=T),
)
Facts = tuple[Fact, ...]


def own(key: Key, value: Value, about: str = "cp1", *, aspect: str = "", s: int = 0) -> Fact:
    """What a server says of itself."""
    return Fact(key, value, about, about, aspect, T + s * 1000)


def seen(key: Key, value: Value, about: str, place: str, *, aspect: str = "", s: int = 0) -> Fact:
    """What a place sees of a server."""
    return Fact(key, value, about, place, aspect, T + s * 1000)


def has_vip(*holders: str) -> Facts:
    return tuple(own(Key.VIP_PRESENT, name in holders, name) for name in NAMES)


def leaderless(*, up: bool, looks: int = 1) -> Facts:
    """cp1 has no leader; from two places the etcd of the others is not there."""
    met = Port.REFUSED if up else Port.SILENT
    facts = [
        Fact(Key.VOTERS, 3, vantage="cp1", at=T),
        Fact(Key.DATASTORE, Datastore.ETCD, vantage="cp1", at=T),
    ]
    for s in range(0, 15 * looks, 15):
        facts.append(own(Key.ETCD_HEALTH, Etcd.NO_LEADER, s=s))
        for place in ("cp1", "w1"):
            for name in ("cp2", "cp3"):
                facts.append(seen(Key.SERVER_PORT, met, name, place, aspect="2380", s=s))
                facts.append(seen(Key.SERVER_UP, up, name, place, s=s))
    return tuple(facts)


def roots(found: Diagnosis) -> dict[str, Standing]:
    return {a.hypothesis.code: a.standing for a in found.roots}


def sure(found: Diagnosis) -> set[str]:
    groups = (found.roots, found.hidden, found.consequences)
    return {a.hypothesis.code for g in groups for a in g if a.standing is Standing.CONFIRMED}


def test_401_is_no_word_about_the_datastore() -> None:
    """A cluster of RKE2 without a quorum answers so, and a workstation sees no more of it."""
    titles = {r.hypothesis.code: r.page.title for r in all_hypotheses()}
    for facts, unseen in ((SERVES, 1), ((*SERVES, own(Key.ETCD_HEALTH, Etcd.HEALTHY)), 0)):
        found = answer((*CLUSTER, *facts))
        assert found.verdict is Verdict.HEALTHY
        assert len(found.unseen) == unseen
        printed = text.render(found, titles.__getitem__, Style(color=False, ascii=True))
        pages = (markdown.render(found, titles.__getitem__), html.render(found, titles.__getitem__))
        for page in (" ".join(printed.split()), *pages):
            assert ("401 does not say" in page) is bool(unseen)


def test_a_healthy_vip_does_not_hide_a_server_that_is_gone() -> None:
    facts = (*CLUSTER, *SERVES, own(Key.ETCD_HEALTH, Etcd.HEALTHY), *has_vip("cp1"))
    gone, back = (
        seen(Key.SERVER_UP, False, "cp3", "cp1"),
        seen(Key.SERVER_UP, True, "cp3", "w1", s=9),
    )
    found = answer((*facts, gone))
    assert found.verdict is Verdict.HEALTHY
    assert [text for text in found.unseen if text.startswith("cp3 does not answer")]
    assert answer((*facts, gone, back)).unseen == ()


def test_a_healthy_cluster_of_k3s_lacks_no_port() -> None:
    closed = Fact(Key.VIP_PORT, Port.REFUSED, vantage="cp1", aspect="9345", at=T)
    own_ports = tuple(own(Key.REGISTRATION_PORT, Port.REFUSED, name) for name in NAMES)
    facts = (*CLUSTER, *SERVES, closed, own(Key.ETCD_HEALTH, Etcd.HEALTHY), *has_vip("cp1"))
    assert answer((*facts, *own_ports)).verdict is Verdict.HEALTHY
    assert answer(facts).verdict is Verdict.HEALTHY
    rke2 = own(Key.REGISTRATION_PORT, Port.OPEN)
    assert answer((*facts, rke2)).verdict is not Verdict.HEALTHY


def test_a_vip_that_answers_401_before_an_etcd_that_is_ill_is_not_healthy() -> None:
    for word in (Etcd.NO_LEADER, Etcd.NO_SPACE):
        assert (
            answer((*CLUSTER, *SERVES, own(Key.ETCD_HEALTH, word))).verdict is not Verdict.HEALTHY
        )


def test_a_cluster_that_boots_has_not_lost_its_quorum_for_good() -> None:
    boots = [own(Key.SUPERVISOR, Process.STARTING, name) for name in ("cp2", "cp3")]
    for more in ((), boots):
        found = answer((*CLUSTER, TIMEOUT, *leaderless(up=True), *more))
        assert roots(found) == {"VK801": Standing.LIKELY}
        assert all(step.risk is not Risk.DESTRUCTIVE for step in found.roots[0].fixes)
    again = answer((*CLUSTER, TIMEOUT, *leaderless(up=True, looks=2), *boots))
    assert roots(again) == {"VK801": Standing.LIKELY}
    off = answer((*CLUSTER, TIMEOUT, *leaderless(up=False)))
    dead = answer((*CLUSTER, TIMEOUT, *leaderless(up=True, looks=2)))
    assert roots(off) == roots(dead) == {"VK801": Standing.CONFIRMED}


def test_what_one_manager_complains_of_is_not_why_the_vip_went_with_the_quorum() -> None:
    nobody = (*CLUSTER, TIMEOUT, *leaderless(up=False), *has_vip())
    for code in ("interface-missing", "lease-forbidden", "kubeconfig-missing", "lease-api-refused"):
        told = own(Key.LOG, True, aspect=code)
        found = answer((*nobody, told, own(Key.MANAGER_STATE, Process.RUNNING)))
        assert roots(found) == {"VK801": Standing.CONFIRMED}, code


def test_what_logs_said_before_it_was_mended_is_not_so_now() -> None:
    read = [own(Key.LOGS_READ, True, name) for name in NAMES]
    external = Fact(Key.DATASTORE, Datastore.EXTERNAL)
    keepalived = Fact(Key.MANAGER, Manager.KEEPALIVED)
    ends = own(Key.SUPERVISOR, Process.RESTARTING)
    accepted = Fact(Key.VIP_HELLO, Hello.VALID, vantage="w1", aspect="6443")
    for code, cause, more in (
        ("etcd-cluster-id-mismatch", "VK810", ()),
        ("datastore-unreachable", "VK813", (external,)),
        ("keepalived-vip-mismatch", "VK865", (keepalived,)),
        ("join-unauthorized", "VK843", (ends, accepted)),
        ("invalid-url-scheme", "VK841", (ends, own(Key.ETCD_DATA, False))),
        ("duplicate-node-name", "VK849", (ends,)),
    ):
        facts = (*CLUSTER, TIMEOUT, *read, *more)
        before, now = (own(Key.LOG, True, aspect=code, s=s) for s in (-1800, -9))
        assert cause not in sure(answer((*facts, before)))
        assert cause in sure(answer((*facts, now)))


def test_what_a_manager_got_over_is_not_why_it_holds_nothing_now() -> None:
    states = [own(Key.MANAGER_STATE, Process.RUNNING, name) for name in NAMES]
    read = [own(Key.LOGS_READ, True, name) for name in NAMES]
    for code in ("interface-missing", "kubeconfig-missing"):
        before, now = (
            [own(Key.LOG, True, n, aspect=code, s=s) for n in NAMES] for s in (-1800, -9)
        )
        facts = (*CLUSTER, TIMEOUT, *has_vip(), *states, *read)
        assert not sure(answer((*facts, *before))), code
        assert sure(answer((*facts, *now))), code


def test_a_pod_between_two_starts_has_not_left_the_vip() -> None:
    facts = (*CLUSTER, REFUSED, *has_vip("cp1"), own(Key.MANAGER_STATE, Process.STOPPED))
    again = own(Key.MANAGER_STATE, Process.STOPPED, s=15)
    kube_vip = Fact(Key.MANAGER, Manager.KUBE_VIP, vantage="cp1")
    keepalived = Fact(Key.MANAGER, Manager.KEEPALIVED, vantage="cp1")
    assert "VK827" not in sure(answer((*facts, kube_vip)))
    assert "VK827" in sure(answer((*facts, kube_vip, again)))
    assert "VK827" in sure(answer((*facts, keepalived)))


def test_a_manager_that_takes_over_is_not_silent() -> None:
    facts = (*CLUSTER, TIMEOUT, *(own(Key.MANAGER_STATE, Process.RUNNING, n) for n in NAMES))
    first = (*has_vip(), own(Key.MANAGER_HOLDS, True, "cp2"))
    again = (own(Key.VIP_PRESENT, False, "cp2", s=15), own(Key.MANAGER_HOLDS, True, "cp2", s=15))
    before = own(Key.MANAGER_HOLDS, False, "cp2", s=-15)
    assert "VK836" not in sure(answer((*facts, *first)))
    assert "VK836" not in sure(answer((*facts, *first, before)))
    assert "VK836" in sure(answer((*facts, *first, *again)))


def test_bundles_that_were_taken_minutes_apart_are_no_one_moment() -> None:
    """Each server collected after the other, while the VIP moves."""
    manager = (Fact(Key.MANAGER, Manager.KEEPALIVED), seen(Key.SERVER_UP, True, "cp1", "cp2"))
    holds = tuple(own(Key.MANAGER_HOLDS, True, name) for name in ("cp1", "cp2"))
    runs = tuple(own(Key.MANAGER_STATE, Process.RUNNING, name) for name in NAMES)
    read = tuple(own(Key.LOGS_READ, True, name) for name in NAMES)
    facts = (*CLUSTER, TIMEOUT, *manager, *holds, *runs, *read, own(Key.VIP_PRESENT, False, "cp3"))
    first = own(Key.VIP_PRESENT, True)
    near, far = (own(Key.VIP_PRESENT, True, "cp2", s=s) for s in (60, 300))
    assert not sure(answer((*facts, first, far)))
    assert sure(answer((*facts, first, near))) == {"VK864"}
    absent = tuple(own(Key.MANAGER_STATE, Process.ABSENT, name) for name in NAMES)
    early, late = ((own(Key.VIP_PRESENT, False, "cp2", s=s),) for s in (60, 300))
    nobody = (
        *CLUSTER,
        TIMEOUT,
        *absent,
        own(Key.VIP_PRESENT, False),
        own(Key.VIP_PRESENT, False, "cp3"),
    )
    assert sure(answer((*nobody, *early))) == {"VK828"}
    assert not sure(answer((*nobody, *late)))


def test_a_look_of_this_morning_does_not_say_how_the_others_are_now() -> None:
    lost = (*CLUSTER, TIMEOUT, *leaderless(up=False))
    for s, found in ((-60, set()), (-3600, {"VK801"})):
        healthy = tuple(own(Key.ETCD_HEALTH, Etcd.HEALTHY, name, s=s) for name in ("cp2", "cp3"))
        assert sure(answer((*lost, *healthy))) - {"VK802"} == found
    assert "VK802" not in sure(answer((*lost, *healthy)))


def test_a_holder_on_another_card_is_no_foreign_host() -> None:
    macs = (
        Fact(Key.VIP_MACS, ("02:00:00:00:00:99",), vantage="cp1", at=T),
        Fact(Key.VIP_MAC_OWNER, "none", vantage="cp1", at=T),
        Fact(Key.VIP_ON_LINK, True, vantage="cp1", at=T),
    )
    found = answer((*CLUSTER, *SERVES, *macs, *has_vip("cp2")))
    assert found.verdict is Verdict.HEALTHY
    assert "VK862" in sure(answer((*CLUSTER, REFUSED, *macs, *has_vip())))


def test_a_vip_that_is_announced_by_routing_may_be_in_no_subnet() -> None:
    subnets = tuple(own(Key.VIP_SUBNET, False, name) for name in NAMES)
    facts = (*CLUSTER, *subnets, *has_vip("cp1"))
    card, loopback = own(Key.VIP_INTERFACE, "eth0"), own(Key.VIP_INTERFACE, "lo")
    assert "VK869" not in sure(answer((*facts, REFUSED, card)))
    assert "VK869" not in sure(answer((*facts, TIMEOUT, loopback)))
    assert "VK869" in sure(answer((*facts, TIMEOUT, card)))


def test_a_server_that_is_to_have_no_etcd_misses_none() -> None:
    facts = (*CLUSTER, TIMEOUT, *has_vip("cp1"), Fact(Key.DATASTORE, Datastore.ETCD))
    facts += tuple(own(Key.ETCD_HEALTH, Etcd.REFUSED, s=s) for s in (0, 15))
    facts += (own(Key.SUPERVISOR, Process.RUNNING),)
    without, with_data = own(Key.ETCD_DATA, False), own(Key.ETCD_DATA, True)
    for ready in (Ready.OK, Ready.UNAUTHORIZED):
        assert "VK808" not in sure(answer((*facts, without, own(Key.READYZ, ready, s=15))))
    assert "VK808" in sure(answer((*facts, with_data, own(Key.READYZ, Ready.UNAUTHORIZED, s=15))))
    assert "VK808" in sure(answer((*facts, own(Key.READYZ, Ready.ETCD_FAILED, s=15))))


def test_one_look_by_two_clocks_is_one_look() -> None:
    facts = (
        *(Fact(Key.SERVERS, ("cp1",)), REFUSED, own(Key.VIP_PRESENT, True)),
        *(own(Key.SUPERVISOR, Process.RUNNING), own(Key.ETCD_HEALTH, Etcd.HEALTHY)),
        own(Key.CONTAINER, Process.RUNNING, aspect="kube-apiserver"),
        own(Key.API_PORT, Port.REFUSED),
    )
    later = own(Key.API_PORT, Port.REFUSED, s=15)
    elsewhere = seen(Key.SERVER_PORT, Port.REFUSED, "cp1", "w1", aspect="6443", s=15)
    assert "VK822" not in sure(answer((*facts, elsewhere)))
    assert "VK822" in sure(answer((*facts, later)))
