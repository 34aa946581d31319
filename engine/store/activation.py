"""Everything durable about some mailboxes, in four queries however many they are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from engine.model import (
    FolderRecord,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    PendingPage,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.store.staging import registered
from engine.store.tables import TEXT
from engine.store.times import utc


@dataclass(slots=True)
class Durable:
    """What the file knows of one mailbox."""

    operator: Operator
    mailbox: MailboxRecord
    subscription: SubscriptionRecord | None
    folders: list[FolderRecord] = field(default_factory=list)
    pending: list[PendingPage] = field(default_factory=list)
    quarantined: list[QuarantinedItem] = field(default_factory=list)


def read_durable(
    connection: duckdb.DuckDBPyConnection, operator_ids: Sequence[OperatorId]
) -> dict[OperatorId, Durable]:
    """The mailboxes of these operators; unknown ids are left out."""
    with registered(connection, "wanted", pa.table({"operator_id": pa.array(set(operator_ids), TEXT)})):
        found = _mailboxes(connection)
        _folders(connection, found)
        _pending(connection, found)
        _quarantined(connection, found)
    return found


def _mailboxes(connection: duckdb.DuckDBPyConnection) -> dict[OperatorId, Durable]:
    rows = connection.execute(
        """
        SELECT o.operator_id, o.email, o.name, o.email_sync,
               m.status, m.window_start, m.last_success_at, m.next_sync_at, m.failing_since, m.attempts,
               m.error_code, m.error, m.error_at,
               s.serial, s.status, s.callback_url, s.status_frequency, s.subscription_id, s.watermark, s.created_at,
               s.heard_at, s.next_attempt_at, s.error_code, s.error, s.unheard
        FROM wanted AS w
        JOIN _mailroom.operators AS o USING (operator_id)
        JOIN _mailroom.mailboxes AS m USING (operator_id)
        LEFT JOIN _mailroom.subscriptions AS s USING (operator_id)
        """
    ).fetchall()
    found = {}
    for row in rows:
        status, window, success, following, since, attempts, code, error, error_at = row[4:13]
        mailbox = MailboxRecord(
            MailboxStatus(status), utc(window), utc(success), utc(following), utc(since), attempts, code, error,
            utc(error_at),
        )  # fmt: skip
        found[OperatorId(row[0])] = Durable(Operator(*row[:4]), mailbox, _subscription(row[13:]))
    return found


def _subscription(row: tuple[Any, ...]) -> SubscriptionRecord | None:
    serial, status, url, frequency, subscription_id, watermark, created, heard, following, code, error, unheard = row
    if serial is None:
        return None
    return SubscriptionRecord(
        serial, SubscriptionStatus(status), url, frequency, subscription_id, watermark, utc(created), utc(heard),
        utc(following), code, error, unheard,
    )  # fmt: skip


def _folders(connection: duckdb.DuckDBPyConnection, found: dict[OperatorId, Durable]) -> None:
    for operator_id, folder_id, name, token, drained, reconciling, empty_seen_at, relisted in connection.execute(
        """
        SELECT operator_id, folder_id, name, token, drained, reconciling, empty_seen_at, relisted
        FROM _mailroom.folders WHERE operator_id IN (SELECT operator_id FROM wanted) ORDER BY name, folder_id
        """
    ).fetchall():
        record = FolderRecord(folder_id, name, token, drained, reconciling, utc(empty_seen_at), relisted)
        found[operator_id].folders.append(record)


def _pending(connection: duckdb.DuckDBPyConnection, found: dict[OperatorId, Durable]) -> None:
    for operator_id, page_id, folder_id, item_ids, newest_at in connection.execute(
        """
        SELECT operator_id, page_id, folder_id, item_ids, newest_at
        FROM _mailroom.pending_pages WHERE operator_id IN (SELECT operator_id FROM wanted)
        ORDER BY newest_at DESC NULLS LAST, page_id
        """
    ).fetchall():
        found[operator_id].pending.append(PendingPage(page_id, folder_id, tuple(item_ids), utc(newest_at)))


def _quarantined(connection: duckdb.DuckDBPyConnection, found: dict[OperatorId, Durable]) -> None:
    for operator_id, folder_id, item_id, code, reason, attempts, next_attempt_at in connection.execute(
        """
        SELECT operator_id, folder_id, item_id, code, reason, attempts, next_attempt_at
        FROM _mailroom.quarantined WHERE operator_id IN (SELECT operator_id FROM wanted) ORDER BY item_id
        """
    ).fetchall():
        item = QuarantinedItem(folder_id, item_id, code, reason, attempts, utc(next_attempt_at))
        found[operator_id].quarantined.append(item)


def count_landed(connection: duckdb.DuckDBPyConnection) -> dict[OperatorId, dict[str, int]]:
    """Current rows by operator and folder: one scan, at opening; afterwards the writer counts along."""
    counts: dict[OperatorId, dict[str, int]] = defaultdict(dict)
    for operator_id, folder_id, count in connection.execute(
        """
        SELECT operator_id, folder_id, count(*) FROM _mailroom.emails
        WHERE deleted_at IS NULL GROUP BY operator_id, folder_id
        """
    ).fetchall():
        counts[operator_id][folder_id] = count
    return counts
