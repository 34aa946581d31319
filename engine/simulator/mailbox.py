"""One mailbox: its folders and items, and every way they change.

Each change takes the next number of one counter, which synchronisation compares and change keys carry. Subscribers are
told after the change is done. Nothing here knows XML or HTTP.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.simulator import ids
from engine.simulator.errors import ResponseError
from engine.simulator.events import Event, EventKind
from engine.simulator.folders import STANDARD_FOLDERS, Folder
from engine.simulator.messages import Message

Listener = Callable[["Mailbox", Event], None]
_HISTORY = 1024


class Mailbox:
    """The state of one mailbox.

    Args:
        address: The primary SMTP address.
        name: The display name.
        guid: Stable identifier; ids and tokens carry it.
        clock: Gives Unix seconds.
    """

    __slots__ = (
        "_by_id",
        "_clock",
        "_folder_cns",
        "_serial",
        "address",
        "cn",
        "event_number",
        "folders",
        "gone_folders",
        "guid",
        "history",
        "listeners",
        "name",
        "standard",
    )

    def __init__(self, address: str, name: str, guid: bytes, clock: Callable[[], float]) -> None:
        self.address = address
        self.name = name
        self.guid = guid
        self._clock = clock
        self._serial = 0
        self._by_id: dict[str, Message] = {}
        self.cn = 0
        self.event_number = 0
        self.folders: dict[str, Folder] = {}
        self.standard: dict[str, Folder] = {}
        self.gone_folders: list[tuple[int, int, str]] = []
        self.listeners: list[Listener] = []
        self.history: deque[Event] = deque(maxlen=_HISTORY)
        for kind in STANDARD_FOLDERS:
            self.standard[kind.distinguished] = self._new_folder(
                kind.name, self.standard.get(kind.parent), kind.folder_class, kind.distinguished
            )

    def now(self) -> int:
        """Whole seconds: EWS knows no fractions."""
        return int(self._clock())

    # Look-ups

    def item(self, item_id: str) -> Message:
        """The message with this id; ``ErrorItemNotFound`` or ``ErrorInvalidIdMalformed``."""
        message = self._by_id.get(item_id)
        if message is None:
            ids.read_id(item_id)
            raise ResponseError("ErrorItemNotFound")
        return message

    def find(self, item_id: str) -> Message | None:
        """The message with this id, if it is here."""
        return self._by_id.get(item_id)

    def folder(self, name: str) -> Folder:
        """A folder by id, distinguished name, display name or path."""
        found = self.folders.get(name) or self.standard.get(name.lower())
        if found is None:
            found = next((f for f in self.folders.values() if name in (f.path, f.name)), None)
        if found is None:
            raise ResponseError("ErrorFolderNotFound")
        return found

    def items(self) -> list[Message]:
        """Every message, in order of arrival within each folder."""
        return list(self._by_id.values())

    def change_key(self, message: Message) -> str:
        """The message's current change key."""
        return ids.change_key(self.guid, message.latest_cn)

    def folder_change_key(self, folder: Folder) -> str:
        """The folder's current change key."""
        return ids.folder_change_key(self.guid, folder.changed_cn + 1)

    def children(self, folder: Folder) -> list[Folder]:
        """The folders directly below."""
        return [candidate for candidate in self.folders.values() if candidate.parent is folder]

    # Changes

    def place(self, message: Message, folder: Folder) -> Message:
        """Put a message into a folder without telling anyone: for mail that was there before the server started."""
        self.cn += 1
        self._serial += 1
        message.folder = folder
        message.created_cn = message.content_cn = self.cn
        message.item_id = ids.item_id(self.guid, folder.number, self._serial)
        folder.add(message)
        self._by_id[message.item_id] = message
        return message

    def deliver(self, message: Message, folder: Folder, *, new_mail: bool = True) -> Message:
        """A message arrives; ``new_mail`` for one that was sent here rather than saved."""
        self.place(message, folder)
        self._publish("CreatedEvent", message)
        if new_mail:
            self._publish("NewMailEvent", message)
        self._publish_counts(folder)
        return message

    def update(self, message: Message, **fields: Any) -> Message:
        """Change properties; the change key moves even if nothing differs, as Exchange's does."""
        if "is_read" in fields:
            message.folder.unread += int(message.is_read) - int(fields["is_read"])
        self.cn += 1
        message.content_cn = self.cn
        message.modified_at = self.now()
        for name, value in fields.items():
            setattr(message, name, value)
        message.folder.touch(message)
        self._publish("ModifiedEvent", message)
        return message

    def mark_read(self, message: Message, is_read: bool) -> Message:
        """Change the read flag alone; nothing happens when it is already so."""
        if message.is_read != is_read:
            self.cn += 1
            message.read_cn = self.cn
            message.is_read = is_read
            message.folder.touch(message)
            message.folder.unread += -1 if is_read else 1
            self._publish("ModifiedEvent", message)
            self._publish_counts(message.folder)
        return message

    def delete(self, message: Message) -> None:
        """Remove a message for good."""
        folder = message.folder
        key = self.change_key(message)
        self._take_out(message)
        self._publish("DeletedEvent", message, subject=(message.item_id, key))
        self._publish_counts(folder)

    def move(self, message: Message, target: Folder) -> Message:
        """Move a message; it gets another id, as in Exchange."""
        old = (message.item_id, self.change_key(message))
        source = message.folder
        self._take_out(message)
        moved = replace(message, read_cn=0)
        self.place(moved, target)
        self._publish("MovedEvent", moved, old=old, source=source)
        self._publish_counts(source)
        self._publish_counts(target)
        return moved

    def copy(self, message: Message, target: Folder) -> Message:
        """Put a copy of a message into a folder."""
        old = (message.item_id, self.change_key(message))
        copied = self.place(replace(message, read_cn=0, created_at=self.now()), target)
        self._publish("CopiedEvent", copied, old=old, source=message.folder)
        self._publish_counts(target)
        return copied

    def create_folder(self, parent: Folder, name: str, folder_class: str = "IPF.Note") -> Folder:
        """A new folder; ``ErrorFolderExists`` when the parent has one of that name."""
        if any(child.name.lower() == name.lower() for child in self.children(parent)):
            raise ResponseError("ErrorFolderExists")
        self.cn += 1
        return self._new_folder(name, parent, folder_class)

    def delete_folder(self, folder: Folder) -> None:
        """Remove a folder with all that is in it."""
        if folder.distinguished:
            raise ResponseError("ErrorDeleteDistinguishedFolder")
        for child in self.children(folder):
            self.delete_folder(child)
        for message in list(folder.entries.values()):
            self.delete(message)
        self.cn += 1
        del self.folders[folder.folder_id]
        self.gone_folders.append((folder.created_cn, self.cn, folder.folder_id))

    def rename_folder(self, folder: Folder, name: str) -> None:
        """Give a folder another display name."""
        self.cn += 1
        folder.name = name
        folder.changed_cn = self.cn

    # Inside

    def _new_folder(self, name: str, parent: Folder | None, folder_class: str, distinguished: str = "") -> Folder:
        number = len(self.folders) + len(self.gone_folders) + 1
        folder_id = ids.folder_id(self.guid, number)
        folder = Folder(
            number,
            folder_id,
            name,
            parent=parent,
            folder_class=folder_class,
            distinguished=distinguished,
            created_cn=self.cn,
        )
        self.folders[folder_id] = folder
        return folder

    def _take_out(self, message: Message) -> None:
        self.cn += 1
        message.folder.remove(message, self.cn, self.change_key(message))
        del self._by_id[message.item_id]

    def _publish(
        self,
        kind: EventKind,
        message: Message,
        *,
        subject: tuple[str, str] | None = None,
        old: tuple[str, str] | None = None,
        source: Folder | None = None,
    ) -> None:
        folders = [message.folder] if source is None else [message.folder, source]
        self._tell(
            kind,
            subject or (message.item_id, self.change_key(message)),
            folders[0],
            tuple(folder.number for folder in folders),
            old=old,
            old_parent=None if source is None else (source.folder_id, self.folder_change_key(source)),
        )

    def _publish_counts(self, folder: Folder) -> None:
        self._tell(
            "ModifiedEvent",
            (folder.folder_id, self.folder_change_key(folder)),
            folder.parent or folder,
            (folder.number,),
            is_folder=True,
            unread=folder.unread,
        )

    def _tell(
        self, kind: EventKind, subject: tuple[str, str], parent: Folder, folders: tuple[int, ...], **extra: Any
    ) -> None:
        self.event_number += 1
        key = (parent.folder_id, self.folder_change_key(parent))
        event = Event(self.event_number, kind, self.now(), subject, key, folders, **extra)
        self.history.append(event)
        for listener in tuple(self.listeners):
            listener(self, event)
