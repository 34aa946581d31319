"""Reading: own cursors in a small pool of threads, each query in a read-only transaction on its own snapshot."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

import duckdb
import pyarrow as pa

from engine import errors
from engine.store.connection import Database
from engine.store.faults import first_line, is_lost, is_sickness
from engine.store.views import view_names

T = TypeVar("T")

_CHUNK = 10_000
_INTERNAL = re.compile(r"_mailroom\b|\bquery(_table)?\s*\(", re.IGNORECASE)


class Readers:
    """People's queries run ``size`` at once; our own questions, and lists, never queue behind them."""

    def __init__(self, database: Database, size: int, on_lost: Callable[[], None]) -> None:
        self._database = database
        self._on_lost = on_lost
        self._people = ThreadPoolExecutor(size, thread_name_prefix="store-query")
        self._own = ThreadPoolExecutor(1, thread_name_prefix="store-read")
        self._lists = ThreadPoolExecutor(1, thread_name_prefix="store-list")
        self._guard = threading.Condition()
        self._running: set[duckdb.DuckDBPyConnection] = set()
        self._paused = False
        self._closing = False

    def ask(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> "Future[T]":
        """One of our own questions: all its statements see the same state."""
        return self._submit(self._own, lambda cursor: _on_a_snapshot(cursor, question))

    def look_up(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> "Future[T]":
        """A list somebody looks at; as ``ask``."""
        return self._submit(self._lists, lambda cursor: _on_a_snapshot(cursor, question))

    def query(self, sql: str, params: Sequence[object], max_rows: int) -> "Future[tuple[pa.Table, bool]]":
        """A query of somebody's: (rows, truncated)."""
        return self._submit(self._people, lambda cursor: select(cursor, sql, params, max_rows))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No cursor is open while this lasts: what ran was interrupted, what comes is refused."""
        with self._guard:
            self._paused = True
            for cursor in self._running:
                cursor.interrupt()
            self._guard.wait_for(lambda: not self._running)
        try:
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
        self._people.shutdown(cancel_futures=True)
        self._own.shutdown(cancel_futures=True)
        self._lists.shutdown(cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, question: Callable[[duckdb.DuckDBPyConnection], T]) -> "Future[T]":
        with self._guard:
            if self._closing:
                raise errors.StoreUnavailable("The store is closed.")
            return pool.submit(self._run, question)

    def _run(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        cursor = self._take_cursor()
        try:
            return question(cursor)
        except duckdb.Error as error:
            if is_lost(error):
                self._on_lost()
            raise errors.StoreUnavailable(f"The store could not read: {first_line(error)}") from error
        finally:
            cursor.close()
            with self._guard:
                self._running.discard(cursor)
                self._guard.notify_all()

    def _take_cursor(self) -> duckdb.DuckDBPyConnection:
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


def _on_a_snapshot(cursor: duckdb.DuckDBPyConnection, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    try:
        return question(cursor)
    finally:
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")


def select(
    cursor: duckdb.DuckDBPyConnection, sql: str, params: Sequence[object], max_rows: int
) -> tuple[pa.Table, bool]:
    """Run one SELECT over the views.

    The transaction is read-only, the database reaches no files and takes no settings (``connection``), and Python
    variables are not tables: that is what makes a SELECT harmless. The rest here gives better messages.

    Raises:
        QueryRefused: not exactly one statement, not a SELECT, or DuckDB does not like it.
    """
    try:
        statement = _only_select(cursor, sql)
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        try:
            return _read(cursor.sql(statement, params=list(params) or None), max_rows)
        finally:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
    except duckdb.InterruptException as error:
        raise errors.StoreUnavailable("The query was interrupted: the store is closing, or being reopened.") from error
    except duckdb.Error as error:
        if is_sickness(error):
            raise
        raise errors.QueryRefused(str(error)) from error


def _only_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise errors.QueryRefused(f"Write exactly one SELECT; this is {len(statements)} statements.")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise errors.QueryRefused(f"Only SELECT is allowed, not {statements[0].type.name}.")
    if _INTERNAL.search(sql):
        raise errors.QueryRefused(
            "The tables behind the views are internal, and so are query() and query_table(). Select from "
            f"{', '.join(view_names())}."
        )
    return statements[0]


def _read(relation: duckdb.DuckDBPyRelation, max_rows: int) -> tuple[pa.Table, bool]:
    """At most ``max_rows``, read as they come, so that a huge answer is never held whole."""
    with relation.to_arrow_reader(min(_CHUNK, max_rows + 1)) as reader:
        batches, count = [], 0
        for batch in reader:
            batches.append(batch)
            count += batch.num_rows
            if count > max_rows:
                break
        table = pa.Table.from_batches(batches, schema=reader.schema)
    return table.slice(0, max_rows), count > max_rows
