"""The mailboxes of FakeMailSource: what people do to their mail, and what has changed since."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from engine.columns import FETCHED_EMAILS
from engine.errors import FolderMissing, MailboxNotFound
from engine.model import Change, ChangeKind, Folder, FolderId, ItemId
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


class FakeMailboxes:
    """Mailboxes by address, with the same folders to begin with."""

    def __init__(self, clock: Clock | None, folders: Sequence[str]) -> None:
        self._clock = clock
        self._folder_names = tuple(folders)
        self._mailboxes: dict[str, dict[str, FakeFolder]] = {}
        self._sequence = 0

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

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _now(self, sequence: int) -> datetime:
        return self._clock.now() if self._clock else _START + timedelta(minutes=sequence)

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


def difference(known: dict[ItemId, Version], items: dict[ItemId, FakeItem]) -> list[Change]:
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
