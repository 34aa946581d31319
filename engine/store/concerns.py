"""What emails and conversations concern: what is added to rows of lists that only the few rows of a page want."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.listing import View
from engine.store.desk import Cursor
from engine.store.times import utc

Row = dict[str, Any]

_OF_EMAIL = """
    SELECT a.record_kind, a.record_id, r."name", a."rule", a.address, a.confidence, a.associated_at, a.via_operator_id,
           a.via_item_id
    FROM main.all_associations AS a
    LEFT JOIN _mailroom.crm_records AS r ON r.kind = a.record_kind AND r.record_id = a.record_id
    WHERE a.operator_id = $1 AND a.item_id = $2
    ORDER BY a.confidence DESC, a.record_kind, a.record_id
"""
_OF_THREADS = """
    SELECT a.thread_id, a.record_kind, a.record_id, r."name"
    FROM (
        SELECT DISTINCT t.thread_id, o.record_kind, o.record_id
        FROM main.associations AS o
        JOIN main.thread_emails AS t ON t.operator_id = o.operator_id AND t.item_id = o.item_id
        WHERE t.thread_id IN (SELECT unnest($1))
    ) AS a
    LEFT JOIN _mailroom.crm_records AS r ON r.kind = a.record_kind AND r.record_id = a.record_id
    ORDER BY a.record_kind, a.record_id
"""
_NAMES = 'SELECT kind, record_id, "name" FROM _mailroom.crm_records WHERE record_id IN (SELECT unnest($1))'


def of_email(cursor: Cursor, operator_id: str, item_id: str) -> Row:
    """``associations`` of an email, deleted or not, the surest first; its ``thread_id``, None for a deleted one."""
    key = [operator_id, item_id]
    threads = cursor.execute(
        "SELECT thread_id FROM main.thread_emails WHERE operator_id = $1 AND item_id = $2 LIMIT 1", key
    ).fetchall()
    return {"associations": _read(cursor, _OF_EMAIL, key), "thread_id": threads[0][0] if threads else None}


def complete(cursor: Cursor, view: View, rows: Sequence[Row]) -> None:
    """Add ``records`` to conversations, and names to candidates."""
    if view is View.THREADS and rows:
        _add_records(cursor, rows)
    if view is View.AMBIGUOUS_MATCHES and rows:
        _add_names(cursor, rows)


def _add_records(cursor: Cursor, rows: Sequence[Row]) -> None:
    by_thread: dict[str, list[Row]] = {row["thread_id"]: [] for row in rows}
    for found in _read(cursor, _OF_THREADS, [list(by_thread)]):
        by_thread[found.pop("thread_id")].append(found)
    for row in rows:
        row["records"] = by_thread[row["thread_id"]]


def _add_names(cursor: Cursor, rows: Sequence[Row]) -> None:
    wanted = sorted({one for row in rows for one in row["candidates"]})
    names = {(kind, one): name for kind, one, name in cursor.execute(_NAMES, [wanted]).fetchall()}
    for row in rows:
        row["candidates"] = [
            {"record_id": one, "name": names.get((row["record_kind"], one))} for one in row["candidates"]
        ]


def _read(cursor: Cursor, sql: str, values: list[Any]) -> list[Row]:
    found = cursor.execute(sql, values)
    names = [column[0] for column in found.description or ()]
    return [
        {name: utc(value) if isinstance(value, datetime) else value for name, value in zip(names, row, strict=True)}
        for row in found.fetchall()
    ]
