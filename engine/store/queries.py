"""Reading: own cursors in a few threads, each question in a read-only transaction on its own snapshot."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import duckdb
import pyarrow as pa

from engine import errors
from engine.querying import Answer, Limits, Query
from engine.store.answers import Collected, Shelf
from engine.store.connection import Database
from engine.store.desk import Cursor, Desk, Job
from engine.store.faults import first_line, is_lost
from engine.store.memory import Meter
from engine.store.priority import A_LITTLE
from engine.store.selecting import build_guard, from_behind, on_a_snapshot, select, told

T = TypeVar("T")

_PATIENCE = 10.0


class Readers:
    """People's queries go to a desk; our own questions, and lists, never queue behind them."""

    def __init__(self, database: Database, limits: Limits, on_lost: Callable[[], None]) -> None:
        self._database = database
        self._limits = limits
        self._on_lost = on_lost
        self._guard = threading.Condition()
        self._running: set[Cursor] = set()
        self._paused = False
        self._closing = False
        with self._cursor() as cursor:
            self._rules = build_guard(cursor)
        self._own = ThreadPoolExecutor(1, thread_name_prefix="store-read")
        self._lists = ThreadPoolExecutor(1, thread_name_prefix="store-list")
        self._meter = Meter(self._cursor, limits.share)
        self._desk = Desk(self._run_job, limits, self._meter)
        self._searches = Desk(self._run_job, replace(limits, at_once=2), self._meter)
        self._shelf = Shelf(limits)

    def ask(self, question: Callable[[Cursor], T]) -> "Future[T]":
        """One of our own questions: all its statements see the same state."""
        return self._submit(self._own, lambda cursor: on_a_snapshot(cursor, question))

    def look_up(self, question: Callable[[Cursor], T]) -> "Future[T]":
        """A list somebody looks at; as ``ask``."""
        return self._submit(self._lists, lambda cursor: on_a_snapshot(cursor, question))

    def search(self, question: Callable[[Cursor], T]) -> "Future[T]":
        """A list that may take long: as ``look_up``, within the limits of a query, and beside the queries.

        Raises:
            QueryBusy: too many wait.
        """
        return self._searches.submit("", lambda cursor: from_behind(cursor, question, A_LITTLE))

    def query(self, query: Query) -> "Future[Collected]":
        """A query of somebody's.

        Raises:
            QueryBusy: too many wait.
        """
        return self._desk.submit(query.query_id, lambda cursor: select(cursor, query, self._rules, self._limits))

    def give(self, query: Query, collected: Collected) -> Answer:
        """The first piece of an answer; the rest is held."""
        return self._shelf.give(query.query_id, collected)

    def next(self, query_id: str) -> Answer:
        """The next piece."""
        return self._shelf.next(query_id)

    def end(self, query_id: str) -> None:
        """Nobody wants the answer any more."""
        self._desk.stop(query_id)
        self._shelf.drop(query_id)

    def make_room(self) -> bool:
        """Stop people's queries, since the store needs the memory; whether that has freed any."""
        return self._desk.make_room() | self._searches.make_room()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No cursor is open while this lasts: what ran was interrupted, what comes is refused.

        Raises:
            StoreUnavailable: a query does not stop.
        """
        with self._guard:
            self._paused = True
            for cursor in self._running:
                cursor.interrupt()
            ended = self._guard.wait_for(lambda: not self._running, _PATIENCE)
        try:
            if not ended:
                raise errors.StoreUnavailable("A query that was stopped has not ended yet.")
            yield
        finally:
            with self._guard:
                self._paused = False

    def close(self) -> None:
        """Interrupt what runs and wait until it has let go."""
        with self._guard:
            self._closing = True
            for cursor in self._running:
                cursor.interrupt()
        self._desk.close()
        self._searches.close()
        self._own.shutdown(cancel_futures=True)
        self._lists.shutdown(cancel_futures=True)
        with self._guard:
            # A desk does not wait for its watch, whose look at memory is into every connection, the writer's too.
            self._guard.wait_for(lambda: not self._running, _PATIENCE)

    def _submit(self, pool: ThreadPoolExecutor, question: Callable[[Cursor], T]) -> "Future[T]":
        with self._guard:
            if self._closing:
                raise errors.StoreUnavailable("The store is closed.")
            return pool.submit(self._run, question)

    def _run(self, question: Callable[[Cursor], T]) -> T:
        with self._cursor() as cursor:
            return question(cursor)

    def _run_job(self, job: Job) -> object:
        with self._cursor() as cursor:
            row = cursor.execute("SELECT current_connection_id()").fetchone()
            job.connection = row[0] if row else None
            job.cursor = cursor
            try:
                return job.work(cursor)
            except (duckdb.Error, pa.ArrowException, OSError, MemoryError) as error:
                raise told(error, job, self._limits) from error
            finally:
                job.cursor = None

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        cursor = self._take_cursor()
        try:
            yield cursor
        except duckdb.Error as error:
            if is_lost(error):
                self._on_lost()
            raise errors.StoreUnavailable(f"The store could not read: {first_line(error)}") from error
        finally:
            cursor.close()
            with self._guard:
                self._running.discard(cursor)
                self._guard.notify_all()

    def _take_cursor(self) -> Cursor:
        with self._guard:
            if self._closing or self._paused:
                raise errors.StoreUnavailable(
                    "The store is closed." if self._closing else "The store is being reopened."
                )
            try:
                cursor = self._database.cursor()
            except duckdb.Error as error:
                self._on_lost()
                raise errors.StoreUnavailable(f"The store could not read: {first_line(error)}") from error
            self._running.add(cursor)
            return cursor
