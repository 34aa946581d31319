"""SendItem: sends drafts.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/senditem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model, attribute, item_ids, required, truth
from engine.simulator.sending import send
from engine.simulator.soap import each
from engine.simulator.xml import M

MODEL = Model("m:ItemIds m:SavedItemFolderId?")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    save = truth(request, attribute(request, "SaveItemToFolder"))
    target = request.find(f"{M}SavedItemFolderId")

    def one(element: etree._Element) -> bytes:
        if target is not None and not save:
            raise ResponseError("ErrorInvalidSendItemSaveSettings")
        _send(context, element, target, save=save)
        return b""

    return each("SendItem", item_ids(required(request, f"{M}ItemIds")), one)


def _send(context: Context, element: etree._Element, target: etree._Element | None, *, save: bool) -> None:
    mailbox, message = context.item(element)
    key = element.get("ChangeKey")
    if not key:
        raise ResponseError("ErrorChangeKeyRequired")
    if key != mailbox.change_key(message):
        raise ResponseError("ErrorStaleObject", "The change key is not that of the current version.")
    folder = mailbox.standard["sentitems"]
    if target is not None:
        mailbox, folder = context.target(target)
    sent = send(context.organisation, mailbox, message)
    mailbox.delete(message)
    if save:
        mailbox.deliver(sent, folder, new_mail=False)
