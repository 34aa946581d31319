"""GetItem: messages by id.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getitem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model, item_ids, required
from engine.simulator.soap import failure
from engine.simulator.xml import M

MODEL = Model("m:ItemShape m:ItemIds")
_HEAD = b'<m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:Items>'
_TAIL = b"</m:Items></m:GetItemResponseMessage>"


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    shape = context.shapes.compile(required(request, f"{M}ItemShape"), context.version, listed=False)
    render = context.shapes.render
    answers = []
    for element in item_ids(required(request, f"{M}ItemIds")):
        try:
            mailbox, message = context.item(element)
            if message.unreadable:
                raise ResponseError(message.unreadable)
            if context.faults.active:
                _spoil(context, mailbox.address, message.item_id)
            answers += [_HEAD, render(mailbox, message, shape), _TAIL]
        except ResponseError as error:
            answers.append(failure("GetItem", error, b"<m:Items/>"))
    return answers


def _spoil(context: Context, mailbox: str, item_id: str) -> None:
    if context.faults.take("vanished", "GetItem", mailbox, item_id):
        raise ResponseError("ErrorItemNotFound")
    fault = context.faults.take("unreadable", "GetItem", mailbox, item_id)
    if fault:
        raise ResponseError(fault.code or "ErrorContentConversionFailed")
