"""How soon a check is made again."""

from __future__ import annotations

import asyncio

from vipkeeper.core.events import Outcome
from vipkeeper.daemon.prober.checks import watch
from vipkeeper.daemon.prober.verdict import Verdict

FOREVER = 3600.0


def test_a_first_failure_of_any_kind_is_looked_at_again_soon() -> None:
    class Dying:
        """Ends amid the handshake, then refuses."""

        lost = None

        def __init__(self) -> None:
            self.outcomes = [Outcome.SOFT, Outcome.HARD, Outcome.HARD]

        async def look(self) -> Verdict:
            if not self.outcomes:
                await asyncio.Event().wait()
            return Verdict(self.outcomes.pop(0), "")

    async def act() -> None:
        verdicts: asyncio.Queue[Verdict] = asyncio.Queue()
        task = asyncio.create_task(watch(Dying(), FOREVER, verdicts.put_nowait))
        found = [(await verdicts.get()).outcome for _ in range(3)]
        assert found == [Outcome.SOFT, Outcome.HARD, Outcome.HARD]
        task.cancel()

    asyncio.run(act())
