"""A Mailroom without a cluster: it keeps what it is told and answers what it was given."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from engine.access.audit import AuditEntry
from engine.access.tokens import TokenRecord
from engine.application_settings.model import SettingsVersion
from engine.checks.model import CheckReport
from engine.crm.change import CrmChange, CrmOutcome
from engine.emails import EmailListing
from engine.errors import HostUnavailable, JobRefused, QueryRefused, SettingsError
from engine.exporting import Export, ExportRequest
from engine.jobs.model import Job, JobChange, JobName, JobRun, JobState, Outcome, Trigger
from engine.listing import Listing, Page, View
from engine.model import Operator, OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.operators import OperatorChange
from engine.orders import HostReport
from engine.policy.purge import PolicyStanding, PurgeReceipt, PurgeRequest
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.querying import Answer, Params, Query
from engine.status import Readiness, Status
from tests.fakes.mail_lists import email_page, find_email
from tests.fakes.people import People
from tests.fakes.settings import FakeSettings
from tests.fakes.store_access import MemoryAccess, audit_rows
from tests.fakes.store_crm import MemoryCrm, crm_rows
from tests.fakes.store_erasures import MemoryErasures, erasure_rows
from tests.fakes.store_exports import MemoryExports
from tests.fakes.store_operators import is_found
from tests.fakes.store_policy import MemoryPolicies
from tests.fakes.store_records import Mailbox
from tests.fakes.store_settings import history_rows

STARTED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _jobs() -> dict[JobName, JobState]:
    return {
        JobName.EMAIL_SYNC: JobState(Job(JobName.EMAIL_SYNC, enabled=True, every="15m")),
        JobName.MANAGE_PUSH_SUBSCRIPTIONS: JobState(Job(JobName.MANAGE_PUSH_SUBSCRIPTIONS, enabled=True, every="1m")),
    }


class Access(MemoryAccess):
    """Tokens and the audit trail of a FakeMailroom."""

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""


class Crm(MemoryCrm):
    """CRM records of a FakeMailroom."""

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""

    def _now(self) -> datetime:
        return STARTED_AT


class Policies(MemoryPolicies):
    """Policies of a FakeMailroom."""

    def __init__(self, people: People) -> None:
        super().__init__()
        self.people = people

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""

    def _now(self) -> datetime:
        return STARTED_AT

    def _is_operator(self, operator_id: str) -> bool:
        return operator_id in self.people.operators


class Erasures(MemoryErasures):
    """Erasures of a FakeMailroom, which has no mail."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes: list[Mailbox] = []

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""

    def _now(self) -> datetime:
        return STARTED_AT

    def _boxes(self) -> list[Mailbox]:
        return self.boxes

    def _forget_activation(self, operator: Operator) -> None:
        """Nobody is in memory."""


class Exports(MemoryExports):
    """Exports of a FakeMailroom, of the ``tables`` a test gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, pa.Table] = {}

    def _check(self) -> None:
        """Trouble is the Mailroom's to make."""

    def _now(self) -> datetime:
        return STARTED_AT

    def _tables(self) -> dict[str, pa.Table]:
        return self.tables


@dataclass
class FakeMailroom:
    """``error`` is raised by every call; ``unsubscribe`` are the subscription ids answered Unsubscribe; ``hang``
    makes every call wait until it is cancelled; ``away`` are the subscription ids no host takes; ``broken`` are
    methods that raise HostUnavailable, ``recovers_after`` that many calls (None: for ever). ``rows`` are those of each
    view in its order: a position is an index. ``begun`` is set once a run is; it stays under way until ``put_run``.
    """

    figures: Status = field(default_factory=Status)
    readiness: Readiness = field(default_factory=lambda: Readiness(store=True, coordinator=True, hosts=1))
    table: pa.Table = field(default_factory=lambda: pa.table({"n": [1]}))
    truncated: bool = False
    error: Exception | None = None
    unsubscribe: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    hang: bool = False
    notices: list[Notice] = field(default_factory=list)
    queries: list[tuple[str, Params]] = field(default_factory=list)
    asked: list[Query] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    pieces: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    rows_a_piece: int = 1_000_000
    mail: list[dict[str, Any]] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    rows: dict[View, list[dict[str, Any]]] = field(default_factory=dict)
    states: dict[JobName, JobState] = field(default_factory=_jobs)
    reports: dict[str, HostReport] = field(default_factory=dict)
    people: People = field(default_factory=People)
    recovers_after: int | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    access: Access = field(default_factory=Access)
    application: FakeSettings = field(default_factory=FakeSettings)
    erasures: Erasures = field(default_factory=Erasures)
    crm: Crm = field(default_factory=Crm)
    exports: Exports = field(default_factory=Exports)

    def __post_init__(self) -> None:
        self.policies = Policies(self.people)

    async def notify(self, notice: Notice) -> NoticeAnswer:
        await self._trouble("notify")
        if notice.subscription_id in self.away:
            raise HostUnavailable("The host is restarting.")
        self.notices.append(notice)
        return NoticeAnswer.UNSUBSCRIBE if notice.subscription_id in self.unsubscribe else NoticeAnswer.OK

    async def policy_standing(self, operator_id: str = "") -> PolicyStanding:
        await self._trouble("policy_standing")
        return await self.policies.policy_standing(operator_id)

    async def put_operator_policy(self, operator_id: OperatorId, document: Mapping[str, Any], by: str) -> None:
        await self._trouble("put_operator_policy")
        await self.policies.put_operator_policy(operator_id, document, by)

    async def purge(self, request: PurgeRequest) -> PurgeReceipt:
        await self._trouble("purge")
        return await self.policies.purge(request)

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        await self._trouble("put_crm")
        return await self.crm.put_crm(change)

    async def status(self) -> Status:
        await self._trouble("status")
        return self.figures

    async def start_query(self, query: Query) -> Answer:
        self.asked.append(query)
        await self._trouble("start_query")
        self.queries.append((query.sql, query.params))
        self.pieces[query.query_id] = self.table.to_batches(self.rows_a_piece)
        return self._piece(query.query_id)

    async def read_query(self, query_id: str) -> Answer:
        await self._trouble("read_query")
        return self._piece(query_id)

    async def end_query(self, query_id: str) -> None:
        self.pieces.pop(query_id, None)
        self.ended.append(query_id)

    def _piece(self, query_id: str) -> Answer:
        if query_id not in self.pieces:
            raise QueryRefused("The answer is gone.")
        piece, self.pieces[query_id] = self.pieces[query_id][:1], self.pieces[query_id][1:]
        more = bool(self.pieces[query_id])
        if not more:
            del self.pieces[query_id]
        return Answer(self.table.schema, tuple(piece), self.truncated, more)

    async def emails(self, listing: EmailListing) -> Page:
        await self._trouble("emails")
        return email_page(self.mail, listing)

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        await self._trouble("email")
        return find_email(self.mail, item_id, operator_id)

    async def page(self, listing: Listing) -> Page:
        await self._trouble("page")
        self.listings.append(listing)
        audit = listing.view is View.AUDIT
        rows = audit_rows(self.access.audited) if audit else self.rows.get(listing.view, [])
        if listing.view is View.OPERATORS:
            rows = self.people.rows()
        if listing.view is View.ERASURES:
            rows = erasure_rows(self.erasures.receipts.values())
        if listing.view is View.CRM_RECORDS:
            rows = crm_rows(self.crm.records.values())
        if listing.view is View.SETTINGS_HISTORY:
            await self.application.current()
            rows = history_rows(self.application.versions)
        if rows and (unknown := sorted(set(listing.equal) - set(rows[0]))):
            raise QueryRefused(f"{listing.view} has no column {unknown[0]}.")
        found = [row for row in rows if all(_text(row[name]) == text for name, text in listing.equal.items())]
        found = [row for row in found if is_found(listing.view, row, listing.search)]
        start = listing.after[0] if listing.after else 0
        end = start + listing.limit
        return Page(tuple(found[start:end]), (end,) if end < len(found) else None)

    async def jobs(self) -> list[JobState]:
        await self._trouble("jobs")
        return [self.states[name] for name in sorted(self.states)]

    async def change_job(self, name: JobName, change: JobChange) -> JobState:
        await self._trouble("change_job")
        if change.every == "nonsense":
            raise SettingsError(f"jobs.{name}.every: 'nonsense' is neither an interval nor a cron expression.")
        values = {one.name: getattr(change, one.name) for one in fields(change)}
        job = replace(self.states[name].job, **{key: value for key, value in values.items() if value is not None})
        self.states[name] = replace(self.states[name], job=job)
        return self.states[name]

    async def run_job(self, name: JobName) -> JobRun:
        await self._trouble("run_job")
        state = self.states[name]
        if not state.job.enabled:
            raise JobRefused(f"{name} is disabled.")
        if state.latest is not None and state.latest.outcome is Outcome.RUNNING:
            raise JobRefused(f"A run of {name} is under way.")
        run = JobRun(f"run-{len(self.rows.get(View.JOB_RUNS, ())) + 1}", name, Trigger.MANUAL, STARTED_AT)
        self.put_run(run)
        self.begun.set()
        return run

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        if "write_audit" in self.broken:
            raise HostUnavailable("It is restarting.")
        await self.access.write_audit(entries)

    async def tokens(self) -> list[TokenRecord]:
        await self._trouble("tokens")
        return await self.access.tokens()

    async def add_token(self, record: TokenRecord) -> None:
        await self._trouble("add_token")
        await self.access.add_token(record)

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        await self._trouble("revoke_token")
        return await self.access.revoke_token(token_id, now)

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        await self._trouble("note_token_uses")
        await self.access.note_token_uses(uses)

    async def operators(self) -> list[Operator]:
        await self._trouble("operators")
        return [self.people.operators[one] for one in sorted(self.people.operators)]

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        await self._trouble("change_operators")
        self.people.change(changes)

    async def erase(self, request: ErasureRequest) -> Receipt:
        await self._trouble("erase")
        return await self.erasures.erase(request)

    async def begin_export(self, request: ExportRequest) -> Export:
        await self._trouble("begin_export")
        return await self.exports.begin_export(request)

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        await self._trouble("read_export")
        return await self.exports.read_export(export_id, part, position)

    async def end_export(self, export_id: str) -> None:
        await self._trouble("end_export")
        await self.exports.end_export(export_id)

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        await self._trouble("lift_erasure")
        return await self.erasures.lift_erasure(request)

    async def settings(self) -> SettingsVersion:
        await self._trouble("settings")
        return await self.application.current()

    async def change_settings(
        self, changes: Mapping[str, Any], by: str, expected: int | None = None
    ) -> SettingsVersion:
        await self._trouble("change_settings")
        return await self.application.change(changes, by, expected)

    async def check(self, operator: Operator, *, round_trip: bool) -> CheckReport:
        await self._trouble("check")
        return self.people.check(operator, round_trip=round_trip)

    async def hosts(self) -> dict[str, HostReport]:
        await self._trouble("hosts")
        return self.reports

    async def ready(self) -> Readiness:
        await self._trouble("ready")
        return self.readiness

    def put_run(self, run: JobRun) -> None:
        """Let a run be the latest of its job, with its row."""
        self.states[run.job] = replace(self.states[run.job], latest=run)
        seconds = None if run.finished_at is None else (run.finished_at - run.started_at).total_seconds()
        row = {**{one.name: getattr(run, one.name) for one in fields(run)}, "seconds": seconds}
        others = [old for old in self.rows.get(View.JOB_RUNS, []) if old["run_id"] != run.run_id]
        self.rows[View.JOB_RUNS] = [row, *others]

    async def _trouble(self, method: str) -> None:
        if self.error is not None:
            raise self.error
        if method in self.broken:
            if self.recovers_after is not None:
                self.recovers_after -= 1
                self.broken = self.broken if self.recovers_after else frozenset()
            raise HostUnavailable("It is restarting.")
        if self.hang:
            await asyncio.Event().wait()


def _text(value: object) -> str:
    """As DuckDB writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
