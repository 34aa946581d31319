"""GetItem: messages by id.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getitem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model, item_ids, required
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:ItemShape m:ItemIds")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    shape = context.shapes.compile(required(request, f"{M}ItemShape"), context.version, listed=False)
    render = context.shapes.render

    def one(element: etree._Element) -> bytes:
        mailbox, message = context.item(element)
        if message.unreadable:
            raise ResponseError(message.unreadable)
        if context.faults.active:
            _spoil(context, mailbox.address, message.item_id)
        return b"<m:Items>%s</m:Items>" % render(mailbox, message, shape)

    return each("GetItem", item_ids(required(request, f"{M}ItemIds")), one, b"<m:Items/>")


def _spoil(context: Context, mailbox: str, item_id: str) -> None:
    if context.faults.take("vanished", "GetItem", mailbox, item_id):
        raise ResponseError("ErrorItemNotFound")
    fault = context.faults.take("unreadable", "GetItem", mailbox, item_id)
    if fault:
        raise ResponseError(fault.code or "ErrorContentConversionFailed")
