"""Emails as they are looked for and looked at."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EmailListing:
    """A page of emails, the newest first; what is empty or None does not narrow it.

    ``sender``: the address or a part of it; ``contact``: an address among sender and recipients, whole;
    ``text``: somewhere in subject, sender or body, in any case; ``since`` is included, ``until`` is not; ``after``: the
    position the page before ended at; ``kind``, ``record``: associated with a record of this kind, of this id, directly
    or through the conversation. Deleted emails are not listed.
    """

    operator_id: str = ""
    text: str = ""
    sender: str = ""
    contact: str = ""
    folder: str = ""
    is_read: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[Any, ...] | None = None
    limit: int = 100
    kind: str = ""
    record: str = ""


LISTED = (
    "operator_id",
    "operator_email",
    "item_id",
    "folder",
    "subject",
    "sender_name",
    "sender_address",
    "to_recipients",
    "cc_recipients",
    "received_at",
    "sent_at",
    "is_read",
    "importance",
    "has_attachments",
    "size",
    "conversation_id",
    "snippet",
)
"""What a list says of an email; ``snippet`` is how its text begins, on one line."""

SNIPPET = 200
"""Characters of a snippet."""
