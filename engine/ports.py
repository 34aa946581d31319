"""The seams: what the engine needs from the outside, and what the gateway needs from the cluster.

Each port has a real side and a fake, and one contract suite (``tests/contract``) that both pass.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from engine.access.audit import AuditEntry
from engine.access.tokens import TokenRecord
from engine.alerts.model import Alert, OutgoingMail, StandingFailure
from engine.application_settings.model import Document, NewSettings, SettingsVersion
from engine.checks.model import CheckReport
from engine.emails import EmailListing
from engine.exporting import Export, ExportRequest
from engine.jobs.model import Job, JobChange, JobName, JobRun, JobState, Progress
from engine.listing import Listing, Page
from engine.model import (
    Activation,
    Change,
    ChangePage,
    FetchedItems,
    Folder,
    ItemId,
    Landing,
    LandingResult,
    Moment,
    Operator,
    OperatorId,
    ResolvedFolders,
    SyncToken,
)
from engine.notices import Notice, NoticeAnswer
from engine.operators import OperatorChange, Seeding
from engine.orders import HostReport
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.querying import Answer, Query
from engine.status import DueOperator, Readiness, Status


class Clock(Protocol):
    """Wall time, as an argument: ``now`` is aware UTC; ``sleep`` takes seconds."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def moment(self) -> Moment:
        """Now, with a jitter in [0, 1) and a fresh id."""
        ...


class MailSource(Protocol):
    """Where mail comes from. A mailbox is named by its primary SMTP address.

    Methods raise ``errors.SourceError`` and nothing else, never retry and never sleep: retries belong to the mailbox.
    """

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """The folders the names stand for; a name without a folder is reported in ``missing``, not raised."""
        ...

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """One page of at most ``limit`` (1-512) changes since ``token`` (None: everything there is).

        Raises:
            SyncTokenRefused: the token is not valid any more.
            FolderMissing: the folder is gone.
        """
        ...

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """The full items. Every id is answered: fetched, missing (gone, or in another folder by now) or unreadable.

        Raises:
            ResponseUnreadable: the answer as a whole cannot be read; fewer items at a time may go.
        """
        ...

    async def find_newest(self, mailbox: str, folder: Folder, limit: int) -> tuple[Change, ...]:
        """The items received last, at most ``limit`` (1-512), newest first, each as its Create; no token moves.

        Raises:
            FolderMissing: the folder is gone.
        """
        ...

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """A push subscription: (SubscriptionId, Watermark or None). ``status_frequency`` is in minutes, 1-1440."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


class LandingStore(Protocol):
    """What a mailbox needs of the store. All writes of one ``Landing`` are durable when ``land`` returns."""

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        """Bring mailboxes into memory: a new epoch each (older ones are fenced from now on) and their state.

        Ids the store does not know are left out of the answer.
        """
        ...

    async def land(self, landing: Landing) -> LandingResult:
        """Make one landing durable.

        Raises:
            StaleEpoch: a newer activation has taken over; nothing was written.
            StoreUnavailable: not known to be durable; activate anew to learn what is.
        """
        ...


class MailboxStore(LandingStore, Protocol):
    """What a host's mailboxes need of the store."""

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """Record when subscriptions (by serial) last gave a sign of life."""
        ...

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """Let these operators' next sync be now, whatever their backoff says."""
        ...


class JobStore(Protocol):
    """What the jobs need of the store."""

    async def seed_jobs(self, jobs: Sequence[Job]) -> list[Job]:
        """Take in what the configuration says of the jobs; all jobs as they stand then, by name.

        A job is inserted the first time. Later, a value that differs from what the configuration said at the last
        seeding has been edited there and replaces the stored one; any other leaves what was set meanwhile.
        """
        ...

    async def jobs(self) -> list[JobState]:
        """Every job with its latest run; ``next_run_at`` is left None (``engine.jobs.schedule`` knows it)."""
        ...

    async def put_job(self, job: Job) -> None:
        """Change a job's schedule. ``last_run_at`` is ``begin_run``'s to set and is left as it is.

        Raises:
            UnknownJob: there is none of this name.
        """
        ...

    async def begin_run(self, run: JobRun) -> JobRun:
        """Open a run, unless one of the same job is open: then that one is answered and nothing changes.

        A run of EmailSync triggered by hand takes every failing mailbox out of its backoff, one of
        ManagePushSubscriptions every failed subscription.
        """
        ...

    async def put_run(self, run: JobRun) -> None:
        """Write down how a run stands, or that it has finished. Old runs beyond a thousand of the job are let go."""
        ...

    async def progress(self, run: JobRun, now: datetime) -> Progress:
        """How a run stands now, from the mailboxes themselves.

        EmailSync: an enabled operator is done when the last attempt (success or failure) is not older than the run, or
        the mailbox waits out a backoff. ManagePushSubscriptions: when the operator does not want a subscription (see
        ``Store.due``).
        """
        ...


class SettingsStore(Protocol):
    """What the Application Settings need of the store: versions, the last of which rules."""

    async def seed_settings(self, says: Document) -> SettingsVersion:
        """Take in what the configuration file says; the settings that rule then.

        All of it makes the first version. Later, a value that differs from what the file said at the last seeding has
        been edited there and makes a version of its own (by ``BY_FILE``); any other leaves what was set meanwhile.
        """
        ...

    async def settings(self) -> SettingsVersion:
        """The settings that rule.

        Raises:
            SettingsError: nothing has been seeded yet.
        """
        ...

    async def put_settings(self, new: NewSettings) -> SettingsVersion:
        """Store another version, unless nothing differs, and what follows from it, in one transaction.

        ``effects_of`` says what follows: subscriptions made before are wanted anew (see ``Store.due``), and every
        enabled mailbox is due. ``deletions`` holds for landings from then on.

        Raises:
            SettingsConflict: ``expected`` is not the version that rules.
        """
        ...


class AlertStore(Protocol):
    """What alerts need of the store."""

    async def standing_failures(self, subscription_codes: Sequence[str]) -> list[StandingFailure]:
        """Who is touched by what at the moment, by code.

        Enabled operators whose mailbox is ``failed``, and those whose subscription has failed for one of these codes;
        ``LISTENER_UNREACHABLE`` among them stands for a subscription that took the place of one never heard.
        """
        ...

    async def open_alerts(self) -> list[Alert]:
        """Alerts that are not closed, oldest first."""
        ...

    async def put_alerts(self, alerts: Sequence[Alert], mails: Sequence[OutgoingMail]) -> None:
        """Insert or change alerts by id and queue the mail they lead to, in one transaction."""
        ...

    async def unsent(self, now: datetime, limit: int) -> list[OutgoingMail]:
        """Mail that is not sent and whose next attempt is due, oldest first."""
        ...

    async def put_mail(self, mail: OutgoingMail) -> None:
        """Write down how an attempt to send went."""
        ...


class AccessStore(Protocol):
    """What access needs of the store: who may ask, and who did what."""

    async def tokens(self) -> list[TokenRecord]:
        """Every token there has been, revoked ones too, the newest first."""
        ...

    async def add_token(self, record: TokenRecord) -> None:
        """Keep a new token.

        Raises:
            TokenRefused: another token in use has the name, or any the id.
        """
        ...

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        """Let a token be valid no more; one revoked before keeps its time.

        Raises:
            UnknownToken: there is none with this id.
        """
        ...

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """Write down when tokens, by id, were last used; unknown ids are left out."""
        ...

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit trail, each once however often it is given."""
        ...


class ErasureStore(Protocol):
    """What it takes to erase one person's mail. Receipts are listed as ``View.ERASURES``."""

    async def erase(self, request: ErasureRequest) -> Receipt:
        """Remove every email from or to an address, current or deleted, with what hangs on it, and keep it out.

        What lands later and names the address is left off, from this transaction on. Afterwards the file is written
        anew, so that none of it is left in there; the receipt says if that could not be done yet.

        Raises:
            ErasureRefused: the text is no address, or is an operator's own without ``including_operator``.
        """
        ...

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        """Keep the mail of an erasure's address out no longer.

        Raises:
            UnknownErasure: there is none of this id.
            ErasureRefused: it has been lifted already.
        """
        ...


class QueryStore(Protocol):
    """What people ask of the mail. A client that goes away ends its query, or its answer, with ``end_query``."""

    async def emails(self, listing: EmailListing) -> Page:
        """A page of emails; items have the columns of ``engine.emails.LISTED``.

        Raises:
            QueryRefused: a position that is not one of this list.
            QueryTimedOut, QueryBusy: as with queries.
        """
        ...

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        """An email by column name, deleted ones too, with ``attachments``, a list of rows of that view.

        Raises:
            UnknownEmail: no mailbox, or not this operator's, has such an item.
            EmailAmbiguous: the mailboxes of several operators have it; the message names them.
        """
        ...

    async def start_query(self, query: Query) -> Answer:
        """Run one read-only SELECT over the views; the first piece of its answer.

        Raises:
            QueryRefused: wrong SQL, more than one statement, or not a SELECT over the views.
            QueryTimedOut, QueryTooLarge: it took more than a query may.
            QueryBusy: too many run or wait.
        """
        ...

    async def read_query(self, query_id: str) -> Answer:
        """The next piece, while the one before said there is more.

        Raises:
            QueryRefused: the answer is gone; it is kept for some time only.
        """
        ...

    async def end_query(self, query_id: str) -> None:
        """Stop the query, or let go of what is left of its answer; of one that has ended, nothing."""
        ...


class ExportStore(Protocol):
    """What it takes to export everything, as it is at one moment."""

    async def begin_export(self, request: ExportRequest) -> Export:
        """Hold on to the present state, to be read part by part. Given up when nobody reads for some minutes.

        Raises:
            ExportRefused: as many as may be are under way.
        """
        ...

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        """A piece of a part, by its number. ``position`` counts pieces from 0, which begins the part anew.

        Raises:
            ExportGone: there is no such export any more, no such part, or the piece is not the next one.
        """
        ...

    async def end_export(self, export_id: str) -> None:
        """Let go of it; nothing happens where it is gone already."""
        ...


class Store(
    MailboxStore,
    JobStore,
    SettingsStore,
    AlertStore,
    AccessStore,
    ErasureStore,
    ExportStore,
    QueryStore,
    Protocol,
):
    """The whole store: landings, the coordinator's questions, and queries."""

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        """Insert or change operators by id. Disabling one makes its mailbox ``disabled``; enabling makes it due."""
        ...

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """Make changes in one transaction; mailboxes follow as with ``put_operators``.

        Raises:
            OperatorExists, UnknownOperator, OperatorsChanged, AddressTaken: see ``engine.operators.check_changes``;
                nothing was changed.
        """
        ...

    async def seed_operators(self, operators: Sequence[Operator]) -> Seeding:
        """Take in the operators of the configuration file, before anybody is activated; what it has led to.

        A value counts if it is not what the file said at the last seeding: what was set elsewhere since is kept.
        """
        ...

    async def operators(self) -> list[Operator]:
        """All operators, by id."""
        ...

    async def due(self, now: datetime, limit: int, run_started_at: datetime | None = None) -> list[DueOperator]:
        """Enabled operators whose next sync is due (never synced ones first), and those who want a subscription.

        A sync is due when ``next_sync_at`` has passed, and, while a run of EmailSync is open that started at
        ``run_started_at``, for everybody it has left to do (see ``JobStore.progress``).

        An operator wants a subscription when it has none that is active, or the active one has been silent for
        2 x StatusFrequency or is older than settings it carries, and its ``next_attempt_at`` has passed.
        """
        ...

    async def page(self, listing: Listing) -> Page:
        """A page of one of the listed views.

        Raises:
            QueryRefused: the view has no such column to filter by.
        """
        ...

    async def status(self) -> Status:
        """The figures of ``GET /api/v1/status``."""
        ...

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        """Run one read-only SELECT over the views; (rows, truncated).

        Raises:
            QueryRefused: wrong SQL, more than one statement, or not a SELECT.
        """
        ...

    async def close(self) -> None:
        """Finish what is queued, checkpoint and let go of the file."""
        ...


class Mailroom(AccessStore, ErasureStore, ExportStore, QueryStore, Protocol):
    """The cluster as the gateway and the command line see it."""

    async def notify(self, notice: Notice) -> NoticeAnswer:
        """Hand a notice to the host of its mailbox; returns when the host has it.

        Raises:
            HostUnavailable: nobody could take it; Exchange should try again.
        """
        ...

    async def status(self) -> Status:
        """The figures of ``GET /api/v1/status``."""
        ...

    async def page(self, listing: Listing) -> Page:
        """As ``Store.page``."""
        ...

    async def operators(self) -> list[Operator]:
        """As ``Store.operators``."""
        ...

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """As ``Store.change_operators``; hosts act upon it within a second or two."""
        ...

    async def check(self, operator: Operator, *, round_trip: bool) -> CheckReport:
        """Prove step by step that an operator's mailbox can be kept in step; trouble is in the report.

        With ``round_trip``, Exchange has 75 seconds to call back. Whoever is cancelled while waiting ends the check.

        Raises:
            HostUnavailable: nobody could take it.
        """
        ...

    async def jobs(self) -> list[JobState]:
        """Both jobs, by name, each with its latest run and when the next is."""
        ...

    async def change_job(self, name: JobName, change: JobChange) -> JobState:
        """Enable, disable or reschedule a job; a run under way stops at the next page when it is disabled.

        Raises:
            SettingsError: the schedule is neither an interval nor a cron expression.
        """
        ...

    async def settings(self) -> SettingsVersion:
        """The Application Settings that rule."""
        ...

    async def change_settings(
        self, changes: Mapping[str, Any], by: str, expected: int | None = None
    ) -> SettingsVersion:
        """Change values by dotted key, such as ``email_sync.batch_size``; in force everywhere within a second or two.

        ``expected``: the version the change was made for; None: whichever rules. Where nothing differs, the version
        that rules is answered.

        Raises:
            SettingsError: a line for each key that is not known, is a secret's, or may not have this value.
            SettingsConflict: another version rules by now.
        """
        ...

    async def run_job(self, name: JobName) -> JobRun:
        """Begin a run now.

        Raises:
            JobRefused: a run of this job is under way, or the job is disabled.
        """
        ...

    async def hosts(self) -> dict[str, HostReport]:
        """What each host that answers says of itself, by name."""
        ...

    async def ready(self) -> Readiness:
        """Whether the parts answer, for ``GET /readyz``."""
        ...
