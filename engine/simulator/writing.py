"""Messages and properties out of requests: what clients create, send and change."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from lxml import etree

from engine.simulator.bodies import html_to_text
from engine.simulator.compose import Given
from engine.simulator.errors import ResponseError
from engine.simulator.extended import ExtendedField, Key
from engine.simulator.messages import Address, Attachment
from engine.simulator.requests import attribute, boolean, enumeration, required, violation
from engine.simulator.xml import T, child_text, clean, local, text_of

IMPORTANCES = ("Low", "Normal", "High")
SENSITIVITIES = ("Normal", "Personal", "Private", "Confidential")
BODY = "body"
"""The name under which a body is handed on, as (is_html, text): content is made from it together with attachments."""


def mailbox_of(element: etree._Element) -> Address:
    """The person of a Mailbox element."""
    email = clean(child_text(element, f"{T}EmailAddress")).strip()
    return Address(clean(child_text(element, f"{T}Name")) or email, email)


def _people(element: etree._Element) -> tuple[Address, ...]:
    return tuple(mailbox_of(child) for child in element.iterfind(f"{T}Mailbox"))


def _person(element: etree._Element) -> Address:
    return mailbox_of(required(element, f"{T}Mailbox"))


def _text(element: etree._Element) -> str:
    return clean(text_of(element))


def _body(element: etree._Element) -> tuple[bool, str]:
    html = attribute(element, "BodyType", ("HTML", "Text")) == "HTML"
    return html, clean(text_of(element))


def _strings(element: etree._Element) -> tuple[str, ...]:
    return tuple(_text(child) for child in element.iterfind(f"{T}String"))


_READERS: dict[str, tuple[str, str, Callable[[etree._Element], Any]]] = {
    "ItemClass": ("item:ItemClass", "item_class", _text),
    "Subject": ("item:Subject", "subject", _text),
    "Sensitivity": ("item:Sensitivity", "sensitivity", lambda e: enumeration(e, text_of(e), SENSITIVITIES)),
    "Body": ("item:Body", BODY, _body),
    "Categories": ("item:Categories", "categories", _strings),
    "Importance": ("item:Importance", "importance", lambda e: enumeration(e, text_of(e), IMPORTANCES)),
    "InReplyTo": ("item:InReplyTo", "in_reply_to", _text),
    "Sender": ("message:Sender", "sender", _person),
    "ToRecipients": ("message:ToRecipients", "to", _people),
    "CcRecipients": ("message:CcRecipients", "cc", _people),
    "BccRecipients": ("message:BccRecipients", "bcc", _people),
    "From": ("message:From", "author", _person),
    "InternetMessageId": ("message:InternetMessageId", "message_id", _text),
    "IsRead": ("message:IsRead", "is_read", boolean),
    "References": ("message:References", "references", _text),
    "ReplyTo": ("message:ReplyTo", "reply_to", _people),
}
_IGNORED = {
    "MimeContent",
    "Attachments",
    "ExtendedProperty",
    "Culture",
    "Flag",
    "ConversationIndex",
    "ConversationTopic",
    "IsDeliveryReceiptRequested",
    "IsReadReceiptRequested",
    "IsResponseRequested",
    "InternetMessageHeaders",
    "ReminderDueBy",
    "ReminderIsSet",
    "ReminderMinutesBeforeStart",
}
FIELD_OF_URI = {uri: name for uri, name, _ in _READERS.values()}
"""The properties a client can set, by FieldURI."""
WITHOUT_EFFECT = {
    "item:Culture",
    "item:Flag",
    "item:ReminderDueBy",
    "item:ReminderIsSet",
    "item:ReminderMinutesBeforeStart",
    "message:IsDeliveryReceiptRequested",
    "message:IsReadReceiptRequested",
    "message:IsResponseRequested",
}
"""Properties a client may set that the simulator does not keep."""
EMPTY = {
    "categories": (),
    "to": (),
    "cc": (),
    "bcc": (),
    "reply_to": (),
    "importance": "Normal",
    "sensitivity": "Normal",
    BODY: (False, ""),
}
"""What deleting a property leaves; others become empty text."""
UNDELETABLE = {"item_class", "is_read", "sender", "author", "message_id"}


def message_fields(element: etree._Element) -> dict[str, Any]:
    """The fields a Message element sets; read-only properties are refused as Exchange does."""
    fields: dict[str, Any] = {}
    for child in element:
        name = local(child)
        if name in _READERS:
            _, field, read = _READERS[name]
            fields[field] = read(child)
        elif name not in _IGNORED:
            raise ResponseError("ErrorInvalidPropertySet")
    extended = extended_fields(element)
    if extended:
        fields["extended"] = extended
    return fields


def extended_fields(element: etree._Element) -> dict[Key, tuple[str, ...]]:
    """The extended properties a Message element sets."""
    found = {}
    for child in element.iterfind(f"{T}ExtendedProperty"):
        key = ExtendedField.read(required(child, f"{T}ExtendedFieldURI")).key
        found[key] = tuple(_text(value) for value in child.iter(f"{T}Value"))
    return found


def file_attachments(element: etree._Element | None) -> list[Attachment]:
    """The files of an Attachments element."""
    found = []
    for child in element if element is not None else ():
        if child.tag != f"{T}FileAttachment":
            raise ResponseError("ErrorInvalidOperation", "Only files can be attached.")
        content_id = clean(child_text(child, f"{T}ContentId"))
        found.append(
            Attachment(
                clean(child_text(child, f"{T}Name")),
                clean(child_text(child, f"{T}ContentType")) or "application/octet-stream",
                decode(required(child, f"{T}Content")),
                content_id,
                boolean(child.find(f"{T}IsInline")),
            )
        )
    return found


def decode(element: etree._Element) -> bytes:
    """The base64 content of an element."""
    try:
        return base64.b64decode("".join(text_of(element).split()), validate=True)
    except binascii.Error:
        raise violation(element, f"The '{local(element)}' element is invalid - it is not base64.") from None


def content(body: tuple[bool, str], files: tuple[Attachment, ...] = ()) -> Given:
    """The content of a message with this body."""
    is_html, text = body
    return Given(html_to_text(text), text, files) if is_html else Given(text, None, files)
