"""SyncFolderItems: what has changed in a folder since a sync token.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/syncfolderitems-operation
"""

from collections.abc import Callable, Iterator

from lxml import etree

from engine.errors import ResponseUnreadable
from engine.model import Change, ChangeKind, ChangePage, Folder, ItemId, SyncToken
from engine.sources.ews.service import Operation, element, properties
from engine.sources.ews.tags import m, t
from engine.sources.ews.times import parse_time

FIELDS = ("item:DateTimeReceived", "item:Size", "message:IsRead")
"""What is asked of a listed item beside its id."""
_ITEM_ID, _RECEIVED, _SIZE, _IS_READ = t("ItemId"), t("DateTimeReceived"), t("Size"), t("IsRead")


class SyncFolderItems(Operation):
    """One page of changes."""

    SERVICE_NAME = "SyncFolderItems"

    def call(self, folder: Folder, token: SyncToken | None, limit: int) -> ChangePage:
        """See ``ports.MailSource.read_changes``."""
        message = self.only(self.send(self.get_payload(folder, token, limit), folder=folder.name), folder=folder.name)
        new = (message.findtext(m("SyncState")) or "").strip()
        last = (message.findtext(m("IncludesLastItemInRange")) or "").strip().lower()
        if not new or last not in ("true", "false", "1", "0"):
            # Without both, nobody knows what has been told: better no page than a wrong one
            raise ResponseUnreadable(f"{self.mailbox}, folder {folder.name}: a page of changes without its end.")
        changes = message.find(m("Changes"))
        found = tuple(_changes(changes)) if changes is not None else ()
        return ChangePage(found, SyncToken(new), last in ("true", "1"))

    def get_payload(self, folder: Folder, token: SyncToken | None, limit: int) -> etree._Element:
        """The request: ids, and what decides on fetching them."""
        payload = element(
            "m:SyncFolderItems",
            properties("m:ItemShape", "IdOnly", FIELDS),
            element("m:SyncFolderId", element("t:FolderId", Id=folder.folder_id)),
        )
        if token is not None:
            payload.append(element("m:SyncState", token))
        payload.append(element("m:MaxChangesReturned", str(limit)))
        return payload


def _item(kind: ChangeKind, change: etree._Element) -> Change | None:
    # The child's tag is the type of item (Message, MeetingRequest, Contact, ...), and any type will do
    return next((found for item in change if (found := read_item(kind, item))), None)


def read_item(kind: ChangeKind, item: etree._Element) -> Change | None:
    """What an item element of a listing says, as a change of this kind; None if it has no id."""
    item_id = change_key = received = is_read = size = None
    for part in item:
        tag = part.tag
        if tag == _ITEM_ID:
            item_id, change_key = part.get("Id"), part.get("ChangeKey")
        elif tag == _RECEIVED:
            received = part.text
        elif tag == _IS_READ:
            is_read = part.text
        elif tag == _SIZE:
            size = part.text
    if not item_id:
        return None
    return Change(kind, ItemId(item_id), change_key or "", parse_time(received), _flag(is_read), _number(size))


def _create(change: etree._Element) -> Change | None:
    return _item(ChangeKind.CREATE, change)


def _update(change: etree._Element) -> Change | None:
    return _item(ChangeKind.UPDATE, change)


def _delete(change: etree._Element) -> Change | None:
    found = change.find(_ITEM_ID)
    item_id = found.get("Id") if found is not None else None
    return (
        Change(ChangeKind.DELETE, ItemId(item_id), found.get("ChangeKey") or "")
        if item_id and found is not None
        else None
    )


def _read_flag(change: etree._Element) -> Change | None:
    found = change.find(_ITEM_ID)
    item_id = found.get("Id") if found is not None else None
    is_read = _flag(change.findtext(_IS_READ))
    if not item_id or found is None or is_read is None:
        return None
    return Change(ChangeKind.READ_FLAG, ItemId(item_id), found.get("ChangeKey") or "", None, is_read)


_READERS: dict[str, Callable[[etree._Element], Change | None]] = {
    t("Create"): _create,
    t("Update"): _update,
    t("Delete"): _delete,
    t("ReadFlagChange"): _read_flag,
}


def _changes(container: etree._Element) -> Iterator[Change]:
    for change in container:
        reader = _READERS.get(change.tag)
        if reader is None:
            continue  # a kind of change that is younger than we are
        found = reader(change)
        if found is None:
            raise ResponseUnreadable("A change without an ItemId.")
        yield found


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.strip().lower() in ("true", "1")


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
