"""Who may talk to Exchange next: a bounded number of requests at once, notices before incremental before backfill.

A mailbox asks for a slot for each request and gives it back after it, so mailboxes take turns by page, and a mailbox
that waits for anything else holds no slot.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from engine.sync.actions import Action, FetchItems, ReadPage
from engine.sync.state import MailboxState


class Lane(IntEnum):
    """Lower goes first."""

    NOTICE = 0
    INCREMENTAL = 1
    BACKFILL = 2


def lane_of(state: MailboxState, action: Action, *, urgent: bool) -> Lane:
    """The lane of a request: what was listed earlier and waits to be fetched is backfill, whatever the pass is for."""
    if isinstance(action, FetchItems) and action.page_id:
        return Lane.BACKFILL
    if urgent:
        return Lane.NOTICE
    if isinstance(action, ReadPage | FetchItems) and not state.folder_state(action.folder.folder_id).record.drained:
        return Lane.BACKFILL
    return Lane.INCREMENTAL


class Lanes:
    """A semaphore with priorities; within a lane, first come, first served."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._order = itertools.count()
        self._waiting: list[tuple[Lane, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[None]:
        """Hold one of the slots."""
        await self._acquire(lane)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, lane: Lane) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (lane, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
