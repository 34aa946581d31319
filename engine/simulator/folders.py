"""Folders of a mailbox and the entries, tombstones and counters each keeps."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from engine.simulator.messages import Message


class StandardFolder(NamedTuple):
    """A folder every mailbox has."""

    distinguished: str
    name: str
    parent: str
    folder_class: str


NOTE = "IPF.Note"
STANDARD_FOLDERS = (
    StandardFolder("root", "", "", ""),
    StandardFolder("msgfolderroot", "Top of Information Store", "root", ""),
    StandardFolder("inbox", "Inbox", "msgfolderroot", NOTE),
    StandardFolder("sentitems", "Sent Items", "msgfolderroot", NOTE),
    StandardFolder("drafts", "Drafts", "msgfolderroot", NOTE),
    StandardFolder("deleteditems", "Deleted Items", "msgfolderroot", NOTE),
    StandardFolder("outbox", "Outbox", "msgfolderroot", NOTE),
    StandardFolder("junkemail", "Junk Email", "msgfolderroot", NOTE),
    StandardFolder("calendar", "Calendar", "msgfolderroot", "IPF.Appointment"),
    StandardFolder("contacts", "Contacts", "msgfolderroot", "IPF.Contact"),
    StandardFolder("tasks", "Tasks", "msgfolderroot", "IPF.Task"),
    StandardFolder("notes", "Notes", "msgfolderroot", "IPF.StickyNote"),
    StandardFolder("journal", "Journal", "msgfolderroot", "IPF.Journal"),
    StandardFolder("searchfolders", "Finder", "root", ""),
    StandardFolder("recoverableitemsroot", "Recoverable Items", "root", ""),
    StandardFolder("recoverableitemsdeletions", "Deletions", "recoverableitemsroot", ""),
)
DISTINGUISHED = frozenset(folder.distinguished for folder in STANDARD_FOLDERS)


class Tombstone(NamedTuple):
    """What remains of an item that left its folder."""

    created_cn: int
    deleted_cn: int
    item_id: str
    change_key: str


class Folder:
    """One folder: its items in order of arrival, and what left it."""

    __slots__ = (
        "changed_cn",
        "created_cn",
        "distinguished",
        "entries",
        "folder_class",
        "folder_id",
        "last_cn",
        "log",
        "name",
        "number",
        "order",
        "parent",
        "tombstones",
        "unread",
    )

    def __init__(  # noqa: PLR0913  # a folder's properties are what they are
        self,
        number: int,
        folder_id: str,
        name: str,
        *,
        parent: "Folder | None",
        folder_class: str,
        distinguished: str = "",
        created_cn: int = 0,
    ) -> None:
        self.number = number
        self.folder_id = folder_id
        self.name = name
        self.parent = parent
        self.folder_class = folder_class
        self.distinguished = distinguished
        self.created_cn = created_cn
        self.changed_cn = created_cn
        self.entries: dict[int, Message] = {}
        self.order: list[int] = []
        self.tombstones: list[Tombstone] = []
        self.log: list[tuple[int, Message]] = []
        self.unread = 0
        self.last_cn = 0

    def add(self, message: Message) -> None:
        """Take in a message whose ``created_cn`` is newer than every other's here."""
        self.entries[message.created_cn] = message
        self.order.append(message.created_cn)
        self.unread += not message.is_read
        self.last_cn = max(self.last_cn, message.latest_cn)

    def touch(self, message: Message) -> None:
        """Note that a message here changed, at its latest change number."""
        self.last_cn = message.latest_cn
        self.log.append((message.latest_cn, message))

    def changed_since(self, change: int) -> list[Message]:
        """Present messages whose latest change is a later one; arrivals alone do not count."""
        start = bisect_right(self.log, change, key=lambda entry: entry[0])
        return [
            message
            for at, message in self.log[start:]
            if at == message.latest_cn and self.entries.get(message.created_cn) is message
        ]

    def gone_since(self, change: int) -> list[Tombstone]:
        """The messages that left after a change."""
        return self.tombstones[bisect_right(self.tombstones, change, key=lambda stone: stone.deleted_cn) :]

    def remove(self, message: Message, deleted_cn: int, change_key: str) -> None:
        """Let a message go, leaving its tombstone."""
        del self.entries[message.created_cn]
        self.unread -= not message.is_read
        self.tombstones.append(Tombstone(message.created_cn, deleted_cn, message.item_id, change_key))
        self.last_cn = deleted_cn

    def newest_first(self, below: int, above: int) -> Iterator[Message]:
        """Present messages that arrived in ``(above, below]``, newest first."""
        for index in range(bisect_left(self.order, below + 1) - 1, -1, -1):
            created = self.order[index]
            if created <= above:
                return
            message = self.entries.get(created)
            if message is not None:
                yield message

    @property
    def path(self) -> str:
        """The folder's name below the top of the mailbox, levels joined by a slash."""
        if self.parent is None or self.parent.distinguished in {"msgfolderroot", "root"}:
            return self.name
        return f"{self.parent.path}/{self.name}"
