"""The seams: what the engine needs from the outside, and what the gateway needs from the cluster.

Each port has a real side and a fake, and one contract suite (``tests/contract``) that both pass.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from engine.model import (
    Activation,
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


class Store(LandingStore, Protocol):
    """The whole store: landings, the coordinator's questions, and queries."""

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        """Insert or change operators by id. Disabling one makes its mailbox ``disabled``; enabling makes it due."""
        ...

    async def operators(self) -> list[Operator]:
        """All operators, by id."""
        ...

    async def due(self, now: datetime, limit: int) -> list[DueOperator]:
        """Enabled operators whose next sync is due (never synced ones first), and those who want a subscription.

        An operator wants a subscription when it has none that is active, or the active one has been silent for
        2 x StatusFrequency, and its ``next_attempt_at`` has passed.
        """
        ...

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        """Record when subscriptions (by serial) last gave a sign of life."""
        ...

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        """Let these operators' next sync be now, whatever their backoff says."""
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


class Mailroom(Protocol):
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

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        """As ``Store.query``."""
        ...

    async def ready(self) -> Readiness:
        """Whether the parts answer, for ``GET /readyz``."""
        ...
