"""Lists, page by page: what ``GET`` of a collection asks of the store and gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class View(StrEnum):
    """The views that can be listed; each has an order of its own (see ``engine.store.lists``)."""

    FAILURES = "failures"
    SUBSCRIPTIONS = "subscriptions"
    MAILBOXES = "mailboxes"
    JOB_RUNS = "job_runs"
    ALERTS = "alerts"
    SETTINGS_HISTORY = "settings_history"
    OPERATORS = "operators"
    AUDIT = "audit"
    ERASURES = "erasures"
    CRM_RECORDS = "crm_records"
    ASSOCIATIONS = "associations"
    THREADS = "threads"
    THREAD_MESSAGES = "thread_messages"
    UNMATCHED_ADDRESSES = "unmatched_addresses"
    AMBIGUOUS_MATCHES = "ambiguous_matches"


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a view: rows whose columns equal ``equal`` (text), after the position ``after``, at most ``limit``.

    ``search``: words that each stand somewhere in the columns that are searched, in any case, with or without accents.
    """

    view: View
    equal: Mapping[str, str] = field(default_factory=dict)
    after: tuple[Any, ...] | None = None
    limit: int = 100
    search: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows by column name, and the position to go on from (None: that was all)."""

    items: tuple[dict[str, Any], ...]
    after: tuple[Any, ...] | None = None
