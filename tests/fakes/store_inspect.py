"""What a store holds of an operator, in one shape for MemoryStore and DuckDBStore, to compare them."""

from typing import Any

from engine.columns import FETCHED_EMAILS
from engine.model import ItemId, OperatorId
from engine.store import DuckDBStore
from tests.fakes.store import MemoryStore

Rows = dict[ItemId, dict[str, Any]]

_OWN = ("folder_id", "folder", "landed_at", "deleted_at", "first_landed_at", "moved_from", "content_behind")
_COLUMNS = ", ".join(f'"{name}"' for name in (*FETCHED_EMAILS.names, *_OWN))


def all_rows(store: MemoryStore | DuckDBStore, operator_id: OperatorId) -> Rows:
    """Every row of the operator, tombstones too, by item id; fails if an item has two."""
    if isinstance(store, MemoryStore):
        return store.all_rows(operator_id)
    found = _select(store, f"SELECT {_COLUMNS} FROM _mailroom.emails WHERE operator_id = ?", operator_id)  # noqa: S608
    rows = {row["item_id"]: row for row in found}
    assert len(rows) == len(found), "an item has two rows"
    return rows


def current_rows(store: MemoryStore | DuckDBStore, operator_id: OperatorId) -> Rows:
    return {item_id: row for item_id, row in all_rows(store, operator_id).items() if row["deleted_at"] is None}


def all_attachments(store: MemoryStore | DuckDBStore, operator_id: OperatorId) -> dict[ItemId, list[str]]:
    """Attachment ids by item, sorted."""
    found: dict[ItemId, list[str]] = {}
    if isinstance(store, MemoryStore):
        found = {item: [one["attachment_id"] for one in rows] for item, rows in store.attachments(operator_id).items()}
    else:
        sql = "SELECT item_id, attachment_id FROM _mailroom.attachments WHERE operator_id = ?"
        for row in _select(store, sql, operator_id):
            found.setdefault(row["item_id"], []).append(row["attachment_id"])
    return {item: sorted(ids) for item, ids in found.items()}


def _select(store: DuckDBStore, sql: str, operator_id: OperatorId) -> list[dict[str, Any]]:
    cursor = store._database.cursor()
    try:
        return list(cursor.sql(sql, params=[operator_id]).to_arrow_table().to_pylist())
    finally:
        cursor.close()
