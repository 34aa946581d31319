"""The records every part of Mailroom speaks in. Words as in DESIGN section 2; times are aware UTC datetimes.

All records are immutable, picklable and free of behaviour that needs IO. Emails themselves travel as Arrow
record batches whose schemas stand in ``engine.columns``.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

import pyarrow as pa

OperatorId = NewType("OperatorId", str)
FolderId = NewType("FolderId", str)
ItemId = NewType("ItemId", str)
SyncToken = NewType("SyncToken", str)
"""EWS SyncState: opaque, bound to one mailbox and one folder."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Time, chance and a fresh id, handed in with every event so that the machine itself has none of them."""

    now: datetime
    jitter: float
    fresh_id: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A person whose mailbox is kept in step while ``email_sync`` is true."""

    operator_id: OperatorId
    email: str
    name: str = ""
    email_sync: bool = True


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder at Exchange. ``name`` is what the settings call it (``inbox``), ``folder_id`` what Exchange calls it."""

    folder_id: FolderId
    name: str


class ChangeKind(StrEnum):
    """The four changes SyncFolderItems reports."""

    CREATE = "create"
    UPDATE = "update"
    READ_FLAG = "read_flag"
    DELETE = "delete"


class Change(NamedTuple):
    """One change of one item. A tuple, because backfills make millions of them.

    ``change_key`` is empty and the other fields are None where the server does not say (a Delete, mostly).
    """

    kind: ChangeKind
    item_id: ItemId
    change_key: str = ""
    received_at: datetime | None = None
    is_read: bool | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One answer of SyncFolderItems: ``last`` is IncludesLastItemInRange, ``token`` covers exactly these changes."""

    changes: tuple[Change, ...]
    token: SyncToken
    last: bool


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item Exchange listed and would not (or could not) hand over, with Exchange's code and words.

    ``passing``: it gave others meanwhile, and may give this one when it is next asked.
    """

    item_id: ItemId
    code: str
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class FetchedItems:
    """One answer of GetItem, item by item: every id asked for is in exactly one of the three groups.

    ``emails`` has the schema ``columns.FETCHED_EMAILS`` and ``attachments`` ``columns.FETCHED_ATTACHMENTS``.
    ``missing`` are the items that are gone (or moved out of the folder): a Delete will follow, or has been seen.
    """

    emails: pa.RecordBatch
    attachments: pa.RecordBatch
    missing: tuple[ItemId, ...] = ()
    unreadable: tuple[UnreadableItem, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedFolders:
    """The folders of a mailbox that the settings name, and the names Exchange knows no folder for."""

    found: tuple[Folder, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingPage:
    """Items a drain has listed and nothing has fetched yet: durable, one row, at most one GetItem request.

    ``item_ids`` run newest first; ``newest_at`` is the receipt time of the first, None where Exchange did not say.
    """

    page_id: str
    folder_id: FolderId
    item_ids: tuple[ItemId, ...]
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedItem:
    """An unreadable item, set aside with its reason; retried alone at ``next_attempt_at``."""

    folder_id: FolderId
    item_id: ItemId
    code: str
    reason: str
    attempts: int
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """The durable state of one folder's sync.

    ``drained``: a drain has reached the last page at least once. ``reconciling``: the present drain started from
    nothing although items had landed; what it does not see again is tombstoned at its end. ``empty_seen_at``: when a
    reconciling drain first found the folder suddenly empty (a second look must confirm before anything is deleted).
    ``relisted``: a drain has listed landed items as new, so the server has silently begun anew and may have left out
    deletions; the folder is to be reconciled once that drain is through. The store sets it, in the landing that shows
    it.
    """

    folder_id: FolderId
    name: str
    token: SyncToken | None = None
    drained: bool = False
    reconciling: bool = False
    empty_seen_at: datetime | None = None
    relisted: bool = False


class MailboxStatus(StrEnum):
    """Where a mailbox stands, as operators' lists and ``status`` show it."""

    NEW = "new"
    SYNCING = "syncing"
    SYNCED = "synced"
    FAILING = "failing"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class MailboxRecord:
    """The durable state of one mailbox: its window, how its last pass went and when the next is due.

    ``window_start`` is fixed at the first pass (then − N days) and only ever moves back, so that an email that has
    landed never falls out of the window by ageing.
    """

    status: MailboxStatus = MailboxStatus.NEW
    window_start: datetime | None = None
    last_success_at: datetime | None = None
    next_sync_at: datetime | None = None
    failing_since: datetime | None = None
    attempts: int = 0
    error_code: str | None = None
    error: str | None = None
    error_at: datetime | None = None


class SubscriptionStatus(StrEnum):
    """Where a push subscription stands."""

    ACTIVE = "active"
    FAILED = "failed"
    LOST = "lost"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """The push subscription of one mailbox.

    ``serial`` is ours: it goes into the signed callback token, so a notification of any older subscription is known
    by its serial and answered Unsubscribe. ``subscription_id`` and ``watermark`` are Exchange's (a server may leave
    the watermark out). ``heard_at``: the last notification or heartbeat. ``unheard``: how many before this one, in a
    row, were never heard at all (the listener cannot be reached from Exchange).
    """

    serial: str
    status: SubscriptionStatus
    callback_url: str
    status_frequency: int
    subscription_id: str | None = None
    watermark: str | None = None
    created_at: datetime | None = None
    heard_at: datetime | None = None
    next_attempt_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    unheard: int = 0


class ReadFlag(NamedTuple):
    """A ReadFlagChange to apply to a landed row; an empty change_key leaves the row's own."""

    item_id: ItemId
    change_key: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class Landing:
    """One mailbox's step forward: everything in it becomes durable in one transaction, or nothing does.

    The store refuses it (``StaleEpoch``) unless ``epoch`` is the operator's current one. Parts, in the order they
    apply:

    - ``retired_folders``: every row of these folders is tombstoned, their records and pages removed.
    - ``deleted``: rows of ``folder`` with these ids are tombstoned (rows that moved to another folder are left).
    - ``read_flags``: set on current rows of ``folder``.
    - ``emails``, ``attachments``: upserted by (operator, item_id). A row whose change_key equals the landed one and
      that is current in the same folder changes nothing.
    - ``finished_pages`` leave ``pending_pages``; ``amended_pages`` replace the row with the same page_id.
    - ``queued``: new pending pages. The store drops ids whose listed ``change_key`` (``listed``: the page's Creates) is
      already landed and current in the folder; a page left empty is not stored. ``relisted`` of the result counts the
      ids of ``listed`` that were current in the folder before this landing, whatever their change_key; where there are
      any and the folder is not being reconciled, ``folder_record`` is stored with ``relisted`` set.
    - ``seen``: ids a reconciling drain has listed, kept until ``reconciled`` (then every current row of the folder
      that is not among the seen, nor in this landing, is tombstoned and the seen are forgotten). ``forget_seen``
      empties the list first: a reconciling drain starts over.
    - ``quarantined`` and ``released``: items set aside, and items no longer so.
    - ``folder_record``, ``mailbox``, ``subscription``: the new durable records (None: unchanged).
    """

    operator_id: OperatorId
    epoch: int
    folder: Folder | None = None
    retired_folders: tuple[FolderId, ...] = ()
    deleted: tuple[ItemId, ...] = ()
    read_flags: tuple[ReadFlag, ...] = ()
    emails: pa.RecordBatch | None = None
    attachments: pa.RecordBatch | None = None
    finished_pages: tuple[str, ...] = ()
    amended_pages: tuple[PendingPage, ...] = ()
    queued: tuple[PendingPage, ...] = ()
    listed: dict[ItemId, str] = field(default_factory=dict)
    seen: tuple[ItemId, ...] = ()
    forget_seen: bool = False
    reconciled: bool = False
    quarantined: tuple[QuarantinedItem, ...] = ()
    released: tuple[ItemId, ...] = ()
    folder_record: FolderRecord | None = None
    mailbox: MailboxRecord | None = None
    subscription: SubscriptionRecord | None = None


@dataclass(frozen=True, slots=True)
class LandingResult:
    """What a landing did.

    Rows inserted and replaced, tombstones set, Creates of items that were current already (a server that has silently
    begun its listing anew), and the pages truly queued.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    relisted: int = 0
    queued: tuple[PendingPage, ...] = ()


@dataclass(frozen=True, slots=True)
class Activation:
    """What a mailbox actor is given when it is brought into memory: its epoch and all its durable state.

    ``landed``: current rows per folder, so that a folder suddenly empty can be noticed.
    """

    operator: Operator
    epoch: int
    mailbox: MailboxRecord
    folders: tuple[FolderRecord, ...] = ()
    pending: tuple[PendingPage, ...] = ()
    quarantined: tuple[QuarantinedItem, ...] = ()
    subscription: SubscriptionRecord | None = None
    landed: dict[FolderId, int] = field(default_factory=dict)
