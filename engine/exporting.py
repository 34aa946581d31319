"""Exporting everything: what an export consists of, and the pieces it is read in.

An export is of one moment: all its parts show the store as it was when it began.
"""

from dataclasses import dataclass
from datetime import datetime

WHOLE = ("attachments", "associations", "crm_records", "operators", "mailboxes")
"""Views that are one part each."""
BY_MONTH = ("emails", "all_emails")
"""Views with a part for each month (UTC) of ``received_at``."""


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One file: a view, or a month of it. ``month``: ``2026-11``; empty for rows without a time; None: not by month."""

    view: str
    month: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Export:
    """An export that can be read, part by part, in any order, while it is held."""

    export_id: str
    at: datetime
    deleted: bool
    parts: tuple[ExportPart, ...]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """``deleted``: tombstones too, as ``all_emails``. ``export_id`` is of the asker's choosing."""

    export_id: str
    deleted: bool = False
