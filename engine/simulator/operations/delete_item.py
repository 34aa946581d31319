"""DeleteItem: deletes messages, for good or into a folder they can be found in.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/deleteitem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.requests import Model, attribute, item_ids, required
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:ItemIds")
DELETE_TYPES = ("HardDelete", "SoftDelete", "MoveToDeletedItems")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    delete_type = attribute(request, "DeleteType", DELETE_TYPES)

    def one(element: etree._Element) -> bytes:
        mailbox, message = context.item(element)
        deleted_items = mailbox.standard["deleteditems"]
        if delete_type == "HardDelete":
            mailbox.delete(message)
        elif delete_type == "MoveToDeletedItems" and message.folder is not deleted_items:
            mailbox.move(message, deleted_items)
        else:
            mailbox.move(message, mailbox.standard["recoverableitemsdeletions"])
        return b""

    return each("DeleteItem", item_ids(required(request, f"{M}ItemIds")), one)
