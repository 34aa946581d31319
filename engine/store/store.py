"""DuckDBStore: ``ports.Store`` over one DuckDB file."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from engine import errors
from engine.access.audit import AuditEntry
from engine.access.tokens import TokenRecord
from engine.alerts.model import Alert, OutgoingMail, StandingFailure
from engine.application_settings.model import Document, NewSettings, SettingsVersion
from engine.emails import EmailListing
from engine.exporting import Export, ExportRequest
from engine.jobs.model import Job, JobRun, JobState, Progress
from engine.listing import Listing, Page
from engine.model import Activation, Landing, LandingResult, Operator, OperatorId
from engine.operators import OperatorChange, Seeding
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.querying import Answer as QueryAnswer
from engine.querying import Query
from engine.status import DueOperator, Status
from engine.store import access, alerting, changing, erasure, lists, mail, operators, runs, settings, standing
from engine.store.connection import Database
from engine.store.crm_and_policy import CrmAndPolicy
from engine.store.erasing import Erasing
from engine.store.exports import Exports
from engine.store.faults import first_line
from engine.store.group import Activate, ChangeOperators, Heal, Heard, Land, MakeDue, PutOperators
from engine.store.landing import check
from engine.store.migrate import migrate, transaction
from engine.store.options import StoreOptions
from engine.store.queries import Readers
from engine.store.views import renew_views
from engine.store.writer import Writer, WriterStats

T = TypeVar("T")
S = TypeVar("S", SettingsVersion, SettingsVersion | None)


class DuckDBStore(CrmAndPolicy):
    """The store of one process. Methods may be awaited from any event loop; promises stand in ``engine.store``.

    Opening reads and migrates the file and may wait for a predecessor's lock: do it off the event loop, or with
    ``open``. ``clock`` gives aware UTC.

    Raises:
        StoreLocked: another process holds the file; the message says which.
        SettingsError: the path is no store, cannot be opened, or was written by a newer Mailroom.
    """

    def __init__(self, path: str | Path, clock: Callable[[], datetime], options: StoreOptions | None = None) -> None:
        options = options or StoreOptions()
        self._clock = clock
        self._database = Database(Path(path), options)
        try:
            migrate(self._database.writer)
            renew_views(self._database.writer)
            self._database.lock_down()
            self._readers = Readers(self._database, options.limits, self._heal)
            erasure.load(self._database.writer, options.suppression_key)  # or refuse, before anything runs
            stored = settings.latest(self._database.writer)
            self._writer = Writer(self._database, clock, options, self._reopen, self._readers.make_room)
            self._exports = Exports(self._database, clock)
            self._erasing = Erasing(self._database, self._writer, clock, options.suppression_key, self._alone)
            self._erasing.rewrite()
            if stored is not None:
                self._follow(stored)
            with transaction(self._database.writer):
                self._rule_by(self._database.writer, stored, clock())
        except BaseException as error:
            self._database.close()
            if isinstance(error, duckdb.Error):
                raise errors.SettingsError(f"store.path = '{path}' cannot be used: {first_line(error)}") from error
            raise
        self._closed: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, path: str | Path, clock: Callable[[], datetime], options: StoreOptions | None = None
    ) -> "DuckDBStore":
        """The store, opened in a thread."""
        return await asyncio.to_thread(cls, path, clock, options)

    @property
    def stats(self) -> WriterStats:
        """Counters since opening, for metrics."""
        return self._writer.stats

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        """See ``ports.LandingStore``."""
        request = Activate(tuple(operator_ids))
        self._writer.submit(request)
        return await request.ticket.future

    async def land(self, landing: Landing) -> LandingResult:
        """See ``ports.LandingStore``. A landing that makes no sense is a ``ValueError``."""
        check(landing)
        request = Land(landing)
        self._writer.submit(request)
        return await request.ticket.future

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        """See ``ports.Store``."""
        request = PutOperators(tuple(operators))
        self._writer.submit(request)
        await request.ticket.future

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """See ``ports.Store``."""
        request = ChangeOperators(tuple(changes))
        self._writer.submit(request)
        await request.ticket.future

    async def seed_operators(self, operators: Sequence[Operator]) -> Seeding:
        """See ``ports.Store``."""
        return await self._change(lambda connection, now: self._seed_operators(connection, operators, now))

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """See ``ports.MailboxStore``."""
        request = MakeDue(tuple(operator_ids))
        self._writer.submit(request)
        await request.ticket.future

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """See ``ports.MailboxStore``."""
        request = Heard(tuple(serials))
        self._writer.submit(request)
        await request.ticket.future

    async def operators(self) -> list[Operator]:
        """See ``ports.Store``."""
        return await self._ask(operators.all_operators)

    async def due(self, now: datetime, limit: int, run_started_at: datetime | None = None) -> list[DueOperator]:
        """See ``ports.Store``."""
        return await self._ask(lambda cursor: operators.due(cursor, now, limit, run_started_at))

    async def seed_jobs(self, jobs: Sequence[Job]) -> list[Job]:
        """See ``ports.JobStore``."""
        return await self._change(lambda connection, _: runs.seed_jobs(connection, jobs))

    async def jobs(self) -> list[JobState]:
        """See ``ports.JobStore``."""
        return await self._ask(runs.job_states)

    async def put_job(self, job: Job) -> None:
        """See ``ports.JobStore``."""
        await self._change(lambda connection, _: runs.put_job(connection, job))

    async def begin_run(self, run: JobRun) -> JobRun:
        """See ``ports.JobStore``."""
        return await self._change(lambda connection, _: runs.begin_run(connection, run))

    async def put_run(self, run: JobRun) -> None:
        """See ``ports.JobStore``."""
        await self._change(lambda connection, _: runs.put_run(connection, run))

    async def progress(self, run: JobRun, now: datetime) -> Progress:
        """See ``ports.JobStore``."""
        return await self._ask(lambda cursor: runs.progress(cursor, run, now))

    async def seed_settings(self, says: Document) -> SettingsVersion:
        """See ``ports.SettingsStore``."""
        return self._follow(
            await self._change(
                lambda connection, now: self._rule_by(connection, settings.seed(connection, says, now), now)
            )
        )

    async def settings(self) -> SettingsVersion:
        """See ``ports.SettingsStore``."""
        return await self._ask(settings.current)

    async def put_settings(self, new: NewSettings) -> SettingsVersion:
        """See ``ports.SettingsStore``."""
        return self._follow(
            await self._change(
                lambda connection, now: self._rule_by(connection, settings.put(connection, new, now), now)
            )
        )

    async def standing_failures(self, subscription_codes: Sequence[str]) -> list[StandingFailure]:
        """See ``ports.AlertStore``."""
        return await self._ask(lambda cursor: alerting.standing_failures(cursor, subscription_codes))

    async def open_alerts(self) -> list[Alert]:
        """See ``ports.AlertStore``."""
        return await self._ask(alerting.open_alerts)

    async def put_alerts(self, alerts: Sequence[Alert], mails: Sequence[OutgoingMail]) -> None:
        """See ``ports.AlertStore``."""
        await self._change(lambda connection, _: alerting.put_alerts(connection, alerts, mails))

    async def unsent(self, now: datetime, limit: int) -> list[OutgoingMail]:
        """See ``ports.AlertStore``."""
        return await self._ask(lambda cursor: alerting.unsent(cursor, now, limit))

    async def put_mail(self, mail: OutgoingMail) -> None:
        """See ``ports.AlertStore``."""
        await self._change(lambda connection, _: alerting.put_mail(connection, mail))

    async def tokens(self) -> list[TokenRecord]:
        """See ``ports.AccessStore``."""
        return await self._ask(access.all_tokens)

    async def add_token(self, record: TokenRecord) -> None:
        """See ``ports.AccessStore``."""
        await self._change(lambda connection, _: access.add_token(connection, record))

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        """See ``ports.AccessStore``."""
        return await self._change(lambda connection, _: access.revoke_token(connection, token_id, now))

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """See ``ports.AccessStore``."""
        await self._change(lambda connection, _: access.note_token_uses(connection, uses))

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.AccessStore``."""
        await self._change(lambda connection, _: access.write_audit(connection, entries))

    async def status(self) -> Status:
        """See ``ports.Store``."""
        now = self._clock()
        return await self._ask(lambda cursor: standing.status(cursor, now, self._writer.emails))

    async def page(self, listing: Listing) -> Page:
        """See ``ports.Store``."""
        take = self._readers.search if listing.view in lists.LONG else self._readers.look_up
        return await asyncio.wrap_future(take(lambda cursor: lists.page(cursor, listing)))

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        """See ``ports.Store``."""
        found = await asyncio.wrap_future(self._readers.query(Query("", sql, params, max_rows)))
        return pa.Table.from_batches(found.batches, schema=found.schema), found.truncated

    async def emails(self, listing: EmailListing) -> Page:
        """See ``ports.QueryStore``."""
        return await asyncio.wrap_future(self._readers.search(lambda cursor: mail.page(cursor, listing)))

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        """See ``ports.QueryStore``."""
        return await asyncio.wrap_future(self._readers.search(lambda cursor: mail.one(cursor, item_id, operator_id)))

    async def start_query(self, query: Query) -> QueryAnswer:
        """See ``ports.QueryStore``."""
        found = await asyncio.wrap_future(self._readers.query(query))
        return self._readers.give(query, found)

    async def read_query(self, query_id: str) -> QueryAnswer:
        """See ``ports.QueryStore``."""
        return self._readers.next(query_id)

    async def end_query(self, query_id: str) -> None:
        """See ``ports.QueryStore``."""
        self._readers.end(query_id)

    async def erase(self, request: ErasureRequest) -> Receipt:
        """See ``ports.Store``."""
        if request.dry_run:
            return await asyncio.wrap_future(
                self._readers.look_up(lambda cursor: self._erasing.preview(cursor, request))
            )
        return await self._do_alone(lambda: self._erasing.erase(request))

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        """See ``ports.Store``."""
        return await self._do_alone(lambda: self._erasing.lift(request))

    async def begin_export(self, request: ExportRequest) -> Export:
        """See ``ports.ExportStore``."""
        return await asyncio.wrap_future(self._exports.begin(request))

    async def read_export(self, export_id: str, part: int, position: int) -> QueryAnswer:
        """See ``ports.ExportStore``."""
        return await asyncio.wrap_future(self._exports.read(export_id, part, position))

    async def end_export(self, export_id: str) -> None:
        """See ``ports.ExportStore``."""
        await asyncio.wrap_future(self._exports.end(export_id))

    async def close(self) -> None:
        """See ``ports.Store``. Closing twice waits for the same end."""
        if self._closed is None:
            self._closed = asyncio.create_task(asyncio.to_thread(self._close))
        await self._closed

    def _follow(self, stored: SettingsVersion) -> SettingsVersion:
        self._writer.removes = stored.document["email_sync"].get("deletions") == "remove"
        return stored

    def _rule_by(self, connection: duckdb.DuckDBPyConnection, stored: S, now: datetime) -> S:
        """Let the settings rule associations and policy, inside the caller's transaction; or defaults, without any."""
        self._writer.fence(self._writer.terms.follow(connection, now))
        self._writer.associator.known.load(connection)
        return stored

    def _seed_operators(
        self, connection: duckdb.DuckDBPyConnection, given: Sequence[Operator], now: datetime
    ) -> Seeding:
        seeding = changing.seed_operators(connection, given, now)
        self._writer.fence(self._writer.terms.follow(connection, now))
        return seeding

    def _heal(self) -> None:
        with suppress(errors.StoreUnavailable):
            self._writer.submit(Heal())

    def _reopen(self) -> None:
        with self._alone():
            self._database.reopen()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._exports.paused(), self._readers.paused():
            yield

    def _close(self) -> None:
        self._exports.close()
        self._readers.close()
        self._writer.close()
        self._database.close()
