"""Who is compared: a manager of the lab in one of its variants, by the name the results have for it."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.lab.managers import MANAGERS, PEERS, Style


@dataclass(frozen=True)
class Contender:
    """A manager and how it is set up."""

    name: str
    """In results and tables."""
    manager: str
    style: Style | None = None

    @property
    def words(self) -> list[str]:
        """For the command line of `vipkeeper drill`."""
        return ["--manager", self.manager, *(("--variant", self.style) if self.style else ())]

    @property
    def what(self) -> str:
        """How it is set up, one line."""
        return MANAGERS[self.manager].find(self.style).what

    @property
    def missing(self) -> str:
        """Why it cannot be played here; empty when it can."""
        return MANAGERS[self.manager].missing()


CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("vipkeeper", "vipkeeper"),
        # What the first results call keepalived.
        Contender("keepalived", "keepalived", Style.WEIGHTED),
        *(
            Contender(f"{peer.name}-{variant.style}", peer.name, variant.style)
            for peer in PEERS
            for variant in peer.variants
        ),
    )
}


def left_out(names: tuple[str, ...]) -> dict[str, str]:
    """The managers among these contenders that cannot be played here, and why."""
    asked = [CONTENDERS[name] for name in names]
    return {one.manager: one.missing for one in asked if one.missing}
