"""Operators and their standing: who there is, who is enabled, who was heard, whose turn it is."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from engine.model import Operator, OperatorId
from engine.status import DueOperator
from engine.store.staging import registered
from engine.store.tables import OPERATORS, SIGNS, TEXT, columns


def put_operators(
    connection: duckdb.DuckDBPyConnection, operators: Sequence[Operator], now: datetime
) -> list[OperatorId]:
    """Insert or change operators, and let their mailboxes follow; who was known and has another address or switch.

    Enabling (also by appearing) and a new address make the mailbox due and have it subscribed anew: the subscription
    there was may have been answered Unsubscribe meanwhile, or is another mailbox's. Disabling leaves the subscription
    record, so that its next notification is known and answered Unsubscribe.
    """
    last = {one.operator_id: one for one in operators}
    rows = [(one.operator_id, one.email, one.name, one.email_sync) for one in last.values()]
    if not rows:
        return []
    with registered(connection, "given", columns(rows, OPERATORS)):
        connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE turned AS
            SELECT g.operator_id, o.operator_id IS NULL AS new, g.email_sync AS enabled,
                   g.email_sync AND o.email_sync IS NOT TRUE AS on_now,
                   g.email_sync AND o.email_sync IS TRUE AND g.email <> o.email AS readdressed,
                   g.email_sync <> o.email_sync OR g.email <> o.email AS changed
            FROM given AS g LEFT JOIN _mailroom.operators AS o USING (operator_id)
            """
        )
        connection.execute("DELETE FROM _mailroom.operators WHERE operator_id IN (SELECT operator_id FROM given)")
        connection.execute("INSERT INTO _mailroom.operators SELECT * FROM given")
    connection.execute(
        "INSERT INTO _mailroom.mailboxes (operator_id, status, attempts) "
        "SELECT operator_id, 'disabled', 0 FROM turned WHERE new"
    )
    _turn_mailboxes(connection, now)
    return [OperatorId(row[0]) for row in connection.execute("SELECT operator_id FROM turned WHERE changed").fetchall()]


def _turn_mailboxes(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    connection.execute(
        """
        UPDATE _mailroom.mailboxes AS m SET status = 'disabled'
        FROM turned AS t WHERE t.operator_id = m.operator_id AND NOT t.enabled
        """
    )
    connection.execute(
        """
        UPDATE _mailroom.mailboxes AS m SET
            status = CASE WHEN m.last_success_at IS NULL THEN 'new' ELSE 'syncing' END, next_sync_at = $1,
            failing_since = NULL, attempts = 0, error_code = NULL, error = NULL, error_at = NULL
        FROM turned AS t WHERE t.operator_id = m.operator_id AND t.on_now
        """,
        [now],
    )
    connection.execute(
        """
        UPDATE _mailroom.mailboxes AS m SET next_sync_at = $1
        FROM turned AS t WHERE t.operator_id = m.operator_id AND t.readdressed
        """,
        [now],
    )
    connection.execute(
        """
        UPDATE _mailroom.subscriptions AS s SET
            status = CASE s.status WHEN 'active' THEN 'lost' ELSE s.status END, next_attempt_at = NULL
        FROM turned AS t WHERE t.operator_id = s.operator_id AND (t.on_now OR t.readdressed)
        """
    )


def make_due(connection: duckdb.DuckDBPyConnection, operator_ids: Sequence[OperatorId], now: datetime) -> None:
    """Let the next sync of these mailboxes be now."""
    with registered(connection, "given", pa.table({"operator_id": pa.array(operator_ids, TEXT)})):
        connection.execute(
            "UPDATE _mailroom.mailboxes SET next_sync_at = $1 WHERE operator_id IN (SELECT operator_id FROM given)",
            [now],
        )


def heard(connection: duckdb.DuckDBPyConnection, signs: Sequence[tuple[OperatorId, str, datetime]]) -> None:
    """Move ``heard_at`` of subscriptions forward, never back; signs of older serials count for nothing."""
    with registered(connection, "given", columns(signs, SIGNS)):
        connection.execute(
            """
            UPDATE _mailroom.subscriptions AS s SET heard_at = g.heard_at
            FROM (SELECT operator_id, serial, max(heard_at) AS heard_at FROM given GROUP BY ALL) AS g
            WHERE g.operator_id = s.operator_id AND g.serial = s.serial
              AND (s.heard_at IS NULL OR s.heard_at < g.heard_at)
            """
        )


def all_operators(cursor: duckdb.DuckDBPyConnection) -> list[Operator]:
    """Every operator, by id."""
    rows = cursor.execute(
        "SELECT operator_id, email, name, email_sync FROM _mailroom.operators ORDER BY operator_id"
    ).fetchall()
    return [Operator(*row) for row in rows]


LIVE = "_mailroom.is_live(s.status, s.heard_at, s.created_at, s.status_frequency, $now)"
"""SQL: subscription ``s`` is active and has not been silent for 2 x StatusFrequency."""

UNREACHABLE = "_mailroom.is_unreachable(s.status, s.heard_at, s.created_at, s.unheard)"
"""SQL: subscription ``s`` took the place of one never heard, and has not been heard either."""

OUTDATED = "(s.created_at < (SELECT max(changed_at) FROM _mailroom.settings_history WHERE resubscribe)) IS TRUE"
"""SQL: subscription ``s`` was made before settings changed that it carries."""

WANTED = f"""(
    ({LIVE} IS NOT TRUE OR {OUTDATED}) AND (s.next_attempt_at IS NULL OR s.next_attempt_at <= $now)
)"""
"""SQL: a new subscription is due, where ``s`` is the one there is (or nothing)."""

ATTEMPTED = "greatest(m.last_success_at, m.error_at)"
"""SQL: when mailbox ``m`` last ended a pass, well or badly; NULL before its first."""

LEFT_TO_DO = f"""(
    ({ATTEMPTED} IS NULL OR {ATTEMPTED} < $started)
    AND NOT (
        m.status IN ('failing', 'failed') AND m.next_sync_at IS NOT NULL AND m.next_sync_at > $now
        AND m.error_code IS DISTINCT FROM 'FOLDER_MISSING'
    )
)"""
"""SQL: a run of EmailSync that began at ``$started`` has mailbox ``m`` left to do.

A backoff is respected, but for that of a folder that is missing: it may be there by now.
"""


def due(
    cursor: duckdb.DuckDBPyConnection, now: datetime, limit: int, run_started_at: datetime | None
) -> list[DueOperator]:
    """Who is to be synced or subscribed: never synced ones first, then those who have waited longest."""
    given = {"now": now, "most": limit}
    in_run = "NULL::TIMESTAMPTZ"
    if run_started_at is not None:
        given["started"] = run_started_at
        in_run = f"CASE WHEN {LEFT_TO_DO} THEN $started::TIMESTAMPTZ END"
    rows = cursor.execute(
        f"""
        SELECT operator_id, since IS NOT NULL AS sync, subscribe FROM (
            SELECT o.operator_id, m.last_success_at IS NOT NULL AS synced_before, {ATTEMPTED} AS attempted_at,
                   least(CASE WHEN m.next_sync_at <= $now THEN m.next_sync_at END, {in_run}) AS since,
                   {WANTED} AS subscribe, s.next_attempt_at
            FROM _mailroom.operators AS o
            JOIN _mailroom.mailboxes AS m USING (operator_id)
            LEFT JOIN _mailroom.subscriptions AS s USING (operator_id)
            WHERE o.email_sync
        )
        WHERE since IS NOT NULL OR subscribe
        ORDER BY since IS NULL, since IS NOT NULL AND synced_before, since,
                 CASE WHEN since IS NULL THEN next_attempt_at ELSE attempted_at END NULLS FIRST, operator_id
        LIMIT $most
        """,  # noqa: S608
        given,
    ).fetchall()
    return [DueOperator(*row) for row in rows]
