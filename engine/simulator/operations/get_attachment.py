"""GetAttachment: the files and messages attached to messages.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getattachment-operation
"""

import base64

from lxml import etree

from engine.simulator import ids
from engine.simulator.context import Context
from engine.simulator.eml import from_bytes
from engine.simulator.errors import ResponseError
from engine.simulator.fields import FIELDS
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Attachment
from engine.simulator.requests import Model, attribute, boolean, children
from engine.simulator.soap import each
from engine.simulator.xml import M, T, escape

MODEL = Model("m:AttachmentShape? m:AttachmentIds")
_OF_ATTACHED = [
    "item:ItemClass",
    "item:Subject",
    "item:Sensitivity",
    "item:Body",
    "item:DateTimeReceived",
    "item:Size",
    "item:Importance",
    "item:InReplyTo",
    "item:DateTimeSent",
    "item:DateTimeCreated",
    "item:HasAttachments",
    "message:Sender",
    "message:ToRecipients",
    "message:CcRecipients",
    "message:From",
    "message:InternetMessageId",
    "message:IsRead",
    "message:References",
]
_ATTACHED = [field for field in FIELDS if field.uri in _OF_ATTACHED]


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    shape = request.find(f"{M}AttachmentShape")
    with_mime = shape is not None and boolean(shape.find(f"{T}IncludeMimeContent"))

    def one(element: etree._Element) -> bytes:
        text = attribute(element, "Id")
        mailbox, attachment = _find(context, text)
        head = (
            f'<t:AttachmentId Id="{text}"/><t:Name>{escape(attachment.name)}</t:Name>'
            f"<t:ContentType>{escape(attachment.content_type)}</t:ContentType>"
        )
        if attachment.content_id:
            head += f"<t:ContentId>{escape(attachment.content_id)}</t:ContentId>"
        inner = _item(mailbox, attachment, head, with_mime) if attachment.is_item else _file(attachment, head)
        return f"<m:Attachments>{inner}</m:Attachments>".encode()

    return each("GetAttachment", children(request, f"{M}AttachmentIds"), one, b"<m:Attachments/>")


def _find(context: Context, text: str) -> tuple[Mailbox, Attachment]:
    parts = ids.read_id(text)
    if parts.kind != "attachment":
        raise ResponseError("ErrorInvalidIdNotAnItemAttachmentId", "Id is not an attachment id.")
    owner = context.owner(parts.mailbox)
    message = owner.find(parts.item) if owner else None
    attachments = message.content.attachments() if message else ()
    if owner is None or parts.number >= len(attachments):
        raise ResponseError("ErrorInvalidAttachmentId")
    return owner, attachments[parts.number]


def _file(attachment: Attachment, head: str) -> str:
    data = base64.b64encode(attachment.data).decode()
    return f"<t:FileAttachment>{head}<t:Content>{data}</t:Content></t:FileAttachment>"


def _item(mailbox: Mailbox, attachment: Attachment, head: str, with_mime: bool) -> str:
    message = from_bytes(attachment.data, mailbox, mailbox.standard["inbox"])
    inner = "".join(field.render(mailbox, message) for field in _ATTACHED)
    if with_mime:
        data = base64.b64encode(attachment.data).decode()
        inner = f'<t:MimeContent CharacterSet="UTF-8">{data}</t:MimeContent>{inner}'
    return f"<t:ItemAttachment>{head}<t:Message>{inner}</t:Message></t:ItemAttachment>"
