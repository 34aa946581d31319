"""FindItem: the newest items of a folder.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/finditem-operation
"""

from lxml import etree

from engine.errors import ResponseUnreadable
from engine.model import Change, ChangeKind, Folder
from engine.sources.ews.service import Operation, element, properties
from engine.sources.ews.sync_folder_items import FIELDS, read_item
from engine.sources.ews.tags import m, t


class FindItem(Operation):
    """One page, the newest first."""

    SERVICE_NAME = "FindItem"

    def newest(self, folder: Folder, limit: int) -> tuple[Change, ...]:
        """See ``ports.MailSource.find_newest``."""
        message = self.only(self.send(self.get_payload(folder, limit), folder=folder.name), folder=folder.name)
        root = message.find(m("RootFolder"))
        if root is None:
            raise ResponseUnreadable(f"{self.mailbox}, folder {folder.name}: a list of items without RootFolder.")
        items = root.find(t("Items"))
        found = (read_item(ChangeKind.CREATE, item) for item in (items if items is not None else ()))
        return tuple(change for change in found if change is not None)

    def get_payload(self, folder: Folder, limit: int) -> etree._Element:
        """The request: what SyncFolderItems gives of an item as well."""
        order = element("t:FieldOrder", element("t:FieldURI", FieldURI="item:DateTimeReceived"), Order="Descending")
        return element(
            "m:FindItem",
            properties("m:ItemShape", "IdOnly", FIELDS),
            element("m:IndexedPageItemView", MaxEntriesReturned=str(limit), Offset="0", BasePoint="Beginning"),
            element("m:SortOrder", order),
            element("m:ParentFolderIds", element("t:FolderId", Id=folder.folder_id)),
            Traversal="Shallow",
        )
