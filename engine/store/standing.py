"""The figures of ``GET /api/v1/status``, from the small tables only."""

from datetime import datetime

import duckdb

from engine.status import OperatorCounts, Status, SubscriptionCounts, Trouble
from engine.store.operators import LIVE, UNREACHABLE
from engine.store.times import utc


def status(cursor: duckdb.DuckDBPyConnection, now: datetime, emails: int) -> Status:
    """All figures; ``emails`` is the writer's count of current rows."""
    pending, quarantined = cursor.execute(
        "SELECT (SELECT coalesce(sum(items), 0)::BIGINT FROM _mailroom.pending_pages), "
        "(SELECT count(*) FROM _mailroom.quarantined)"
    ).fetchall()[0]
    counts = _operators(cursor)
    return Status(
        operators=counts,
        emails=emails,
        pending=pending,
        quarantined=quarantined,
        subscriptions=SubscriptionCounts(active=_active(cursor, now), wanted=counts.enabled),
        troubles=_troubles(cursor),
    )


def _operators(cursor: duckdb.DuckDBPyConnection) -> OperatorCounts:
    total, enabled, failing, synced = cursor.execute(
        """
        WITH standing AS (
            SELECT o.email_sync, m.status IN ('failing', 'failed') AS failing,
                   m.last_success_at IS NOT NULL
                   AND o.operator_id NOT IN (SELECT operator_id FROM _mailroom.folders WHERE NOT drained)
                   AND o.operator_id NOT IN (SELECT operator_id FROM _mailroom.pending_pages) AS complete
            FROM _mailroom.operators AS o JOIN _mailroom.mailboxes AS m USING (operator_id)
        )
        SELECT count(*), count(*) FILTER (email_sync), count(*) FILTER (email_sync AND failing),
               count(*) FILTER (email_sync AND complete AND NOT failing)
        FROM standing
        """
    ).fetchall()[0]
    return OperatorCounts(
        total=total,
        enabled=enabled,
        synced=synced,
        syncing=enabled - failing - synced,
        failing=failing,
        disabled=total - enabled,
    )


def _active(cursor: duckdb.DuckDBPyConnection, now: datetime) -> int:
    row = cursor.execute(
        f"""
        SELECT count(*) FROM _mailroom.subscriptions AS s JOIN _mailroom.operators AS o USING (operator_id)
        WHERE o.email_sync AND {LIVE} AND NOT {UNREACHABLE}
        """,  # noqa: S608
        {"now": now},
    ).fetchone()
    return int(row[0]) if row else 0


def _troubles(cursor: duckdb.DuckDBPyConnection) -> tuple[Trouble, ...]:
    """Failing mailboxes and subscriptions by code; the example is who has had the trouble longest."""
    rows = cursor.execute(
        """
        SELECT code, any_value(cause), any_value(remedy), count(DISTINCT operator_id) AS operators,
               first(operator_id ORDER BY since NULLS FIRST, operator_id, message),
               first(coalesce(message, '') ORDER BY since NULLS FIRST, operator_id, message),
               first(since ORDER BY since NULLS FIRST), min(next_attempt_at)
        FROM main.failures WHERE kind <> 'item' GROUP BY code ORDER BY operators DESC, code
        """
    ).fetchall()
    return tuple(
        Trouble(code, cause, remedy, operators, example, message, utc(since), utc(following))
        for code, cause, remedy, operators, example, message, since, following in rows
    )
