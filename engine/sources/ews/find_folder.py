"""FindFolder: the subfolders of a folder.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/findfolder-operation
"""

from lxml import etree

from engine.errors import ResponseUnreadable
from engine.model import FolderId
from engine.sources.ews.service import Operation, element, properties
from engine.sources.ews.tags import m, t

_PAGE = 1000


class FindFolder(Operation):
    """All subfolders, one level deep."""

    SERVICE_NAME = "FindFolder"

    def call(self, parent: etree._Element, folder: str) -> list[tuple[str, FolderId]]:
        """(DisplayName, id) of each subfolder; ``folder`` is how the parent is called in errors.

        Raises:
            FolderMissing: the parent is gone.
        """
        found: list[tuple[str, FolderId]] = []
        while True:
            message = self.only(self.send(self.get_payload(parent, len(found)), folder=folder), folder=folder)
            root = message.find(m("RootFolder"))
            if root is None:
                raise ResponseUnreadable(f"{self.mailbox}, folder {folder}: a list of subfolders without RootFolder.")
            before = len(found)
            folders = root.find(t("Folders"))
            for entry in folders if folders is not None else ():
                folder_id = entry.find(t("FolderId"))
                if folder_id is not None and folder_id.get("Id"):
                    found.append((entry.findtext(t("DisplayName")) or "", FolderId(str(folder_id.get("Id")))))
            # An empty page ends it too: a server that never says "last" must not keep us for ever
            if (root.get("IncludesLastItemInRange") or "true").lower() in ("true", "1") or len(found) == before:
                return found

    def get_payload(self, parent: etree._Element, offset: int) -> etree._Element:
        """The request for one page."""
        # Shallow and step by step, because a deep one lists the whole mailbox
        return element(
            "m:FindFolder",
            properties("m:FolderShape", "IdOnly", ("folder:DisplayName",)),
            element(
                "m:IndexedPageFolderView", MaxEntriesReturned=str(_PAGE), Offset=str(offset), BasePoint="Beginning"
            ),
            element("m:ParentFolderIds", parent),
            Traversal="Shallow",
        )
