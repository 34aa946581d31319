"""Where people's queries are taken: some run at once, some wait, and none runs for longer than it may.

::

    submit ──▶ waiting ──▶ running ──▶ done
                              │ time, memory, its asker, or a closing store
                              └─▶ told to stop ──▶ done
                                        │ does not listen
                                        └─▶ stuck: its asker is answered, its place is free

DuckDB looks for an interrupt between steps, and a step over one huge value can take minutes. So being answered and
having ended are two things here, and each query has a thread of its own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import duckdb

from engine import errors
from engine.querying import Limits

_TICK = 0.05
_TICKS_A_LOOK = 4

Cursor = duckdb.DuckDBPyConnection


class Memory(Protocol):
    """Tells who takes too much."""

    def rest(self) -> None:
        """What is taken now is not to be counted: no query runs, or one that does not stop has it."""
        ...

    def look(self) -> dict[int, int] | None:
        """Bytes of each connection, by its id, if queries have too many together; else None."""
        ...


class Stop(StrEnum):
    """Why a query was told to stop."""

    TIME = "time"
    MEMORY = "memory"
    ASKER = "asker"
    ROOM = "room"
    CLOSING = "closing"


@dataclass(slots=True, eq=False)
class Job:
    """A query on its way. ``stop`` is set before it is interrupted; ``connection`` is DuckDB's id of its cursor."""

    query_id: str
    work: Callable[[Cursor], Any]
    future: "Future[Any]" = field(default_factory=Future)
    cursor: Cursor | None = None
    connection: int | None = None
    began: float = 0.0
    told: float | None = None
    stop: Stop | None = None


class Desk:
    """``run(job)`` does the work, and raises errors of ours. Safe from any thread. ``clock`` counts seconds."""

    def __init__(
        self, run: Callable[[Job], Any], limits: Limits, memory: Memory, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run = run
        self._limits = limits
        self._memory = memory
        self._clock = clock
        self._guard = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._stuck: set[Job] = set()
        self._closing = False
        self._watch: threading.Thread | None = None

    def submit(self, query_id: str, work: Callable[[Cursor], Any]) -> "Future[Any]":
        """Queue a query.

        Raises:
            QueryBusy: too many wait already, or have not stopped when they were told to.
            StoreUnavailable: the store is closed.
        """
        job = Job(query_id, work)
        with self._guard:
            if self._closing:
                raise errors.StoreUnavailable("The store is closed.")
            if len(self._stuck) >= self._limits.stuck:
                raise errors.QueryBusy(f"{len(self._stuck)} queries were stopped and have not ended yet.")
            if len(self._waiting) >= self._limits.waiting:
                raise errors.QueryBusy(f"{len(self._running)} queries run and {len(self._waiting)} wait.")
            if self._watch is None:
                self._watch = threading.Thread(target=self._watch_over, name="store-watch", daemon=True)
                self._watch.start()
            self._waiting.append(job)
            self._start()
            self._guard.notify_all()
        return job.future

    def stop(self, query_id: str) -> None:
        """Its asker does not want the answer any more; a query that has ended is none of this."""
        with self._guard:
            for job in [one for one in self._waiting if one.query_id == query_id]:
                self._waiting.remove(job)
                _answer(job, error=errors.QueryRefused("The query was cancelled."))
            for job in self._running:
                if job.query_id == query_id:
                    self._tell(job, Stop.ASKER)

    def make_room(self) -> bool:
        """Stop all that run, since the store needs the memory; whether there were any. Waits for their end a moment."""
        with self._guard:
            jobs = [*self._running, *self._stuck]
            for job in self._running:
                self._tell(job, Stop.ROOM)
            return self._guard.wait_for(lambda: not any(one in self._running for one in jobs), 2.0) and bool(jobs)

    def close(self, patience: float = 5.0) -> None:
        """Stop everything, and wait for its end; what does not listen ends with the process."""
        with self._guard:
            self._closing = True
            for job in self._waiting:
                _answer(job, error=errors.StoreUnavailable("The store is closed."))
            self._waiting.clear()
            for job in self._running:
                self._tell(job, Stop.CLOSING)
            self._guard.notify_all()
            self._guard.wait_for(lambda: not self._running and not self._stuck, patience)

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._limits.at_once:
            job = self._waiting.popleft()
            if job.future.cancelled():
                continue
            job.began = self._clock()
            self._running.add(job)
            threading.Thread(target=self._carry_out, args=(job,), name="store-query", daemon=True).start()

    def _carry_out(self, job: Job) -> None:
        try:
            result = self._run(job)
        except Exception as error:  # noqa: BLE001 (somebody waits for an answer)
            _answer(job, error=error)
        else:
            _answer(job, result)
        finally:
            with self._guard:
                self._running.discard(job)
                self._stuck.discard(job)
                if not self._closing:
                    self._start()
                self._guard.notify_all()

    def _watch_over(self) -> None:
        ticks = 0
        while True:
            with self._guard:
                if not self._running:
                    self._memory.rest()
                self._guard.wait_for(lambda: self._running or self._closing)
                if self._closing and not self._running:
                    return
                self._look_at_the_clock()
            ticks += 1
            if ticks % _TICKS_A_LOOK == 0:
                self._look_at_memory()
            time.sleep(_TICK)

    def _look_at_the_clock(self) -> None:
        now = self._clock()
        for job in list(self._running):
            if job.stop is None and now - job.began >= self._limits.seconds:
                self._tell(job, Stop.TIME)
            if job.told is not None and now - job.told >= self._limits.grace:
                self._give_up(job)
            elif job.stop is not None:
                _interrupt(job)  # anew: one that comes between two statements is lost

    def _look_at_memory(self) -> None:
        used = self._memory.look()
        if used is None:
            return
        with self._guard:
            able = [job for job in self._running if job.stop is None]
            if able:
                self._tell(max(able, key=lambda job: (used.get(job.connection or -1, 0), job.began)), Stop.MEMORY)

    def _tell(self, job: Job, why: Stop) -> None:
        if job.stop is None:
            job.stop, job.told = why, self._clock()
        _interrupt(job)

    def _give_up(self, job: Job) -> None:
        self._running.discard(job)
        self._stuck.add(job)
        self._memory.rest()
        _answer(job, error=stopped(job.stop or Stop.TIME, self._limits))
        self._start()


def stopped(why: Stop, limits: Limits) -> errors.MailroomError:
    """What the asker of a stopped query is told."""
    match why:
        case Stop.TIME:
            return errors.QueryTimedOut(
                f"The query was stopped after {limits.seconds:g} seconds, the most one may run."
            )
        case Stop.MEMORY:
            return errors.QueryTooLarge("The query was stopped: it took more memory than there is for queries.")
        case Stop.ASKER:
            return errors.QueryRefused("The query was cancelled.")
        case Stop.ROOM:
            return errors.QueryBusy("The query was stopped: landings needed the memory.")
        case Stop.CLOSING:
            return errors.StoreUnavailable("The query was stopped: the store is closing.")


def _interrupt(job: Job) -> None:
    if job.cursor is not None:
        with suppress(duckdb.Error):
            job.cursor.interrupt()


def _answer(job: Job, result: object = None, *, error: Exception | None = None) -> None:
    with suppress(InvalidStateError):  # it was answered when it was given up, or its asker has gone
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
