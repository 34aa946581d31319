"""FakeMailSource: an in-memory Exchange behind ``ports.MailSource``, for tests of everything above it.

Pure and deterministic: no clock but the one given, no randomness, no sleeping. Changes are worked out as Exchange does
it: a token remembers what its holder has been told, and a page is the difference to what is there now. So a create and
an update after the token are one Create, and a create and a delete are nothing.

Mailboxes are keyed by address and come into being by ``add_mailbox`` or ``deliver``. Faults are scripted:

- ``fail_next(error)``: the next call (of a method, of a mailbox) raises; ``after=True``: the work is done first and
  only the answer is lost;
- ``unreadable`` / ``unreadable_in_batches`` / ``vanish``: trouble with one item;
- ``refuse_tokens``: what was handed out so far is ErrorInvalidSyncStateData from now on, or, with ``silently=True``, is
  answered by a full listing as if there had been no token;
- ``pretend_empty``, ``remove_folder``, ``remove_mailbox``: trouble with a folder or mailbox;
- ``before_call``: a hook that is called before each call, to change the mailbox in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.errors import FolderMissing, MailboxNotFound, ResponseUnreadable, SourceError, SyncTokenRefused
from engine.model import (
    Change,
    ChangeKind,
    ChangePage,
    FetchedItems,
    Folder,
    FolderId,
    ItemId,
    ResolvedFolders,
    SyncToken,
    UnreadableItem,
)
from engine.ports import Clock

_START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


class Version(NamedTuple):
    """What a token knows of an item: when it last changed as a whole, and when its read flag did."""

    changed: int
    read: int


@dataclass
class FakeItem:
    """One item: ``row`` is what GetItem gives (``columns.FETCHED_EMAILS``), ``attachments`` likewise."""

    row: dict[str, Any]
    version: Version
    attachments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def order(self) -> int:
        """Its place in a listing: Exchange lists by last change."""
        return max(self.version)


@dataclass
class FakeFolder:
    """One folder: its items by id, and the fault flags."""

    folder: Folder
    items: dict[ItemId, FakeItem] = field(default_factory=dict)
    pretend_empty: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What a token stands for; ``refused``: None while the token is good, else how it is refused."""

    mailbox: str
    folder_id: FolderId
    known: dict[ItemId, Version]


@dataclass(frozen=True)
class FakeSubscription:
    """A push subscription as it was asked for."""

    mailbox: str
    subscription_id: str
    folders: tuple[Folder, ...]
    callback_url: str
    status_frequency: int


@dataclass
class _Fault:
    error: SourceError
    method: str | None
    mailbox: str | None
    after: bool
    times: int


class FakeMailSource:
    """See the module's docstring. ``calls`` lists (method, mailbox, what was asked) in order."""

    def __init__(self, clock: Clock | None = None, folders: Sequence[str] = ("inbox", "sentitems")) -> None:
        self._clock = clock
        self._folder_names = tuple(folders)
        self._mailboxes: dict[str, dict[str, FakeFolder]] = {}
        self._tokens: dict[SyncToken, Snapshot] = {}
        self._refused: dict[SyncToken, bool] = {}
        self._faults: list[_Fault] = []
        self._unreadable: dict[ItemId, tuple[str, str]] = {}
        self._indigestible: set[ItemId] = set()
        self._vanishing: set[ItemId] = set()
        self._sequence = 0
        self.calls: list[tuple[str, str, object]] = []
        self.subscriptions: list[FakeSubscription] = []
        self.gives_watermarks = True
        self.before_call: Callable[[str, str], None] | None = None
        self.closed = False

    # What happens in the mailboxes

    def add_mailbox(self, mailbox: str) -> None:
        """Make an empty mailbox with the folders of the constructor."""
        if mailbox not in self._mailboxes:
            self._mailboxes[mailbox] = {}
            for name in self._folder_names:
                self.add_folder(mailbox, name)

    def remove_mailbox(self, mailbox: str) -> None:
        """From now on nobody has this address."""
        del self._mailboxes[mailbox]

    def add_folder(self, mailbox: str, name: str) -> Folder:
        """Make a folder (again, with another id, if it was removed)."""
        folder = Folder(FolderId(f"folder-{self._next()}"), name)
        self._mailboxes[mailbox][name.lower()] = FakeFolder(folder)
        return folder

    def remove_folder(self, mailbox: str, name: str) -> None:
        """Delete a folder and what is in it."""
        del self._mailboxes[mailbox][name.lower()]

    def deliver(self, mailbox: str, folder: str = "inbox", **columns: Any) -> ItemId:
        """Put a new item into a folder; ``columns`` of FETCHED_EMAILS, and ``attachments``, as wanted."""
        self.add_mailbox(mailbox)
        sequence = self._next()
        item_id = ItemId(columns.pop("item_id", f"item-{sequence}"))
        attachments = columns.pop("attachments", [])
        row = {**_template(sequence, self._now(sequence)), **columns, "item_id": item_id}
        unknown = set(row) - set(FETCHED_EMAILS.names)
        if unknown:
            raise TypeError(f"no such column: {sorted(unknown)}")
        self._folder(mailbox, folder).items[item_id] = FakeItem(row, Version(sequence, sequence), list(attachments))
        return item_id

    def update(self, mailbox: str, item_id: ItemId, **columns: Any) -> None:
        """Change an item as a whole (an Update): a new change key, ``modified_at`` and the given columns."""
        item, sequence = self._item(mailbox, item_id), self._next()
        item.row |= {"change_key": f"ck-{sequence}", "modified_at": self._now(sequence), **columns}
        item.version = item.version._replace(changed=sequence)

    def mark_read(self, mailbox: str, item_id: ItemId, is_read: bool = True) -> None:
        """Change nothing but the read flag (a ReadFlagChange)."""
        item = self._item(mailbox, item_id)
        if item.row["is_read"] != is_read:
            sequence = self._next()
            item.row |= {"is_read": is_read, "change_key": f"ck-{sequence}"}
            item.version = item.version._replace(read=sequence)

    def delete(self, mailbox: str, item_id: ItemId) -> None:
        """Delete an item."""
        self._next()
        del self._home(mailbox, item_id).items[item_id]

    def move(self, mailbox: str, item_id: ItemId, folder: str) -> ItemId:
        """Move an item: it is gone from where it was and has another id in ``folder``, as at Exchange."""
        item = self._item(mailbox, item_id)
        kept = {name: value for name, value in item.row.items() if name not in ("item_id", "change_key")}
        self.delete(mailbox, item_id)
        return self.deliver(mailbox, folder, attachments=item.attachments, **kept)

    def items(self, mailbox: str, folder: str = "inbox") -> dict[ItemId, dict[str, Any]]:
        """What is in a folder now: rows of FETCHED_EMAILS by id. What the store must come to equal."""
        return {item_id: dict(item.row) for item_id, item in self._folder(mailbox, folder).items.items()}

    def folder(self, mailbox: str, name: str = "inbox") -> Folder:
        """The folder record of a name."""
        return self._folder(mailbox, name).folder

    # Faults

    def fail_next(
        self,
        error: SourceError,
        *,
        method: str | None = None,
        mailbox: str | None = None,
        after: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next matching call raise ``error``; ``after`` the work is done (the answer was lost on its way)."""
        self._faults.append(_Fault(error, method, mailbox, after, times))

    def clear_faults(self) -> None:
        """Forget the scripted errors and item troubles (not the refused tokens)."""
        self._faults.clear()
        self._unreadable.clear()
        self._indigestible.clear()
        self._vanishing.clear()
        for folder in self._all_folders():
            folder.pretend_empty = False

    def unreadable(self, item_id: ItemId, code: str = "ErrorContentConversionFailed", reason: str = "no luck") -> None:
        """Let an item be reported as unreadable by every fetch, until ``readable``."""
        self._unreadable[item_id] = (code, reason)

    def unreadable_in_batches(self, item_id: ItemId) -> None:
        """Let every fetch of this item together with others raise ResponseUnreadable, until ``readable``."""
        self._indigestible.add(item_id)

    def readable(self, item_id: ItemId) -> None:
        """End an item's trouble."""
        self._unreadable.pop(item_id, None)
        self._indigestible.discard(item_id)

    def vanish(self, item_id: ItemId) -> None:
        """Let an item be deleted at the very moment it is fetched: listed, then missing."""
        self._vanishing.add(item_id)

    def refuse_tokens(self, mailbox: str, *, silently: bool = False) -> None:
        """Refuse every token of this mailbox handed out so far; ``silently``: list everything instead of an error."""
        self._refused |= {token: silently for token, snapshot in self._tokens.items() if snapshot.mailbox == mailbox}

    def pretend_empty(self, mailbox: str, folder: str = "inbox", *, empty: bool = True) -> None:
        """Let a folder be listed as empty although it is not (its tokens then report deletes)."""
        self._folder(mailbox, folder).pretend_empty = empty

    # ports.MailSource

    async def resolve_folders(self, mailbox: str, names: Sequence[str]) -> ResolvedFolders:
        """See ``ports.MailSource``."""
        lost = self._begin("resolve_folders", mailbox, tuple(names))
        folders = self._mailbox(mailbox)
        found = tuple(Folder(folders[name.lower()].folder.folder_id, name) for name in names if name.lower() in folders)
        _finish(lost)
        return ResolvedFolders(found, tuple(name for name in names if name.lower() not in folders))

    async def read_changes(self, mailbox: str, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """See ``ports.MailSource``."""
        lost = self._begin("read_changes", mailbox, (folder.name, token, limit))
        if not 1 <= limit <= 512:
            raise ValueError(f"limit {limit} is not within 1-512")
        present = self._by_id(mailbox, folder)
        known = self._known(mailbox, folder, token)
        items = {} if present.pretend_empty else present.items
        changes = _difference(known, items)
        page, last = changes[:limit], len(changes) <= limit
        told = dict(known)
        for change in page:
            told.pop(change.item_id, None)
            if change.kind is not ChangeKind.DELETE:
                told[change.item_id] = items[change.item_id].version
        new = SyncToken(f"sync-{self._next()}") if page or token is None or token in self._refused else token
        self._tokens[new] = Snapshot(mailbox, folder.folder_id, told)
        _finish(lost)
        return ChangePage(tuple(page), new, last)

    async def fetch_items(self, mailbox: str, folder: Folder, item_ids: Sequence[ItemId]) -> FetchedItems:
        """See ``ports.MailSource``."""
        lost = self._begin("fetch_items", mailbox, (folder.name, tuple(item_ids)))
        items, asked = self._by_id(mailbox, folder).items, tuple(dict.fromkeys(item_ids))
        if len(asked) > 1 and self._indigestible.intersection(asked):
            raise ResponseUnreadable("the answer is not XML")
        for item_id in self._vanishing.intersection(asked).intersection(items):
            self._vanishing.discard(item_id)
            self.delete(mailbox, item_id)
        missing = tuple(item_id for item_id in asked if item_id not in items)
        unreadable = tuple(
            UnreadableItem(item_id, *self._unreadable[item_id])
            for item_id in asked
            if item_id in items and item_id in self._unreadable
        )
        readable = [items[item_id] for item_id in asked if item_id in items and item_id not in self._unreadable]
        attachments = [
            {"item_id": item.row["item_id"], **attachment} for item in readable for attachment in item.attachments
        ]
        _finish(lost)
        return FetchedItems(
            pa.RecordBatch.from_pylist([item.row for item in readable], schema=FETCHED_EMAILS),
            pa.RecordBatch.from_pylist(attachments, schema=FETCHED_ATTACHMENTS),
            missing,
            unreadable,
        )

    async def subscribe(
        self, mailbox: str, folders: Sequence[Folder], callback_url: str, status_frequency: int
    ) -> tuple[str, str | None]:
        """See ``ports.MailSource``."""
        lost = self._begin("subscribe", mailbox, (callback_url, status_frequency))
        for folder in folders:
            self._by_id(mailbox, folder)
        subscription_id = f"subscription-{self._next()}"
        self.subscriptions.append(
            FakeSubscription(mailbox, subscription_id, tuple(folders), callback_url, status_frequency)
        )
        _finish(lost)
        return subscription_id, f"watermark-{self._sequence}" if self.gives_watermarks else None

    async def close(self) -> None:
        """See ``ports.MailSource``."""
        self.closed = True

    # Inside

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _now(self, sequence: int) -> datetime:
        return self._clock.now() if self._clock else _START + timedelta(minutes=sequence)

    def _begin(self, method: str, mailbox: str, asked: object) -> SourceError | None:
        self.calls.append((method, mailbox, asked))
        if self.before_call:
            self.before_call(method, mailbox)
        for fault in self._faults:
            if fault.method in (None, method) and fault.mailbox in (None, mailbox):
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
                if fault.after:
                    return fault.error
                raise fault.error
        return None

    def _mailbox(self, mailbox: str) -> dict[str, FakeFolder]:
        if mailbox not in self._mailboxes:
            raise MailboxNotFound(f"no mailbox {mailbox}", code="ErrorNonExistentMailbox")
        return self._mailboxes[mailbox]

    def _all_folders(self) -> list[FakeFolder]:
        return [folder for folders in self._mailboxes.values() for folder in folders.values()]

    def _folder(self, mailbox: str, name: str) -> FakeFolder:
        return self._mailbox(mailbox)[name.lower()]

    def _by_id(self, mailbox: str, folder: Folder) -> FakeFolder:
        for present in self._mailbox(mailbox).values():
            if present.folder.folder_id == folder.folder_id:
                return present
        raise FolderMissing(f"{mailbox}: no folder {folder.name}", code="ErrorFolderNotFound")

    def _home(self, mailbox: str, item_id: ItemId) -> FakeFolder:
        return next(folder for folder in self._mailbox(mailbox).values() if item_id in folder.items)

    def _item(self, mailbox: str, item_id: ItemId) -> FakeItem:
        return self._home(mailbox, item_id).items[item_id]

    def _known(self, mailbox: str, folder: Folder, token: SyncToken | None) -> dict[ItemId, Version]:
        if token is None or self._refused.get(token):
            return {}
        snapshot = self._tokens.get(token)
        if (
            token in self._refused
            or snapshot is None
            or (snapshot.mailbox, snapshot.folder_id)
            != (
                mailbox,
                folder.folder_id,
            )
        ):
            raise SyncTokenRefused(f"{mailbox}: {folder.name}: bad token", code="ErrorInvalidSyncStateData")
        return snapshot.known


def _template(sequence: int, at: datetime) -> dict[str, Any]:
    return {
        "change_key": f"ck-{sequence}",
        "item_class": "IPM.Note",
        "subject": f"Message {sequence}",
        "sender_name": "Ann",
        "sender_address": "ann@example.com",
        "to_recipients": [{"name": "Bob", "address": "bob@example.com"}],
        "cc_recipients": [],
        "bcc_recipients": [],
        "sent_at": at,
        "received_at": at,
        "modified_at": at,
        "message_id": f"<{sequence}@example.com>",
        "conversation_id": f"conversation-{sequence}",
        "in_reply_to": None,
        "references": None,
        "body_text": f"Body {sequence}",
        "body_html": None,
        "is_read": False,
        "importance": "Normal",
        "sensitivity": "Normal",
        "has_attachments": False,
        "size": 3600,
        "categories": [],
    }


def _difference(known: dict[ItemId, Version], items: dict[ItemId, FakeItem]) -> list[Change]:
    changes: list[Change] = []
    for item_id, item in sorted(items.items(), key=lambda pair: pair[1].order):
        before = known.get(item_id)
        if before == item.version:
            continue
        if before is None:
            kind = ChangeKind.CREATE
        else:
            kind = ChangeKind.READ_FLAG if before.changed == item.version.changed else ChangeKind.UPDATE
        row = item.row
        if kind is ChangeKind.READ_FLAG:
            changes.append(Change(kind, item_id, row["change_key"], None, row["is_read"]))
        else:
            changes.append(Change(kind, item_id, row["change_key"], row["received_at"], row["is_read"], row["size"]))
    changes += [Change(ChangeKind.DELETE, item_id) for item_id in known if item_id not in items]
    return changes


def _finish(lost: SourceError | None) -> None:
    if lost is not None:
        raise lost
