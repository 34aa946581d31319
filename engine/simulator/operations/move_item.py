"""MoveItem and CopyItem: messages into another folder, under another id.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/moveitem-operation
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/copyitem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.fields import item_id_xml
from engine.simulator.requests import Model, boolean, item_ids, required
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:ToFolderId m:ItemIds m:ReturnNewItemIds?")


def move(context: Context, request: etree._Element) -> list[bytes]:
    """MoveItem: one response message per id, in order, with the new id."""
    return _transfer(context, request, "MoveItem")


def copy(context: Context, request: etree._Element) -> list[bytes]:
    """CopyItem: one response message per id, in order, with the id of the copy."""
    return _transfer(context, request, "CopyItem")


def _transfer(context: Context, request: etree._Element, operation: str) -> list[bytes]:
    tell = boolean(request.find(f"{M}ReturnNewItemIds"), default=True)

    def one(element: etree._Element) -> bytes:
        target_mailbox, target = context.target(required(request, f"{M}ToFolderId"), "ErrorToFolderNotFound")
        mailbox, message = context.item(element)
        if mailbox is not target_mailbox:
            raise ResponseError("ErrorCrossMailboxMoveCopy")
        made = mailbox.move(message, target) if operation == "MoveItem" else mailbox.copy(message, target)
        inner = f"<t:Message>{item_id_xml(mailbox, made)}</t:Message>" if tell else ""
        return f"<m:Items>{inner}</m:Items>".encode()

    return each(operation, item_ids(required(request, f"{M}ItemIds")), one, b"<m:Items/>")
