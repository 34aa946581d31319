"""Exports under way: each holds a snapshot, and reads its parts from it, a piece at a time.

A snapshot is a read transaction of its own connection. It holds up nobody; while it lasts, DuckDB cannot let go of rows
that are replaced or deleted meanwhile. So there are few, and one that nobody reads from is given up after some minutes;
before the file is closed, or written anew, all are.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import duckdb
import pyarrow as pa

from engine import errors
from engine.exporting import WHOLE, Export, ExportPart, ExportRequest
from engine.querying import Answer
from engine.store.connection import Database
from engine.store.faults import first_line
from engine.store.priority import step_back

T = TypeVar("T")

MOST = 2
IDLE = timedelta(minutes=5)
_ROWS = 500
"""Rows DuckDB is asked for at a time; bodies may be large."""
_PIECE = 8 << 20
"""Bytes of a piece, nearly."""


@dataclass(slots=True)
class Session:
    """One export: its connection, which is in the transaction, and where reading has come to."""

    export: Export
    cursor: duckdb.DuckDBPyConnection
    used_at: datetime
    part: int = -1
    position: int = 0
    reader: pa.RecordBatchReader | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Exports:
    """The exports of one store. Work is done in one thread, after everybody else's."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="store-export", initializer=step_back)
        self._sessions: dict[str, Session] = {}
        self._guard = threading.Lock()
        self._away = False

    def begin(self, request: ExportRequest) -> "Future[Export]":
        """Take a snapshot.

        Raises:
            ExportRefused: as many as may be are under way.
        """
        return self._submit(lambda: self._begin(request))

    def read(self, export_id: str, part: int, position: int) -> "Future[Answer]":
        """A piece of a part; ``position`` counts pieces, and 0 begins the part anew.

        Raises:
            ExportGone: there is no such export any more, or no such part, or the piece is not the next one.
        """
        return self._submit(lambda: self._read(export_id, part, position))

    def end(self, export_id: str) -> "Future[None]":
        """Let go of an export; of one that is gone, too."""
        return self._submit(lambda: self._end(export_id))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No export is open while this lasts: all are given up, and none begins."""
        with self._guard:
            self._away = True
            sessions = list(self._sessions.values())
            self._sessions.clear()
        try:
            for one in sessions:
                one.cursor.interrupt()
                with one.lock:
                    _close(one)
            yield
        finally:
            with self._guard:
                self._away = False

    def close(self) -> None:
        """Give up all, for good."""
        with self.paused():
            self._pool.shutdown(cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        try:
            return self._pool.submit(self._told, work)
        except RuntimeError as error:
            raise errors.StoreUnavailable("The store is closed.") from error

    def _told(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise errors.StoreUnavailable(f"The export could not be read: {first_line(error)}") from error

    def _begin(self, request: ExportRequest) -> Export:
        now = self._clock()
        with self._guard:
            if self._away:
                raise errors.StoreUnavailable("The store is being reopened.")
            for one in [one for one in self._sessions.values() if now - one.used_at > IDLE]:
                del self._sessions[one.export.export_id]
                _close(one)
            if len(self._sessions) >= MOST:
                raise errors.ExportRefused(
                    f"{MOST} exports are under way, as many as may be. Try again when one has ended; one that nobody "
                    f"reads is given up after {IDLE.seconds // 60} minutes."
                )
            cursor = self._database.cursor()
            try:
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                export = Export(request.export_id, now, request.deleted, tuple(_parts(cursor, request.deleted)))
            except BaseException:
                cursor.close()
                raise
            self._sessions[request.export_id] = Session(export, cursor, now)
        return export

    def _read(self, export_id: str, part: int, position: int) -> Answer:
        with self._guard:
            session = self._sessions.get(export_id)
            if session is None:
                raise errors.ExportGone(
                    "This export is not there any more: it was ended, nobody had read from it for some minutes, or the "
                    "store was opened anew. Begin another."
                )
            session.used_at = self._clock()
            session.lock.acquire()
        try:
            return _piece(session, part, position)
        finally:
            session.lock.release()

    def _end(self, export_id: str) -> None:
        with self._guard:
            session = self._sessions.pop(export_id, None)
        if session is not None:
            _close(session)


def _parts(cursor: duckdb.DuckDBPyConnection, deleted: bool) -> Iterator[ExportPart]:
    view = "all_emails" if deleted else "emails"
    months = cursor.execute(
        f"SELECT coalesce(strftime(received_at, '%Y-%m'), '') AS month, count(*) FROM main.{view} GROUP BY 1 ORDER BY 1"  # noqa: S608
    ).fetchall()
    yield from (ExportPart(view, month, rows) for month, rows in months)
    for name in WHOLE:
        yield ExportPart(name, None, cursor.execute(f"SELECT count(*) FROM main.{name}").fetchall()[0][0])  # noqa: S608


def _piece(session: Session, part: int, position: int) -> Answer:
    if not 0 <= part < len(session.export.parts):
        raise errors.ExportGone(f"The export has no part {part}; it has {len(session.export.parts)}.")
    if position == 0:
        _let_go(session)
        session.reader = session.cursor.sql(_select(session.export.parts[part])).to_arrow_reader(_ROWS)
    elif session.reader is None or (part, position) != (session.part, session.position):
        raise errors.ExportGone("This is not the piece that comes next. Begin the part anew.")
    session.part, session.position = part, position + 1
    batches, size, more = list[pa.RecordBatch](), 0, True
    while size < _PIECE:
        try:
            batch = session.reader.read_next_batch()
        except StopIteration:
            more = False
            break
        batches.append(batch)
        size += batch.nbytes
    return Answer(session.reader.schema, tuple(batches), truncated=False, more=more)


def _select(part: ExportPart) -> str:
    if part.month is None:
        when = "true"
    elif not part.month:
        when = "received_at IS NULL"
    else:
        first = f"TIMESTAMPTZ '{part.month}-01 00:00:00+00'"
        when = f"received_at >= {first} AND received_at < {first} + INTERVAL 1 MONTH"
    return f"SELECT * FROM main.{part.view} WHERE {when}"  # noqa: S608 (our own words only)


def _let_go(session: Session) -> None:
    """A connection has one result at a time, and this one may not have been read to its end."""
    if session.reader is not None:
        with suppress(duckdb.Error, pa.ArrowException, OSError):
            session.reader.close()
        session.reader = None


def _close(session: Session) -> None:
    _let_go(session)
    with suppress(duckdb.Error):
        session.cursor.execute("ROLLBACK")
    with suppress(duckdb.Error):
        session.cursor.close()
