"""The audit trail's queue: nothing waits for it, and nothing is lost silently."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from api.trail import BATCH, Trail
from engine.access.audit import Action, AuditEntry, AuditOutcome
from engine.errors import StoreUnavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Book:
    """What is written, once each; ``errors`` come first, ``silent`` ones after the work is done."""

    def __init__(self, *errors: Exception, silent: int = 0) -> None:
        self.written: list[str] = []
        self.done = asyncio.Event()
        self.calls, self._errors, self._silent = 0, list(errors), silent

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        self.written += [one.entry_id for one in entries if one.entry_id not in self.written]
        if self._silent:
            self._silent -= 1
            raise StoreUnavailable("written, but nobody knows")
        self.done.set()


def entry(number: int) -> AuditEntry:
    return AuditEntry(NOW, Action.LOGIN, AuditOutcome.REFUSED, entry_id=f"e{number}")


def ids(count: int) -> list[str]:
    return [f"e{number}" for number in range(count)]


async def test_entries_are_written_in_order_and_in_batches() -> None:
    book = Book()
    trail = Trail(book.write)
    for number in range(2 * BATCH + 1):
        trail.add(entry(number))
    await trail.flush()
    assert book.written == ids(2 * BATCH + 1)
    assert (book.calls, len(trail), trail.lost) == (3, 0, 0)


async def test_they_wait_while_the_store_is_away() -> None:
    book = Book(StoreUnavailable("away"), StoreUnavailable("away"), silent=1)
    trail = Trail(book.write, pause=0)
    trail.add(entry(0))
    running = asyncio.create_task(trail.run())
    await book.done.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert (book.written, trail.lost) == (["e0"], 0)


async def test_too_many_are_counted_and_told_once() -> None:
    book = Book()
    told: list[int] = []
    trail = Trail(book.write, limit=2, on_lost=told.append)
    with capture_logs() as logs:
        for number in range(5):
            trail.add(entry(number))
    assert [(one["event"], one["log_level"]) for one in logs] == [("audit_entries_lost", "error")]
    assert (trail.lost, told) == (3, [1, 1, 1])
    await trail.flush()
    assert book.written == ids(2)


async def test_a_stop_says_what_it_could_not_write() -> None:
    async def never(_entries: Sequence[AuditEntry]) -> None:
        await asyncio.Event().wait()

    trail = Trail(never)
    trail.add(entry(0))
    trail.add(entry(1))
    with capture_logs() as logs:
        await trail.flush(seconds=0.01)
    assert [one["entries"] for one in logs] == [2]
    assert trail.lost == 2


async def test_a_batch_that_breaks_the_store_does_not_hold_up_the_next() -> None:
    book = Book(ValueError("a mistake of ours"))
    trail = Trail(book.write)
    trail.add(entry(0))
    with capture_logs() as logs:
        await trail.flush()
    trail.add(entry(1))
    await trail.flush()
    assert (book.written, trail.lost) == (["e1"], 1)
    assert "audit_entries_lost" in [one["event"] for one in logs]


@pytest.mark.parametrize("wakes", range(4))
async def test_cut_off_at_any_moment_each_is_written_once(wakes: int) -> None:
    book = Book()
    trail = Trail(book.write)
    running = asyncio.create_task(trail.run())
    for number in range(3):
        trail.add(entry(number))
    for _ in range(wakes):
        await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await trail.flush()
    assert book.written == ids(3)
