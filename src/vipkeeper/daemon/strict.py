"""Keeps the strict kernel lease: its table where the VIPs belong, armed by a claim, renewed by adverts."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence

from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.errors import HostError
from vipkeeper.host import strict
from vipkeeper.host.strict import Guard, Marks

MEND_EVERY: Duration = SECOND
"""Time between two attempts to put back a table that somebody removed."""


class StrictLease:
    """One table for all VIPs. Whether a frame was taken by its rules is the kernel's word on the lease."""

    def __init__(
        self,
        lease: Duration,
        emit: Callable[[bytes], bool],
        clock: Callable[[], Instant],
        warn: Callable[[str], None],
    ) -> None:
        """`emit` sends a frame with this payload on every interface; True: the packet filter took all."""
        self.lease = lease
        self._emit = emit
        self._clock = clock
        self._warn = warn
        self._marks = Marks(
            secrets.token_bytes(strict.MARK_LENGTH), secrets.token_bytes(strict.MARK_LENGTH)
        )
        self._wanted: tuple[Guard, ...] = ()
        self._guards: tuple[Guard, ...] = ()
        """For which the table was installed last."""
        self._renewed: Instant | None = None
        """Clock before the last frame that was taken: the kernel's lease ends no earlier than that
        plus `lease`. None: never armed."""
        self._missing = False
        self._mend_at: Instant = 0
        self._mending: asyncio.Task[None] | None = None
        self.lapsed = False
        """True when a frame was not taken because the lease had ended, until it is armed anew."""
        self._leaving = False

    async def guard(self, guards: Sequence[Guard]) -> None:
        """Install the table where the VIPs belong now. It begins silent, in place of any that is there."""
        wanted = tuple(guards)
        if not wanted or wanted == self._guards:
            return
        self._wanted = wanted
        await self._stop_mending()
        try:
            await strict.install(strict.render(wanted, self.lease, self._marks))
        except HostError as error:
            self._warn(f"the strict lease is not in force: {error}")
            return
        self._guards, self._renewed, self._missing = wanted, None, False

    def arm(self) -> None:
        """Let the VIP be heard: it was just claimed."""
        before = self._clock()
        taken = self._emit(strict.frame_payload(self._marks.arm))
        self._renewed, self.lapsed, self._missing = before, False, not taken
        self._leaving = False
        if not taken:
            self._mend()

    def leave(self) -> None:
        """The VIP is to go: nothing renews the lease until the next claim, whatever the kernel refuses."""
        self._leaving = True

    def renew(self) -> None:
        """Start the lease again, if it still runs and the VIP is to stay."""
        if self._leaving:
            return
        before = self._clock()
        if self._emit(strict.frame_payload(self._marks.renew)):
            self._renewed, self._missing = before, False
        elif self._renewed is None:
            return
        elif self._missing or self._clock() < self._renewed + self.lease:
            self._missing = True  # a running lease takes the frame: the table is not there
            self._mend()
        else:
            self.lapsed = True

    def _mend(self) -> None:
        """Without its table the VIP is held all the same, under the lifetime of its address alone."""
        now = self._clock()
        if self._mending is None and now >= self._mend_at and self._wanted:
            self._mend_at = now + MEND_EVERY
            self._mending = asyncio.get_running_loop().create_task(self._put_back(now))

    async def _put_back(self, started: Instant) -> None:
        guards = self._wanted
        try:
            await strict.install(strict.render(guards, self.lease, self._marks, armed=True))
        except HostError as error:
            self._warn(f"the strict lease is not in force: {error}")
        else:
            self._guards, self._renewed, self._missing = guards, started, False
            self._warn("somebody removed the table of the strict lease: it was put back")
        finally:
            self._mending = None

    async def _stop_mending(self) -> None:
        task = self._mending
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Remove the table. Only after the VIP is gone: without it a VIP that is still here is heard."""
        await self._stop_mending()
        try:
            await strict.remove()
        except HostError as error:
            self._warn(f"the table of the strict lease stays: {error}")
        self._guards = ()
