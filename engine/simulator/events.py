"""What happens in a mailbox, as subscriptions hear of it."""

from dataclasses import dataclass
from typing import Literal

from engine.simulator.xml import timestamp

EventKind = Literal["CopiedEvent", "CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent", "NewMailEvent"]
EVENT_TYPES = frozenset(
    {
        "CopiedEvent",
        "CreatedEvent",
        "DeletedEvent",
        "ModifiedEvent",
        "MovedEvent",
        "NewMailEvent",
        "FreeBusyChangedEvent",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One change, numbered within its mailbox.

    Attributes:
        subject: (id, change key) of the item, or of the folder with ``is_folder``.
        parent: (id, change key) of the folder it is in.
        old: (id, change key) it had before a move, or of the original of a copy.
        old_parent: (id, change key) of the folder it came from.
        folders: Numbers of the folders whose subscribers hear of it.
    """

    number: int
    kind: EventKind
    at: int
    subject: tuple[str, str]
    parent: tuple[str, str]
    folders: tuple[int, ...]
    is_folder: bool = False
    old: tuple[str, str] | None = None
    old_parent: tuple[str, str] | None = None
    unread: int | None = None

    def xml(self, watermark: str) -> str:
        """The event as a child of Notification."""
        thing = "Folder" if self.is_folder else "Item"
        parts = [
            f"<t:{self.kind}><t:Watermark>{watermark}</t:Watermark><t:TimeStamp>{timestamp(self.at)}</t:TimeStamp>",
            _id(f"{thing}Id", self.subject),
            _id("ParentFolderId", self.parent),
        ]
        if self.old and self.old_parent:
            parts += [_id(f"Old{thing}Id", self.old), _id("OldParentFolderId", self.old_parent)]
        if self.unread is not None:
            parts.append(f"<t:UnreadCount>{self.unread}</t:UnreadCount>")
        parts.append(f"</t:{self.kind}>")
        return "".join(parts)


def _id(tag: str, pair: tuple[str, str]) -> str:
    return f'<t:{tag} Id="{pair[0]}" ChangeKey="{pair[1]}" />'
