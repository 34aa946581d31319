"""Fetched emails for tests: a row needs an id, the rest follows."""

from typing import Any

import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS


def emails(*rows: dict[str, Any]) -> pa.RecordBatch:
    """``FETCHED_EMAILS``; columns a row leaves out are null, but for a change_key."""
    return pa.RecordBatch.from_pylist(
        [{"change_key": f"{row['item_id']}-1", **row} for row in rows], schema=FETCHED_EMAILS
    )


def attachments(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=FETCHED_ATTACHMENTS)
