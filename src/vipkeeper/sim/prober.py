"""The prober of one server: looks at the API server as `daemon.prober` does, and tells the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vipkeeper.core.events import CheckName, HealthSampled, Outcome, ProberLost
from vipkeeper.core.facts import ApiState
from vipkeeper.core.types import MILLISECOND, SECOND, Duration

if TYPE_CHECKING:
    from vipkeeper.sim.server import SimServer

INTERVAL: Duration = SECOND
QUICK: Duration = 250 * MILLISECOND
AGAIN_AFTER: Duration = 60 * MILLISECOND
DOUBT_AFTER: Duration = SECOND // 2
STALLED_AFTER: Duration = 2 * SECOND
TIMEOUT: Duration = 3 * SECOND
ANSWERS = {
    ApiState.READY: Outcome.OK,
    ApiState.UNREADY: Outcome.SOFT,
    ApiState.REFUSING: Outcome.HARD,
}
SILENT = (ApiState.HANGING, ApiState.FROZEN)


class Prober:
    """One look at a time; the next one sooner while something is wrong."""

    def __init__(self, server: SimServer) -> None:
        self._server = server
        self.api = ApiState.READY
        self.losses = 0
        """Above 0: the prober is gone."""
        self._token = 0
        self._asking = False
        """A question waits for its answer."""
        self._limit = 0
        """When it waits no longer."""
        self._good = 0
        self._failed = 0
        self._refused = 0

    def begin(self) -> None:
        """The daemon has started its prober, or a standing connection broke: look at once."""
        self._token += 1
        self._asking = False
        self._after(MILLISECOND)

    def api_changed(self, api: ApiState) -> None:
        """The API server is in another state; a death is noticed by the standing connection, and
        a question that waits is answered."""
        self.api = api
        if api is ApiState.REFUSING or (self._asking and api not in SILENT):
            self.begin()

    def lost(self, begins: bool) -> None:
        """The prober is gone, or is back."""
        self.losses += 1 if begins else -1
        if begins:
            self._server.post(ProberLost())
        elif not self.losses:
            self.begin()

    def _after(self, delay: Duration) -> None:
        world = self._server.world
        world.at(world.now + delay, self._look, self._token)

    def _look(self, token: int) -> None:
        server = self._server
        if token != self._token or server.node is None or self.losses:
            return
        if server.stuns:
            self._after(INTERVAL)
            return
        if self.api in SILENT:
            self._asking = True
            self._limit = server.world.now + TIMEOUT
            server.world.at(server.world.now + DOUBT_AFTER, self._doubted, token)
            return
        self._report(ANSWERS[self.api])

    def _doubted(self, token: int) -> None:
        """No answer yet: a fresh connection is opened beside the question, now and every so often."""
        if token != self._token:
            return
        world = self._server.world
        frozen = self.api is ApiState.FROZEN
        at = world.now + (STALLED_AFTER - DOUBT_AFTER if frozen else DOUBT_AFTER)
        if at >= self._limit:
            world.at(self._limit, self._timed_out, token)
        else:
            world.at(at, self._not_greeted if frozen else self._doubted, token)

    def _not_greeted(self, token: int) -> None:
        if self.api is ApiState.FROZEN:
            self._give_up(token, Outcome.STALLED)
        else:
            self._doubted(token)

    def _timed_out(self, token: int) -> None:
        """It has shaken hands not long ago, whether it stands still now or not."""
        self._give_up(token, Outcome.SOFT)

    def _give_up(self, token: int, outcome: Outcome) -> None:
        if token == self._token and self._server.node is not None and not self.losses:
            self._report(outcome)

    def _report(self, outcome: Outcome) -> None:
        self._asking = False
        self._good = self._good + 1 if outcome is Outcome.OK else 0
        self._failed = self._failed + 1 if outcome is not Outcome.OK else 0
        self._refused = self._refused + 1 if outcome is Outcome.HARD else 0
        pause = INTERVAL if self._good >= 2 else QUICK
        self._after(AGAIN_AFTER if 1 in (self._failed, self._refused) else pause)
        self._server.post(HealthSampled(CheckName.API, outcome))
