"""The audit trail's way to the store: entries are queued where they are made, and written in the background.

Guarantees: a request never waits for its entry; entries are written in the order they were made, each once; while the
store is away they wait; a normal stop writes what is queued. What does not fit the queue, or cannot be written before
the process ends, is counted and logged: nothing is lost silently.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from engine.access.audit import AuditEntry
from engine.errors import MailroomError

log = structlog.get_logger("mailroom.audit")

QUEUE_LIMIT = 20_000
"""Entries that wait at most. One has some hundred bytes, and 17 kB at the worst."""
BATCH = 500
STOP_SECONDS = 5.0
"""How long a stop waits for the store."""

_PAUSE = 1.0

Write = Callable[[Sequence[AuditEntry]], Awaitable[None]]


class Trail:
    """Entries on their way. ``write`` may raise MailroomError and is then asked again with the same ones.

    It is asked again also where nobody knows whether it has written, so it must take an entry twice for once.
    ``lost``: how many entries could not be written; ``on_lost`` is told each time how many.
    """

    def __init__(
        self,
        write: Write,
        *,
        on_lost: Callable[[int], object] | None = None,
        limit: int = QUEUE_LIMIT,
        pause: float = _PAUSE,
    ) -> None:
        self.lost, self._on_lost = 0, on_lost
        self._write, self._limit, self._pause = write, limit, pause
        self._waiting: deque[AuditEntry] = deque()
        self._some = asyncio.Event()
        self._overflowing = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, entry: AuditEntry) -> None:
        """Queue an entry; one too many is counted, and logged when it begins."""
        if len(self._waiting) >= self._limit:
            self._lose([entry], "the queue is full")
            return
        self._overflowing = False
        self._waiting.append(entry)
        self._some.set()

    async def run(self) -> None:
        """Write what is queued, until cancelled."""
        while True:
            await self._some.wait()
            await self._write_some()

    async def flush(self, seconds: float = STOP_SECONDS) -> None:
        """Write all that is queued, or say what is lost; for when ``run`` has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._waiting:
                    await self._write_some()
        if self._waiting:
            self._overflowing = False
            self._lose(list(self._waiting), "the gateway stops and the store is away")
            self._waiting.clear()

    async def _write_some(self) -> None:
        batch = [self._waiting[number] for number in range(min(BATCH, len(self._waiting)))]
        try:
            await self._write(batch)
        except MailroomError:
            await asyncio.sleep(self._pause)
            return
        except Exception:
            log.exception("audit_entries_refused")
            self._lose(batch, "the store does not take them")
        for _ in batch:
            self._waiting.popleft()
        if not self._waiting:
            self._some.clear()

    def _lose(self, entries: Sequence[AuditEntry], why: str) -> None:
        self.lost += len(entries)
        if self._on_lost is not None:
            self._on_lost(len(entries))
        if not self._overflowing:
            log.error("audit_entries_lost", entries=len(entries), reason=why)
        self._overflowing = True
