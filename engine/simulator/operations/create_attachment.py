"""CreateAttachment: files onto a saved message.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/createattachment-operation
"""

from dataclasses import replace

from lxml import etree

from engine.simulator import ids
from engine.simulator.compose import Given
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Attachment, Message
from engine.simulator.requests import Model, required
from engine.simulator.soap import failure, success
from engine.simulator.writing import file_attachments
from engine.simulator.xml import M

MODEL = Model("m:ParentItemId m:Attachments")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per attachment, in order, with its id and the parent's new change key."""
    container = required(request, f"{M}Attachments")
    try:
        mailbox, message = context.item(required(request, f"{M}ParentItemId"))
        files = file_attachments(container)
    except ResponseError as error:
        return [failure("CreateAttachment", error, b"<m:Attachments/>") for _ in container]
    return [_attach(mailbox, message, file) for file in files]


def _attach(mailbox: Mailbox, message: Message, file: Attachment) -> bytes:
    content = message.content
    files = (*content.attachments(), file)
    if isinstance(content, Given):
        content = replace(content, files=files)
    else:
        content = Given(content.text(), content.html(), files)
    mailbox.update(message, content=content, has_attachments=any(not attached.is_inline for attached in files))
    inner = (
        f'<t:AttachmentId Id="{ids.attachment_id(message.item_id, len(files) - 1)}" RootItemId="{message.item_id}" '
        f'RootItemChangeKey="{mailbox.change_key(message)}"/>'
    )
    return success(
        "CreateAttachment",
        f"<m:Attachments><t:FileAttachment>{inner}</t:FileAttachment></m:Attachments>".encode(),
    )
