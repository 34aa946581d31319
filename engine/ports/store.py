"""The whole store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from engine.listing import Listing, Page
from engine.model import Operator
from engine.operators import OperatorChange, Seeding
from engine.ports.access_store import AccessStore
from engine.ports.alert_store import AlertStore
from engine.ports.association_store import AssociationStore
from engine.ports.crm_store import CrmStore
from engine.ports.erasure_store import ErasureStore
from engine.ports.export_store import ExportStore
from engine.ports.job_store import JobStore
from engine.ports.mailbox_store import MailboxStore
from engine.ports.policy_store import PolicyStore
from engine.ports.query_store import QueryStore
from engine.ports.settings_store import SettingsStore
from engine.status import DueOperator, Status


class Store(
    MailboxStore,
    JobStore,
    SettingsStore,
    AlertStore,
    AccessStore,
    CrmStore,
    PolicyStore,
    AssociationStore,
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
