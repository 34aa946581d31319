"""The tokens as a gateway knows them: all there are, as the store had them a moment ago.

Guarantees: what was revoked or created counts within ``FRESH_SECONDS`` (and the time one answer of the store takes) on
every gateway, at once on the one that did it; a new one counts within ``NEW_SECONDS``; however many requests come, and
whatever ids they make up, the store is asked no more often than that; nothing older is relied on while it is away.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from engine.access.tokens import NOTE_EVERY, TokenRecord, worth_noting
from engine.errors import MailroomError, StoreUnavailable
from engine.ports import AccessStore

FRESH_SECONDS = 1.0
NEW_SECONDS = 0.1
ANSWER_SECONDS = 5.0
"""How long the store may take to answer."""


class TokenDirectory:
    """``timer`` counts seconds from anywhere."""

    def __init__(self, store: AccessStore, timer: Callable[[], float] = time.monotonic) -> None:
        self._store, self._timer = store, timer
        self._records: Mapping[str, TokenRecord] = {}
        self._as_of = float("-inf")
        self._asking: asyncio.Task[bool] | None = None
        self._noted: dict[str, datetime] = {}
        self._unsaid: dict[str, datetime] = {}
        self._noting: asyncio.Task[None] | None = None

    async def find(self, token_id: str) -> TokenRecord | None:
        """The record of a token; None: there is none.

        Raises:
            StoreUnavailable: it cannot be said.
        """
        age = self._timer() - self._as_of
        if age >= FRESH_SECONDS or (age >= NEW_SECONDS and token_id not in self._records):
            while not await asyncio.shield(self._ask()):
                pass  # it was asked before something changed
        elif age >= FRESH_SECONDS / 2:
            self._ask()  # so that whoever comes next need not wait
        return self._records.get(token_id)

    def forget(self) -> None:
        """Whoever comes next is looked up anew, and what is being answered now counts for nobody else."""
        self._as_of, self._asking = float("-inf"), None

    def used(self, record: TokenRecord, now: datetime) -> None:
        """Let the store know, in the background, that a token was used; a hint that may be lost."""
        noted = self._noted.get(record.token_id)
        if not worth_noting(record, now) or (noted is not None and now - noted < NOTE_EVERY):
            return
        self._noted[record.token_id] = self._unsaid[record.token_id] = now
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note())

    async def close(self) -> None:
        """Wait for what is under way."""
        for task in (self._asking, self._noting):
            if task is not None:
                with suppress(MailroomError):
                    await task

    def _ask(self) -> "asyncio.Task[bool]":
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
            self._asking.add_done_callback(_look_at)
        return self._asking

    async def _renew(self) -> bool:
        """Whether the answer counts."""
        mine, began = asyncio.current_task(), self._timer()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                records = await self._store.tokens()
        except TimeoutError:
            raise StoreUnavailable("The store does not say which tokens there are.") from None
        if mine is not self._asking:
            return False
        self._records, self._as_of = {one.token_id: one for one in records}, began
        return True

    async def _note(self) -> None:
        while self._unsaid:
            uses, self._unsaid = self._unsaid, {}
            with suppress(MailroomError, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._store.note_token_uses(uses)


def _look_at(task: "asyncio.Task[bool]") -> None:
    """A failure nobody waited for is nothing to report: the next one asks again."""
    if not task.cancelled():
        task.exception()
