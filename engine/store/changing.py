"""Changes of operators that hold only if nobody was faster, and what the configuration file said of them last."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from engine.model import Operator, OperatorId
from engine.operators import OperatorChange, Seeding, check_changes, seed
from engine.store.operators import all_operators, put_operators
from engine.store.staging import registered
from engine.store.tables import OPERATORS, TEXT, columns


def change_operators(
    connection: duckdb.DuckDBPyConnection, changes: Sequence[OperatorChange], now: datetime
) -> list[OperatorId]:
    """Make changes, all of them or none; the ids of those whose activations are behind.

    Raises:
        StoreError: see ``engine.operators.check_changes``; nothing was written.
    """
    if not changes:
        return []
    check_changes(changes, {one.operator_id: one for one in _touched(connection, changes)})
    fenced = put_operators(connection, [change.after for change in changes], now)
    again = [change.after.operator_id for change in changes if change.again and change.after.email_sync]
    return fenced + _revive(connection, again, now) if again else fenced


def seed_operators(connection: duckdb.DuckDBPyConnection, operators: Sequence[Operator], now: datetime) -> Seeding:
    """Take in the operators of the configuration file, and remember what it said of them.

    What is refused is not remembered, so that it is tried again at the next start.
    """
    said = connection.execute("SELECT operator_id, email, name, email_sync FROM _mailroom.operators_in_file").fetchall()
    seeding = seed(
        operators,
        {OperatorId(row[0]): Operator(*row) for row in said},
        {one.operator_id: one for one in all_operators(connection)},
    )
    change_operators(connection, seeding.changes, now)
    rows = [
        (one.operator_id, one.email, one.name, one.email_sync)
        for one in operators
        if one.operator_id not in seeding.refused
    ]
    connection.execute("DELETE FROM _mailroom.operators_in_file")
    with registered(connection, "given", columns(rows, OPERATORS)):
        connection.execute("INSERT INTO _mailroom.operators_in_file SELECT * FROM given")
    return seeding


def _touched(connection: duckdb.DuckDBPyConnection, changes: Sequence[OperatorChange]) -> list[Operator]:
    """Whom the changes are about, and who has an address that they want."""
    given = {
        "operator_id": pa.array([change.after.operator_id for change in changes], TEXT),
        "email": pa.array([change.after.email.lower() for change in changes], TEXT),
    }
    with registered(connection, "given", pa.table(given)):
        rows = connection.execute(
            """
            SELECT operator_id, email, name, email_sync FROM _mailroom.operators
            WHERE operator_id IN (SELECT operator_id FROM given) OR lower(email) IN (SELECT email FROM given)
            """
        ).fetchall()
    return [Operator(*row) for row in rows]


def _revive(
    connection: duckdb.DuckDBPyConnection, operator_ids: Sequence[OperatorId], now: datetime
) -> list[OperatorId]:
    """Take mailboxes that fail out of their backoff, and let subscriptions be asked for; whose failed."""
    with registered(connection, "given", pa.table({"operator_id": pa.array(operator_ids, TEXT)})):
        rows = connection.execute(
            """
            UPDATE _mailroom.mailboxes AS m SET
                status = CASE WHEN m.last_success_at IS NULL THEN 'new' ELSE 'syncing' END, next_sync_at = $1,
                failing_since = NULL, attempts = 0, error_code = NULL, error = NULL, error_at = NULL
            FROM given AS g WHERE g.operator_id = m.operator_id AND m.status IN ('failing', 'failed')
            RETURNING m.operator_id
            """,
            [now],
        ).fetchall()
        connection.execute(
            """
            UPDATE _mailroom.subscriptions AS s SET next_attempt_at = NULL
            FROM given AS g WHERE g.operator_id = s.operator_id AND s.status <> 'active'
            """
        )
    return [OperatorId(row[0]) for row in rows]
