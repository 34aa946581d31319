"""UpdateFolder: renames folders; other properties are accepted and have no effect.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/updatefolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.folder_shapes import named_folder
from engine.simulator.requests import Model, children
from engine.simulator.soap import each
from engine.simulator.xml import M, T, clean

MODEL = Model("m:FolderChanges")
_CHANGE = Model("(t:FolderId|t:DistinguishedFolderId) t:Updates")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per folder, in order."""

    def one(change: etree._Element) -> bytes:
        _CHANGE.check(change)
        mailbox, folder = context.folder(change[0])
        for update in children(change, f"{T}Updates"):
            name = update.find(f"*/{T}DisplayName")
            if name is not None and folder.distinguished:
                raise ResponseError("ErrorInvalidPropertySet")
            if name is not None:
                mailbox.rename_folder(folder, clean(name.text or ""))
        return named_folder(mailbox, folder)

    return each("UpdateFolder", children(request, f"{M}FolderChanges"), one, b"<m:Folders/>")
