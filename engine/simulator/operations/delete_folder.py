"""DeleteFolder: folders with all that is in them, for good whatever the delete type.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/deletefolder-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.operations.delete_item import DELETE_TYPES
from engine.simulator.requests import Model, attribute, children
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:FolderIds")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per folder, in order."""
    attribute(request, "DeleteType", DELETE_TYPES)

    def one(element: etree._Element) -> bytes:
        mailbox, folder = context.folder(element)
        mailbox.delete_folder(folder)
        return b""

    return each("DeleteFolder", children(request, f"{M}FolderIds"), one)
