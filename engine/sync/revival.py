"""Operators whose mailbox has left memory in the middle of something: they are made due, whatever it takes."""

import asyncio

import structlog

from engine.errors import MailroomError
from engine.model import OperatorId
from engine.ports import Clock, MailboxStore

_log = structlog.get_logger(__name__)
_AFTER = 1.0


class Revival:
    """``tasks``: those who wait."""

    def __init__(self, store: MailboxStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.tasks: set[asyncio.Task[None]] = set()

    def begin(self, operator_id: OperatorId) -> None:
        """Have the operator dispatched again, to whichever host is its own by now."""
        task = asyncio.create_task(self._revive(operator_id))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _revive(self, operator_id: OperatorId) -> None:
        while True:
            await self._clock.sleep(_AFTER)
            try:
                await self._store.make_due([operator_id])
            except MailroomError as error:
                _log.warning("store does not answer yet", operator=operator_id, reason=str(error))
            else:
                return
