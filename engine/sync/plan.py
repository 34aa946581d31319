"""From a page of changes to a landing. Pure.

SyncFolderItems has no date filter, so the window is applied here:
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/syncfolderitems-operation
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import ResponseUnreadable
from engine.failures import failure_for
from engine.model import (
    Change,
    ChangeKind,
    ChangePage,
    FetchedItems,
    FolderId,
    ItemId,
    PendingPage,
    QuarantinedItem,
    ReadFlag,
    UnreadableItem,
)
from engine.sync.policy import SyncPolicy

_UNREADABLE = failure_for(ResponseUnreadable("")).code
NOT_FOUND = "ErrorItemNotFound: Exchange has listed this item and does not find it. It is asked for again, then let go."


@dataclass(frozen=True, slots=True)
class SiftedPage:
    """A page's changes by what they lead to.

    ``fetch``: newest first; ``creates``: id to change_key of the Creates among them; ``listed``: every item the page
    says exists, inside the window or not.
    """

    fetch: tuple[Change, ...]
    creates: dict[ItemId, str]
    deleted: tuple[ItemId, ...]
    read_flags: tuple[ReadFlag, ...]
    listed: tuple[ItemId, ...]


def sift(page: ChangePage, window_start: datetime) -> SiftedPage:
    """Sort a page's changes; of several changes of one item the last counts. Items older than the window are left."""
    fetch: dict[ItemId, Change] = {}
    deleted: dict[ItemId, None] = {}
    flags: dict[ItemId, ReadFlag] = {}
    listed: dict[ItemId, None] = {}
    for change in page.changes:
        item_id = change.item_id
        if change.kind is ChangeKind.DELETE:
            deleted[item_id] = None
            fetch.pop(item_id, None)
            listed.pop(item_id, None)
        elif change.kind is ChangeKind.READ_FLAG:
            listed[item_id] = None
            flags[item_id] = ReadFlag(item_id, change.change_key, bool(change.is_read))
        else:
            listed[item_id] = None
            deleted.pop(item_id, None)
            if change.received_at is None or change.received_at >= window_start:
                fetch[item_id] = change
    return SiftedPage(
        fetch=tuple(sorted(fetch.values(), key=_newest_first)),
        creates={item_id: change.change_key for item_id, change in fetch.items() if change.kind is ChangeKind.CREATE},
        deleted=tuple(deleted),
        read_flags=tuple(flag for item_id, flag in flags.items() if item_id not in deleted),
        listed=tuple(listed),
    )


def _newest_first(change: Change) -> float:
    return -change.received_at.timestamp() if change.received_at else float("-inf")


def pages_to_fetch(
    fetch: Iterable[Change], folder_id: FolderId, policy: SyncPolicy, fresh_id: str
) -> tuple[PendingPage, ...]:
    """Cut what is to be fetched into pages of one GetItem request each, by items and by bytes."""
    pages: list[PendingPage] = []
    chunk: list[Change] = []
    size = 0
    for change in fetch:
        if chunk and (len(chunk) >= policy.fetch_items or size + (change.size or 0) > policy.fetch_bytes):
            pages.append(_pending(f"{fresh_id}-{len(pages)}", folder_id, chunk))
            chunk, size = [], 0
        chunk.append(change)
        size += change.size or 0
    if chunk:
        pages.append(_pending(f"{fresh_id}-{len(pages)}", folder_id, chunk))
    return tuple(pages)


def _pending(page_id: str, folder_id: FolderId, chunk: list[Change]) -> PendingPage:
    return PendingPage(page_id, folder_id, tuple(change.item_id for change in chunk), chunk[0].received_at)


def without(
    pending: Iterable[PendingPage], folder_id: FolderId, gone: frozenset[ItemId]
) -> tuple[tuple[PendingPage, ...], tuple[str, ...]]:
    """Pending pages of a folder that lose deleted items: (pages amended, ids of pages left empty)."""
    amended: list[PendingPage] = []
    finished: list[str] = []
    for page in pending:
        if page.folder_id != folder_id or gone.isdisjoint(page.item_ids):
            continue
        rest = tuple(item_id for item_id in page.item_ids if item_id not in gone)
        if rest:
            amended.append(PendingPage(page.page_id, folder_id, rest, page.newest_at))
        else:
            finished.append(page.page_id)
    return tuple(amended), tuple(finished)


def halves(page: PendingPage, fresh_id: str) -> tuple[PendingPage, PendingPage]:
    """A pending page of two or more items, cut in two; the first half keeps its id."""
    middle = len(page.item_ids) // 2
    return (
        PendingPage(page.page_id, page.folder_id, page.item_ids[:middle], page.newest_at),
        PendingPage(f"{fresh_id}-half", page.folder_id, page.item_ids[middle:], page.newest_at),
    )


def inside_window(items: FetchedItems, window_start: datetime) -> FetchedItems:
    """Fetched items without those older than the window (a listing need not say how old an item is)."""
    received = items.emails.column("received_at")
    oldest = pc.min(received).as_py() if items.emails.num_rows else None
    if oldest is None or oldest >= window_start:
        return items
    inside = pc.or_kleene(pc.is_null(received), pc.greater_equal(received, pa.scalar(window_start, received.type)))
    emails = items.emails.filter(inside)
    attachments = items.attachments.filter(
        pc.is_in(items.attachments.column("item_id"), value_set=emails.column("item_id"))
    )
    return FetchedItems(emails, attachments, items.missing, items.unreadable)


def quarantine(
    unreadable: Iterable[UnreadableItem],
    folder_id: FolderId,
    earlier: Iterable[QuarantinedItem],
    policy: SyncPolicy,
    now: datetime,
) -> tuple[QuarantinedItem, ...]:
    """The quarantine's entries for items that will stay unreadable for now; each further attempt waits longer.

    The code is ours; Exchange's stands in the reason.
    """
    attempts = {entry.item_id: entry.attempts for entry in earlier}
    entries = []
    for item in unreadable:
        if item.passing:
            continue
        tried = attempts.get(item.item_id, 0) + 1
        wait = policy.quarantine_waits[min(tried, len(policy.quarantine_waits)) - 1]
        entries.append(QuarantinedItem(folder_id, item.item_id, _UNREADABLE, _words(item), tried, now + wait))
    return tuple(entries)


def second_looks(
    missing: Iterable[ItemId],
    folder_id: FolderId,
    earlier: Iterable[QuarantinedItem],
    policy: SyncPolicy,
    now: datetime,
) -> tuple[QuarantinedItem, ...]:
    """The quarantine's entries for items that were listed and are not found: to be asked for again, and then let go.

    The Delete of an item that is really gone comes first, as a rule, and ends this without another request. Where none
    comes, the item may be there: servers under load have denied what they hold.
    """
    known = {entry.item_id: entry for entry in earlier}
    entries = []
    for item_id in missing:
        entry = known.get(item_id)
        if entry is not None and entry.reason != NOT_FOUND:
            continue  # it was set aside as unreadable, and is gone meanwhile
        tried = 0 if entry is None else entry.attempts
        if tried < len(policy.missing_waits):
            next_look = now + policy.missing_waits[tried]
            entries.append(QuarantinedItem(folder_id, item_id, _UNREADABLE, NOT_FOUND, tried + 1, next_look))
    return tuple(entries)


def _words(item: UnreadableItem) -> str:
    told = item.code == _UNREADABLE or item.code in item.reason
    return item.reason if told else f"{item.code}: {item.reason}"
