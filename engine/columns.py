"""Arrow schemas of emails on their way from a source to the store; column names are the store's."""

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
ADDRESS = pa.struct([("name", pa.string()), ("address", pa.string())])
ADDRESSES = pa.list_(ADDRESS)

FETCHED_EMAILS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("change_key", pa.string()),
        pa.field("item_class", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("sender_name", pa.string()),
        pa.field("sender_address", pa.string()),
        pa.field("to_recipients", ADDRESSES),
        pa.field("cc_recipients", ADDRESSES),
        pa.field("bcc_recipients", ADDRESSES),
        pa.field("sent_at", TIME),
        pa.field("received_at", TIME),
        pa.field("modified_at", TIME),
        pa.field("message_id", pa.string()),
        pa.field("conversation_id", pa.string()),
        pa.field("in_reply_to", pa.string()),
        pa.field("references", pa.string()),
        pa.field("body_text", pa.string()),
        pa.field("body_html", pa.string()),
        pa.field("is_read", pa.bool_()),
        pa.field("importance", pa.string()),
        pa.field("sensitivity", pa.string()),
        pa.field("has_attachments", pa.bool_()),
        pa.field("size", pa.int64()),
        pa.field("categories", pa.list_(pa.string())),
    ]
)
"""What a source gives of an email. The store adds operator, folder, landed_at and deleted_at."""

FETCHED_ATTACHMENTS = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("attachment_id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("content_type", pa.string()),
        pa.field("content_id", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("is_inline", pa.bool_()),
        pa.field("is_item", pa.bool_()),
    ]
)
"""One row an attachment; ``is_item`` marks an attached item (a forwarded message, say). Content stays at Exchange."""

NO_EMAILS = pa.RecordBatch.from_pylist([], schema=FETCHED_EMAILS)
NO_ATTACHMENTS = pa.RecordBatch.from_pylist([], schema=FETCHED_ATTACHMENTS)
