"""Faults of the LAN's wires: what one machine sends does not reach another, always or now and then.

A wire is directed: from one port of the bridge to another. The bridge drops (nftables, family bridge,
hook forward: once for each frame and port it leaves by, so broadcasts too); no machine can see why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vipkeeper.lab.kernel import now
from vipkeeper.lab.processes import command, in_namespace
from vipkeeper.lab.topology import LAN

_TABLE = "bridge faults"
ALWAYS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """Wires from each of the senders to each of the receivers that lose frames."""

    senders: frozenset[str]
    receivers: frozenset[str]
    percent: int = ALWAYS
    """How many frames of a hundred are lost, each by itself."""
    every: int = 1
    """Only each so-many-th frame, counted; 1: all of them."""
    multicast: bool = False
    """Only frames to IP multicast groups: neither unicast nor broadcast."""

    def without(self, name: str) -> Fault:
        """The same fault, but the machine's wires are whole."""
        return replace(self, senders=self.senders - {name}, receivers=self.receivers - {name})

    def on(self, ports: Mapping[str, str]) -> Fault:
        """The same fault also by the bridge's other ports towards these machines."""
        senders = self.senders | {ports[name] for name in self.senders if name in ports}
        receivers = self.receivers | {ports[name] for name in self.receivers if name in ports}
        return replace(self, senders=senders, receivers=receivers)

    @property
    def rule(self) -> str:
        """For nft(8); empty where no wire is left."""
        if not (self.senders and self.receivers):
            return ""
        which = "meta pkttype multicast " if self.multicast else ""
        if self.percent < ALWAYS:
            which += f"numgen random mod 100 < {self.percent} "
        if self.every > 1:
            which += f"numgen inc mod {self.every} == {self.every - 1} "
        return f"iifname {_set(self.senders)} oifname {_set(self.receivers)} {which}counter drop"


Laid = tuple[Fault, ...]
"""Faults as they were laid."""


def _set(names: Iterable[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in sorted(names)) + " }"


def script(faults: Iterable[Fault]) -> str:
    """For `nft -f`: exactly these faults, in the place of what was, in one transaction."""
    rules = [rule for fault in faults if (rule := fault.rule)]
    lines = [f"table {_TABLE}", f"delete table {_TABLE}"]
    if rules:
        chain = "type filter hook forward priority 0; policy accept;"
        lines += [f"table {_TABLE} {{", "chain wires {", chain, *rules, "}", "}"]
    return "\n".join(lines) + "\n"


def dropped(listed: str) -> int:
    """How many frames the rules of a table have dropped, from `nft -j list table`."""
    rules = (one["rule"]["expr"] for one in json.loads(listed)["nftables"] if "rule" in one)
    return sum(part["counter"]["packets"] for rule in rules for part in rule if "counter" in part)


class Wires:
    """The faults in force."""

    def __init__(self, machines: Iterable[str]) -> None:
        """`machines`: everything with a port of the bridge."""
        self._machines = frozenset(machines)
        self._faults: list[Fault] = []
        self.told: Callable[[Sequence[Fault], int], None] = lambda faults, began: None
        """Who hears of a change: the faults in force from now on, and when the change began."""
        self.ports: dict[str, str] = {}
        """The bridge's port towards a machine, where it does not carry the machine's name."""
        self.lost = 0
        """Frames lost by faults that have been taken away since `begin`."""
        self.laid = False
        """Whether there was a fault since `begin` that must have lost frames."""

    def begin(self) -> None:
        """Count from here on."""
        self.lost, self.laid = 0, bool(self._faults)

    def mute(self, name: str) -> Laid:
        """Nothing a machine sends reaches anybody. What is given back is for `take_away`.

        Raises:
            LabError: the kernel has no nftables for bridges; so do all the others.
        """
        return self._add(Fault(frozenset({name}), self._machines - {name}))

    def deafen(self, name: str) -> Laid:
        """Nothing reaches a machine; it can still send."""
        return self._add(Fault(self._machines - {name}, frozenset({name})))

    def cut(self, one: Iterable[str], other: Iterable[str]) -> Laid:
        """Nothing passes between two groups, in either direction."""
        these, those = frozenset(one), frozenset(other)
        return self._add(Fault(these, those), Fault(those, these))

    def lose(self, percent: int, receivers: Iterable[str], *, spared: Iterable[str] = ()) -> Laid:
        """Of all that is sent to the receivers, some is lost; what the spared machines send is not."""
        return self._add(Fault(self._machines - set(spared), frozenset(receivers), percent))

    def lose_every(
        self, number: int, receivers: Iterable[str], *, spared: Iterable[str] = ()
    ) -> Laid:
        """Of all that is sent to the receivers, each so-many-th frame is lost, by count."""
        senders = self._machines - set(spared)
        return self._add(Fault(senders, frozenset(receivers), every=number))

    def no_multicast(self) -> Laid:
        """Nothing sent to a multicast group reaches anybody, as where a switch filters it."""
        return self._add(Fault(self._machines, self._machines, multicast=True))

    def moved(self, name: str, port: str | None) -> None:
        """A machine is about to be behind another port of the bridge, or is behind its own again (None)."""
        self.ports.pop(name, None)
        if port is not None:
            self.ports[name] = port
        if self._faults:
            self._count()
            self._put()

    def mend(self, *names: str) -> None:
        """The wires of these machines are whole again; without a name, all of them."""
        if not self._faults:
            return
        self._count()
        kept = self._faults if names else []
        for name in names:
            kept = [fault.without(name) for fault in kept]
        self._faults = [fault for fault in kept if fault.rule]
        self._put()

    def take_away(self, laid: Laid) -> None:
        """These faults are gone; others stay."""
        kept = [fault for fault in self._faults if not any(fault is one for one in laid)]
        if len(kept) != len(self._faults):
            self._count()
            self._faults = kept
            self._put()

    def _add(self, *faults: Fault) -> Laid:
        self._count()
        self._faults += faults
        # Whether there are frames to groups at all is for what runs on the servers to say.
        self.laid |= not all(fault.multicast for fault in faults)
        self._put()
        return faults

    def _count(self) -> None:
        """What was lost until now: new rules count anew."""
        if not any(fault.rule for fault in self._faults):
            return
        family, table = _TABLE.split()
        listed = command(*in_namespace(LAN, "nft", "-j", "list", "table", family, table))
        self.lost += dropped(listed)

    def _put(self) -> None:
        began = now()
        command(
            *in_namespace(LAN, "nft", "-f", "-"),
            text=script(fault.on(self.ports) for fault in self._faults),
        )
        self.told(self._faults, began)
