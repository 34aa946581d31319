"""UpdateItem: changes properties of messages.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/updateitem-operation
"""

from typing import Any

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.extended import ExtendedField
from engine.simulator.fields import item_id_xml
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.operations.create_item import DISPOSITIONS
from engine.simulator.requests import Model, attribute, children, violation
from engine.simulator.sending import send
from engine.simulator.soap import each
from engine.simulator.writing import BODY, EMPTY, FIELD_OF_URI, UNDELETABLE, WITHOUT_EFFECT, content, message_fields
from engine.simulator.xml import M, T, local

MODEL = Model("m:SavedItemFolderId? m:ItemChanges")
RESOLUTIONS = ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite")
_CHANGE = Model("(t:ItemId|t:OccurrenceItemId|t:RecurringMasterItemId) t:Updates t:CalendarActivityData?")
_NO_CONFLICTS = b"<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per item, in order, with its new change key."""
    resolution = attribute(request, "ConflictResolution", RESOLUTIONS)
    disposition = request.get("MessageDisposition")
    if disposition is not None:
        attribute(request, "MessageDisposition", DISPOSITIONS)

    def one(change: etree._Element) -> bytes:
        _CHANGE.check(change)
        if disposition is None:
            raise ResponseError("ErrorMessageDispositionRequired")
        mailbox, message = context.item(change[0])
        _check_key(mailbox, message, change[0].get("ChangeKey", ""), resolution)
        _apply(mailbox, message, _fields(message, children(change, f"{T}Updates")))
        if disposition != "SaveOnly":
            _send(context, mailbox, message, keep=disposition == "SendAndSaveCopy")
            return b"<m:Items/>" + _NO_CONFLICTS
        return f"<m:Items><t:Message>{item_id_xml(mailbox, message)}</t:Message></m:Items>".encode() + _NO_CONFLICTS

    return each("UpdateItem", children(request, f"{M}ItemChanges"), one, b"<m:Items/>")


def _check_key(mailbox: Mailbox, message: Message, key: str, resolution: str) -> None:
    if resolution == "AlwaysOverwrite":
        return
    if not key:
        raise ResponseError("ErrorChangeKeyRequired")
    if resolution == "NeverOverwrite" and key != mailbox.change_key(message):
        raise ResponseError("ErrorIrresolvableConflict")


def _fields(message: Message, updates: list[etree._Element]) -> dict[str, Any]:
    """The fields all updates together set."""
    fields: dict[str, Any] = {}
    extended = dict(message.extended)
    for update in updates:
        kind = local(update)
        if kind not in {"SetItemField", "DeleteItemField", "AppendToItemField"} or not len(update):
            raise violation(update, f"The element 'Updates' has invalid child element '{kind}'.")
        path = update[0]
        if path.tag == f"{T}ExtendedFieldURI":
            key = ExtendedField.read(path).key
            extended.pop(key, None)
            if kind == "SetItemField":
                extended.update(message_fields(update[1]).get("extended", {}))
            fields["extended"] = extended
            continue
        uri = attribute(path, "FieldURI")
        if uri in WITHOUT_EFFECT:
            continue
        name = FIELD_OF_URI.get(uri)
        if kind == "DeleteItemField":
            if name is None or name in UNDELETABLE:
                raise ResponseError("ErrorInvalidPropertyDelete")
            fields[name] = EMPTY.get(name, "")
        else:
            fields.update(_set(message, name, update, append=kind == "AppendToItemField"))
    return fields


def _set(message: Message, name: str | None, update: etree._Element, *, append: bool) -> dict[str, Any]:
    """One SetItemField or AppendToItemField."""
    if name is None or len(update) != 2:
        raise ResponseError("ErrorInvalidPropertySet")
    value = message_fields(update[1]).get(name)
    if value is None:
        raise ResponseError("ErrorInvalidPropertySet")
    if append:
        if name not in {"to", "cc", "bcc", "reply_to", BODY}:
            raise ResponseError("ErrorInvalidPropertyAppend")
        value = (
            (value[0], _body_text(message, is_html=value[0]) + value[1])
            if name == BODY
            else (
                *getattr(message, name),
                *value,
            )
        )
    return {name: value}


def _body_text(message: Message, *, is_html: bool) -> str:
    return (message.content.html() if is_html else None) or message.content.text()


def _apply(mailbox: Mailbox, message: Message, fields: dict[str, Any]) -> None:
    """A change of the read flag alone is one for synchronisation too."""
    if set(fields) == {"is_read"}:
        mailbox.mark_read(message, fields["is_read"])
        return
    if BODY in fields:
        fields["content"] = content(fields.pop(BODY), message.content.attachments())
    mailbox.update(message, **fields)


def _send(context: Context, mailbox: Mailbox, message: Message, *, keep: bool) -> None:
    sent = send(context.organisation, mailbox, message)
    mailbox.delete(message)
    if keep:
        mailbox.deliver(sent, mailbox.standard["sentitems"], new_mail=False)
