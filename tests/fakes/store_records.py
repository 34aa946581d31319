"""What MemoryStore makes of its records: who is live, who is due, who is in trouble."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from engine import status
from engine.failures import Failure, failure_by_code
from engine.model import (
    FolderId,
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    Operator,
    PendingPage,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from tests.fakes.store_rows import Rows

LONG_AGO = datetime.min.replace(tzinfo=UTC)
FAILING = (MailboxStatus.FAILING, MailboxStatus.FAILED)
UNREACHABLE = "LISTENER_UNREACHABLE"


@dataclass
class Mailbox:
    """Everything durable about one operator."""

    operator: Operator
    rows: Rows
    record: MailboxRecord = field(default_factory=MailboxRecord)
    folders: dict[FolderId, FolderRecord] = field(default_factory=dict)
    pages: dict[str, PendingPage] = field(default_factory=dict)
    quarantined: dict[ItemId, QuarantinedItem] = field(default_factory=dict)
    set_aside: dict[ItemId, datetime] = field(default_factory=dict)
    subscription: SubscriptionRecord | None = None
    kept_out: dict[tuple[FolderId, ItemId], str] = field(default_factory=dict)


def heard_at_least(subscription: SubscriptionRecord, at: datetime) -> SubscriptionRecord:
    return replace(subscription, heard_at=max(at, subscription.heard_at or at))


def is_live(subscription: SubscriptionRecord | None, now: datetime) -> bool:
    if subscription is None or subscription.status is not SubscriptionStatus.ACTIVE:
        return False
    sign = max(subscription.heard_at or LONG_AGO, subscription.created_at or LONG_AGO)
    return now - sign <= timedelta(minutes=2 * subscription.status_frequency)


def wants_subscription(
    subscription: SubscriptionRecord | None, now: datetime, outdated_before: datetime | None = None
) -> bool:
    waiting = (
        subscription is not None and subscription.next_attempt_at is not None and subscription.next_attempt_at > now
    )
    made = subscription.created_at if subscription is not None else None
    outdated = made is not None and outdated_before is not None and made < outdated_before
    return not waiting and (outdated or not is_live(subscription, now))


def is_unreachable(subscription: SubscriptionRecord | None) -> bool:
    """It took the place of one that was never heard, and has not been heard either."""
    if subscription is None or subscription.status is not SubscriptionStatus.ACTIVE or subscription.unheard < 1:
        return False
    return (subscription.heard_at or LONG_AGO) <= (subscription.created_at or LONG_AGO)


def last_attempt(record: MailboxRecord) -> datetime:
    return max(record.last_success_at or LONG_AGO, record.error_at or LONG_AGO)


def is_waiting(record: MailboxRecord, now: datetime) -> bool:
    """It waits out a backoff that a run respects; a folder that is missing may be there by the next run."""
    later = record.next_sync_at is not None and record.next_sync_at > now
    return later and record.status in FAILING and record.error_code != "FOLDER_MISSING"


def is_left(record: MailboxRecord, started_at: datetime, now: datetime) -> bool:
    """A run of EmailSync has it left to do."""
    return last_attempt(record) < started_at and not is_waiting(record, now)


def due_since(box: Mailbox, now: datetime, run_started_at: datetime | None) -> datetime | None:
    """Since when a sync is due; None where it is not."""
    record, reasons = box.record, []
    if record.next_sync_at is not None and record.next_sync_at <= now:
        reasons.append(record.next_sync_at)
    if run_started_at is not None and is_left(record, run_started_at, now):
        reasons.append(run_started_at)
    return min(reasons, default=None)


def is_synced(box: Mailbox) -> bool:
    drained = all(folder.drained for folder in box.folders.values())
    ok = box.record.last_success_at is not None and box.record.status not in FAILING
    return ok and drained and not box.pages


@dataclass(frozen=True)
class Trouble:
    """A mailbox or a subscription that fails, as the view ``failures`` has it."""

    kind: str
    state: str
    operator: Operator
    code: str
    message: str | None
    since: datetime | None
    attempts: int | None
    next_attempt_at: datetime | None


def troubles_of(box: Mailbox) -> list[Trouble]:
    found = []
    record, subscription = box.record, box.subscription
    if record.status in FAILING and record.error_code:
        trouble = (record.failing_since, record.attempts, record.next_sync_at)
        found.append(Trouble("mailbox", record.status.value, box.operator, record.error_code, record.error, *trouble))
    if subscription is None:
        return found
    if is_unreachable(subscription):
        words = (
            "Exchange has not reached the notification URL through this subscription, "
            f"nor through {subscription.unheard} before it."
        )
        times = (subscription.created_at, None, subscription.next_attempt_at)
        found.append(Trouble("subscription", "unreachable", box.operator, UNREACHABLE, words, *times))
    elif subscription.status is not SubscriptionStatus.ACTIVE and subscription.error_code:
        heard = max(subscription.heard_at or LONG_AGO, subscription.created_at or LONG_AGO)
        times = (None if heard == LONG_AGO else heard, None, subscription.next_attempt_at)
        code, said = subscription.error_code, subscription.error
        found.append(Trouble("subscription", "failed", box.operator, code, said, *times))
    return found


def words_of(code: str, otherwise: str = "INTERNAL") -> Failure:
    found = failure_by_code(code) or failure_by_code(otherwise)
    assert found is not None
    return found


def summary(boxes: Sequence[Mailbox]) -> tuple[status.Trouble, ...]:
    """Failing mailboxes and subscriptions, one entry a code; the example is who has had it longest."""
    found: dict[str, list[Trouble]] = {}
    for box in boxes:
        for one in troubles_of(box):
            found.setdefault(one.code, []).append(one)
    entries = []
    for code, group in found.items():
        first = min(group, key=lambda one: (one.since or LONG_AGO, one.operator.operator_id, one.message or ""))
        following = [one.next_attempt_at for one in group if one.next_attempt_at is not None]
        entries.append(
            status.Trouble(
                code=code,
                cause=words_of(code).cause,
                remedy=words_of(code).remedy,
                operators=len({one.operator.operator_id for one in group}),
                example=first.operator.operator_id,
                message=first.message or "",
                since=first.since,
                next_attempt_at=min(following, default=None),
            )
        )
    return tuple(sorted(entries, key=lambda entry: (-entry.operators, entry.code)))
