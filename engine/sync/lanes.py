"""Who may talk to Exchange next: a bounded number of requests at once, notices before incremental before backfill.

A mailbox asks for a slot for each request and gives it back after it, so mailboxes take turns by page, and a mailbox
that waits for anything else holds no slot. Backfill leaves a slot free, and a notice goes whenever nothing but backfill
is under way: new mail never waits for the end of a long request of a backfill, not even where there is only one slot.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import TypeVar

from engine.model import OperatorId
from engine.sync.actions import Action, FetchItems, ReadPage
from engine.sync.state import MailboxState

T = TypeVar("T")


class Lane(IntEnum):
    """Lower goes first."""

    NOTICE = 0
    INCREMENTAL = 1
    BACKFILL = 2


def lane_of(state: MailboxState, action: Action, *, urgent: bool) -> Lane:
    """The lane of a request.

    What was listed earlier and waits to be fetched is backfill, whatever the pass is for, and so is a first listing
    from its second page on: the mailbox's new mail is looked for beside it (``engine.sync.peek``).
    """
    if isinstance(action, FetchItems) and action.page_id:
        return Lane.BACKFILL
    if isinstance(action, ReadPage) and action.token and not state.folder_state(action.folder.folder_id).record.drained:
        return Lane.BACKFILL
    if urgent:
        return Lane.NOTICE
    if isinstance(action, ReadPage | FetchItems) and not state.folder_state(action.folder.folder_id).record.drained:
        return Lane.BACKFILL
    return Lane.INCREMENTAL


class Lanes:
    """A semaphore with priorities; within a lane, first come, first served."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._held = dict.fromkeys(Lane, 0)
        self._order = itertools.count()
        self._waiting: list[tuple[Lane, int, asyncio.Future[None]]] = []

    @property
    def slots(self) -> int:
        """Requests at once. Fewer take effect as those under way end."""
        return self._slots

    @slots.setter
    def slots(self, slots: int) -> None:
        self._slots = slots
        self._wake()

    async def ask(
        self, lane: Lane, operator_id: OperatorId, request: Callable[[], Awaitable[T]], *, paced: bool = False
    ) -> T:
        """Make a request within a slot. Who asks, and whether it is one of many alike, is all the same here."""
        del operator_id, paced
        async with self.slot(lane):
            return await request()

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[None]:
        """Hold one of the slots."""
        await self._acquire(lane)
        try:
            yield
        finally:
            self._release(lane)

    def _has_room(self, lane: Lane) -> bool:
        held = sum(self._held.values())
        if lane is Lane.BACKFILL:
            return held < self._slots and self._held[lane] < max(1, self._slots - 1)
        return held < self._slots or (lane is Lane.NOTICE and held == self._held[Lane.BACKFILL])

    async def _acquire(self, lane: Lane) -> None:
        if self._has_room(lane):
            # Whoever waits has no room, and who comes later in its lane has none either
            self._held[lane] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(lane)
            raise

    def _release(self, lane: Lane) -> None:
        self._held[lane] -= 1
        self._wake()

    def _wake(self) -> None:
        """Give slots to those who wait, while there is room for the first of them: for the others there is less."""
        while self._waiting:
            lane, _, turn = self._waiting[0]
            if not turn.done():
                if not self._has_room(lane):
                    return
                self._held[lane] += 1
                turn.set_result(None)
            heapq.heappop(self._waiting)
