"""Small records as Arrow tables: their schemas, and rows turned into columns."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from engine.columns import TIME

TEXT = pa.string()


def _schema(**types: pa.DataType) -> pa.Schema:
    return pa.schema(list(types.items()))


OPERATORS = _schema(operator_id=TEXT, email=TEXT, name=TEXT, email_sync=pa.bool_())
SIGNS = _schema(operator_id=TEXT, serial=TEXT, heard_at=TIME)
ITEMS = _schema(operator_id=TEXT, item_id=TEXT)
LISTED = _schema(landing_no=pa.int32(), operator_id=TEXT, folder_id=TEXT, item_id=TEXT, change_key=TEXT)
KEPT_OUT = _schema(
    landing_no=pa.int32(),
    operator_id=TEXT,
    folder_id=TEXT,
    item_id=TEXT,
    change_key=TEXT,
    reason=TEXT,
    lookup_keys=pa.list_(pa.uint64()),
)
FOLDERS = _schema(
    operator_id=TEXT,
    folder_id=TEXT,
    name=TEXT,
    token=TEXT,
    drained=pa.bool_(),
    reconciling=pa.bool_(),
    empty_seen_at=TIME,
    relisted=pa.bool_(),
)
PAGES = _schema(
    operator_id=TEXT, page_id=TEXT, folder_id=TEXT, item_ids=pa.list_(TEXT), items=pa.int32(), newest_at=TIME
)
QUARANTINED = _schema(
    operator_id=TEXT,
    folder_id=TEXT,
    item_id=TEXT,
    code=TEXT,
    reason=TEXT,
    attempts=pa.int32(),
    next_attempt_at=TIME,
    since=TIME,
)
MAILBOXES = _schema(
    operator_id=TEXT,
    status=TEXT,
    window_start=TIME,
    last_success_at=TIME,
    next_sync_at=TIME,
    failing_since=TIME,
    attempts=pa.int32(),
    error_code=TEXT,
    error=TEXT,
    error_at=TIME,
)
SUBSCRIPTIONS = _schema(
    operator_id=TEXT,
    serial=TEXT,
    status=TEXT,
    callback_url=TEXT,
    status_frequency=pa.int32(),
    subscription_id=TEXT,
    watermark=TEXT,
    created_at=TIME,
    heard_at=TIME,
    next_attempt_at=TIME,
    error_code=TEXT,
    error=TEXT,
    unheard=pa.int32(),
)
JOBS = _schema(name=TEXT, enabled=pa.bool_(), every=TEXT, timezone=TEXT, access_group=TEXT, last_run_at=TIME)
RUNS = _schema(
    run_id=TEXT,
    job=TEXT,
    trigger=TEXT,
    started_at=TIME,
    finished_at=TIME,
    outcome=TEXT,
    operators=pa.int32(),
    done=pa.int32(),
    failed=pa.int32(),
    emails=pa.int32(),
    subscriptions=pa.int32(),
    message=TEXT,
    pending=pa.int32(),
)
ALERTS = _schema(
    alert_id=TEXT,
    code=TEXT,
    status=TEXT,
    opened_at=TIME,
    grown_at=TIME,
    operators=pa.list_(TEXT),
    reported=pa.list_(TEXT),
    quiet_since=TIME,
    reported_at=TIME,
    closed_at=TIME,
)
MAILS = _schema(
    mail_id=TEXT,
    alert_id=TEXT,
    recipients=pa.list_(TEXT),
    subject=TEXT,
    text=TEXT,
    html=TEXT,
    created_at=TIME,
    attempts=pa.int32(),
    next_attempt_at=TIME,
    sent_at=TIME,
    error=TEXT,
)
TOKENS = _schema(
    token_id=TEXT,
    name=TEXT,
    role=TEXT,
    digest=pa.binary(),
    groups=pa.list_(TEXT),
    created_at=TIME,
    created_by=TEXT,
    expires_at=TIME,
    revoked_at=TIME,
    last_used_at=TIME,
)
TOKEN_USES = _schema(token_id=TEXT, used_at=TIME)
AUDIT = _schema(
    entry_id=TEXT,
    at=TIME,
    action=TEXT,
    outcome=TEXT,
    principal=TEXT,
    role=TEXT,
    token_id=TEXT,
    address=TEXT,
    target=TEXT,
    before=TEXT,
    after=TEXT,
)


def columns(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table of this schema."""
    return pa.table([list(column) for column in zip(*rows, strict=True)] if rows else [[]] * len(schema), schema=schema)
