"""The verbs of the scenarios. What each does is told in tests/scenarios/README.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from support.cluster import KEY, PER_MILLION, Host, Wire
from support.scenario.stage import SHOWN, STRANGER, Stage
from support.scenario.words import UnfulfilledError, WordError, Words
from vipkeeper.core.actions import AddressOperation as Operation
from vipkeeper.core.actions import State
from vipkeeper.core.events import ForeignClaimSeen, Outcome, ProberLost, Reconfigured, Verb
from vipkeeper.core.types import SECOND, Duration

SETTLING = 2 * SECOND
UNTIL_AT_MOST = 60 * SECOND
CHECKS = {
    "ready": Outcome.OK,
    "failing": Outcome.SOFT,
    "refused": Outcome.HARD,
    "unknown": Outcome.UNKNOWN,
    "stalled": Outcome.STALLED,
}
OPERATIONS = {o.value: {o} for o in Operation} | {"all": set(Operation)}


@dataclass(frozen=True, slots=True)
class Known:
    """A verb: how it is written, and what carries it out."""

    usage: str
    do: Callable[[Stage, Words], None]


def settle(stage: Stage, words: Words) -> None:
    words.end()
    stage.muted = True
    stage.start()
    stage.run(SETTLING)
    stage.muted = False
    stage.mark()
    stage.tell(stage.summary())


def start(stage: Stage, words: Words) -> None:
    for index in words.servers():
        if stage.hosts[index].node is not None:
            raise WordError(f"the daemon of {stage.hosts[index].name} runs already")
        stage.start(index)


def run(stage: Stage, words: Words) -> None:
    if not words.accept("until"):
        stage.run(words.time())
        return
    words.one_of("holder")
    wanted = sorted(stage.hosts[i].name for i in words.servers())
    stage.run_until(lambda: stage.holders() == wanted, UNTIL_AT_MOST)
    if stage.holders() != wanted:
        raise UnfulfilledError(f"{' '.join(wanted)} did not get the VIP within a minute")


def mark(stage: Stage, words: Words) -> None:
    words.end()
    stage.mark()


def status(stage: Stage, words: Words) -> None:
    words.end()
    stage.tell(stage.summary())


def report(stage: Stage, words: Words) -> None:
    words.end()
    stage.count_time()
    nobody, several = stage.tally.nobody / 1e6, stage.tally.several / 1e6
    moves = stage.tally.moves
    stage.tell(f"without VIP {nobody:.1f} ms, with two {several:.1f} ms, moves {moves}")


def show(stage: Stage, words: Words) -> None:
    what = words.one_of(*SHOWN)
    stage.shows[what] = set(words.servers())


def hide(stage: Stage, words: Words) -> None:
    stage.shows.pop(words.one_of(*SHOWN), None)


def each(call: Callable[[Stage, int], None]) -> Callable[[Stage, Words], None]:
    """A verb that does one thing to each server named."""

    def do(stage: Stage, words: Words) -> None:
        for index in words.servers():
            call(stage, index)

    return do


def _freeze(stage: Stage, index: int) -> None:
    stage.hosts[index].frozen = True


def _forget(stage: Stage, index: int) -> None:
    stage.hosts[index].record = None


def _stop(stage: Stage, index: int) -> None:
    stage.command(index, Verb.SHUTDOWN)


def cut(stage: Stage, words: Words) -> None:
    stage.cut |= words.wires()


def mute(stage: Stage, words: Words) -> None:
    stage.adverts_cut |= words.wires()


def heal(stage: Stage, words: Words) -> None:
    every = {(a.index, b.index) for a in stage.hosts for b in stage.hosts}
    healed = words.wires() if words.left else every
    stage.cut -= healed
    stage.adverts_cut -= healed
    for pair in healed:
        stage.wires.pop(pair, None)


def _wire(stage: Stage, pair: tuple[int, int]) -> Wire:
    return stage.wires.setdefault(pair, Wire())


def drop(stage: Stage, words: Words) -> None:
    count = words.number()
    for pair in sorted(words.wires()):
        _wire(stage, pair).drop = count


def delay(stage: Stage, words: Words) -> None:
    by = words.time()
    for pair in sorted(words.wires()):
        _wire(stage, pair).delay = by


def duplicate(stage: Stage, words: Words) -> None:
    for pair in sorted(words.wires()):
        _wire(stage, pair).copies = 2


def capture(stage: Stage, words: Words) -> None:
    for pair in sorted(words.wires()):
        if pair not in stage.captured:
            raise WordError("no advert has been on this wire")
        stage.kept[pair] = stage.captured[pair]


def replay(stage: Stage, words: Words) -> None:
    for pair in sorted(words.wires()):
        if pair not in stage.kept:
            raise WordError("nothing was captured on this wire")
        source, other = (stage.hosts[i] for i in pair)
        stage.transmit(source, other, stage.kept[pair], 0)


def forge(stage: Stage, words: Words) -> None:
    """Adverts with another key in the name of a server, each interval, until `forge ... stops`."""
    index = words.server()
    if words.accept("stops"):
        stage.forged.discard(index)
        return
    stage.forged.add(index)
    _forge_one(stage, stage.hosts[index])


def _forge_one(stage: Stage, host: Host) -> None:
    if host.index not in stage.forged:
        return
    for other in stage.hosts:
        if other is not host:
            stage.refuse_advert(other, host)
    stage.at(stage.now + host.settings.advert_interval, lambda: _forge_one(stage, host))


def key(stage: Stage, words: Words) -> None:
    host = stage.hosts[words.server()]
    host.key = "another key" if words.one_of("other", "same") == "other" else KEY


def gateway(stage: Stage, words: Words) -> None:
    silent = words.one_of("silent", "answers") == "silent"
    if stage.gateway is None:
        raise WordError("there is none (cluster gateway=yes)")
    for index in words.servers():
        (stage.gateway_cut.add if silent else stage.gateway_cut.discard)(index)


def fabric(stage: Stage, words: Words) -> None:
    answers = words.one_of("answers-for", "forgets") == "answers-for"
    for index in words.servers():
        (stage.arp_only.add if answers else stage.arp_only.discard)(index)


def stranger(stage: Stage, words: Words) -> None:
    what = words.one_of("answers", "announces", "leaves")
    stage.stranger = None if what == "leaves" else STRANGER
    if what == "announces":
        for host in stage.hosts:
            for vip in host.settings.vips:
                stage.deliver(host, ForeignClaimSeen(vip, STRANGER))


def link(stage: Stage, words: Words) -> None:
    index = words.server()
    stage.hosts[index].link = words.one_of("down", "up") == "up"
    stage.observe_soon(index)


def own_address(stage: Stage, words: Words) -> None:
    index = words.server()
    host = stage.hosts[index]
    host.own_address = words.one_of("gone", "back") == "back"
    if host.own_address and host.has_vip(stage.now):
        host.behind_own = False
    stage.observe_soon(index)


def delete_vip(stage: Stage, words: Words) -> None:
    index = words.server()
    host = stage.hosts[index]
    before = host.has_vips(stage.now)
    wanted = {words.take("a VIP")} if words.left else {str(vip) for vip in before}
    if not before or not wanted <= {str(vip) for vip in before}:
        raise WordError(f"{host.name} has no such VIP")
    host.deleted |= {vip for vip in before if str(vip) in wanted}
    stage.kernel_changed(host, "deleted by somebody")
    stage.observe_soon(index)


def permanent_vip(stage: Stage, words: Words) -> None:
    index = words.server()
    host = stage.hosts[index]
    host.permanent = words.one_of("added", "deleted") == "added"
    if not host.permanent:
        host.lease_until = None
    stage.kernel_changed(host, "deleted by somebody")
    stage.observe_soon(index)


def leased_vip(stage: Stage, words: Words) -> None:
    """A VIP with a lifetime appears that the daemon did not add."""
    index = words.server()
    host = stage.hosts[index]
    host.lease_until = host.clock.read(stage.now) + host.settings.kernel_lease
    stage.kernel_changed(host, "")
    stage.lease_began(host)
    stage.observe_soon(index)


def kernel(stage: Stage, words: Words) -> None:
    host = stage.hosts[words.server()]
    match words.one_of("refuses", "obeys", "takes"):
        case "refuses":
            host.refuses |= OPERATIONS[words.one_of(*OPERATIONS)]
        case "obeys":
            host.refuses.clear()
        case "takes":
            host.kernel_takes = words.time()


def api(stage: Stage, words: Words) -> None:
    index, word = words.server(), words.one_of(*CHECKS)
    stage.api[index] = CHECKS[word]
    (stage.services.discard if word == "refused" else stage.services.add)(index)
    stage.look(index)


def supervisor(stage: Stage, words: Words) -> None:
    if not stage.supervised:
        raise WordError("there is none (cluster supervisor=yes)")
    index = words.server()
    stage.supervisor[index] = CHECKS[words.one_of(*CHECKS)]
    stage.look(index)


def prober(stage: Stage, words: Words) -> None:
    index = words.server()
    words.one_of("dies")
    stage.deliver(stage.hosts[index], ProberLost())


def clock(stage: Stage, words: Words) -> None:
    index, percent = words.server(), words.take("a percentage such as 5%")
    if not percent.endswith("%") or not percent[:-1].isdecimal():
        raise WordError(f"'{percent}' is no percentage such as 5%")
    sign = 1 if words.one_of("fast", "slow") == "fast" else -1
    stage.set_clock(index, PER_MILLION + sign * int(percent[:-1]) * PER_MILLION // 100)


def handover(stage: Stage, words: Words) -> None:
    index = words.server()
    to = words.take("a server") if words.accept("to") else None
    stage.command(index, Verb.HANDOVER, to, force=words.accept("force"))


def release(stage: Stage, words: Words) -> None:
    stage.command(words.server(), Verb.RELEASE)


def standby(stage: Stage, words: Words) -> None:
    index = words.server()
    verb = Verb.STANDBY_ON if words.one_of("on", "off") == "on" else Verb.STANDBY_OFF
    stage.command(index, verb, force=words.accept("force"))


def reload(stage: Stage, words: Words) -> None:
    index = words.server()
    host = stage.hosts[index]
    match words.one_of("interval", "servers-differ", "checks-off"):
        case "interval":
            host.settings = replace(host.settings, advert_interval=words.time())
        case "checks-off":
            host.settings = replace(host.settings, checked=False)
        case _:
            host.settings = replace(host.settings, cluster=b"digest02")
    stage.deliver(host, Reconfigured(host.settings))


def expect(stage: Stage, words: Words) -> None:
    match words.one_of("holder", "state", "moves", "without-vip", "two-holders"):
        case "holder":
            none = words.accept("none")
            wanted = [] if none else [stage.hosts[i].name for i in sorted(words.servers())]
            have = stage.holders()
            if have != wanted:
                raise UnfulfilledError(f"the VIP is on {' '.join(have) or 'nobody'}")
        case "state":
            state = State(words.one_of(*(s.value for s in State)))
            for index in words.servers():
                node = stage.hosts[index].node
                if node is None or node.state is not state:
                    raise UnfulfilledError(
                        f"{stage.hosts[index].name}: {stage.what(stage.hosts[index])}"
                    )
        case "moves":
            wanted_moves = words.number()
            if stage.tally.moves != wanted_moves:
                raise UnfulfilledError(f"moves since the mark: {stage.tally.moves}")
        case "without-vip":
            _at_most(stage, words, "nobody")
        case "two-holders":
            _at_most(stage, words, "several")


def _at_most(stage: Stage, words: Words, what: str) -> None:
    stage.count_time()
    limit: Duration = 0 if words.accept("never") else words.time()
    took: Duration = getattr(stage.tally, what)
    if took > limit:
        raise UnfulfilledError(f"it was so for {took / 1e6:.1f} ms since the mark")


VERBS: dict[str, Known] = {
    "settle": Known("settle", settle),
    "start": Known("start SERVER...", start),
    "run": Known("run TIME | run until holder SERVER...", run),
    "mark": Known("mark", mark),
    "status": Known("status", status),
    "report": Known("report", report),
    "show": Known("show adverts|probes|announcements|kernel SERVER...", show),
    "hide": Known("hide adverts|probes|announcements|kernel", hide),
    "expect": Known(
        "expect holder SERVER...|none | expect state STATE SERVER... | expect moves NUMBER | "
        "expect without-vip TIME|never | expect two-holders TIME|never",
        expect,
    ),
    "power-off": Known("power-off SERVER...", each(Stage.power_off)),
    "kill": Known("kill SERVER...", each(Stage.kill_daemon)),
    "stop": Known("stop SERVER...", each(_stop)),
    "freeze": Known("freeze SERVER...", each(_freeze)),
    "thaw": Known("thaw SERVER...", each(Stage.thaw)),
    "stun": Known("stun SERVER...", each(Stage.stun)),
    "resume": Known("resume SERVER...", each(Stage.resume)),
    "forget": Known("forget SERVER...", each(_forget)),
    "clock": Known("clock SERVER PERCENT fast|slow", clock),
    "cut": Known("cut WIRE...", cut),
    "cut-adverts": Known("cut-adverts WIRE...", mute),
    "heal": Known("heal [WIRE...]", heal),
    "drop": Known("drop NUMBER WIRE...", drop),
    "delay": Known("delay TIME WIRE...", delay),
    "duplicate": Known("duplicate WIRE...", duplicate),
    "capture": Known("capture WIRE...", capture),
    "replay": Known("replay WIRE...", replay),
    "key": Known("key SERVER other|same", key),
    "forge": Known("forge SERVER [stops]", forge),
    "gateway": Known("gateway silent|answers SERVER...", gateway),
    "fabric": Known("fabric answers-for|forgets SERVER...", fabric),
    "stranger": Known("stranger answers|announces|leaves", stranger),
    "link": Known("link SERVER down|up", link),
    "own-address": Known("own-address SERVER gone|back", own_address),
    "delete-vip": Known("delete-vip SERVER [VIP]", delete_vip),
    "permanent-vip": Known("permanent-vip SERVER added|deleted", permanent_vip),
    "leased-vip": Known("leased-vip SERVER", leased_vip),
    "kernel": Known("kernel SERVER refuses add|renew|remove|reorder|all|obeys|takes TIME", kernel),
    "api": Known("api SERVER ready|failing|stalled|refused|unknown", api),
    "supervisor": Known("supervisor SERVER ready|failing|stalled|refused|unknown", supervisor),
    "prober": Known("prober SERVER dies", prober),
    "handover": Known("handover SERVER [to SERVER] [force]", handover),
    "release": Known("release SERVER", release),
    "standby": Known("standby SERVER on|off [force]", standby),
    "reload": Known("reload SERVER interval TIME|servers-differ|checks-off", reload),
}
