"""MemoryStore: ``ports.Store`` in plain dicts, deterministic, with scripted faults."""

from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa

from engine import errors
from engine.columns import FETCHED_EMAILS
from engine.emails import EmailListing
from engine.listing import Listing, Page
from engine.model import (
    Activation,
    FolderId,
    ItemId,
    Landing,
    LandingResult,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    SubscriptionStatus,
)
from engine.querying import Answer, Query
from engine.status import DueOperator, OperatorCounts, Status, SubscriptionCounts
from tests.fakes.mail_lists import email_page, find_email
from tests.fakes.store_access import MemoryAccess
from tests.fakes.store_alerts import MemoryAlerts
from tests.fakes.store_crm import MemoryCrm
from tests.fakes.store_erasures import MemoryErasures, hide, is_kept_out
from tests.fakes.store_exports import MemoryExports
from tests.fakes.store_jobs import MemoryJobs
from tests.fakes.store_lists import Shown, page_of
from tests.fakes.store_operators import MemoryOperators
from tests.fakes.store_policy import MemoryPolicies
from tests.fakes.store_records import (
    FAILING,
    LONG_AGO,
    Mailbox,
    due_since,
    heard_at_least,
    is_live,
    is_synced,
    is_unreachable,
    last_attempt,
    summary,
    wants_subscription,
)
from tests.fakes.store_rows import Row, Rows


class Fault(StrEnum):
    """What a scripted ``land`` does instead of its work."""

    BEFORE_COMMIT = "before_commit"
    """Nothing is written, StoreUnavailable is raised."""
    AFTER_COMMIT = "after_commit"
    """All is written, StoreUnavailable is raised all the same: the ambiguous one."""


def _default_clock() -> datetime:
    return datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class MemoryStore(
    MemoryCrm, MemoryPolicies, MemoryJobs, MemoryAlerts, MemoryAccess, MemoryOperators, MemoryErasures, MemoryExports
):
    """``deletions`` and ``clock`` as for DuckDBStore. ``landings``: every landing that became durable, in order."""

    def __init__(
        self, clock: Callable[[], datetime] = _default_clock, *, deletions: Literal["mark", "remove"] = "mark"
    ) -> None:
        super().__init__()
        self.landings: list[Landing] = []
        self._clock = clock
        self._remove = deletions == "remove"
        self._mailboxes: dict[OperatorId, Mailbox] = {}
        self._epochs: dict[OperatorId, int] = {}
        self._incarnation = 1
        self._counter = 0
        self._faults: deque[Fault | None] = deque()
        self._next_call: deque[Exception] = deque()

    # What tests do to it

    def script(self, *faults: Fault | None) -> None:
        """The next landings go like this, one entry each; None is a landing that works."""
        self._faults.extend(faults)

    def fail_next_call(self, error: Exception) -> None:
        """The next call of whatever method raises this and does nothing."""
        self._next_call.append(error)

    def restart(self) -> None:
        """What is durable stays; every activation is forgotten."""
        self._epochs.clear()
        self._incarnation += 1
        self._counter = 0

    def current(self, operator_id: OperatorId) -> dict[ItemId, Row]:
        """Copies of the current rows by item id."""
        return deepcopy(self._mailboxes[operator_id].rows.current())

    def all_rows(self, operator_id: OperatorId) -> dict[ItemId, Row]:
        """Copies of all rows, tombstones too."""
        return deepcopy(self._mailboxes[operator_id].rows.emails)

    def attachments(self, operator_id: OperatorId) -> dict[ItemId, list[Row]]:
        return deepcopy(self._mailboxes[operator_id].rows.attachments)

    def mailbox(self, operator_id: OperatorId) -> Mailbox:
        """A copy of everything durable about the operator."""
        return deepcopy(self._mailboxes[operator_id])

    # LandingStore

    async def activate(self, operator_ids: Sequence[OperatorId]) -> list[Activation]:
        self._check()
        return [self._activate(self._mailboxes[one]) for one in operator_ids if one in self._mailboxes]

    async def land(self, landing: Landing) -> LandingResult:
        self._check()
        fault = self._faults.popleft() if self._faults else None
        if fault is Fault.BEFORE_COMMIT:
            raise errors.StoreUnavailable("scripted: not landed")
        if self._epochs.get(landing.operator_id) != landing.epoch:
            raise errors.StaleEpoch(f"epoch {landing.epoch} of {landing.operator_id} is not the current one")
        if landing.folder is None and (landing.emails or landing.deleted or landing.read_flags or landing.seen):
            raise ValueError("a landing with items wants a folder")
        result = self._land(self._mailboxes[landing.operator_id], landing)
        self.landings.append(landing)
        if fault is Fault.AFTER_COMMIT:
            raise errors.StoreUnavailable("scripted: landed, but nobody knows")
        return result

    # The rest of Store

    async def put_operators(self, operators: Sequence[Operator]) -> None:
        self._check()
        for operator in operators:
            box = self._mailboxes.setdefault(
                operator.operator_id, Mailbox(replace(operator, email_sync=False), Rows(remove=self._remove))
            )
            was, box.operator = box.operator, operator
            self._fence(was, operator)
            if not operator.email_sync:
                box.record = replace(box.record, status=MailboxStatus.DISABLED)
            elif not was.email_sync:
                fresh = MailboxStatus.NEW if box.record.last_success_at is None else MailboxStatus.SYNCING
                box.record = MailboxRecord(
                    fresh, box.record.window_start, box.record.last_success_at, next_sync_at=self._clock()
                )
                self._retry_subscription(box)
            elif was.email != operator.email:
                box.record = replace(box.record, next_sync_at=self._clock())
                self._retry_subscription(box)

    async def operators(self) -> list[Operator]:
        self._check()
        return [self._mailboxes[one].operator for one in sorted(self._mailboxes)]

    async def due(self, now: datetime, limit: int, run_started_at: datetime | None = None) -> list[DueOperator]:
        self._check()
        found = []
        for operator_id, box in self._mailboxes.items():
            since = due_since(box, now, run_started_at)
            subscribe = wants_subscription(box.subscription, now, self.outdated_before)
            if box.operator.email_sync and (since is not None or subscribe):
                record, subscription = box.record, box.subscription
                waited = subscription.next_attempt_at if subscription else None
                if since is not None:
                    rank = (False, record.last_success_at is not None, since, last_attempt(record), operator_id)
                else:
                    rank = (True, False, waited or LONG_AGO, LONG_AGO, operator_id)
                found.append((rank, DueOperator(operator_id, since is not None, subscribe)))
        return [due for _, due in sorted(found, key=lambda each: each[0])][:limit]

    async def heard(self, serials: Sequence[tuple[OperatorId, str, datetime]]) -> None:
        self._check()
        for operator_id, serial, at in serials:
            box = self._mailboxes.get(operator_id)
            if box and box.subscription and box.subscription.serial == serial:
                box.subscription = heard_at_least(box.subscription, at)

    async def make_due(self, operator_ids: Sequence[OperatorId]) -> None:
        self._check()
        for box in [self._mailboxes[one] for one in operator_ids if one in self._mailboxes]:
            box.record = replace(box.record, next_sync_at=self._clock())

    async def status(self) -> Status:
        self._check()
        boxes = list(self._mailboxes.values())
        enabled = [box for box in boxes if box.operator.email_sync]
        failing = sum(box.record.status in FAILING for box in enabled)
        synced = sum(is_synced(box) for box in enabled)
        live = [
            box for box in enabled if is_live(box.subscription, self._clock()) and not is_unreachable(box.subscription)
        ]
        return Status(
            OperatorCounts(
                total=len(boxes),
                enabled=len(enabled),
                synced=synced,
                syncing=len(enabled) - synced - failing,
                failing=failing,
                disabled=len(boxes) - len(enabled),
            ),
            emails=sum(len(box.rows.current()) for box in boxes),
            pending=sum(len(page.item_ids) for box in boxes for page in box.pages.values()),
            quarantined=sum(len(box.quarantined) for box in boxes),
            subscriptions=SubscriptionCounts(len(live), len(enabled)),
            troubles=summary(enabled),
        )

    async def query(self, sql: str, params: Sequence[object] = (), max_rows: int = 100_000) -> tuple[pa.Table, bool]:
        self._check()
        raise errors.QueryRefused("MemoryStore answers no SQL; use current()")

    async def start_query(self, query: Query) -> Answer:
        self._check()
        raise errors.QueryRefused("MemoryStore answers no SQL; use current()")

    async def read_query(self, query_id: str) -> Answer:
        self._check()
        raise errors.QueryRefused("The answer is gone.")

    async def end_query(self, query_id: str) -> None:
        self._check()

    async def emails(self, listing: EmailListing) -> Page:
        self._check()
        return email_page(self._mail(), listing)

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        self._check()
        return find_email(self._mail(), item_id, operator_id)

    def _mail(self) -> list[Row]:
        return [
            {
                **row,
                "operator_id": box.operator.operator_id,
                "operator_email": box.operator.email,
                "item_id": item_id,
                "attachments": box.rows.attachments.get(item_id, []),
            }
            for box in self._boxes()
            for item_id, row in box.rows.emails.items()
        ]

    async def page(self, listing: Listing) -> Page:
        self._check()
        return page_of(
            listing,
            Shown(
                self._boxes(),
                self.runs,
                self.alerts,
                self.mails,
                self._clock(),
                self.audited,
                self.versions,
                list(self.receipts.values()),
                list(self.records.values()),
            ),
        )

    async def close(self) -> None:
        self._check()

    # Inside

    def _check(self) -> None:
        if self._next_call:
            raise self._next_call.popleft()

    def _boxes(self) -> list[Mailbox]:
        return list(self._mailboxes.values())

    def _is_operator(self, operator_id: str) -> bool:
        return operator_id in self._mailboxes

    def _now(self) -> datetime:
        return self._clock()

    def _removes(self, removes: bool) -> None:
        self._remove = removes
        for box in self._mailboxes.values():
            box.rows.remove = removes

    def _tables(self) -> dict[str, pa.Table]:
        rows = [(box, row) for box in self._boxes() for row in deepcopy(list(box.rows.emails.values()))]
        found = [{**row, "operator_id": box.operator.operator_id} for box, row in rows]
        schema = FETCHED_EMAILS.append(pa.field("operator_id", pa.string()))
        current = [row for row in found if row["deleted_at"] is None]
        views = {"emails": current, "all_emails": found}
        return {name: pa.Table.from_pylist(rows, schema=schema) for name, rows in views.items()}

    def _forget_activation(self, operator: Operator) -> None:
        self._epochs.pop(operator.operator_id, None)

    def _fence(self, was: Operator, now: Operator) -> None:
        """What a host holds of an operator who has changed must not land any more."""
        if (was.email, was.email_sync) != (now.email, now.email_sync):
            self._epochs.pop(now.operator_id, None)

    def _retry_subscription(self, box: Mailbox) -> None:
        if box.subscription is not None:
            made = box.subscription.status
            status = SubscriptionStatus.LOST if made is SubscriptionStatus.ACTIVE else made
            box.subscription = replace(box.subscription, status=status, next_attempt_at=None)

    def _activate(self, box: Mailbox) -> Activation:
        self._counter += 1
        epoch = (self._incarnation << 32) + self._counter
        self._epochs[box.operator.operator_id] = epoch
        landed: dict[FolderId, int] = {}
        for row in box.rows.current().values():
            landed[row["folder_id"]] = landed.get(row["folder_id"], 0) + 1
        pages = sorted(box.pages.values(), key=lambda page: page.page_id)
        return Activation(
            operator=box.operator,
            epoch=epoch,
            mailbox=box.record,
            folders=tuple(sorted(box.folders.values(), key=lambda folder: (folder.name, folder.folder_id))),
            pending=tuple(sorted(pages, key=lambda page: page.newest_at or LONG_AGO, reverse=True)),
            quarantined=tuple(box.quarantined[item_id] for item_id in sorted(box.quarantined)),
            subscription=box.subscription,
            landed=landed,
        )

    def _land(self, box: Mailbox, landing: Landing) -> LandingResult:
        now = self._clock()
        relisted = box.rows.count_current(landing.folder, landing.listed)
        landing, hidden = self._screen(landing)
        counts = box.rows.apply(landing, now)
        hide(box, landing, hidden, counts)
        for folder_id in landing.retired_folders:
            box.folders.pop(folder_id, None)
            box.pages = {one: page for one, page in box.pages.items() if page.folder_id != folder_id}
            box.quarantined = {one: item for one, item in box.quarantined.items() if item.folder_id != folder_id}
            box.set_aside = {one: at for one, at in box.set_aside.items() if one in box.quarantined}
        for page_id in landing.finished_pages:
            box.pages.pop(page_id, None)
        for page in landing.amended_pages:
            box.pages[page.page_id] = page
        queued = []
        for page in landing.queued:
            kept = tuple(
                one
                for one in page.item_ids
                if not box.rows.is_landed(page.folder_id, one, landing.listed.get(one))
                and not is_kept_out(box, landing.folder, one, landing.listed.get(one))
            )
            if kept:
                queued.append(replace(page, item_ids=kept))
        box.pages.update({page.page_id: page for page in queued})
        counts.deleted += box.rows.reconcile(landing, now)
        self._land_records(box, landing, relisted)
        return LandingResult(counts.inserted, counts.updated, counts.deleted, relisted, tuple(queued))

    def _land_records(self, box: Mailbox, landing: Landing, relisted: int) -> None:
        box.quarantined.update({item.item_id: item for item in landing.quarantined})
        for item in landing.quarantined:
            box.set_aside.setdefault(item.item_id, self._clock())
        for item_id in landing.released:
            box.quarantined.pop(item_id, None)
            box.set_aside.pop(item_id, None)
        if landing.folder_record is not None:
            record = landing.folder_record
            anew = relisted > 0 and not (record.reconciling or landing.reconciled)
            box.folders[record.folder_id] = replace(record, relisted=record.relisted or anew)
        if landing.mailbox is not None:
            disabled = not box.operator.email_sync
            box.record = replace(landing.mailbox, status=MailboxStatus.DISABLED) if disabled else landing.mailbox
        if landing.subscription is not None:
            old, box.subscription = box.subscription, landing.subscription
            if old is not None and old.serial == box.subscription.serial and old.heard_at is not None:
                box.subscription = heard_at_least(box.subscription, old.heard_at)
