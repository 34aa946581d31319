"""Erasures and purges as the store does them: the transaction, the list in memory, and the file written anew."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import duckdb
import pyarrow as pa
import structlog

from engine import errors
from engine.policy.purge import PurgeReceipt, PurgeRequest
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.store import erasure, receipts, rewriting
from engine.store.connection import Database
from engine.store.door import purging
from engine.store.faults import first_line
from engine.store.migrate import transaction
from engine.store.writer import Writer

_log = structlog.get_logger("mailroom.store")


class Erasing:
    """Runs in the writer thread, between groups. ``paused``: while it lasts, nobody else has the file open."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        clock: Callable[[], datetime],
        key: bytes,
        paused: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._database, self._writer, self._clock = database, writer, clock
        self._key, self._paused = key, paused
        self._load()

    def preview(self, cursor: duckdb.DuckDBPyConnection, request: ErasureRequest) -> Receipt:
        """See ``erasure.preview``; on a reader's cursor, so that nobody waits for it."""
        return erasure.preview(cursor, request, self._clock(), self._key)

    def erase(self, request: ErasureRequest) -> Receipt:
        """Erase, then write the file anew, unless that was asked for later.

        Should that fail, the receipt says so; it is tried again at the next erasure and at the next start.
        """
        with transaction(self._database.writer):
            erased = erasure.erase(self._database.writer, request, self._clock(), self._key)
        self._settle(erased)
        if not request.later:
            self.rewrite()
        return receipts.get(self._database.writer, request.erasure_id)[0]

    def lift(self, request: LiftRequest) -> Receipt:
        """Take an address off the list again."""
        with transaction(self._database.writer):
            lifted = erasure.lift(self._database.writer, request, self._clock())
        self._settle(lifted)
        return lifted.receipt

    def purge(self, request: PurgeRequest, found: pa.Table) -> PurgeReceipt:
        """Take out what was found, then write the file anew, unless that was asked for later."""
        with transaction(self._database.writer):
            receipt, behind = purging.purge(self._database.writer, request, found, self._clock())
        self._writer.doorkeeper.any_kept = True
        self._writer.count_landed()
        self._writer.fence(behind)
        if not request.later:
            self.rewrite()
        return purging.receipt_of(self._database.writer, receipt)

    def rewrite(self) -> None:
        """Write the file anew, if an erasure or a purge wants it. Never raises for want of room, or a failing disk."""
        if not rewriting.is_due(self._database.writer):
            return
        try:
            with self._paused():
                sizes = self._database.rewrite(self._clock())
        except (errors.StoreError, duckdb.Error, OSError) as error:
            problem = first_line(error)
            _log.warning("file_not_rewritten", problem=problem)
            rewriting.note_problem(self._database.writer, problem)
            return
        self._database.writer.execute(
            "UPDATE _mailroom.erasures SET size_after = $1 WHERE rewritten_at IS NOT NULL AND size_after IS NULL",
            [sizes.after],
        )
        _log.info("file_rewritten", before=sizes.before, after=sizes.after)

    def _settle(self, erased: erasure.Erased) -> None:
        self._load()
        self._writer.count_landed()
        self._writer.fence(erased.fenced)

    def _load(self) -> None:
        self._writer.doorkeeper.suppression = erasure.load(self._database.writer, self._key)
