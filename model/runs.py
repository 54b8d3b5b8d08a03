"""The rows of the table: what must hold under which faults, and what must fail without which rule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One search of the model."""

    name: str
    """Of a mutant: the switch in election.pml. Else: which faults."""
    label: str
    """The properties, by their names in election.pml, joined by +."""
    faults: str
    budget: int
    constants: str = ""
    servers: int = 2
    holds: bool = True

    @property
    def options(self) -> tuple[str, ...]:
        """What Spin is given."""
        words = [f"N={self.servers}", f"BUDGET={self.budget}"]
        words += [f"PROP_{name}" for name in self.label.split("+")]
        words += [f"F_{name}" for name in self.faults.split()]
        words += self.constants.split()
        words += [self.name] if self.name.isupper() else []
        return tuple(f"-D{word}" for word in words)


def _holds(
    name: str, label: str, faults: str, budget: int, constants: str = "", servers: int = 2
) -> Run:
    return Run(name, label, faults, budget, constants, servers)


def _fails(
    name: str, label: str, faults: str, budget: int, constants: str = "", servers: int = 2
) -> Run:
    return Run(name, label, faults, budget, constants, servers, holds=False)


_ALL_STOPS = "STOP CRASH BOOT RESTART"

PROPERTIES = (
    _holds("stops, health, moves, filter", "S1", f"{_ALL_STOPS} HANDOVER TERM HEALTH FILTER", 4),
    _holds("untrusted or filtered adverts", "S1", "STRANGER FILTER STOP", 5),
    _holds("kernels answer only ARP", "S1", "STOP CRASH BOOT", 4, "PROBES=1"),
    _holds("VIP deleted by hand", "S1+F2", "FILTER DELETE", 4),
    _holds("machines stand still", "STUN+E1", "STUN CRASH BOOT", 5),
    _holds("cuts and stops", "S2+L1+F3", f"CUT GATEWAY {_ALL_STOPS}", 4, "K=6"),
    _holds("a server is deaf", "L1+F3", "DEAFEN CUT STOP CRASH HEALTH", 3),
    _holds("everything heals", "L3", "DEAFEN CUT", 4, "K=3"),
    _holds("the fabric answers ARP", "L1", "PROXY STOP CRASH BOOT", 3, "K=8"),
    _holds("no gateway to ask", "L1", "CUT STOP", 4, "GATEWAY=0"),
    _holds("all unready from the start", "L1", "CRASH BOOT", 4, "READY=0"),
    _holds("health changes", "L2", "HEALTH", 5),
    _holds("health changes, crashes", "H1", "HEALTH CRASH BOOT", 4, "K=4"),
    _holds("untrusted adverts, deaf kernels", "S5", "STRANGER CRASH BOOT", 4, "PROBES=0"),
    _holds("a deaf server", "S6", "DEAFEN STOP CRASH", 4),
    _holds("stops, moves", "S1", f"{_ALL_STOPS} HANDOVER TERM", 3, servers=3),
    _holds("cuts", "S2+L1+F3", "CUT STOP CRASH", 3, "K=7", servers=3),
    _holds("pairs cut, a third hears both", "W1+L1", "PAIR STOP CRASH", 3, "K=10", servers=3),
    _holds("cuts, health", "F3", "CUT HEALTH HANDOVER", 3, servers=3),
    _holds("moves, stops", "P2", "HANDOVER TERM STOP", 3, servers=3),
    _holds("crashes, one unready", "R3", "CRASH", 3, "READY=6", servers=3),
    _holds("crashes", "R3", "CRASH", 3, servers=3),
    _holds("a deaf server", "S6+L1", "DEAFEN STOP", 3, servers=3),
)

MUTANTS = (
    _fails("NO_CONFIRM", "S1", "STOP", 3),
    _fails("NO_LEASE", "S2", "CUT STOP", 3),
    _fails("RENEW_LAPSED", "S1", "STOP CRASH BOOT", 5),
    _fails("STALE_EVIDENCE", "S1", "FILTER STOP", 3),
    _fails("STALE_RESIGNATION", "S1", "HANDOVER STOP", 3),
    _fails("NO_CONFLICT", "S2", "CUT", 3),
    _fails("EPOCH_ONLY", "S2", "CUT STOP", 3),
    _fails("RANK_ONLY", "E1", "STUN", 3),
    _fails("NO_KERNEL_EVIDENCE", "F2", "FILTER DELETE", 4),
    _fails("NO_ARP_BOUND", "L1", "PROXY STOP CRASH", 3),
    _fails("STRANGER_IGNORED", "S5", "STRANGER CRASH BOOT", 3, "PROBES=0"),
    _fails("DEAF_CLAIMS", "S6", "DEAFEN STOP CRASH", 4),
    _fails("DEAF_SINCE_SUSPICION", "S6", "DEAFEN STOP CRASH", 4),
    _fails("DEAF_HOLDER_STAYS", "L1", "DEAFEN", 3),
    _fails("DEAF_WITHOUT_GATEWAY", "L1", "CUT STOP", 3, "GATEWAY=0"),
    _fails("NO_FAIL_STATIC", "L2", "HEALTH", 4),
    _fails("UNREADY_INELIGIBLE", "L1", "CRASH", 3, "READY=0"),
    _fails("HEALTH_IGNORED", "H1", "HEALTH", 3),
    _fails("UNHEARING_SUCCESSOR", "F3", "CUT GATEWAY HEALTH", 3),
    _fails("NO_SUCCESSOR_GRACE", "P2", "HANDOVER", 3, servers=3),
    _fails("RESIGNATION_OF_FOLLOWED_ONLY", "S1", "HANDOVER TERM STOP", 3, servers=3),
    _fails("NO_RANK_ORDER", "R3", "CRASH", 3, servers=3),
    _fails("RANK_FROM_START", "R3", "CRASH", 3, servers=3),
    _fails("RANK_WITHOUT_HEALTH", "R3", "CRASH", 3, "READY=6", servers=3),
    _fails("NO_HEARSAY", "F3", "ONE_PAIR", 1, servers=3),
    _fails("HEARSAY_REFRESHES", "L1", "CRASH", 3, servers=3),
    _fails("NO_WITNESS", "W1", "PAIR", 3, servers=3),
)

BOUNDS = (
    _holds("T_L after suspicion, 4 of 6", "S1", "STOP", 3, "PROBES=1 LEASE=6 TL=4"),
    _fails("T_L after suspicion, 3 of 6", "S1", "STOP", 3, "PROBES=1 LEASE=6 TL=3"),
    _fails("1 unanswered, not 2", "F2", "FILTER DELETE", 4, "STOPPED_AFTER=1"),
    _fails("a witness as quick as unheard", "F3", "CUT HEALTH", 3, "WITNESSED=3", servers=3),
    _fails("settled within 5, not 6", "S2", "CUT STOP CRASH", 4, "K=5"),
    _fails("served within 5, not 6", "L1", f"CUT GATEWAY {_ALL_STOPS}", 4, "K=5"),
    _fails("healed within 2, not 3", "L3", "DEAFEN CUT", 4, "K=2"),
    _fails("served within 7, not 8 (ARP)", "L1", "PROXY STOP CRASH BOOT", 3, "K=7"),
    _fails("witnessed within 9, not 10", "W1", "PAIR", 3, "K=9", servers=3),
)

LIMITS = (
    _fails("a machine stands still", "S1", "STUN", 3),
    _fails("a full cut", "S1", "CUT", 2),
    _fails("only ARP answers, adverts cut", "S1", "FILTER", 1, "PROBES=1"),
)
"""What the protocol does not promise (docs/protocol.md), and that these searches would see it."""

RUNS = PROPERTIES + MUTANTS + BOUNDS + LIMITS
