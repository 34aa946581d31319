"""What MemoryStore makes of its records: who is live, who is due, who is in trouble."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from engine.failures import failure_by_code
from engine.model import (
    FolderId,
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    PendingPage,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.status import Trouble
from tests.fakes.store_rows import Rows

LONG_AGO = datetime.min.replace(tzinfo=UTC)
FAILING = (MailboxStatus.FAILING, MailboxStatus.FAILED)


@dataclass
class Mailbox:
    """Everything durable about one operator."""

    operator: Operator
    rows: Rows
    record: MailboxRecord = field(default_factory=MailboxRecord)
    folders: dict[FolderId, FolderRecord] = field(default_factory=dict)
    pages: dict[str, PendingPage] = field(default_factory=dict)
    quarantined: dict[ItemId, QuarantinedItem] = field(default_factory=dict)
    subscription: SubscriptionRecord | None = None


def heard_at_least(subscription: SubscriptionRecord, at: datetime) -> SubscriptionRecord:
    return replace(subscription, heard_at=max(at, subscription.heard_at or at))


def is_live(subscription: SubscriptionRecord | None, now: datetime) -> bool:
    if subscription is None or subscription.status is not SubscriptionStatus.ACTIVE:
        return False
    sign = max(subscription.heard_at or LONG_AGO, subscription.created_at or LONG_AGO)
    return now - sign <= timedelta(minutes=2 * subscription.status_frequency)


def wants_subscription(subscription: SubscriptionRecord | None, now: datetime) -> bool:
    waiting = (
        subscription is not None and subscription.next_attempt_at is not None and subscription.next_attempt_at > now
    )
    return not waiting and not is_live(subscription, now)


def is_synced(box: Mailbox) -> bool:
    drained = all(folder.drained for folder in box.folders.values())
    ok = box.record.last_success_at is not None and box.record.status not in FAILING
    return ok and drained and not box.pages


def troubles(boxes: Sequence[Mailbox]) -> tuple[Trouble, ...]:
    """Failing mailboxes and subscriptions, one entry a code; the example is who has had it longest."""
    found: dict[str, list[tuple[datetime, OperatorId, str, datetime | None]]] = {}
    for box in boxes:
        record, subscription, who = box.record, box.subscription, box.operator.operator_id
        if record.status in FAILING and record.error_code:
            since = record.failing_since or LONG_AGO
            found.setdefault(record.error_code, []).append((since, who, record.error or "", record.next_sync_at))
        if subscription and subscription.status is not SubscriptionStatus.ACTIVE and subscription.error_code:
            since = subscription.created_at or LONG_AGO
            entry = (since, who, subscription.error or "", subscription.next_attempt_at)
            found.setdefault(subscription.error_code, []).append(entry)
    troubles = []
    for code, entries in found.items():
        words = failure_by_code(code) or failure_by_code("INTERNAL")
        since, example, message, _ = min(entries, key=lambda entry: entry[:3])
        following = [at for _, _, _, at in entries if at is not None]
        troubles.append(
            Trouble(
                code=code,
                cause=words.cause if words else "",
                remedy=words.remedy if words else "",
                operators=len({who for _, who, _, _ in entries}),
                example=example,
                message=message,
                since=None if since == LONG_AGO else since,
                next_attempt_at=min(following, default=None),
            )
        )
    return tuple(sorted(troubles, key=lambda trouble: (-trouble.operators, trouble.code)))
