"""The core: any sequence of events at any times. Invariants are the oracle (`fuzz.world`)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from fuzz.records import MOST, SIZE, Kind, change, delay, records
from fuzz.target import Target
from fuzz.world import World
from vipkeeper.core.actions import State
from vipkeeper.core.events import (
    AddressesDone,
    AddressOutcome,
    AdvertReceived,
    AdvertRejected,
    Channel,
    CheckName,
    Commanded,
    ForeignClaimSeen,
    GatewayAnswered,
    HealthSampled,
    HostObserved,
    NeighboursRead,
    Outcome,
    ProberLost,
    Reconfigured,
    ServerAnswered,
    Sign,
    Started,
    Verb,
    VipAnswered,
)
from vipkeeper.core.types import (
    MILLISECOND,
    SECOND,
    HostView,
    Profile,
    Record,
    Server,
    Settings,
    VipView,
)
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

BOOT_ID = 0xB007
DIGEST = b"digest01"
GATEWAY = IPv4Address("10.10.10.1")
_VIPS: tuple[IPAddress, ...] = (IPv4Address("10.10.10.100"), IPv6Address("2001:db8::100"))
_INTERVALS = (100 * MILLISECOND, 20 * MILLISECOND, SECOND, 250 * MILLISECOND)
_HUGE = 2**64 - 1
_STRANGER = IPv4Address("10.10.10.66")
QUIET = 24 * SECOND
"""In which a healed server without peers must end a hold-off and claim."""


def settings(first: bytes) -> Settings:
    """The settings that the first record asks for; a configuration could give them all."""
    count = 1 + first[2] % 3 if first[2] < 0x80 else 3
    servers = tuple(Server(f"cp{i + 1}", IPv4Address(f"10.10.10.{11 + i}")) for i in range(count))
    interval = _INTERVALS[first[4] & 3]
    return Settings(
        vips=_VIPS[: 2 if first[4] & 4 else 1],
        servers=servers,
        own=first[3] % count,
        cluster=DIGEST,
        advert_interval=interval,
        profile=Profile.VM if first[4] & 8 else Profile.BARE_METAL,
        kernel_lease=max((1 + first[5] % 4) * SECOND, 4 * interval),
        preempt_after=5 * SECOND if first[4] & 16 else None,
        strict_lease=4 * interval if first[4] & 32 else None,
        move_budget=(6, 0, 1, 2)[first[5] >> 6],
        checked=not first[4] & 64,
    )


class Player:
    """Turns records into events."""

    def __init__(self, first: bytes, story: list[str] | None = None) -> None:
        self.world = World(settings(first), BOOT_ID, story)
        self.boots: dict[int, int] = {}
        self.counters: dict[int, int] = {}
        self.macs = [bytes((2, 0, 0, 0, 0, i)) for i in range(3)]
        world = self.world
        world.macs = tuple(
            zip((s.address for s in world.settings.servers), self.macs, strict=False)
        )
        world.kernel.permanent = first[6] & 3 == 3
        world.kernel.lease_until = world.now + 2 * SECOND if first[6] & 3 == 2 else None
        lease = world.now + (first[8] % 4 - 1) * SECOND
        epoch = _HUGE if first[9] == 255 else first[9]
        holding, standby = bool(first[6] & 8), bool(first[6] & 16)
        record = Record(epoch, holding, lease, standby) if first[6] & 4 else None
        world.feed(Started(self.view(first[7]), record))

    def view(self, code: int) -> HostView:
        """A view of the host: usable unless the byte says otherwise."""
        world = self.world
        state = world.kernel.state(world.now)
        return HostView(
            read_at=world.now - (code >> 6) * MILLISECOND,
            interface=None if code & 1 else "eth0",
            link_up=not code & 2,
            own_address=not code & 4,
            vips=tuple(VipView(vip, state, not code & 8) for vip in world.settings.vips),
            gateway=GATEWAY if code & 16 else None,
        )

    def play(self, record: bytes) -> None:
        """Let the time of a record pass, then let it happen."""
        time, frozen = delay(record)
        self.world.sleep(time, frozen=frozen)
        if self.world.over:
            return
        match Kind(record[0] % len(Kind)):
            case Kind.NOTHING:
                pass
            case Kind.ADVERT:
                self.world.feed(self.advert(record))
            case Kind.REJECTED:
                source = self.peer(record[2])[1] if record[3] & 1 else _STRANGER
                reason = list(Rejection)[record[4] % len(Rejection)]
                self.world.feed(AdvertRejected(source, reason))
            case Kind.KERNEL:
                self.kernel(record)
            case Kind.FLOOD:
                self.flood(record)
            case Kind.RECONFIGURED:
                self.reconfigure(record)
            case Kind.STALE_RESULT:
                at = self.world.now
                self.world.feed(AddressesDone(0, list(AddressOutcome)[record[2] % 3], at, at))
            case kind:
                self.host_event(kind, record)
        if frozen and not self.world.exited:
            deadline = self.world.node.deadline()
            if deadline is not None and deadline <= self.world.now:
                self.world.tick()

    def host_event(self, kind: Kind, record: bytes) -> None:
        """What is neither an advert nor a change of the world."""
        world, a, b = self.world, record[2], record[3]
        vip = world.settings.vips[b % len(world.settings.vips)]
        mac = self.macs[a] if a < 3 else bytes((2, 9, *record[4:8]))
        match kind:
            case Kind.VIP_ANSWERED:
                world.feed(VipAnswered(vip, mac, Channel.ECHO if b & 8 else Channel.ARP))
            case Kind.SERVER_ANSWERED:
                sign = Sign.SERVICE if b & 1 else Sign.KERNEL
                world.feed(ServerAnswered(self.peer(a)[0], sign))
            case Kind.GATEWAY_ANSWERED:
                world.feed(GatewayAnswered())
            case Kind.NEIGHBOURS:
                world.feed(NeighboursRead(world.macs[: a % 4]))
            case Kind.FOREIGN_CLAIM:
                world.feed(ForeignClaimSeen(vip, mac))
            case Kind.HEALTH:
                check, outcome = list(CheckName)[a % 3], list(Outcome)[b % 5]
                world.feed(HealthSampled(check, outcome, "detail" if record[4] & 1 else ""))
            case Kind.PROBER_LOST:
                world.feed(ProberLost())
            case Kind.HOST:
                if b & 1:
                    world.kernel.lease_until = None
                world.kernel.permanent = bool(b & 2) and bool(b & 4)
                world.feed(HostObserved(self.view(a)))
            case _:
                names = [None, *(server.name for server in world.settings.servers), "cp9"]
                verb, to = list(Verb)[a % 5], names[b % len(names)]
                world.feed(Commanded(world.command(), verb, to, bool(record[4] & 1)))

    def peer(self, code: int) -> tuple[int, IPAddress]:
        """Another server's index and address; the own one where there is no other."""
        servers = self.world.settings.servers
        index = (self.world.settings.own + 1 + code % max(1, len(servers) - 1)) % len(servers)
        return index, servers[index].address

    def advert(self, record: bytes) -> AdvertReceived:
        """An authenticated advert: plausible, replayed, of another boot, or nonsense in every field."""
        world, flags = self.world, record[3]
        index, address = self.peer(record[2])
        if record[2] & 0xC0 == 0xC0:
            address = _STRANGER
        boot = self.boots.get(index, 1000 * (index + 1))
        boot = (boot, boot, boot + 1, max(1, boot - 1))[record[8] >> 6]
        self.boots[index] = boot if record[8] >> 6 == 2 else self.boots.get(index, boot)
        counter = self.counters.get(index, 0) + (1, 1, 1, 0)[record[8] & 3]
        self.counters[index] = counter
        epoch = min(_HUGE, world.node.epoch + (record[6] & 3)) if record[6] < 250 else _HUGE
        epoch = max(0, epoch - 1) if record[6] & 4 and record[6] < 250 else epoch
        advert = Advert(
            sender=address,
            boot_id=boot,
            counter=_HUGE if record[8] & 0x3C == 0x3C else counter,
            epoch=epoch,
            role=list(Role)[flags & 3],
            health=list(Health)[flags >> 2 & 3],
            standby=bool(flags & 16),
            interval_ms=(100, 20, 1, 65535)[record[9] & 3],
            cluster=b"another1" if record[9] & 4 else DIGEST,
            successor=None if record[4] == 0 else record[4] - 1,
            heard=self.heard(record),
            asks=bool(flags & 32),
            planned=bool(flags & 64),
            follows=None if record[5] == 0 else record[5] - 1,
        )
        source = _STRANGER if flags & 128 and record[9] & 8 else address
        return AdvertReceived(source, advert, world.now - (record[11] & 15) * 20 * MILLISECOND)

    def heard(self, record: bytes) -> tuple[Heard, ...]:
        """What the sender claims to hear: as many as it likes, of us and of the others."""
        code, age = record[7], (0, 30, 150, 500, None, 65534, 5, 90)[record[10] & 7]
        own = (Heard(BOOT_ID, age), Heard(0, None), Heard(BOOT_ID, 5000), Heard(77, age))[code & 3]
        entries = []
        for index in range(len(self.world.settings.servers)):
            boot = self.boots.get(index, 1000 * (index + 1)) + (code >> 2 & 1)
            entries.append(own if index == self.world.settings.own else Heard(boot, age))
        count = (len(entries), 0, 1, 64)[code >> 6]
        return tuple((entries * 64)[:count])

    def kernel(self, record: bytes) -> None:
        """The next results of address actions, and how long they take."""
        kernel = self.world.kernel
        kernel.outcomes.clear()
        kernel.outcomes.extend(
            list(AddressOutcome)[code % 3] for code in record[3 : 3 + record[2] % 8]
        )
        kernel.takes = (300_000, 0, 20 * MILLISECOND, 1200 * MILLISECOND)[record[11] & 3]

    def flood(self, record: bytes) -> None:
        """Many hostile packets, each a little different."""
        for number in range(1 + record[2] % 64):
            varied = bytearray(record)
            varied[4], varied[7] = (record[4] + number) % 256, (record[7] + 7 * number) % 256
            if record[3] & 3 == 0:
                self.world.feed(
                    self.advert(bytes((Kind.ADVERT, 0, *varied[4:8], *varied[4:8], 0, 0)))
                )
            elif record[3] & 3 == 1:
                mac = bytes((2, 7, number, *varied[4:7]))
                channel = Channel.ECHO if record[3] & 4 else Channel.ARP
                self.world.feed(VipAnswered(self.world.settings.vips[0], mac, channel))
            elif record[3] & 3 == 2:
                mac = bytes((2, 7, number, *varied[4:7]))
                self.world.feed(ForeignClaimSeen(self.world.settings.vips[0], mac))
            else:
                source = IPv4Address(0x0A000000 + int.from_bytes(varied[4:7], "big"))
                reason = list(Rejection)[number % len(Rejection)]
                self.world.feed(AdvertRejected(source, reason))
            if self.world.exited:
                return

    def reconfigure(self, record: bytes) -> None:
        """Settings as a reload may change them: not the VIPs, not the own server."""
        world = self.world
        new = settings(record)
        own = world.settings.servers[world.settings.own]
        others = [server for server in new.servers if server.address != own.address]
        servers = (*others[: record[3] % 3], own, *others[record[3] % 3 :])
        changed = replace(new, vips=world.settings.vips, servers=servers, own=servers.index(own))
        world.settings = changed
        world.feed(Reconfigured(changed))

    def heal(self, *, gateway: bool) -> None:
        """The end of all faults: alone and in order, this server must get the VIP, unless it has stopped."""
        world = self.world
        if world.exited:
            return
        end = world.now + QUIET
        world.kernel.outcomes.clear()
        world.kernel.permanent, world.kernel.takes = False, 300_000
        world.gateway_answers = True
        world.feed(HostObserved(self.view(16 if gateway else 0)))
        if gateway:
            world.feed(GatewayAnswered())
        if not world.exited:
            world.feed(Commanded(world.command(), Verb.STANDBY_OFF))
        world.extend(QUIET // MILLISECOND)
        while world.now < end and not world.exited:
            world.sleep(SECOND // 4)
            if world.node.state is State.HOLDER and not world.asked:
                break
        world.settle()
        if world.exited:
            return
        assert world.node.state is State.HOLDER, f"nobody is there, and it is {world.node.state}"
        assert not world.asked, f"never answered: {world.asked}"


def explain(data: bytes) -> list[str]:
    """The settings, and the trace up to the failure; times are nanoseconds since the start."""
    story = [repr(settings(data.ljust(SIZE, b"\0")))]
    with suppress(AssertionError):
        check(data, story)
    return story


def check(data: bytes, story: list[str] | None = None) -> None:
    """Play the records, then heal if the first one says so, since that takes most of the time."""
    parts = records(data)
    first = next(parts, bytes(SIZE))
    player = Player(first, story)
    for record in parts:
        player.play(record)
        if player.world.over:
            break
    player.world.settle()
    if first[10] & 3 == 0:
        player.heal(gateway=not first[10] & 4)


TARGET = Target("core", check, longest=SIZE * MOST, mutate=change, explain=explain)
