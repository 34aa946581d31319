"""Letting in what was kept out: it becomes pending pages, and comes as any mail does."""

from collections.abc import Iterable
from datetime import datetime

import duckdb
import pyarrow as pa

from engine.model import OperatorId
from engine.policy.model import Reason
from engine.store.keys import folder_key, page_key
from engine.store.operators import make_due
from engine.store.staging import registered
from engine.store.tables import TEXT

_PAGE = 64
"""Items a page: few enough for any server to give at once."""


def release(
    connection: duckdb.DuckDBPyConnection, now: datetime, reasons: Iterable[Reason], operator_id: str = ""
) -> list[OperatorId]:
    """Let in what was kept out for these reasons, of everybody or of one mailbox; whose activations are behind.

    What is still to be kept out, will be. Inside the caller's transaction.
    """
    wanted = pa.table({"reason": pa.array([reason.value for reason in reasons], TEXT)})
    if not wanted.num_rows:
        return []
    wanted = wanted.append_column("who", pa.array([operator_id] * wanted.num_rows, TEXT))
    condition = "EXISTS (FROM wanted AS w WHERE w.reason = kept_out.reason AND w.who IN ('', kept_out.operator_id))"
    with registered(connection, "wanted", wanted):
        return _release(connection, now, condition)


def release_known(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[OperatorId]:
    """Let in mail of people nobody knew until the CRM changes that are not yet looked into."""
    return _release(
        connection,
        now,
        "reason = 'unknown' AND item_key IN (SELECT item_key FROM _mailroom.kept_out_keys "
        "WHERE lookup_key IN (SELECT lookup_key FROM _mailroom.crm_changes))",
    )


def _release(connection: duckdb.DuckDBPyConnection, now: datetime, condition: str) -> list[OperatorId]:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE released AS FROM _mailroom.kept_out "
        f"WHERE operator_id IS NOT NULL AND {condition}"
    )
    owners = [OperatorId(row[0]) for row in connection.execute("SELECT DISTINCT operator_id FROM released").fetchall()]
    if owners:
        page_id = "format('released-{}-{}', epoch_us($1), md5(list_first(item_ids)))"
        connection.execute(
            f"""
            INSERT INTO _mailroom.pending_pages
            SELECT operator_id, {page_key("p")}, {folder_key("p")}, page_id, folder_id, item_ids, len(item_ids), NULL
            FROM (
                SELECT *, {page_id} AS page_id FROM (
                    SELECT operator_id, folder_id, list(item_id ORDER BY item_id) AS item_ids FROM (
                        SELECT *, (row_number() OVER (PARTITION BY operator_id, folder_id ORDER BY item_id) - 1)
                                  // {_PAGE} AS page
                        FROM released)
                    GROUP BY operator_id, folder_id, page)) AS p
            """,  # noqa: S608
            [now],
        )
        for table in ("kept_out_keys", "kept_out"):
            connection.execute(
                f"DELETE FROM _mailroom.{table} WHERE item_key IN (SELECT item_key FROM released)"  # noqa: S608
            )
        make_due(connection, owners, now)
    connection.execute("DROP TABLE released")
    return owners
