"""What a hypothesis is made of. The modules in `hypotheses` import from here.

A hypothesis is a module `diagnose/hypotheses/<family>/vk###_name.py` with a docstring, which is its
page, and `HYPOTHESIS`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace

from vipkeeper.diagnose.facts import Evidence
from vipkeeper.diagnose.judgement import Judgement, View
from vipkeeper.diagnose.vocabulary import Key


@dataclass(frozen=True, slots=True)
class Predicate:
    """A question about the evidence that has three answers."""

    name: str
    reads: frozenset[Key]
    judge: Callable[[View], Judgement]

    def ask(self, evidence: Evidence) -> Judgement:
        """The answer. Raises `UndeclaredKeyError` when it reads more than it declares."""
        judged = self.judge(View(evidence, self.reads))
        return judged if judged.needs else replace(judged, needs=self.reads)


def predicate(*reads: Key) -> Callable[[Callable[[View], Judgement]], Predicate]:
    """Makes a predicate of a function; its name is the function's."""

    def made(judge: Callable[[View], Judgement]) -> Predicate:
        return Predicate(judge.__name__, frozenset(reads), judge)

    return made


class Symptom(enum.Enum):
    """What an operator or a client notices. How each is seen: `symptoms.py`."""

    NO_ANSWER = "nobody answers ARP for the VIP"
    REFUSED = "the VIP refuses connections"
    TIMEOUT = "connections to the VIP time out"
    NO_ROUTE = "there is no route to the VIP"
    NO_HELLO = "the VIP takes connections and never answers"
    CERTIFICATE = "clients reject the certificate on the VIP"
    SERVER_ERROR = "the API on the VIP answers 5xx"
    REGISTRATION_CLOSED = "nodes cannot join through port 9345 of the VIP"
    TWO_ANSWER = "two hosts answer for the VIP"
    NOT_STARTING = "the supervisor of a server does not start"
    MANAGER_RESTARTS = "what holds the VIP restarts again and again"


NOBODY_HOLDS = (Symptom.NO_ANSWER, Symptom.NO_ROUTE, Symptom.TIMEOUT)
"""What is noticed when no host has the VIP, or none that is heard."""


class Layer(enum.Enum):
    """Where a cause lives. At the same standing the lower layer is named first."""

    CONFIGURATION = 1
    PROCESS = 2
    DATASTORE = 3
    NETWORK = 4
    TLS = 5
    CLIENT = 6


class Risk(enum.Enum):
    """What a step can do to a cluster that works."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    """Interrupts something for seconds to minutes."""
    DESTRUCTIVE = "destructive"
    """Loses data or members; shown only when the cause is confirmed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a fix, in the order in which the steps are to be taken."""

    risk: Risk
    text: str
    command: str = ""
    only_if: str = ""

    @property
    def head(self) -> str:
        """The step with its risk and its condition, without its command."""
        condition = f", only if {self.only_if}" if self.only_if else ""
        return f"[{self.risk.value}{condition}] {self.text}"

    def line(self, quote: str) -> str:
        """The step with its command between quotes, on one line."""
        command = f": {quote}{self.command}{quote}" if self.command else ""
        return f"{self.head}{command}"


class Privilege(enum.Enum):
    """What a probe needs."""

    NONE = "none"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class Probe:
    """Something an operator can do to learn more. It changes nothing."""

    command: str
    where: str
    makes_known: frozenset[Key]
    cost: int
    """Seconds it takes, roughly; among equals the cheaper one is named."""
    privilege: Privilege = Privilege.NONE


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible root cause."""

    code: str
    name: str
    layer: Layer
    requires: tuple[Predicate, ...]
    """All must hold."""
    chain: tuple[str, ...]
    """How the cause leads to the symptoms, from one step to the next."""
    explains: tuple[Symptom, ...]
    fixes: tuple[Step, ...]
    verify: tuple[str, ...]
    forbids: tuple[Predicate, ...] = ()
    """None may hold; one that is unknown leaves the cause likely."""
    supports: tuple[Predicate, ...] = ()
    """Makes it more telling; needed for nothing."""
    probes: tuple[Probe, ...] = ()
    caused_by: tuple[str, ...] = ()
    """Codes of hypotheses of which this one is a consequence when they stand."""

    @property
    def reads(self) -> frozenset[Key]:
        """All keys that its predicates read."""
        asked = (*self.requires, *self.forbids, *self.supports)
        return frozenset(key for predicate in asked for key in predicate.reads)
