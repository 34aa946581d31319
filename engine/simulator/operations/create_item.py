"""CreateItem: saves and sends messages, replies and forwards.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/createitem-operation
"""

from typing import Any

from lxml import etree

from engine.simulator.compose import compose, topic_of
from engine.simulator.context import Context
from engine.simulator.eml import from_bytes
from engine.simulator.errors import ResponseError
from engine.simulator.fields import item_id_xml
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Message
from engine.simulator.requests import Model, attribute, children, required
from engine.simulator.sending import send
from engine.simulator.soap import each
from engine.simulator.writing import BODY, content, decode, file_attachments, message_fields
from engine.simulator.xml import M, T, local

MODEL = Model("m:SavedItemFolderId? m:Items")
DISPOSITIONS = ("SaveOnly", "SendOnly", "SendAndSaveCopy")
_RESPONSES = {"ReplyToItem": "RE: ", "ReplyAllToItem": "RE: ", "ForwardItem": "FW: "}


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per item, in order; the id of what was saved, nothing for what was only sent."""
    disposition = ""
    if request.get("MessageDisposition") is not None:
        disposition = attribute(request, "MessageDisposition", DISPOSITIONS)

    def one(element: etree._Element) -> bytes:
        if local(element) == "SuppressReadReceipt":
            return b"<m:Items/>"
        if local(element) != "Message" and local(element) not in _RESPONSES:
            raise ResponseError("ErrorInvalidOperation", f"Items of type {local(element)} are not simulated.")
        if not disposition:
            raise ResponseError("ErrorMessageDispositionRequired")
        mailbox, folder = _where(context, request.find(f"{M}SavedItemFolderId"), disposition)
        saved = _create(context, element, mailbox, folder, disposition)
        inner = f"<t:Message>{item_id_xml(mailbox, saved)}</t:Message>" if disposition == "SaveOnly" else ""
        return f"<m:Items>{inner}</m:Items>".encode()

    return each("CreateItem", children(request, f"{M}Items"), one, b"<m:Items/>")


def _where(context: Context, element: etree._Element | None, disposition: str) -> tuple[Mailbox, Folder]:
    if element is not None:
        return context.target(element)
    if context.acting is None:
        raise ResponseError("ErrorMissingEmailAddress")
    return context.acting, context.acting.standard["drafts" if disposition == "SaveOnly" else "sentitems"]


def _create(context: Context, element: etree._Element, mailbox: Mailbox, folder: Folder, disposition: str) -> Message:
    """Make, and if so wanted send and save, one message."""
    message = _message(context, element, mailbox, folder)
    if disposition != "SaveOnly":
        message = send(context.organisation, mailbox, message)
    if disposition != "SendOnly":
        mailbox.deliver(message, folder, new_mail=False)
    return message


def _message(context: Context, element: etree._Element, mailbox: Mailbox, folder: Folder) -> Message:
    name = local(element)
    me = Address(mailbox.name, mailbox.address)
    fields = _response(context, element, me) if name in _RESPONSES else message_fields(element)
    fields = {"sender": me, "is_draft": True, "from_me": True, "is_read": True, **fields}
    fields.setdefault("author", fields["sender"])
    extended = fields.pop("extended", {})
    mime = element.find(f"{T}MimeContent")
    if mime is not None:
        fields.pop(BODY, None)
        message = from_bytes(decode(mime), mailbox, folder, **fields)
    else:
        fields.setdefault("to", ())
        fields.setdefault("message_id", "")
        files = tuple(file_attachments(element.find(f"{T}Attachments")))
        message = compose(mailbox, folder, content=content(fields.pop(BODY, (False, "")), files), **fields)
    message.extended = extended
    return message


def _response(context: Context, element: etree._Element, me: Address) -> dict[str, Any]:
    """The fields of a reply or forward: addressed and quoted from the message it refers to."""
    _, original = context.item(required(element, f"{T}ReferenceItemId"))
    kind = local(element)
    new_body = element.find(f"{T}NewBodyContent")
    own = [child for child in element if child is not new_body and local(child) != "ReferenceItemId"]
    holder = etree.Element(f"{T}Message")
    holder.extend(own)
    fields = message_fields(holder)
    text = "" if new_body is None else new_body.text or ""
    is_html = new_body is not None and new_body.get("BodyType") == "HTML"
    quoted = original.content.text()
    others = [person for person in (*original.to, *original.cc) if person.address.lower() != me.address]
    author = [original.author] if original.author else []
    recipients = {"ReplyToItem": author, "ReplyAllToItem": author + others, "ForwardItem": []}[kind]
    return {
        "subject": _RESPONSES[kind] + topic_of(original.subject),
        "to": recipients,
        "in_reply_to": original.message_id,
        "references": f"{original.references} {original.message_id}".strip(),
        "conversation": original.conversation,
        "topic": original.topic,
        BODY: (is_html, text + ("<hr>" if is_html else "\r\n\r\n> ") + quoted),
        **fields,
        "author": me,
    }
